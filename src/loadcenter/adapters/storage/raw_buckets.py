"""Charts of raw rows: one pass over the records for all outlets of a bank.

Where every value is known, which is nearly always, the records of a bucket share their weights and times, so that the
database has half as much to reckon as with a branch for each outlet. Outlets of which a value is missing somewhere are
left to those branches (`buckets.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, bindparam, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.records import PERIOD_MS, bank_and_slot
from loadcenter.adapters.storage.schema import raw_record
from loadcenter.services.columns import BandColumns, Buckets, CounterColumns, OutletColumns

Columns = Sequence[Sequence[Any]]
_FLOAT: Final[ColumnElement[Any]] = literal_column("1e0")
_SHARED: Final = 7
"""Columns of the records themselves; after them come those of each outlet."""
_OWN: Final = 12


async def known_outlet_buckets(
    connection: AsyncConnection, pdu_no: int, outlets: Sequence[int], buckets: Buckets
) -> dict[int, OutletColumns]:
    """Return the columns of each outlet of which everything is known in every record of the range."""
    values = {
        "pdu_no": pdu_no,
        "since_ms": buckets.since_ms,
        "until_ms": buckets.until_ms,
        "border_ms": buckets.border_ms,
        "length_ms": buckets.length_ms,
    }
    found: dict[int, OutletColumns] = {}
    for bank, members in groupby(sorted(outlets), lambda outlet: bank_and_slot(outlet)[0]):
        wanted = tuple(members)
        text, names = _text(connection.dialect, bank, wanted)
        rows = await connection.exec_driver_sql(text, tuple(values[name] for name in names))
        columns: Columns = list(zip(*sorted(map(tuple, rows.all())), strict=True))
        for place, outlet in enumerate(wanted if columns else ()):
            own = columns[_SHARED + place * _OWN : _SHARED + (place + 1) * _OWN]
            if own[0] == columns[5] and all(columns[6]):
                found[outlet] = _outlet_columns(columns, own)
    return found


@lru_cache(maxsize=256)
def _text(dialect: Dialect, bank: int, outlets: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the statement and the names of its parameters in their order."""
    compiled = _statement(bank, [bank_and_slot(outlet)[1] for outlet in outlets]).compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _statement(bank: int, slots: Sequence[int]) -> Select[Any]:
    column = raw_record.c
    bits: ColumnElement[Any] = literal_column(str(sum(1 << (slot - 1) for slot in slots)))
    reported = column.reported.op("&")(bits) == bits
    period_ms = func.coalesce(column.period_ms, literal_column(str(PERIOD_MS)))
    since_border = column.ts_ms - bindparam("border_ms")
    return (
        select(
            (since_border - since_border % bindparam("length_ms")).label("offset_ms"),
            func.min(column.ts_ms),
            func.max(column.ts_ms),
            func.sum(column.samples * _FLOAT),
            func.sum(column.samples * period_ms * _FLOAT),
            func.count(),
            func.min(case((reported, literal_column("1")), else_=literal_column("0"))),
            *(one for slot in slots for one in _slot(slot)),
        )
        .where(column.pdu_no == bindparam("pdu_no"), column.bank == literal_column(str(bank)))
        .where(column.ts_ms >= bindparam("since_ms"), column.ts_ms < bindparam("until_ms"))
        .group_by(literal_column("offset_ms"))
    )


def _slot(slot: int) -> Sequence[ColumnElement[Any]]:
    """Return how many records know everything, then least, sum and greatest of each quantity, and of the counter."""
    column = raw_record.c
    power, voltage = column[f"power_mw_{slot}"], column[f"voltage_mv_{slot}"]
    current, energy = column[f"current_ma_{slot}"], column[f"energy_mwh_{slot}"]
    return (
        func.count(power + voltage + current + energy),
        func.min(func.coalesce(column[f"power_min_mw_{slot}"], power)),
        func.sum(power * column.samples * _FLOAT),
        func.max(func.coalesce(column[f"power_max_mw_{slot}"], power)),
        *(
            one
            for value in (voltage, current)
            for one in (func.min(value), func.sum(value * column.samples * _FLOAT), func.max(value))
        ),
        func.min(energy),
        func.max(energy),
    )


def _outlet_columns(shared: Columns, own: Columns) -> OutletColumns:
    offsets, first_ms, last_ms, weights, covered_ms, _, _ = shared[:_SHARED]

    def band(at: int) -> BandColumns:
        sums = zip(own[at + 1], weights, strict=True)
        return BandColumns(own[at], [total / weight for total, weight in sums], own[at + 2])

    counters = CounterColumns(first_ms, own[10], last_ms, own[11], [0] * len(offsets))
    return OutletColumns(offsets, list(map(int, covered_ms)), band(1), band(4), band(7), counters)
