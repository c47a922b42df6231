"""Which shape of raw rows is the smallest and the fastest: the candidates of decision 0011, side by side (`RAW_…`).

SCALE=1 is one day of two PDUs of 8 outlets and 2 sources at 1 Hz, written in the order in which records arrive.
"""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncmy
from bench import figures
from bench.figures import Figure, Figures
from bench.rigs import BenchMariaDb
from tests.databases import PASSWORD

OUTLETS = 8
PDUS = 2
BATCH = 500
T0 = 1_700_006_400_000
READ_RUNS = 5
Row = tuple[Any, ...]
Slots = range(1, OUTLETS + 1)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a PDU: (mV, mA, mW, mWh) of each outlet, (mV, mHz) of each source."""

    pdu_no: int
    ts_ms: int
    outlets: Sequence[tuple[int, int, int, int]]
    sources: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A candidate.

    Attributes:
        tables: name -> (columns, primary key).
        rows: from a record to (table, row) pairs.
        chart: query of the minutes of one outlet; `rollup` of all minutes of all outlets.
    """

    tables: dict[str, tuple[str, str]]
    rows: Callable[[Record], Iterator[tuple[str, Row]]]
    chart: str
    rollup: str


_SOURCE_KEY = "pdu_no, source, ts_ms"
_SLIM_SOURCE = "pdu_no SMALLINT, source TINYINT, ts_ms BIGINT, voltage_mv MEDIUMINT, frequency_mhz MEDIUMINT"
_NARROW_CHART = (
    "SELECT ts_ms - ts_ms % 60000 AS m, MIN(power_mw), AVG(power_mw), MAX(power_mw) FROM {table} "
    "WHERE pdu_no = 1 AND outlet = 3 GROUP BY m"
)
_NARROW_ROLLUP = (
    "SELECT pdu_no, outlet, ts_ms - ts_ms % 60000 AS m, MIN(power_mw), SUM(power_mw), MAX(power_mw), SUM(voltage_mv), "
    "SUM(current_ma), MAX(energy_mwh) FROM {table} GROUP BY pdu_no, outlet, m"
)
_BANK_CHART = (
    "SELECT ts_ms - ts_ms % 60000 AS m, MIN(power_mw_3), AVG(power_mw_3), MAX(power_mw_3) FROM {table} "
    "WHERE pdu_no = 1 AND bank = 0 GROUP BY m"
)
_BANK_ROLLUP = (
    "SELECT pdu_no, bank, ts_ms - ts_ms % 60000 AS m, "
    + ", ".join(
        f"MIN(power_mw_{n}), SUM(power_mw_{n}), MAX(power_mw_{n}), SUM(voltage_mv_{n}), SUM(current_ma_{n}), MAX(energy_mwh_{n})"
        for n in Slots
    )
    + " FROM {table} GROUP BY pdu_no, m, bank"
)
_SLOT_COLUMNS = ", ".join(
    f"voltage_mv_{n} MEDIUMINT, current_ma_{n} MEDIUMINT, power_mw_{n} INT, energy_mwh_{n} BIGINT, "
    f"power_min_mw_{n} INT, power_max_mw_{n} INT, quality_{n} TINYINT"
    for n in Slots
)


def _narrow(record: Record) -> Iterator[tuple[str, Row]]:
    for number, (mv, ma, mw, mwh) in enumerate(record.outlets, 1):
        yield "narrow", (record.pdu_no, number, record.ts_ms, 1, 1, mv, ma, mw, mwh, None, None, 0)
    for source, (mv, mhz) in zip(("main", "backup"), record.sources, strict=True):
        yield "narrow_source", (record.pdu_no, source, record.ts_ms, 1, mv, mhz, 0)


def _slim(record: Record) -> Iterator[tuple[str, Row]]:
    for number, (mv, ma, mw, mwh) in enumerate(record.outlets, 1):
        yield "slim", (record.pdu_no, number, record.ts_ms, None, 1, mv, ma, mw, mwh, None, None, None)
    for source, (mv, mhz) in enumerate(record.sources):
        yield "slim_source", (record.pdu_no, source, record.ts_ms, mv, mhz)


def _slots(record: Record) -> list[int | None]:
    values: list[int | None] = []
    for one in record.outlets:
        values += (*one, None, None, None)
    return values


def _bank(record: Record) -> Iterator[tuple[str, Row]]:
    yield "bank", (record.pdu_no, 0, record.ts_ms, 1, 255, 255, *_slots(record))
    for source, (mv, mhz) in enumerate(record.sources):
        yield "bank_source", (record.pdu_no, source, record.ts_ms, mv, mhz)


