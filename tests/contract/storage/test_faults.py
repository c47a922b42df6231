"""What happens when the database is away, hangs, is full, locked, read-only or damaged."""

import asyncio
import sqlite3
import threading
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.contract.storage.records import DAY, KEY, PDU, T0, batch, event, outlet
from tests.databases import MariaDbServer, free_port, until

from loadcenter.adapters.storage.engine import open_engines
from loadcenter.adapters.storage.errors import translate
from loadcenter.adapters.storage.store import SqlStore, open_store
from loadcenter.adapters.storage.transactions import Database, StoreSettings
from loadcenter.services.ports import (
    DeviceRow,
    EventFilter,
    IngestBatch,
    PositionConflictError,
    QuarantineRow,
    StoreDataError,
    StoreUnavailableError,
)

WRONG = "s3cret-wrong"
BRIEF = StoreSettings(write_timeout_s=0.5, read_timeout_s=0.5)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[MariaDbServer]:
    """A server of this test alone, to be killed."""
    with MariaDbServer(tmp_path / "mariadb") as server:
        yield server


@pytest.fixture
async def own_store(own_server: MariaDbServer) -> AsyncIterator[SqlStore]:
    async with open_store(own_server.url, BRIEF) as store:
        yield store


@pytest.fixture
async def on_file(tmp_path: Path) -> AsyncIterator[tuple[SqlStore, Path]]:
    path = tmp_path / "loadcenter.db"
    async with open_store(f"sqlite:///{path}", StoreSettings(write_timeout_s=20)) as store:
        yield store, path


async def answers(store: SqlStore) -> bool:
    with suppress(StoreUnavailableError):
        await store.ping()
        return True
    return False


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


async def test_a_killed_database_is_unavailable_and_comes_back_by_itself(
    own_server: MariaDbServer, own_store: SqlStore
) -> None:
    await own_store.commit(batch([outlet(T0)]))
    own_server.kill()
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        await own_store.commit(batch([outlet(T0 + 1000)], before=1))
    assert "s3cret" not in told(caught.value)
    with pytest.raises(StoreUnavailableError):
        await own_store.positions(PDU)
    own_server.start()
    await own_store.commit(batch([outlet(T0 + 1000)], before=1))
    assert len(await own_store.raw_outlets(PDU, 1, T0, T0 + DAY)) == 2


async def test_a_kill_in_the_middle_of_commits_loses_and_doubles_nothing(
    own_server: MariaDbServer, own_store: SqlStore
) -> None:
    """Kills while commits run, five times; the position read afterwards says where to go on."""
    position = 0
    for _ in range(5):
        underway = asyncio.create_task(commit_until_it_fails(own_store, position))
        seen = position
        await until(lambda seen=seen: moved(own_store, seen), 30)
        own_server.kill()
        acknowledged = await underway
        own_server.start()
        position = (await own_store.positions(PDU))[KEY]
        assert position - acknowledged in (0, 1), "at most the commit on its way was kept unacknowledged"
    assert len(await own_store.raw_outlets(PDU, 1, T0, T0 + DAY)) == position
    minutes = await own_store.outlet_rollups(60, PDU, 1, T0, T0 + DAY)
    assert sum(rollup.power.count for _, rollup in minutes) == position


async def moved(store: SqlStore, position: int) -> bool:
    with suppress(StoreUnavailableError):
        return (await store.positions(PDU)).get(KEY, 0) > position + 3
    return False


async def commit_until_it_fails(store: SqlStore, position: int) -> int:
    """Return the last position that was acknowledged."""
    while True:
        try:
            await store.commit(batch([outlet(T0 + 1000 * position)], before=position))
        except StoreUnavailableError:
            return position
        position += 1


async def test_a_database_that_hangs_is_given_up_after_the_bound(
    own_server: MariaDbServer, own_store: SqlStore
) -> None:
    await own_store.commit(batch([outlet(T0)]))
    own_server.freeze()
    with pytest.raises(StoreUnavailableError, match=r"does not answer within 0\.5 s") as caught:
        await own_store.commit(batch([outlet(T0 + 1000)], before=1))
    assert "s3cret" not in told(caught.value)
    with pytest.raises(StoreUnavailableError):
        await own_store.events(EventFilter())
    own_server.thaw()
    await until(lambda: answers(own_store))
    # What became of the commit that was given up is unknown; the comparison of positions makes a retry safe.
    at = (await own_store.positions(PDU))[KEY]
    if at == 1:
        await own_store.commit(batch([outlet(T0 + 1000)], before=1))
    with pytest.raises(PositionConflictError):
        await own_store.commit(batch([outlet(T0 + 1000)], before=1))
    assert len(await own_store.raw_outlets(PDU, 1, T0, T0 + DAY)) == 2


