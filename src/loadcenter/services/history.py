"""History: the right tier for a range, at most so many buckets, gaps kept as gaps, energy from counters."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.services.columns import NO_OUTLET, NO_SOURCE, Buckets, OutletColumns, SourceColumns
from loadcenter.services.energy import Energy, energy_of, falls_between, outlets_that_fell, refold
from loadcenter.services.periods import Period, Periods, SiteDates, energy_by_period
from loadcenter.services.ports import Calendar, Clock, Store, StoreUnavailableError
from loadcenter.services.resolution import choose_buckets

_log = logging.getLogger(__name__)

ROLLUP_INTERVAL_MS: Final = 5_000
_DIRTY_AT_ONCE: Final = 500


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
    """Reads charts, and keeps the coarser tiers up to date."""

    def __init__(self, store: Store, clock: Clock, calendar: SiteDays) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar

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
        """Recompute dirty buckets of the coarser tiers every few seconds, until cancelled."""
        while True:
            await self._clock.sleep_ms(ROLLUP_INTERVAL_MS)
            try:
                await self.recompute_dirty()
            except StoreUnavailableError as error:
                _log.debug("rollups wait for the database: %s", error)

    async def recompute_dirty(self) -> int:
        """Rebuild every bucket marked dirty, finest tier first; return how many.

        Raises:
            StoreUnavailableError: the database is away; what was not rebuilt stays marked.
        """
        done = 0
        while dirty := await self._store.dirty_buckets(_DIRTY_AT_ONCE):
            for tier, key in dirty:
                if tier is Tier.DAY:
                    until_ms = self._calendar.next_day_start_ms(key.start_ms)
                else:
                    until_ms = key.start_ms + tier.value * 1000
                await self._store.recompute(tier, key, until_ms)
            done += len(dirty)
        return done


def _outlet_series(outlet: int, columns: OutletColumns) -> OutletSeries:
    return OutletSeries(outlet, columns, energy_of(columns.counters))
