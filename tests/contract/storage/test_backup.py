"""A backup holds every table as it is, and comes back into an empty database of either kind."""

import asyncio
import gzip
import json
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, select, text
from tests.contract.storage.records import KEY, MINUTE, PDU, T0, batch, event, outlet, record, settle, source
from tests.contract.storage.scheduled import fill_schedules
from tests.contract.storage.test_migrations import look
from tests.databases import MariaDbServer
from tests.fakes import builders

from loadcenter.adapters.storage.backup import RESTORING, Report, restore_backup, write_backup
from loadcenter.adapters.storage.backup_file import BackupError
from loadcenter.adapters.storage.migrations import SchemaVersionError, newest_revision
from loadcenter.adapters.storage.schema import metadata
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.alarms import AlarmKind
from loadcenter.domain.commands import CommandStatus, Do, Order
from loadcenter.domain.events import Severity
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.planning import Planner, PositionBook
from loadcenter.services.ports import (
    AlarmRow,
    CommandRow,
    DeviceRow,
    EventFilter,
    GapRow,
    GroupRow,
    IngestBatch,
    Message,
    PlanRow,
    Position,
    QuarantineRow,
    SessionRow,
    SiteRow,
    Store,
    UserRow,
)


def quiet(_table: str, _rows: int) -> None:
    pass


