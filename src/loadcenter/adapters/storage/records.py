"""How raw readings lie: one row for each record, with a slot for each of eight outlets and for both sources.

A record of more outlets takes several rows, its banks. `reported` has a bit for each outlet of the bank and, above them,
one for each source; what is not reported is not there, whatever its columns hold. `on_bits` says which relays were on.
An unknown value is NULL; so are `quality` where it is good and `period_ms` where it is a second, which is nearly
always: NULL takes no room.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Insert, Subquery, Table, case, func, literal_column, select
from sqlalchemy.dialects import mysql, sqlite

from loadcenter.adapters.storage.dialect import SQLITE
from loadcenter.adapters.storage.schema import BANK_SLOTS, raw_record
from loadcenter.domain.readings import OutletReading, Quality, SourceReading
from loadcenter.domain.topology import Source
from loadcenter.services.ports import RawOutlet, RawRecord, RawSource

QUALITY_CODES: Final = {Quality.GOOD: None, Quality.STALE: 1, Quality.INVALID: 2}
QUALITIES: Final = {0: Quality.GOOD, 1: Quality.STALE, 2: Quality.INVALID}
PERIOD_MS: Final = 1000
"""The usual period of a sample, which is not written down."""

REPORTED, ON_BITS, SOURCES_AT, SLOTS_AT = 5, 6, 7, 13
"""Places in a row: the bits, the first column of the sources, that of the first slot."""
SLOT_WIDTH: Final = 7
SOURCE_WIDTH: Final = 3
VALUES_FROM: Final = OutletReading._fields.index("voltage_mv")
VALUES_TO: Final = OutletReading._fields.index("power_max_mw") + 1
"""Where a reading has what a slot begins with, in the same order."""
SOURCE_BITS: Final = {Source.MAIN: BANK_SLOTS, Source.BACKUP: BANK_SLOTS + 1}
_EMPTY: Final[tuple[None, ...]] = (None,) * (len(raw_record.columns) - SOURCES_AT)

RawRow = list[Any]
RawKey = tuple[int, int, int]
"""`pdu_no`, `ts_ms`, bank."""


def bank_and_slot(outlet: int) -> tuple[int, int]:
    """Return where an outlet lies: its bank from 0, its slot from 1."""
    bank, slot = divmod(outlet - 1, BANK_SLOTS)
    return bank, slot + 1


def rows_of_record(record: RawRecord, pdu_no: int) -> list[RawRow]:
    """Return the rows of one record, mostly one."""
    readings = record.readings
    banks: dict[int, RawRow] = {}
    for outlet in readings.outlets:
        row = _bank(banks, pdu_no, record, (outlet.outlet - 1) // BANK_SLOTS)
        _put_outlet(row, outlet)
    for source in readings.sources:
        _put_source(_bank(banks, pdu_no, record, 0), source)
    return list(banks.values())


def rows_of_readings(
    outlets: Iterable[RawOutlet], sources: Iterable[RawSource], numbers: Mapping[str, int]
) -> dict[RawKey, RawRow]:
    """Return the rows that hold single readings, by their keys."""
    rows: dict[RawKey, RawRow] = {}
    for outlet in outlets:
        bank, _ = bank_and_slot(outlet.reading.outlet)
        _put_outlet(_keyed(rows, numbers[outlet.pdu_id], outlet, bank), outlet.reading)
    for source in sources:
        _put_source(_keyed(rows, numbers[source.pdu_id], source, 0), source.reading)
    return rows


def joined(rows: Iterable[RawRow], into: dict[RawKey, RawRow]) -> None:
    """Add rows to `into`; where the key is there already, what the later one reports replaces the earlier."""
    for row in rows:
        key = row[0], row[1], row[2]
        earlier = into.get(key)
        into[key] = row if earlier is None else _replaced(earlier, row)


def outlet_rows(slot: int) -> Subquery:
    """Return the raw rows of one slot as a table of single readings, with the columns of an outlet."""
    column = raw_record.c
    return (
        select(
            column.pdu_no,
            column.bank,
            column.ts_ms,
            column.samples,
            func.coalesce(column.period_ms, _number(PERIOD_MS)).label("period_ms"),
            case((_has(column.on_bits, slot - 1), _number(1)), else_=_number(0)).label("is_on"),
            *(column[f"{name}_{slot}"].label(name) for name in _SLOT_NAMES),
            func.coalesce(column[f"quality_{slot}"], _number(0)).label("quality"),
        )
        .where(_has(column.reported, slot - 1))
        .subquery(f"slot_{slot}")
    )


def source_rows(source: Source) -> Subquery:
    """Return the raw rows of one source as a table of single readings."""
    column = raw_record.c
    return (
        select(
            column.pdu_no,
            column.bank,
            column.ts_ms,
            column.samples,
            func.coalesce(column.period_ms, _number(PERIOD_MS)).label("period_ms"),
            column[f"{source}_mv"].label("voltage_mv"),
            column[f"{source}_mhz"].label("frequency_mhz"),
            func.coalesce(column[f"{source}_quality"], _number(0)).label("quality"),
        )
        .where(_has(column.reported, SOURCE_BITS[source]))
        .subquery(str(source))
    )


def put_records(dialect: Dialect, table: Table) -> Insert:
    """Return an INSERT which, in a row that is there already, replaces what the new row reports."""
    if dialect.name == SQLITE:
        lite = sqlite.insert(table)
        return lite.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=_changes(table, lite.excluded)
        )
    maria = mysql.insert(table)
    return maria.on_duplicate_key_update(_changes(table, maria.inserted))


_SLOT_NAMES: Final = ("voltage_mv", "current_ma", "power_mw", "energy_mwh", "power_min_mw", "power_max_mw")


def _number(value: int) -> ColumnElement[Any]:
    """Return a number as part of the statement: those that go to the driver as text have no room for values."""
    return literal_column(str(value))


def _has(bits: ColumnElement[Any], bit: int) -> ColumnElement[bool]:
    return bits.op("&")(_number(1 << bit)) != _number(0)


def _changes(table: Table, new: Any) -> dict[str, ColumnElement[Any]]:
    old = table.c
    changes: dict[str, ColumnElement[Any]] = {"samples": new.samples, "period_ms": new.period_ms}
    for name, bit in _reporting_bits().items():
        changes[name] = case((_has(new.reported, bit), new[name]), else_=old[name])
    kept = old.on_bits.op("-")(old.on_bits.op("&")(new.reported))
    changes["on_bits"] = kept.op("+")(new.on_bits)
    changes["reported"] = old.reported.op("|")(new.reported)
    return changes


@cache
def _reporting_bits() -> Mapping[str, int]:
    """Return the bit in `reported` that goes with each column of values."""
    bits: dict[str, int] = {}
    for source, bit in SOURCE_BITS.items():
        bits |= dict.fromkeys((f"{source}_mv", f"{source}_mhz", f"{source}_quality"), bit)
    for slot in range(1, BANK_SLOTS + 1):
        bits |= dict.fromkeys((f"{name}_{slot}" for name in (*_SLOT_NAMES, "quality")), slot - 1)
    return bits


def _bank(banks: dict[int, RawRow], pdu_no: int, record: RawRecord, bank: int) -> RawRow:
    row = banks.get(bank)
    if row is None:
        period_ms = record.readings.period_ms
        row = banks[bank] = _blank(pdu_no, record.ts_ms, bank, record.samples, period_ms)
    return row


def _keyed(rows: dict[RawKey, RawRow], pdu_no: int, one: RawOutlet | RawSource, bank: int) -> RawRow:
    key = pdu_no, one.ts_ms, bank
    row = rows.get(key)
    if row is None:
        row = rows[key] = _blank(pdu_no, one.ts_ms, bank, one.samples, one.period_ms)
    row[3] = one.samples
    return row


def _blank(pdu_no: int, ts_ms: int, bank: int, samples: int, period_ms: int) -> RawRow:
    return [pdu_no, ts_ms, bank, samples, None if period_ms == PERIOD_MS else period_ms, 0, 0, *_EMPTY]


def _put_outlet(row: RawRow, reading: OutletReading) -> None:
    slot = (reading.outlet - 1) % BANK_SLOTS
    row[REPORTED] |= 1 << slot
    if reading.on:
        row[ON_BITS] |= 1 << slot
    at = SLOTS_AT + SLOT_WIDTH * slot
    # `is` instead of a look-up: the hash of an enum is a call of Python
    quality = None if reading.quality is Quality.GOOD else QUALITY_CODES[reading.quality]
    row[at : at + SLOT_WIDTH] = *reading[VALUES_FROM:VALUES_TO], quality


def _put_source(row: RawRow, reading: SourceReading) -> None:
    number = 0 if reading.source is Source.MAIN else 1
    row[REPORTED] |= 1 << (BANK_SLOTS + number)
    at = SOURCES_AT + SOURCE_WIDTH * number
    quality = None if reading.quality is Quality.GOOD else QUALITY_CODES[reading.quality]
    row[at : at + SOURCE_WIDTH] = reading.voltage_mv, reading.frequency_mhz, quality


def _replaced(earlier: RawRow, later: RawRow) -> RawRow:
    row = [*later[:SOURCES_AT], *earlier[SOURCES_AT:]]
    row[ON_BITS] |= earlier[ON_BITS] & ~later[REPORTED]
    row[REPORTED] |= earlier[REPORTED]
    for name, bit in _reporting_bits().items():
        if later[REPORTED] >> bit & 1:
            at = _PLACES[name]
            row[at] = later[at]
    return row


_PLACES: Final = {column.name: at for at, column in enumerate(raw_record.columns)}
