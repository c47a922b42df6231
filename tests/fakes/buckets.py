"""Charts of the fake store: grouped row by row with the domain's own rollups, as slowly and plainly as can be."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import TypeVar

from loadcenter.domain.rollups import OutletRollup, SourceRollup, Stat
from loadcenter.services.columns import (
    BandColumns,
    Buckets,
    CounterColumns,
    OutletColumns,
    SourceColumns,
)

R = TypeVar("R", OutletRollup, SourceRollup)


def group(rows: Iterable[tuple[int, R]], span: Buckets) -> list[tuple[int, R, list[R]]]:
    """Return (start, merged, parts) of each bucket that has rows."""
    found: dict[int, list[tuple[int, R]]] = {}
    for ts_ms, rollup in sorted(rows, key=lambda row: row[0]):
        found.setdefault(span.offset_ms(ts_ms), []).append((ts_ms, rollup))
    merged = []
    for offset_ms, part in sorted(found.items()):
        rollups = [rollup for _, rollup in part]
        start_ms = part[0][0] if span.days else offset_ms
        merged.append((start_ms, reduce(lambda one, other: one.merge(other), rollups), rollups))
    return merged


def outlet_columns(rows: Iterable[tuple[int, OutletRollup]], span: Buckets) -> OutletColumns:
    grouped = group(rows, span)
    return OutletColumns(
        [start_ms for start_ms, _, _ in grouped],
        [one.covered_ms for _, one, _ in grouped],
        band([one.power for _, one, _ in grouped]),
        band([one.voltage for _, one, _ in grouped]),
        band([one.current for _, one, _ in grouped]),
        counters([parts for _, _, parts in grouped]),
    )


def source_columns(rows: Iterable[tuple[int, SourceRollup]], span: Buckets) -> SourceColumns:
    grouped = group(rows, span)
    return SourceColumns(
        [start_ms for start_ms, _, _ in grouped],
        [one.covered_ms for _, one, _ in grouped],
        band([one.voltage for _, one, _ in grouped]),
        band([one.frequency for _, one, _ in grouped]),
    )


def band(stats: list[Stat]) -> BandColumns:
    return BandColumns(
        [one.minimum if one.count else None for one in stats],
        [one.mean for one in stats],
        [one.maximum if one.count else None for one in stats],
    )


def counters(parts: list[list[OutletRollup]]) -> CounterColumns:
    """Return least and greatest readings, as a database that knows no order within a group gives them."""
    known = [[one.counters for one in bucket if one.counters] for bucket in parts]

    def each(of: Callable[..., int], name: str) -> list[int | None]:
        return [of(getattr(one, name) for one in bucket) if bucket else None for bucket in known]

    return CounterColumns(
        each(min, "first_ts_ms"),
        each(min, "first_mwh"),
        each(max, "last_ts_ms"),
        each(max, "last_mwh"),
        each(sum, "reset_mwh"),
    )