def _record(record: Record) -> Iterator[tuple[str, Row]]:
    main, backup = record.sources
    head = record.pdu_no, record.ts_ms, 0, 1, None, 1023, 255, *main, None, *backup, None
    yield "record", (*head, *_slots(record))


_HEAD = (
    "samples MEDIUMINT NOT NULL, period_ms MEDIUMINT, reported SMALLINT NOT NULL, on_bits SMALLINT NOT NULL"
)
SHAPES = {
    "narrow": Shape(
        {
            "narrow": (
                (
                    "pdu_no SMALLINT, outlet TINYINT, ts_ms BIGINT, samples INT NOT NULL, is_on TINYINT NOT NULL, voltage_mv INT, "
                    "current_ma INT, power_mw INT, energy_mwh BIGINT, power_min_mw INT, power_max_mw INT, quality TINYINT NOT NULL"
                ),
                "pdu_no, outlet, ts_ms",
            ),
            "narrow_source": (
                (
                    "pdu_no SMALLINT, source VARCHAR(6), ts_ms BIGINT, samples INT NOT NULL, voltage_mv INT, frequency_mhz INT, "
                    "quality TINYINT NOT NULL"
                ),
                _SOURCE_KEY,
            ),
        },
        _narrow,
        _NARROW_CHART.format(table="narrow"),
        _NARROW_ROLLUP.format(table="narrow"),
    ),
    "slim": Shape(
        {
            "slim": (
                (
                    "pdu_no SMALLINT, outlet TINYINT, ts_ms BIGINT, samples MEDIUMINT, is_on TINYINT NOT NULL, voltage_mv MEDIUMINT, "
                    "current_ma MEDIUMINT, power_mw INT, energy_mwh BIGINT, power_min_mw INT, power_max_mw INT, quality TINYINT"
                ),
                "pdu_no, outlet, ts_ms",
            ),
            "slim_source": (_SLIM_SOURCE, _SOURCE_KEY),
        },
        _slim,
        _NARROW_CHART.format(table="slim"),
        _NARROW_ROLLUP.format(table="slim"),
    ),
    "bank": Shape(
        {
            "bank": (
                (
                    "pdu_no SMALLINT, bank TINYINT, ts_ms BIGINT, samples MEDIUMINT NOT NULL, reported SMALLINT NOT NULL, "
                    f"on_bits SMALLINT NOT NULL, {_SLOT_COLUMNS}"
                ),
                "pdu_no, bank, ts_ms",
            ),
            "bank_source": (_SLIM_SOURCE, _SOURCE_KEY),
        },
        _bank,
        _BANK_CHART.format(table="bank"),
        _BANK_ROLLUP.format(table="bank"),
    ),
    "record": Shape(
        {
            "record": (
                (
                    f"pdu_no SMALLINT, ts_ms BIGINT, bank TINYINT, {_HEAD}, main_mv MEDIUMINT, main_mhz MEDIUMINT, main_quality TINYINT, "
                    f"backup_mv MEDIUMINT, backup_mhz MEDIUMINT, backup_quality TINYINT, {_SLOT_COLUMNS}"
                ),
                "pdu_no, ts_ms, bank",
            ),
        },
        _record,
        _BANK_CHART.format(table="record"),
        _BANK_ROLLUP.format(table="record"),
    ),
}


class Engine(Protocol):
    """A database that the shapes are tried on."""

    def create(self, name: str, columns: str, key: str) -> None: ...
    def write(self, tables: dict[str, list[Row]]) -> None: ...
    def read(self, query: str) -> int: ...
    def size(self, names: Sequence[str]) -> int: ...


