"""The queries of docs/storage.md run, on both databases, and return what the page says."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.contract.storage.records import HOUR, PDU, T0, batch, event, outlet, settle, source
from tests.databases import MariaDbServer

from loadcenter.adapters.storage.engine import open_engines
from loadcenter.adapters.storage.schema import metadata
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.events import Cause, Severity
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import AlarmRow, DeviceRow, GapRow, IngestBatch, Store

PAGE = Path(__file__).parents[2] / "docs" / "storage.md"
BLOCK = re.compile(r"^```sql([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [
        text.strip().rstrip(";") for found, text in BLOCK.findall(PAGE.read_text()) if found.strip() == kind
    ]


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDbServer]:
    with MariaDbServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "mariadb"])
async def connection(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    """A connection to a database in which something has happened."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'x.db'}"
    else:
        url = request.getfixturevalue("mariadb").new_database()
    async with open_store(url) as store:
        await fill(store)
    engines = open_engines(url)
    async with engines.reader.connect() as opened:
        yield opened
    await engines.close()


async def fill(store: Store) -> None:
    rows = [
        outlet(T0 + 1000 * at, 36_000 * number, 10 * number * at, number=number)
        for at in range(3601)
        for number in (1, 2)
    ]
    await store.put_device(DeviceRow(PDU, "Rack in the cellar", 0, "", ""))
    await store.commit(batch(rows, [source(T0), source(T0 + 1000, 207_000)]))
    transfer = replace(event(1, "transfer"), cause=Cause.SOURCE_LOST)
    gap = GapRow(StreamKey(PDU, 1, Stream.TELEMETRY), 5, 9, "overflow", 5, T0)
    await store.commit(IngestBatch(events=[transfer, replace(transfer, seq=2)], gaps=[gap]))
    await store.put_alarm(AlarmRow(0, PDU, "redundancy_lost", None, None, Severity.WARNING, T0, T0, 1))
    await settle(store)


async def rows_of(connection: AsyncConnection, query: str) -> list[dict[str, object]]:
    result = await connection.exec_driver_sql(query)
    return [dict(row) for row in result.mappings()]


async def test_every_query_of_the_page_finds_something(connection: AsyncConnection) -> None:
    queries = blocks("")
    assert len(queries) == 7
    for query in queries:
        assert await rows_of(connection, query), query


async def test_the_numbers_are_in_the_units_that_the_page_says(connection: AsyncConnection) -> None:
    readings, hours, days, voltages, transfers, gaps, alarms = [
        await rows_of(connection, query) for query in blocks("")
    ]
    first = readings[0]
    assert (float(first["volts"]), float(first["amps"]), float(first["watts"])) == (230, 0.217, 36)
    assert str(first["at_utc"]).startswith("2023-11-15 00:00:00")
    assert len(readings) == 20
    hour = next(row for row in hours if row["outlet"] == 2 and row["start_ms"] == T0)
    assert float(hour["kwh"]) == pytest.approx(0.07198)
    assert float(hour["covered_percent"]) == pytest.approx(100)
    assert [(row["outlet"], float(row["watts_peak"])) for row in days] == [(2, 72), (1, 36)]
    assert float(days[0]["watts_average"]) == pytest.approx(72)
    assert (float(voltages[0]["volts_low"]), float(voltages[0]["volts_high"])) == (207, 230)
    assert transfers == [{"pdu_id": PDU, "cause": "source_lost", "transfers": 2}]
    assert (gaps[0]["first_seq"], gaps[0]["last_seq"], alarms[0]["kind"]) == (5, 9, "redundancy_lost")


async def test_the_views_keep_every_milliwatt_hour_and_name_the_pdu(connection: AsyncConnection) -> None:
    [row] = await rows_of(
        connection,
        f"SELECT pdu_name, kwh FROM readings WHERE pdu_id = '{PDU}' AND outlet = 1 AND ts_ms = {T0 + HOUR}",
    )
    assert row["pdu_name"] == "Rack in the cellar"
    assert float(str(row["kwh"])) == 0.036


async def test_grafana_sees_the_views_and_not_the_logins(mariadb: MariaDbServer) -> None:
    url = mariadb.url
    async with open_store(url) as store:
        await fill(store)
    [grants] = blocks("mariadb")
    mariadb.run_sql(grants)
    engines = open_engines(url.replace("loadcenter:s3cret%2F%40%3Apass", "grafana:choose-one"))
    [panel] = blocks("grafana")
    query = panel.replace("$__from", str(T0)).replace("$__to", str(T0 + 5000))
    async with engines.reader.connect() as connection:
        found = await rows_of(connection, query)
        assert len(found) == 10
        assert found[0]["metric"] == "outlet 1"
        for table in ("user", "session", "device"):
            with pytest.raises(Exception, match="denied"):
                await connection.exec_driver_sql(f"SELECT * FROM {table}")
    await engines.close()


def test_the_page_names_every_table() -> None:
    page = PAGE.read_text()
    for name in metadata.tables:
        stem, _, tier = name.rpartition("_")
        told = f"`{name}`" in page or (
            stem.endswith("_rollup") and f"`{stem}_1m`" in page and f"`_{tier}`" in page
        )
        assert told, f"docs/storage.md does not name {name}"


async def test_a_dump_of_mariadb_restores_into_an_empty_database(mariadb: MariaDbServer) -> None:
    async with open_store(mariadb.new_database()) as store:
        await fill(store)
    origin = mariadb.last_database
    dump = mariadb.dump(origin)
    url = mariadb.new_database()
    mariadb.run_sql(dump, mariadb.last_database)
    async with open_store(url) as store:
        assert await store.positions(PDU) == {StreamKey(PDU, 1, Stream.TELEMETRY): 7202}
        assert len(await store.raw_outlets(PDU, 1, T0, T0 + 2 * HOUR)) == 3601
        await store.ping()


async def test_a_backup_of_sqlite_taken_while_it_is_open_is_whole(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'x.db'}") as store:
        await fill(store)
        with (
            closing(sqlite3.connect(tmp_path / "x.db")) as origin,
            closing(sqlite3.connect(tmp_path / "y.db")) as copy,
        ):
            origin.backup(copy)
    async with open_store(f"sqlite:///{tmp_path / 'y.db'}") as store:
        assert len(await store.raw_outlets(PDU, 1, T0, T0 + 2 * HOUR)) == 3601