async def test_whoever_waits_for_a_database_that_hangs_is_told_within_the_same_bound(
    own_server: MariaDbServer, own_store: SqlStore
) -> None:
    own_server.freeze()
    writes = (own_store.commit(batch([outlet(T0 + at)], before=at)) for at in range(10))
    results = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), 30)
    assert {type(result) for result in results} == {StoreUnavailableError}
    own_server.thaw()
    await until(lambda: answers(own_store))


async def test_a_cancelled_write_leaves_the_store_usable(
    own_server: MariaDbServer, own_store: SqlStore
) -> None:
    own_server.freeze()
    write = asyncio.create_task(own_store.commit(batch([outlet(T0)])))
    await asyncio.sleep(0)
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    own_server.thaw()
    await until(lambda: answers(own_store))


async def test_a_read_only_server_says_so(own_server: MariaDbServer, own_store: SqlStore) -> None:
    own_server.run_sql("SET GLOBAL read_only = 1")
    with pytest.raises(StoreUnavailableError, match="read-only"):
        await own_store.ping()
    assert await own_store.positions(PDU) == {}
    own_server.run_sql("SET GLOBAL read_only = 0")
    await own_store.ping()


async def test_a_row_locked_by_another_program_ends_in_unavailable(mariadb: MariaDbServer) -> None:
    url = mariadb.new_database()
    other = open_engines(url)
    async with open_store(url) as store:
        await store.commit(batch([outlet(T0)]))
        async with other.writer.begin() as connection:
            await connection.exec_driver_sql("SELECT * FROM stream_position FOR UPDATE")
            with pytest.raises(StoreUnavailableError, match="holds its locks"):
                await store.commit(batch([outlet(T0 + 1000)], before=1))
        await store.commit(batch([outlet(T0 + 1000)], before=1))
    await other.close()


async def test_missing_tables_are_named(url: str) -> None:
    async with open_store(url) as store:
        engines = open_engines(url)
        async with engines.writer.begin() as connection:
            await connection.exec_driver_sql("DROP TABLE heartbeat")
        await engines.close()
        with pytest.raises(StoreUnavailableError, match="heartbeat"):
            await store.ping()


async def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    port = free_port()
    with pytest.raises(
        StoreUnavailableError, match=rf"127\.0\.0\.1:{port}/db cannot be used.*check that it runs"
    ) as caught:
        async with open_store(f"mysql://me:{WRONG}@127.0.0.1:{port}/db"):
            pass
    assert "s3cret" not in told(caught.value)


async def test_a_wrong_password_or_database_is_told(mariadb: MariaDbServer) -> None:
    with pytest.raises(StoreUnavailableError, match="refuses user or password") as caught:
        async with open_store(f"mysql://loadcenter:{WRONG}@127.0.0.1:{mariadb.port}/loadcenter"):
            pass
    assert "s3cret" not in told(caught.value)
    with pytest.raises(StoreUnavailableError, match="no such database"):
        async with open_store(mariadb.url_of("loadcenter_none")):
            pass


async def test_a_file_locked_by_another_program_is_unavailable_and_comes_back(
    on_file: tuple[SqlStore, Path],
) -> None:
    store, path = on_file
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="another program holds its lock"):
        await store.commit(batch([outlet(T0)]))
    assert await store.positions(PDU) == {}, "reading goes on beside a writer"
    other.execute("COMMIT")
    other.close()
    await store.commit(batch([outlet(T0)]))


async def test_a_file_that_hangs_is_given_up_after_the_bound_and_comes_back(tmp_path: Path) -> None:
    database = Database(open_engines(f"sqlite:///{tmp_path / 'x.db'}"), BRIEF)

    disk_answers = threading.Event()

    async def stall(connection: AsyncConnection) -> None:
        """Blocks the thread of the connection, as a disk that stalls."""
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.create_function("stall", 0, disk_answers.wait)
        await connection.exec_driver_sql("SELECT stall()")

    for run in (database.write, database.read):
        with pytest.raises(StoreUnavailableError, match=r"does not answer within 0\.5 s"):
            await run(stall)
    with pytest.raises(StoreUnavailableError):
        await database.write(stall)
    disk_answers.set()

    async def quick(connection: AsyncConnection) -> bool:
        return (await connection.exec_driver_sql("SELECT 1")).scalar_one() == 1

    async def back() -> bool:
        with suppress(StoreUnavailableError):
            return await database.write(quick) and await database.read(quick)
        return False

    await until(back)
    await database.close()


async def test_a_full_disk_is_told_and_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'loadcenter.db'}"
    engines = open_engines(url)
    async with open_store(url):
        pass
    database = Database(engines, StoreSettings())
    store = SqlStore(database, StoreSettings(), lambda ts_ms: ts_ms)
    await database.write(page_limit(1))  # SQLite takes the present size instead, as on a full disk
    many = [outlet(T0 + 1000 * at) for at in range(5000)]
    with pytest.raises(StoreUnavailableError, match="disk is full"):
        await store.commit(batch(many))
    assert await store.positions(PDU) == {}
    await database.write(page_limit(1_000_000))
    await store.commit(batch(many))
    assert await store.positions(PDU) == {KEY: 5000}
    await engines.close()


