"""History: the right tier for a range, at most so many buckets, gaps kept as gaps, energy from counters."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from loadcenter.domain.energy import counter_delta_mwh
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, Tier, outlet_rollup, source_rollup
from loadcenter.domain.topology import Source
from loadcenter.services.ports import Calendar, Clock, Store, StoreUnavailableError

_log = logging.getLogger(__name__)

POINTS_MAX = 2_000
"""Most buckets of one series; a screen has no more pixels."""

RAW_ROWS_MAX = 7_200
"""Longest range read from raw rows: two hours at 1 Hz."""

GAP_MS = 60_000
"""Counters further apart than this have a gap between them: that energy is shown apart, never spread."""

_DAY_MS = 86_400_000
RANGE_MAX_MS = 50 * 366 * 86_400_000
ROLLUP_INTERVAL_MS = 5_000
_DIRTY_AT_ONCE = 500
_PERIOD_MS = 1000
"""Raw rows do not keep their period; a chart does not show what they cover."""


class RangeError(ValueError):
    """A range of time that cannot be shown; the message says what can."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a range is read from: `tier` (None: raw rows) in buckets of `bucket_ms`."""

    tier: Tier | None
    bucket_ms: int


@dataclass(frozen=True, slots=True)
class OutletSeries:
    """One outlet over a range; `buckets` are (start_ms, rollup), absent where nothing was read."""

    outlet: int
    buckets: Sequence[tuple[int, OutletRollup]]
    energy_mwh: Sequence[int]
    in_gap_mwh: Sequence[int]
    total_mwh: int


