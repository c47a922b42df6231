"""How rollups lie in rows: outlets and sources differ in their columns, not in what is done with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from sqlalchemy import Column, Table

from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS, SOURCE_ROLLUPS
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, Stat, Tier


class Mergeable(Protocol):
    """A rollup of either kind."""

    def merge(self, other: Self, /) -> Self:
        """Return the rollup of both spans together."""
        ...


R = TypeVar("R", bound=Mergeable)

KEY_COLUMNS: Final = 3
"""`pdu_no`, the channel and `start_ms` come first in every rollup table."""


@dataclass(frozen=True)
class Channels(Generic[R]):
    """One kind of channel.

    Attributes:
        tables: its rollup table of each tier.
        channel: name of the column that tells its channels apart.
        pack: from a rollup to the values after the key, in the order of the columns.
        unpack: the way back.
    """

    tables: Mapping[Tier, Table]
    channel: str
    pack: Callable[[R], tuple[Any, ...]]
    unpack: Callable[[tuple[Any, ...]], R]

    def joined(self, one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
        """Return what two rows hold together, both without their keys."""
        return [*self.pack(self.unpack(tuple(one)).merge(self.unpack(tuple(other))))]

    def key(self, tier: Tier) -> tuple[Column[Any], Column[Any], Column[Any]]:
        """Return the key columns of a tier's table."""
        columns = self.tables[tier].c
        return columns.pdu_no, columns[self.channel], columns.start_ms


def _pack_stat(stat: Stat) -> tuple[int | None, ...]:
    if not stat.count:
        return 0, None, None, None
    return stat.count, stat.minimum, stat.maximum, stat.total


def _unpack_stat(row: tuple[Any, ...], at: int) -> Stat:
    return Stat(*row[at : at + 4]) if row[at] else Stat()


def _pack_outlet(rollup: OutletRollup) -> tuple[Any, ...]:
    statistics = *_pack_stat(rollup.power), *_pack_stat(rollup.voltage), *_pack_stat(rollup.current)
    counters = rollup.counters
    if counters is None:
        return rollup.covered_ms, *statistics, None, None, None, None
    return (
        rollup.covered_ms,
        *statistics,
        counters.first_ts_ms,
        counters.first_mwh,
        counters.last_ts_ms,
        counters.last_mwh + counters.reset_mwh,
    )


def _unpack_outlet(row: tuple[Any, ...]) -> OutletRollup:
    counters = None if row[13] is None else Counters(*row[13:17])
    return OutletRollup(row[0], _unpack_stat(row, 1), _unpack_stat(row, 5), _unpack_stat(row, 9), counters)


def _pack_source(rollup: SourceRollup) -> tuple[Any, ...]:
    return rollup.covered_ms, *_pack_stat(rollup.voltage), *_pack_stat(rollup.frequency)


def _unpack_source(row: tuple[Any, ...]) -> SourceRollup:
    return SourceRollup(row[0], _unpack_stat(row, 1), _unpack_stat(row, 5))


OUTLETS: Final = Channels(OUTLET_ROLLUPS, "outlet", _pack_outlet, _unpack_outlet)
SOURCES: Final = Channels(SOURCE_ROLLUPS, "source", _pack_source, _unpack_source)