def page_limit(pages: int):
    async def work(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    return work


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "loadcenter.db"
    path.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(StoreUnavailableError, match="not a database"):
        async with open_store(f"sqlite:///{path}"):
            pass


async def test_acknowledged_rows_of_the_file_are_synced_to_the_disk(on_file: tuple[SqlStore, Path]) -> None:
    """FULL is 2; NORMAL may lose the last commits in a power cut."""
    store, _ = on_file
    found: list[int] = []

    async def look(connection: AsyncConnection) -> None:
        found.append((await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one())
        found.append((await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one())
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one() == "wal"

    await store._database.write(look)
    assert found == [2, 1]


@pytest.mark.parametrize(
    "poison",
    [
        IngestBatch(events=[event(1, "x" * 41)]),
        IngestBatch(events=[event(1, pdu_id="p" * 33)]),
        IngestBatch(events=[event(2**63)]),
    ],
    ids=["long code", "long name", "large number"],
)
async def test_a_value_that_does_not_fit_is_a_data_error(url: str, poison: IngestBatch) -> None:
    async with open_store(url) as store:
        with pytest.raises(StoreDataError):
            await store.commit(poison)
        await store.commit(IngestBatch(events=[event(1, "x" * 40)]))


async def test_half_a_surrogate_pair_is_a_data_error(url: str) -> None:
    async with open_store(url) as store:
        with pytest.raises(StoreDataError):
            await store.put_device(DeviceRow("a", "broken \ud83d", 0, "", ""))
        assert await store.devices() == []


async def test_a_number_too_large_for_its_column_is_a_data_error(mariadb: MariaDbServer) -> None:
    async with open_store(mariadb.new_database()) as store:
        with pytest.raises(StoreDataError, match="power_mw"):
            await store.commit(batch([outlet(T0, 2**31)]))


async def test_quarantine_keeps_the_newest(url: str) -> None:
    async with open_store(url, StoreSettings(quarantine_most=3)) as store:
        rows = [QuarantineRow(PDU, "t", at, "malformed", "", b"") for at in range(8)]
        for row in rows:
            await store.commit(IngestBatch(quarantine=[row]))
        kept: list[int] = []

        async def look(connection: AsyncConnection) -> None:
            kept.extend(
                (await connection.exec_driver_sql("SELECT ts_ms FROM quarantine ORDER BY id")).scalars()
            )

        await store._database.write(look)
        assert kept == [5, 6, 7]
        assert await store.quarantine_counts() == {"malformed": 8}


async def test_a_transaction_undone_by_a_deadlock_runs_again(tmp_path: Path) -> None:
    engines = open_engines(f"sqlite:///{tmp_path / 'x.db'}")
    database = Database(engines, StoreSettings())
    attempts: list[int] = []

    async def work(connection: AsyncConnection) -> str:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise refused(1213, "Deadlock found")
        return "done"

    assert await database.write(work) == "done"
    attempts.clear()

    async def hopeless(connection: AsyncConnection) -> None:
        attempts.append(0)
        raise refused(1205, "Lock wait timeout exceeded")

    with pytest.raises(StoreUnavailableError, match="holds its locks"):
        await database.write(hopeless)
    assert len(attempts) == 3
    await engines.close()


def refused(number: int, text: str, kind: type[DBAPIError] = OperationalError) -> DBAPIError:
    return kind("INSERT ...", None, Exception(number, text))


@pytest.mark.parametrize("number", [3, 28, 1021, 1026, 1114])
def test_a_full_disk_of_the_server_is_unavailable(number: int) -> None:
    error = translate(refused(number, "no space"), "db")
    assert isinstance(error, StoreUnavailableError)
    assert "disk is full: free space" in str(error)


@pytest.mark.parametrize("number", [1040, 1205, 1213, 1290, 1836, 2003, 2006, 2013, 9999])
def test_what_time_can_mend_is_unavailable(number: int) -> None:
    assert isinstance(translate(refused(number, "?"), "db"), StoreUnavailableError)


@pytest.mark.parametrize("number", [1264, 1366, 1406, 4025])
def test_what_time_cannot_mend_is_a_data_error(number: int) -> None:
    assert isinstance(translate(refused(number, "?"), "db"), StoreDataError)


def test_a_defect_of_a_statement_is_not_hidden() -> None:
    with pytest.raises(ProgrammingError):
        translate(refused(1064, "syntax", ProgrammingError), "db")


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="write_timeout_s is 0"):
        StoreSettings(write_timeout_s=0)


def test_the_bound_of_a_write_is_five_seconds_by_default() -> None:
    assert StoreSettings().write_timeout_s == 5