@dataclass(frozen=True, slots=True)
class SourceSeries:
    """One source over a range."""

    source: Source
    buckets: Sequence[tuple[int, SourceRollup]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that a chart of one PDU needs."""

    resolution: Resolution
    since_ms: int
    until_ms: int
    outlets: Sequence[OutletSeries]
    sources: Sequence[SourceSeries]


def choose_resolution(since_ms: int, until_ms: int, points: int) -> Resolution:
    """Return the coarsest tier that still gives about `points` buckets.

    Raises:
        RangeError: the range is empty, reversed or longer than 50 years, or `points` is not 1 to 2,000.
    """
    length_ms = until_ms - since_ms
    if not 0 < length_ms <= RANGE_MAX_MS:
        raise RangeError("since_ms must be before until_ms, and no more than 50 years")
    if not 1 <= points <= POINTS_MAX:
        raise RangeError(f"points must be 1 to {POINTS_MAX}")
    # a range that begins within a bucket touches one more
    wanted_ms = -(-length_ms // min(points, POINTS_MAX - 1))
    if length_ms <= RAW_ROWS_MAX * 1000:
        return Resolution(None, -(-wanted_ms // 1000) * 1000)
    tier = max((one for one in Tier if one.value * 1000 <= wanted_ms), default=Tier.MINUTE)
    span_ms = tier.value * 1000
    bucket_ms = -(-wanted_ms // span_ms) * span_ms
    # rounded up, the bucket may be one that a coarser tier holds ready
    whole = max(one for one in Tier if bucket_ms % (one.value * 1000) == 0)
    return Resolution(whole, bucket_ms)


class _Mergeable(Protocol):
    def merge(self, other: Self) -> Self: ...


_Rollup = TypeVar("_Rollup", bound=_Mergeable)


def regroup(rows: Iterable[tuple[int, _Rollup]], bucket_ms: int) -> list[tuple[int, _Rollup]]:
    """Return rows (in order of time) merged into buckets that begin at multiples of `bucket_ms`."""
    grouped: list[tuple[int, _Rollup]] = []
    for start_ms, rollup in rows:
        begin_ms = start_ms - start_ms % bucket_ms
        if grouped and grouped[-1][0] == begin_ms:
            grouped[-1] = (begin_ms, grouped[-1][1].merge(rollup))
        else:
            grouped.append((begin_ms, rollup))
    return grouped


def regroup_days(rows: Iterable[tuple[int, _Rollup]], days: int, origin_ms: int) -> list[tuple[int, _Rollup]]:
    """Return rows of local days merged by `days`, counted from `origin_ms` (a local midnight).

    Each stands at the midnight of its first day. A local day begins at no multiple of 24 h, and is an hour longer or
    shorter at a change of daylight saving.
    """
    grouped: list[tuple[int, _Rollup]] = []
    group = None
    for start_ms, rollup in rows:
        number = (start_ms - origin_ms + _DAY_MS // 2) // _DAY_MS // days
        if number == group:
            grouped[-1] = (grouped[-1][0], grouped[-1][1].merge(rollup))
        else:
            grouped.append((start_ms, rollup))
            group = number
    return grouped


def energy_of(buckets: Sequence[tuple[int, OutletRollup]]) -> tuple[list[int], list[int], int]:
    """Return energy per bucket, energy in the gap before each bucket, and the total, in mWh.

    A bucket holds what its counter went on since the last reading of the bucket before, unless more than `GAP_MS`
    lies between: then that part stands as "in gap". All parts together are the total.
    """
    energy: list[int] = []
    in_gap: list[int] = []
    before: Counters | None = None
    for _, rollup in buckets:
        counters = rollup.counters
        if counters is None:
            energy.append(0)
            in_gap.append(0)
            continue
        between = 0
        if before is not None:
            between = counter_delta_mwh(before.last_mwh, counters.first_mwh)
        gap = before is not None and counters.first_ts_ms - before.last_ts_ms > GAP_MS
        energy.append(counters.energy_mwh + (0 if gap else between))
        in_gap.append(between if gap else 0)
        before = counters
    return energy, in_gap, sum(energy) + sum(in_gap)


class History:
    """Reads charts, and keeps the coarser tiers up to date."""

    def __init__(self, store: Store, clock: Clock, calendar: Calendar) -> None:
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
        """Return the series of a range.

        Raises:
            RangeError: the range cannot be shown.
            StoreUnavailableError: the database is away.
        """
        resolution = choose_resolution(since_ms, until_ms, points)
        outlet_series = [
            await self._outlet(resolution, pdu_id, outlet, since_ms, until_ms) for outlet in outlets
        ]
        source_series = [
            await self._source(resolution, pdu_id, source, since_ms, until_ms) for source in sources
        ]
        return Chart(resolution, since_ms, until_ms, outlet_series, source_series)

    async def _outlet(
        self, resolution: Resolution, pdu_id: str, outlet: int, since_ms: int, until_ms: int
    ) -> OutletSeries:
        rows: Iterable[tuple[int, OutletRollup]]
        if resolution.tier is None:
            raw = await self._store.raw_outlets(pdu_id, outlet, since_ms, until_ms)
            rows = (
                (row.ts_ms, outlet_rollup(row.reading, row.ts_ms, row.samples, _PERIOD_MS)) for row in raw
            )
        else:
            rows = await self._store.outlet_rollups(resolution.tier, pdu_id, outlet, since_ms, until_ms)
        buckets = self._grouped(rows, resolution, since_ms)
        energy, in_gap, total = energy_of(buckets)
        return OutletSeries(outlet, buckets, energy, in_gap, total)

    async def _source(
        self, resolution: Resolution, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> SourceSeries:
        rows: Iterable[tuple[int, SourceRollup]]
        if resolution.tier is None:
            raw = await self._store.raw_sources(pdu_id, source, since_ms, until_ms)
            rows = ((row.ts_ms, source_rollup(row.reading, row.samples, _PERIOD_MS)) for row in raw)
        else:
            rows = await self._store.source_rollups(resolution.tier, pdu_id, source, since_ms, until_ms)
        return SourceSeries(source, self._grouped(rows, resolution, since_ms))

    def _grouped(
        self, rows: Iterable[tuple[int, _Rollup]], resolution: Resolution, since_ms: int
    ) -> list[tuple[int, _Rollup]]:
        if resolution.tier is not Tier.DAY:
            return regroup(rows, resolution.bucket_ms)
        return regroup_days(rows, resolution.bucket_ms // _DAY_MS, self._calendar.day_start_ms(since_ms))

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


@dataclass(frozen=True, slots=True)
class _Base:
    day_ms: int
    counters: Counters


class Today:
    """Energy of each outlet since local midnight, from its counter; read from the database once a day."""

    def __init__(self, store: Store, clock: Clock, calendar: Calendar) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._bases: dict[tuple[str, int], _Base] = {}

    def energy_mwh(self, pdu_id: str, outlet: int, counter_mwh: int | None, ts_ms: int) -> int | None:
        """Return the energy since midnight at a reading of `ts_ms`, None while it is not known."""
        base = self._bases.get((pdu_id, outlet))
        if base is None or counter_mwh is None:
            return None
        return _followed(base.counters, counter_mwh, ts_ms).energy_mwh

    async def refresh(self, pdu_id: str, counters: Mapping[int, int | None], ts_ms: int) -> None:
        """Read the base of every outlet in `counters` (outlet -> counter at `ts_ms`) that has none of today.

        The others are followed, so that a reset of the counter is seen however long ago the base was read.

        Raises:
            StoreUnavailableError: the database is away.
        """
        now_ms = self._clock.now_ms()
        day_ms = self._calendar.day_start_ms(now_ms)
        for outlet, counter in counters.items():
            if counter is None:
                continue
            base = self._bases.get((pdu_id, outlet))
            if base is not None and base.day_ms == day_ms:
                here = _followed(base.counters, counter, ts_ms)
            else:
                rows = await self._store.outlet_rollups(Tier.MINUTE, pdu_id, outlet, day_ms, now_ms)
                merged = _merge(row.counters for _, row in rows)
                here = merged or Counters(ts_ms, counter, ts_ms, counter)
            self._bases[pdu_id, outlet] = _Base(day_ms, here)


def _followed(counters: Counters, counter_mwh: int, ts_ms: int) -> Counters:
    """Return `counters` up to a reading; one that is not newer changes nothing (lower, it is no reset)."""
    if ts_ms <= counters.last_ts_ms:
        return counters
    return counters.merge(Counters(ts_ms, counter_mwh, ts_ms, counter_mwh))


def _merge(parts: Iterable[Counters | None]) -> Counters | None:
    merged: Counters | None = None
    for part in parts:
        if part is not None:
            merged = part if merged is None else merged.merge(part)
    return merged
