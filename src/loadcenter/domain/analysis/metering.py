"""Energy between buckets: what belongs to a bucket, and what flowed while nothing was heard."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loadcenter.domain.energy import counter_delta_mwh
from loadcenter.domain.rollups import Counters, OutletRollup

GAP_MS = 60_000
"""Counters further apart than this have a gap between them, as in the charts of history."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Energy that flowed from the last reading before a gap to the first after it; when in it is not known."""

    since_ms: int
    until_ms: int
    energy_mwh: int


@dataclass(frozen=True, slots=True)
class Metered:
    """One bucket: its readings, its energy, and the gap that it ended."""

    start_ms: int
    rollup: OutletRollup
    energy_mwh: int = 0
    gap: Gap | None = None


def metered(rows: Iterable[tuple[int, OutletRollup]], before: Counters | None) -> Iterator[Metered]:
    """Yield each bucket with its energy, so that all energies and gaps together are what the counter went on.

    Args:
        rows: (start_ms, rollup) in order of time.
        before: counters of the last bucket before the first, None if there is none.
    """
    for start_ms, rollup in rows:
        counters = rollup.counters
        if counters is None:
            yield Metered(start_ms, rollup)
            continue
        between = 0 if before is None else counter_delta_mwh(before.last_mwh, counters.first_mwh)
        if before is not None and counters.first_ts_ms - before.last_ts_ms > GAP_MS:
            gap = Gap(before.last_ts_ms, counters.first_ts_ms, between)
            yield Metered(start_ms, rollup, counters.energy_mwh, gap)
        else:
            yield Metered(start_ms, rollup, counters.energy_mwh + between)
        before = counters
