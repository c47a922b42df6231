"""History: the right tier for a range, at most so many buckets, gaps kept as gaps, energy from counters."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from loadcenter.domain.topology import Source
from loadcenter.services.columns import NO_OUTLET, NO_SOURCE, Buckets, OutletColumns, SourceColumns
from loadcenter.services.energy import Energy, energy_of, falls_between, outlets_that_fell, refold
from loadcenter.services.periods import Period, Periods, SiteDates, energy_by_period
from loadcenter.services.ports import Calendar, Clock, Store, StoreUnavailableError
from loadcenter.services.resolution import choose_buckets

_log = logging.getLogger(__name__)

FOLD_INTERVAL_MS: Final = 5_000
FOLD_SHARE: Final = 20
"""Folding takes at most a twentieth of the time: a large fleet gets its rollups later, and cheaper."""
FOLD_LONG_MS: Final = 1_000
"""Records coming in wait for a fold: one that takes longer is followed by a smaller one."""
FOLD_SHORT_MS: Final = 300
FOLD_LEAST: Final = 500
FOLD_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class OutletSeries:
    """One outlet over a range; buckets are absent where nothing was read."""

    outlet: int
    columns: OutletColumns
    energy: Energy


@dataclass(frozen=True, slots=True)
class SourceSeries:
    """One source over a range."""

    source: Source
    columns: SourceColumns


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that a chart of one PDU needs."""

    buckets: Buckets
    outlets: Sequence[OutletSeries]
    sources: Sequence[SourceSeries]


class SiteDays(Calendar, SiteDates, Protocol):
    """The days of the site, as times and as dates."""


class History:
    """Reads charts, and brings the rollups up to what came in."""

    def __init__(self, store: Store, clock: Clock, calendar: SiteDays) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._fold_most = FOLD_LEAST

    async def chart(
        self,
        pdu_id: str,
        outlets: Sequence[int],
        sources: Sequence[Source],
        since_ms: int,
        until_ms: int,
        points: int,
    ) -> Chart:
        """Return the series of a range: one query for all outlets, one for all sources, one for resets.

        Raises:
            RangeError: the range cannot be shown.
            StoreUnavailableError: the database is away.
        """
        buckets = choose_buckets(since_ms, until_ms, points, len(outlets) + len(sources), self._calendar)
        outlet_columns = await self._outlets(pdu_id, outlets, buckets) if outlets else {}
        source_columns = await self._store.source_buckets(pdu_id, sources, buckets) if sources else {}
        return Chart(
            buckets,
            [_outlet_series(outlet, outlet_columns.get(outlet, NO_OUTLET)) for outlet in outlets],
            [SourceSeries(source, source_columns.get(source, NO_SOURCE)) for source in sources],
        )

    async def energy(
        self, pdu_id: str, outlets: Sequence[int], period: Period, since_ms: int, until_ms: int
    ) -> Periods:
        """Return the energy of outlets in the whole local days, weeks or months that a range touches.

        Raises:
            RangeError: the range cannot be shown, or has more than 2,000 periods.
            StoreUnavailableError: the database is away.
        """
        return await energy_by_period(
            self._store, self._calendar, pdu_id, outlets, period, since_ms, until_ms
        )

    async def _outlets(
        self, pdu_id: str, outlets: Sequence[int], buckets: Buckets
    ) -> Mapping[int, OutletColumns]:
        found, suspects = await asyncio.gather(
            self._store.outlet_buckets(pdu_id, outlets, buckets),
            outlets_that_fell(self._store, pdu_id, outlets, buckets),
        )
        if not buckets.single:
            suspects |= {outlet for outlet, columns in found.items() if falls_between(columns.counters)}
        if not suspects:
            return found
        # A reset is rare: only then are the counters read row by row.
        rows = await self._store.outlet_counters(
            pdu_id, sorted(suspects), buckets.tier, buckets.since_ms, buckets.until_ms
        )
        exact = {
            outlet: found[outlet].with_counters(refold(spans, buckets, found[outlet].start_ms))
            for outlet, spans in rows.items()
            if outlet in found
        }
        return {**found, **exact}

    async def run_rollups(self) -> None:
        """Fold what came in into the rollups every few seconds, until cancelled."""
        pause_ms = FOLD_INTERVAL_MS
        while True:
            await self._clock.sleep_ms(pause_ms)
            began_ms = self._clock.monotonic_ms()
            try:
                await self.fold()
            except StoreUnavailableError as error:
                _log.debug("rollups wait for the database: %s", error)
            took_ms = self._clock.monotonic_ms() - began_ms
            pause_ms = max(FOLD_INTERVAL_MS, took_ms * (FOLD_SHARE - 1))

    async def fold(self) -> int:
        """Fold everything that was committed into the rollups; return how many records.

        Raises:
            StoreUnavailableError: the database is away; what was not folded stays to be.
        """
        done = 0
        while True:
            began_ms = self._clock.monotonic_ms()
            records = await self._store.fold(self._fold_most)
            if not records:
                return done
            done += records
            self._pace(self._clock.monotonic_ms() - began_ms, records)

    def _pace(self, took_ms: int, records: int) -> None:
        """Choose how many records the next fold takes, from how long this one took."""
        if took_ms > FOLD_LONG_MS:
            self._fold_most = max(FOLD_LEAST, self._fold_most // 2)
        elif took_ms < FOLD_SHORT_MS and records >= self._fold_most:
            self._fold_most = min(FOLD_MOST, self._fold_most * 2)


def _outlet_series(outlet: int, columns: OutletColumns) -> OutletSeries:
    return OutletSeries(outlet, columns, energy_of(columns.counters))