def names_in(folder: Path, pattern: str) -> list[str]:
    return [path.name for path in folder.glob(pattern)]


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes empty databases of a kind."""
    made = iter(range(100))

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'{next(made)}.db'}"
        server: MariaDbServer = request.getfixturevalue("mariadb")
        return server.new_database()

    return make


async def fill(store: Store) -> None:
    """Write something into every table."""
    rows = [outlet(T0 + 1000 * n, 1000 + n, 5 * n) for n in range(2_500)]
    sources = [source(T0 + 1000 * n) for n in range(100)]
    await store.commit(batch(rows[:2_000], sources))
    resets = [outlet(T0 + 4_000_000 + 1000 * n, 1, mwh, number=7) for n, mwh in enumerate((90_000, 5))]
    await store.commit(IngestBatch(records=[record(row.ts_ms, [row]) for row in resets]))
    await settle(store)
    await store.commit(IngestBatch(records=[record(T0 + 4_100_000, [outlet(T0 + 4_100_000, number=7)])]))
    await store.commit(batch(rows[2_000:], before=2_000))
    gap = GapRow(KEY, 2501, 2510, "overflow", None, T0)
    bytes_of_all_kinds = bytes(range(256))
    quarantined = QuarantineRow(PDU, "a/b", T0, "bad_json", "wörter", bytes_of_all_kinds, None, 7)
    moved = Position(StreamKey(PDU, 1, Stream.EVENT), 0, 3)
    await store.commit(
        IngestBatch(events=[event(1), event(2)], gaps=[gap], quarantine=[quarantined], positions=[moved])
    )
    await store.put_device(DeviceRow(PDU, "Räck 'one'", 5, "bcrypt", "pbkdf2", '{"1": "ü"}'))
    await store.put_desired(PDU, 1, '{"a": 1}', 0)
    order = Order(Do.SWITCH, outlet=1, on=True, by="admin")
    await store.add_command(CommandRow("c-1", PDU, order, CommandStatus.PENDING, "", T0))
    await store.put_alarm(
        AlarmRow(0, PDU, AlarmKind.TRIP.value, 1, None, Severity.CRITICAL, T0, T0, 1, detail="50 % \\ 'x' \n")
    )
    await store.put_user(UserRow("admin", "argon2id", 1))
    await store.put_session(SessionRow("ab" * 32, "admin", 1, 2))
    await fill_schedules(store.schedules)
    await store.put_site(SiteRow("cellar", 1, '{"name": "Cellar"}', '{"marks": {}}'), 0)
    await store.put_group(GroupRow("lights", 1, "Lights", '["rack-1/1"]'), 0)
    await store.put_plan(PlanRow("p-1", T0, "ada", True, "[]"))
    await store.ping()


async def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""

    def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
        }

    found: dict[str, list[tuple[Any, ...]]] = await look(url, read)
    return found


async def backed_up(url: str, path: Path) -> Report:
    async with open_store(url) as store:
        await fill(store)
    return await write_backup(url, path, "1.2.3", T0, quiet)


@pytest.mark.parametrize("into", ["sqlite", "mariadb"])
async def test_every_table_comes_back_as_it_was_into_either_kind_of_database(
    url: str, new_url: Callable[[str], str], into: str, tmp_path: Path
) -> None:
    path = tmp_path / "all.backup.gz"
    made = await backed_up(url, path)
    before = await contents(url)
    assert [name for name, rows in before.items() if not rows] == []
    assert made.tables == {name: len(rows) for name, rows in before.items()}
    target = new_url(into)
    report = await restore_backup(target, path, quiet)
    assert (report.tables, report.made_ms, report.revision) == (made.tables, T0, newest_revision())
    assert await contents(target) == before
    async with open_store(target) as store:  # and it goes on from there
        await store.commit(batch([outlet(T0 + 10_000_000)], before=2_500))
        [later] = [one for one in await store.events(EventFilter(pdu_id=PDU)) if one.seq == 2]
        added = await store.add_event(event(0, "link_lost", boot=0))
        assert added.id > later.id
        assert len(await store.raw_outlets(PDU, 1, T0, T0 + 20_000_000)) == 2_501


async def test_the_views_are_there_after_a_restore(
    url: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "all.backup.gz"
    await backed_up(url, path)
    target = new_url("sqlite")
    await restore_backup(target, path, quiet)
    count = "SELECT COUNT(*) FROM readings"
    assert await look(target, lambda sync: sync.execute(text(count)).scalar_one()) == 2_503


async def test_a_device_that_was_acknowledged_more_than_the_backup_holds_fills_the_rest_with_a_gap(
    url: str, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    """The device holds 2,504 on; the backup ends at 2,500: what is between was deleted and is announced."""
    path = tmp_path / "all.backup.gz"
    await backed_up(url, path)
    target = new_url("sqlite")
    await restore_backup(target, path, quiet)
    async with open_store(target) as store:
        book = PositionBook(store)
        await book.load(PDU)
        assert book.position(KEY) == 2_500
        planner = Planner("loadcenter", lambda *_: T0, lambda _: True)

        def heard(payload: bytes) -> Any:
            message = Message(f"loadcenter/v1/{PDU}/up/telemetry", payload)
            return planner.plan([planner.read(message, builders.START_MS + 9_000_000)], book)

        ahead = heard(builders.telemetry(2_504))
        assert (ahead.ahead, ahead.empty) == (1, True)  # answered with the position of the backup
        gap = heard(builders.gap(2_503, first=2_501, reason="not_held"))
        await store.commit(gap.batch)
        book.apply(gap.batch.positions)
        taken = heard(builders.telemetry(2_504))
        assert taken.taken == 1
        await store.commit(taken.batch)
        assert (await store.positions(PDU))[KEY] == 2_504
        assert "not_held" in [one.reason for one in await store.gaps(PDU)]


async def test_only_its_owner_may_read_a_backup(url: str, tmp_path: Path) -> None:
    path = tmp_path / "all.backup.gz"
    (tmp_path / "all.backup.gz.part").touch(mode=0o666)  # left behind by one that was killed
    await backed_up(url, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not names_in(tmp_path, "*.part")
    with pytest.raises(BackupError, match="exists already: choose another name"):
        await write_backup(url, path, "1", T0, quiet)


async def test_a_database_that_is_not_empty_is_refused_and_left_alone(
    url: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "all.backup.gz"
    await backed_up(url, path)
    target = new_url("sqlite")
    async with open_store(target):
        pass
    before = await contents(target)
    with pytest.raises(BackupError, match="is not empty"):
        await restore_backup(target, path, quiet)
    assert await contents(target) == before


def damaged(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> Path:
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    broken = path.with_name("broken.gz")
    broken.write_bytes(gzip.compress(b"\n".join(change(lines))))
    return broken


DAMAGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a changed value": lambda lines: [line.replace(b"1003,", b"1004,") for line in lines],
    "a missing line of rows": lambda lines: [line for line in lines if not line.startswith(b"[[1,1,")],
    "a missing table": lambda lines: [
        line
        for at, line in enumerate(lines)
        if b'"heartbeat"' not in line and b'"heartbeat"' not in lines[at - 1]
    ],
    "cut off": lambda lines: lines[: len(lines) // 2],
    "cut off before the end": lambda lines: [*lines[:-2], b""],
    "no JSON": lambda lines: [*lines[:5], b"xx", *lines[5:]],
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_backup_is_refused_and_leaves_an_empty_database(
    damage: str, url: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "all.backup.gz"
    await backed_up(url, path)
    target = new_url("sqlite" if url.startswith("sqlite") else "mariadb")
    with pytest.raises(BackupError, match="is not a whole backup"):
        await restore_backup(target, damaged(path, DAMAGES[damage]), quiet)
    assert await look(target, lambda sync: inspect(sync).get_table_names()) == []
    assert await look(target, lambda sync: inspect(sync).get_view_names()) == []
    await restore_backup(target, path, quiet)


async def test_files_that_are_no_backup_say_so(tmp_path: Path, new_url: Callable[[str], str]) -> None:
    target = new_url("sqlite")
    text_file = tmp_path / "notes.txt"
    text_file.write_text("hello")
    with pytest.raises(BackupError, match="is not a whole backup"):
        await restore_backup(target, text_file, quiet)
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        await restore_backup(target, tmp_path / "none.gz", quiet)
    for header, words in (
        (
            {"loadcenter_backup": 2, "version": "9.0", "revision": "1", "made_ms": 1},
            "use Loadcenter 9.0 or newer",
        ),
        (
            {"loadcenter_backup": 1, "version": "9.0", "revision": "x", "made_ms": 1},
            "restore it with version 9.0",
        ),
    ):
        newer = tmp_path / "newer.gz"
        newer.write_bytes(gzip.compress(json.dumps(header).encode() + b"\n"))
        with pytest.raises(BackupError, match=words):
            await restore_backup(target, newer, quiet)


async def test_half_a_restored_database_starts_no_control_center_and_is_not_backed_up(
    url: str, tmp_path: Path
) -> None:
    """As a restore that was killed leaves it."""
    async with open_store(url):
        pass
    mark = f"UPDATE alembic_version SET version_num = '{RESTORING}'"
    await look(url, lambda sync: sync.exec_driver_sql(mark))
    with pytest.raises(SchemaVersionError):
        async with open_store(url):
            pass
    with pytest.raises(BackupError, match="is being restored"):
        await write_backup(url, tmp_path / "a.gz", "1", T0, quiet)


async def test_where_there_is_no_database_none_is_made(url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"there is no database|holds nothing of Loadcenter"):
        await write_backup(url, tmp_path / "a.gz", "1", T0, quiet)
    assert names_in(tmp_path, "*") == []


async def test_what_is_written_during_a_backup_is_not_in_it(url: str, tmp_path: Path) -> None:
    async with open_store(url) as store:
        await store.commit(batch([outlet(T0 + 1000 * n) for n in range(1500)]))
        path = tmp_path / "all.backup.gz"
        begun = asyncio.Event()
        task = asyncio.create_task(write_backup(url, path, "1", T0, lambda *_: begun.set()))
        await begun.wait()
        await store.commit(batch([outlet(T0 + MINUTE * 100)], before=1500))
        report = await task
    assert report.tables["raw_record"] == 1500
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    [position] = [
        json.loads(line)
        for before, line in pairwise(lines)
        if b'"stream_position"' in before and line.startswith(b"[[")
    ]
    assert position[0][-1] == 1500
