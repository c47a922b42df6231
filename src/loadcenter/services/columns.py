"""History in columns: what a store answers for a chart, one sequence for each quantity, all of one length.

A chart of eight outlets has some fifty thousand values. As columns they pass from the database to the answer
without an object made for each bucket.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadcenter.domain.rollups import Counters, Tier

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Buckets:
    """How a range is cut: rows of `tier` (None: raw) with since <= time < until, grouped by `length_ms`.

    Attributes:
        origin_ms: a time at which a bucket begins; at or before `since_ms`.
        days: the length in local days, 0 where it is one of time. A local day begins at no multiple of 24 h and is an
            hour longer or shorter at a change of daylight saving, so a row belongs to the day whose midnight is the
            nearest, and a bucket of days stands at its first midnight that has a row.
    """

    tier: Tier | None
    since_ms: int
    until_ms: int
    length_ms: int
    origin_ms: int = 0
    days: int = 0

    @property
    def single(self) -> bool:
        """Whether a bucket never holds more than one row."""
        return self.tier is not None and self.length_ms == self.tier.value * 1000

    @property
    def border_ms(self) -> int:
        """Where the arithmetic begins: half a day before the midnight that days are counted from."""
        return self.origin_ms - DAY_MS // 2 if self.days else self.origin_ms

    def offset_ms(self, ts_ms: int) -> int:
        """Return the time of the bucket that holds `ts_ms`, counted from `border_ms`."""
        since_ms = ts_ms - self.border_ms
        return since_ms - since_ms % self.length_ms


@dataclass(frozen=True, slots=True)
class BandColumns:
    """Least, mean and greatest value of a quantity in each bucket, in its wire unit; None where it is not known."""

    minimum: Sequence[int | None]
    mean: Sequence[float | None]
    maximum: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class CounterColumns:
    """First and last reading of the energy counter in each bucket; None where it is not known.

    Energy of a bucket is `last - first + reset`. As a store answers them they are the least and the greatest reading,
    which is the same as long as the counter has never fallen; `services/energy.py` sees to the rest.
    """

    first_ts_ms: Sequence[int | None]
    first_mwh: Sequence[int | None]
    last_ts_ms: Sequence[int | None]
    last_mwh: Sequence[int | None]
    reset_mwh: Sequence[int | None]

    @staticmethod
    def of(rows: Sequence[Counters | None]) -> "CounterColumns":
        """Return the counters of rows as columns."""
        return CounterColumns(
            [None if one is None else one.first_ts_ms for one in rows],
            [None if one is None else one.first_mwh for one in rows],
            [None if one is None else one.last_ts_ms for one in rows],
            [None if one is None else one.last_mwh for one in rows],
            [None if one is None else one.reset_mwh for one in rows],
        )


@dataclass(frozen=True, slots=True)
class OutletColumns:
    """One outlet over a range; a bucket without rows is absent from all columns."""

    start_ms: Sequence[int]
    covered_ms: Sequence[int]
    power: BandColumns
    voltage: BandColumns
    current: BandColumns
    counters: CounterColumns

    def with_counters(self, counters: CounterColumns) -> "OutletColumns":
        """Return the same with other counters."""
        return replace(self, counters=counters)


@dataclass(frozen=True, slots=True)
class SourceColumns:
    """One source over a range; a bucket without rows is absent from all columns."""

    start_ms: Sequence[int]
    covered_ms: Sequence[int]
    voltage: BandColumns
    frequency: BandColumns


_NO_BAND = BandColumns((), (), ())
NO_OUTLET = OutletColumns((), (), _NO_BAND, _NO_BAND, _NO_BAND, CounterColumns((), (), (), (), ()))
"""An outlet of which nothing was read."""
NO_SOURCE = SourceColumns((), (), _NO_BAND, _NO_BAND)
"""A source of which nothing was read."""
