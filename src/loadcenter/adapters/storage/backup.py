"""Backup and restore: all tables of one instant into a file, and back into an empty database of either kind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    LargeBinary,
    MetaData,
    Table,
    column,
    insert,
    inspect,
    make_url,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from loadcenter.adapters.storage.backup_file import (
    FORMAT,
    LINE_ROWS,
    BackupError,
    BackupReader,
    BackupWriter,
    Header,
    TableHead,
    new_backup,
    opened_backup,
)
from loadcenter.adapters.storage.dialect import SQLITE
from loadcenter.adapters.storage.engine import Engines, open_engines
from loadcenter.adapters.storage.errors import DRIVER_ERRORS, translate
from loadcenter.adapters.storage.migrations import (
    VERSION_TABLE,
    current_revision,
    known_revisions,
    migrate,
    newest_revision,
)
from loadcenter.adapters.storage.schema import metadata

RESTORING: Final = "restoring"
"""Revision of a database that is being restored: no Loadcenter starts on half of one."""
LINES_A_COMMIT: Final = 20

Progress = Callable[[str, int], None]
"""Is told the table and how many of its rows are done."""


@dataclass
class Report:
    """What was written: rows of each table."""

    revision: str
    made_ms: int
    tables: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(self.tables.values())


async def write_backup(url: str, path: Path, version: str, now_ms: int, progress: Progress) -> Report:
    """Write all tables as they were at one instant; writing into the database goes on meanwhile.

    Raises:
        BackupError: the file cannot be written, or there is nothing to back up.
        DatabaseUrlError, StoreError: the database cannot be read.
    """
    engines = open_engines(url)
    try:
        _check_there(url)
        with new_backup(path) as writer:
            async with _snapshot(engines.reader) as connection:
                revision = await connection.run_sync(current_revision)
                _check_backed_up(revision, engines.place)
                report = Report(revision or "", now_ms)
                writer.head(Header(FORMAT, version, report.revision, now_ms))
                for one in metadata.sorted_tables:
                    report.tables[str(one.name)] = await _write_table(connection, one, writer, progress)
    except DRIVER_ERRORS as error:
        raise translate(error, engines.place) from error
    else:
        return report
    finally:
        await engines.close()


async def restore_backup(url: str, path: Path, progress: Progress) -> Report:
    """Restore a backup into an empty database, and bring it to the newest revision; on any error it is empty again.

    Raises:
        BackupError: the file is damaged or of a newer version, or the database is not empty.
        DatabaseUrlError, StoreError: the database cannot be written.
    """
    with opened_backup(path) as reader:
        revision = reader.header.revision
        if revision not in known_revisions():
            raise BackupError(
                f"{path} is of revision {revision}, this version of Loadcenter knows up to {newest_revision()}: "
                f"restore it with version {reader.header.version} or newer"
            )
        engines = open_engines(url)
        try:
            await _check_empty(engines)
            return await _restore(engines, reader, progress)
        except DRIVER_ERRORS as error:
            raise translate(error, engines.place) from error
        finally:
            await engines.close()


def _snapshot(engine: AsyncEngine) -> "_Snapshot":
    return _Snapshot(engine)


class _Snapshot:
    """A connection that sees one instant: SQLite's readers do anyway, MariaDB's at REPEATABLE READ."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def __aenter__(self) -> AsyncConnection:
        self._connection = await self._engine.connect()
        if self._engine.dialect.name != SQLITE:
            await self._connection.execution_options(isolation_level="REPEATABLE READ")
            await self._connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            await self._connection.invalidate()  # closing it in order would read the rest of a table first
        await self._connection.close()


async def _write_table(
    connection: AsyncConnection, one: Table, writer: BackupWriter, progress: Progress
) -> int:
    binary = [str(item.name) for item in one.columns if isinstance(item.type, LargeBinary)]
    names = [str(item.name) for item in one.columns]
    name = str(one.name)  # not one that carries a note on quoting
    writer.head(TableHead(name, names, binary))
    done = 0
    async with connection.stream(select(one).execution_options(yield_per=LINE_ROWS)) as rows:
        async for part in rows.partitions(LINE_ROWS):
            writer.add([tuple(row) for row in part])
            done += len(part)
            progress(name, done)
    return writer.end(name)


async def _restore(engines: Engines, reader: BackupReader, progress: Progress) -> Report:
    header = reader.header
    report = Report(header.revision, header.made_ms)
    try:
        async with engines.writer.begin() as connection:
            await connection.run_sync(migrate, header.revision)
            await connection.run_sync(_mark, RESTORING)
        for head, lines in reader.tables():
            report.tables[head.table] = await _fill(engines.writer, head, lines, progress)
        async with engines.writer.begin() as connection:
            await connection.run_sync(_mark, header.revision)
            await connection.run_sync(migrate)
    except BaseException:
        async with engines.writer.begin() as connection:
            await connection.run_sync(_drop_all)
        raise
    return report


async def _fill(engine: AsyncEngine, head: TableHead, lines: Any, progress: Progress) -> int:
    """Insert the rows of one table, committed every so often: one transaction of all would fill the undo log."""
    target = table(head.table, *(column(name) for name in head.columns))
    statement = str(insert(target).compile(dialect=engine.dialect))
    done, more = 0, True
    while more:
        more = False
        async with engine.begin() as connection:
            for number, rows in enumerate(lines, 1):
                await connection.exec_driver_sql(statement, rows)
                done += len(rows)
                progress(head.table, done)
                if number == LINES_A_COMMIT:
                    more = True
                    break
    return done


async def _check_empty(engines: Engines) -> None:
    async with engines.writer.begin() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    taken = sorted({VERSION_TABLE, *metadata.tables} & set(names))
    if taken:
        raise BackupError(
            f"the database {engines.place} is not empty (it has the table {taken[0]}): restore into a new one; "
            "nothing of it was changed"
        )


def _check_there(url: str) -> None:
    """Return if there is a database: SQLite would make a file for one that is only asked for."""
    location = make_url(url)
    if location.drivername == SQLITE and location.database and not Path(location.database).exists():
        raise BackupError(f"there is no database {location.database}: name the right --data or --config")


def _check_backed_up(revision: str | None, place: str) -> None:
    if revision is None:
        raise BackupError(f"the database {place} holds nothing of Loadcenter: there is nothing to back up")
    if revision == RESTORING:
        raise BackupError(
            f"the database {place} is being restored, or that was cut off: there is no backup of it"
        )
    if revision != newest_revision():
        raise BackupError(
            f"the database {place} is at revision {revision}, this version works with {newest_revision()}: "
            "use the version that runs on it, or start this one once"
        )


def _mark(connection: Connection, revision: str) -> None:
    version = table(VERSION_TABLE, column("version_num"))
    connection.execute(update(version).values(version_num=revision))


def _drop_all(connection: Connection) -> None:
    for name in inspect(connection).get_view_names():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    wanted = {VERSION_TABLE, *metadata.tables}
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in wanted)
    found.drop_all(connection)
