"""Years of history in a database within minutes: rows made by the server itself, in the order in which they lie.

The values follow formulas, so nothing has to be sent; what tables and columns there are is the product's business, and
a column that is not known here is an error.
"""

import math
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import payloads
from bench.nodered import COLUMNS, TABLE
from bench.rigs import Sql
from sqlalchemy import Table

from loadcenter.adapters.storage import schema
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source

DAY_MS = 86_400_000
MWH_S = 20
"""Energy of each outlet number and second, in mWh."""
ROWS_AT_ONCE = 1_000_000


class Writer(Protocol):
    """Runs a statement."""

    def run(self, statement: str) -> None:
        """Return when it is done."""
        ...


class LiteWriter:
    """Runs the same statements on a SQLite file, whose tables are there: it has no sequences and no `DIV`."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.create_function("SIN", 1, math.sin, deterministic=True)

    def run(self, statement: str) -> None:
        """Return when it is done."""
        spoken = statement.replace(" DIV ", " / ").replace(" MOD ", " % ")
        self._file.execute(_SEQUENCE.sub(_COUNTED, spoken))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


_SEQUENCE = re.compile(r"seq_(\d+)_to_(\d+)")
_COUNTED = (
    r"(WITH RECURSIVE n(seq) AS (SELECT \1 UNION ALL SELECT seq + 1 FROM n WHERE seq < \2) SELECT seq FROM n)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """What a PDU has: rows of `tier` (None: raw) from `since_ms` until before `until_ms`."""

    pdu_no: int
    outlets: int
    tier: Tier | None
    since_ms: int
    until_ms: int

    @property
    def step_ms(self) -> int:
        return 1000 if self.tier is None else self.tier.value * 1000

    @property
    def rows(self) -> int:
        """Rows of one outlet."""
        return max(0, self.until_ms - self.since_ms) // self.step_ms


def add_pdu(sql: Writer, pdu_no: int) -> None:
    """Make a PDU known under a number (from 1)."""
    sql.run(f"INSERT INTO pdu (pdu_no, pdu_id) VALUES ({pdu_no}, '{payloads.pdu_id(pdu_no - 1)}')")


def fill(sql: Writer, span: Span) -> int:
    """Write all rows of a span and return how many."""
    if span.tier is None:
        banks = range(0, span.outlets, schema.BANK_SLOTS)
        parts = [_values(schema.raw_record, _raw(span, first_outlet)) for first_outlet in banks]
        table = schema.raw_record
    else:
        table = schema.OUTLET_ROLLUPS[span.tier]
        parts = [_values(table, _rollup(span, outlet)) for outlet in range(1, span.outlets + 1)]
    for values in parts:
        for first, last in _portions(span.rows):
            sql.run(f"INSERT INTO {table.name} SELECT {values} FROM seq_{first}_to_{last}")
    return span.rows * span.outlets


def fill_sources(sql: Writer, span: Span) -> None:
    """Write the rollups of both sources of a span, which must have a tier."""
    assert span.tier is not None
    table = schema.SOURCE_ROLLUPS[span.tier]
    for source in Source:
        values = _values(table, _source_rollup(span, source))
        for first, last in _portions(span.rows):
            sql.run(f"INSERT INTO {table.name} SELECT {values} FROM seq_{first}_to_{last}")


def fill_old(sql: Sql, pdus: int, outlets: int, since_ms: int, until_ms: int) -> int:
    """Write the old table as it grew, second by second over all PDUs and loads, and return how many rows."""
    sql.run(TABLE)
    count = max(0, until_ms - since_ms) // 1000 * pdus * outlets
    load = f"(seq MOD {outlets} + 1)"
    device = f"CONCAT('fleet-', LPAD(seq DIV {outlets} MOD {pdus}, 5, '0'))"
    ts_ms = f"({since_ms} + seq DIV {outlets * pdus} * 1000)"
    power = f"({_power(ts_ms, load)} / 1000)"
    values = f"{device}, {load}, {ts_ms}, 1, 230.1, 229.8, {power} / 230, {power}, seq * 0.0001, 'main'"
    for first, last in _portions(count):
        sql.run(f"INSERT INTO old_readings ({COLUMNS}) SELECT {values} FROM seq_{first}_to_{last}")
    return count


def _portions(rows: int) -> Iterator[tuple[int, int]]:
    for first in range(0, rows, ROWS_AT_ONCE):
        yield first, min(rows, first + ROWS_AT_ONCE) - 1


def _values(table: Table, known: Mapping[str, str]) -> str:
    unknown = {column.name for column in table.columns} ^ set(known)
    if unknown:
        raise SystemExit(
            f"error: the bench does not know the columns {sorted(unknown)} of {table.name}: add them"
        )
    return ", ".join(known[column.name] for column in table.columns)


def _power(ts_ms: str, outlet: int | str) -> str:
    return f"(40000 + 25000 * {outlet} + CAST(20000 * SIN({ts_ms} / 5400000) AS INT))"


def _raw(span: Span, first_outlet: int) -> dict[str, str]:
    """Return the columns of a bank that begins after `first_outlet` outlets."""
    ts_ms = f"({span.since_ms} + seq * 1000)"
    outlets = min(schema.BANK_SLOTS, span.outlets - first_outlet)
    bits = (1 << outlets) - 1
    columns = {
        "pdu_no": str(span.pdu_no),
        "ts_ms": ts_ms,
        "bank": str(first_outlet // schema.BANK_SLOTS),
        "samples": "1",
        "period_ms": "NULL",
        "reported": str(bits if first_outlet else bits | 768),
        "on_bits": str(bits),
        "main_mv": "230000 + seq MOD 977",
        "main_mhz": "50000",
        "main_quality": "NULL",
        "backup_mv": "231000",
        "backup_mhz": "50000",
        "backup_quality": "NULL",
    }
    for slot in range(1, schema.BANK_SLOTS + 1):
        columns |= _slot(ts_ms, slot, first_outlet + slot if slot <= outlets else 0)
    return columns


def _slot(ts_ms: str, slot: int, outlet: int) -> dict[str, str]:
    """Return the columns of a slot; nothing where there is no outlet."""
    names = ("voltage_mv", "current_ma", "power_mw", "energy_mwh", "power_min_mw", "power_max_mw", "quality")
    values = ["NULL"] * len(names)
    if outlet:
        power = _power(ts_ms, outlet)
        values[:4] = "230000 + seq MOD 977", f"{power} DIV 230", power, _energy(ts_ms, outlet)
    return {f"{name}_{slot}": value for name, value in zip(names, values, strict=True)}


def _energy(ts_ms: str, outlet: int) -> str:
    return f"({ts_ms} DIV 1000 - 1500000000) * {MWH_S * outlet}"


def _rollup(span: Span, outlet: int) -> dict[str, str]:
    count = span.step_ms // 1000
    start_ms = f"({span.since_ms} + seq * {span.step_ms})"
    power = _power(start_ms, outlet)
    last_ms = f"({start_ms} + {span.step_ms - 1000})"
    return {
        "pdu_no": str(span.pdu_no),
        "outlet": str(outlet),
        "start_ms": start_ms,
        "covered_ms": str(span.step_ms),
        **_statistic("power", "mw", count, power, 5000),
        **_statistic("voltage", "mv", count, "(230000 + seq MOD 977)", 1500),
        **_statistic("current", "ma", count, f"({power} DIV 230)", 30),
        "first_ts_ms": start_ms,
        "first_mwh": _energy(start_ms, outlet),
        "last_ts_ms": last_ms,
        "last_mwh": _energy(last_ms, outlet),
    }


def _source_rollup(span: Span, source: Source) -> dict[str, str]:
    count = span.step_ms // 1000
    return {
        "pdu_no": str(span.pdu_no),
        "source": f"'{source}'",
        "start_ms": f"({span.since_ms} + seq * {span.step_ms})",
        "covered_ms": str(span.step_ms),
        **_statistic("voltage", "mv", count, "(230000 + seq MOD 977)", 1500),
        **_statistic("frequency", "mhz", count, "50000", 20),
    }


def _statistic(quantity: str, unit: str, count: int, value: str, half: int) -> dict[str, str]:
    return {
        f"{quantity}_count": str(count),
        f"{quantity}_min_{unit}": f"{value} - {half}",
        f"{quantity}_max_{unit}": f"{value} + {half}",
        f"{quantity}_sum_{unit}": f"{value} * {count}",
    }