class Lite:
    """SQLite as the product opens it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._empty = 0

    def create(self, name: str, columns: str, key: str) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._empty = self._path.stat().st_size
        self._connection.execute(f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")

    def write(self, tables: dict[str, list[Row]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for name, rows in tables.items():
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT OR REPLACE INTO {name} VALUES ({places})", rows)
        self._connection.execute("COMMIT")

    def read(self, query: str) -> int:
        return len(self._connection.execute(query).fetchall())

    def size(self, names: Sequence[str]) -> int:
        wanted = ", ".join(f"'{name}'" for name in names)
        query = f"SELECT SUM(pgsize) FROM dbstat WHERE name IN ({wanted})"
        return int(self._connection.execute(query).fetchone()[0])

    def close(self) -> None:
        self._connection.close()


class Maria:
    """MariaDB with its defaults, through the product's driver."""

    def __init__(self, server: BenchMariaDb) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(
            asyncmy.connect(
                host="127.0.0.1", port=server.port, user="loadcenter", password=PASSWORD, db="loadcenter"
            )
        )

    def create(self, name: str, columns: str, key: str) -> None:
        self._run(f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({key})) ENGINE=InnoDB")

    def write(self, tables: dict[str, list[Row]]) -> None:
        self._loop.run_until_complete(self._write(tables))

    async def _write(self, tables: dict[str, list[Row]]) -> None:
        async with self._connection.cursor() as cursor:
            for name, rows in tables.items():
                places = ", ".join(["%s"] * len(rows[0]))
                for at in range(0, len(rows), 1000):
                    await cursor.executemany(
                        f"INSERT INTO {name} VALUES ({places}) ON DUPLICATE KEY UPDATE pdu_no = VALUES(pdu_no)",
                        rows[at : at + 1000],
                    )
        await self._connection.commit()

    def read(self, query: str) -> int:
        return self._run(query)

    def _run(self, query: str) -> int:
        async def work() -> int:
            async with self._connection.cursor() as cursor:
                await cursor.execute(query)
                return len(await cursor.fetchall()) if cursor.description else 0

        return self._loop.run_until_complete(work())

    def size(self, names: Sequence[str]) -> int:
        return sum((self._server.data / "loadcenter" / f"{name}.ibd").stat().st_size for name in names)

    def close(self) -> None:
        self._loop.run_until_complete(self._connection.ensure_closed())
        self._loop.close()


def records(seconds: int) -> Iterator[Record]:
    """Yield the records of all PDUs in the order in which they arrive."""
    for second in range(seconds):
        for pdu_no in range(1, PDUS + 1):
            volts = 230_000 + (second * 7919) % 977
            outlets = []
            for n in Slots:
                power = 40_000 + 25_000 * n + (second * 104_729) % 4000
                outlets.append((volts, power * 1000 // volts, power, 5_000_000 + second * 20 * n))
            yield Record(pdu_no, T0 + second * 1000, outlets, [(volts, 50_010), (volts + 500, 49_990)])


def measure_shape(engine: Engine, shape: Shape, seconds: int) -> dict[str, float]:
    """Return the numbers of one candidate: bytes and microseconds for one sample of one outlet, ms of the reads."""
    for name, (columns, key) in shape.tables.items():
        engine.create(name, columns, key)
    samples = seconds * PDUS * OUTLETS
    wall = cpu = 0.0
    pending: list[Record] = []
    for record in records(seconds):
        pending.append(record)
        if len(pending) == BATCH:
            began, used = time.perf_counter(), time.process_time()
            _write(engine, shape, pending)
            wall += time.perf_counter() - began
            cpu += time.process_time() - used
            pending = []
    _write(engine, shape, pending)
    return {
        "bytes": engine.size(list(shape.tables)) / samples,
        "records_s": seconds * PDUS / wall,
        "client_us": cpu / (seconds * PDUS) * 1e6,
        "chart_ms": _read_ms(engine, shape.chart),
        "rollup_ms": _read_ms(engine, shape.rollup),
    }


def _write(engine: Engine, shape: Shape, pending: Sequence[Record]) -> None:
    tables: dict[str, list[Row]] = {}
    for record in pending:
        for name, row in shape.rows(record):
            tables.setdefault(name, []).append(row)
    # in the order of their keys, as the product writes them: pages fill up
    engine.write({name: sorted(rows, key=lambda row: row[:3]) for name, rows in tables.items()})


def _read_ms(engine: Engine, query: str) -> float:
    engine.read(query)
    runs = []
    for _ in range(READ_RUNS):
        began = time.perf_counter()
        engine.read(query)
        runs.append(time.perf_counter() - began)
    return statistics.median(runs) * 1000


UNITS = {
    "bytes": "B",
    "records_s": "records/s",
    "client_us": "us/record",
    "chart_ms": "ms",
    "rollup_ms": "ms",
}


def main() -> Iterator[Figures]:
    """Measure every shape on both databases."""
    seconds = max(BATCH, int(86_400 * figures.settings(1.0).scale))
    with tempfile.TemporaryDirectory(prefix="bench-raw-shape-") as folder, BenchMariaDb() as server:
        engines = {"sqlite": Lite(Path(folder) / "shapes.db"), "mariadb": Maria(server)}
        for place, engine in engines.items():
            for name, shape in SHAPES.items():
                found = measure_shape(engine, shape, seconds)
                yield {f"RAW_{place}_{name}_{key}": Figure(found[key], unit) for key, unit in UNITS.items()}
            engine.close()


if __name__ == "__main__":
    figures.run("raw_shape", main)
