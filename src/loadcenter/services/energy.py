"""Energy from counters: per bucket, across gaps and resets, nothing counted twice and nothing lost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from loadcenter.domain.rollups import Counters
from loadcenter.services.columns import Buckets, CounterColumns
from loadcenter.services.ports import Store

GAP_MS: Final = 60_000
"""Counters further apart than this have a gap between them: that energy is shown apart, never spread."""


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of a series in mWh: in each bucket, in the gap before each bucket, and of all together."""

    mwh: Sequence[int]
    in_gap_mwh: Sequence[int]

    @property
    def total_mwh(self) -> int:
        """All parts together."""
        return sum(self.mwh) + sum(self.in_gap_mwh)


def energy_of(counters: CounterColumns) -> Energy:
    """Return the energy of each bucket and of the gap before it.

    A bucket holds what its counter went on since the last reading of the bucket before, unless more than `GAP_MS`
    lies between: then that part stands as "in gap". All parts together are the total.

    Resets are seen elsewhere (`Counters`). What lies below an earlier reading nevertheless comes from a clock that was
    set back, and was counted there already.
    """
    energy: list[int] = []
    in_gap: list[int] = []
    before_ts_ms, before_mwh = 0, -1
    for first_ts_ms, first_mwh, last_ts_ms, last_mwh, reset_mwh in _rows(counters):
        if first_mwh is None or last_mwh is None or first_ts_ms is None or last_ts_ms is None:
            energy.append(0)
            in_gap.append(0)
            continue
        hidden_mwh = reset_mwh or 0
        gap = before_mwh >= 0 and first_ts_ms - before_ts_ms > GAP_MS
        since_mwh = max(first_mwh, before_mwh) if gap or before_mwh < 0 else before_mwh
        energy.append(max(0, last_mwh - since_mwh + hidden_mwh))
        in_gap.append(max(0, first_mwh - before_mwh) if gap else 0)
        before_ts_ms = last_ts_ms
        before_mwh = last_mwh if hidden_mwh else max(before_mwh, last_mwh)
    return Energy(energy, in_gap)


def refold(spans: Iterable[tuple[int, Counters]], buckets: Buckets, starts: Sequence[int]) -> CounterColumns:
    """Return the counters of each bucket in `starts`, merged in order from (time, counters) of its rows."""
    folded: dict[int, Counters] = {}
    for offset_ms, group in groupby(spans, lambda span: buckets.offset_ms(span[0])):
        merged: Counters | None = None
        for _, counters in group:
            merged = counters if merged is None else merged.merge(counters)
        if merged is not None:
            folded[offset_ms] = merged
    return CounterColumns.of([folded.get(buckets.offset_ms(start_ms)) for start_ms in starts])


async def outlets_that_fell(
    store: Store, pdu_id: str, outlets: Sequence[int], buckets: Buckets
) -> frozenset[int]:
    """Return the outlets whose counter began again within a range of raw rows.

    The least and the greatest reading of a bucket are not its first and last then. Counters of rollups never fall.
    """
    if buckets.tier is not None:
        return frozenset()
    return await store.outlets_reset(pdu_id, outlets, buckets.since_ms, buckets.until_ms)


def falls_between(counters: CounterColumns) -> bool:
    """Return whether a bucket begins lower than the first one: a reset among the newest rows, not in the tier yet.

    Lower than the one before alone it may come from a clock that was set back.
    """
    first = [value for value in counters.first_mwh if value is not None]
    return bool(first) and min(first) < first[0]


def _rows(counters: CounterColumns) -> Iterator[tuple[int | None, ...]]:
    return zip(
        counters.first_ts_ms,
        counters.first_mwh,
        counters.last_ts_ms,
        counters.last_mwh,
        counters.reset_mwh,
        strict=True,
    )
