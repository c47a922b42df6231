"""URLs of databases as people write them, and the engines behind them.

SQLite has one connection that writes and others that read beside it (WAL). The writer runs with
`synchronous=FULL`: what has been acknowledged to a device is deleted there, so it must survive a power cut here,
and with `NORMAL` SQLite may lose the last commits then. MariaDB's defaults already sync at every COMMIT.
MariaDB runs at READ COMMITTED: the rows that are read to be merged are locked explicitly, and the gap locks of
REPEATABLE READ would only make the writer and the recomputation wait for each other.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READERS: Final = 4
"""Connections that read at the same time; more wait."""
CONNECT_TIMEOUT_S: Final = 3
BUSY_TIMEOUT_S: Final = 1.0
"""How long one statement waits for another process's lock; a transaction that met one is tried three times."""
TABLE_TIMEOUT_S: Final = 3
"""How long a statement waits for a change of a table; retention, which drops partitions, waits less."""
MYSQL_SESSION: Final = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', "
    f"innodb_lock_wait_timeout = {int(BUSY_TIMEOUT_S)}, lock_wait_timeout = {TABLE_TIMEOUT_S}"
)
FORMS: Final = "write sqlite:///path/to/file.db or mysql://user:password@host:3306/database"


class DatabaseUrlError(ValueError):
    """A database URL cannot be used; the message says what would fit and holds no password."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The connections to one database.

    Attributes:
        writer: exactly one connection.
        reader: connections that only read.
        place: what the database is called in messages.
    """

    writer: AsyncEngine
    reader: AsyncEngine
    place: str

    async def close(self) -> None:
        """Close all connections."""
        await self.reader.dispose()
        await self.writer.dispose()


def open_engines(url: str) -> Engines:
    """Return the engines for a URL of the configuration; nothing is connected yet.

    Raises:
        DatabaseUrlError: the URL is of another form, or its folder does not exist.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError(f"the database URL cannot be read: {FORMS}") from None
    match parsed.drivername:
        case "sqlite":
            return _sqlite(parsed)
        case "mysql":
            return _mariadb(parsed)
        case other:
            raise DatabaseUrlError(f"'{other}://' is not a database that Loadcenter knows: {FORMS}")


def _sqlite(url: URL) -> Engines:
    path = url.database
    if not path or path == ":memory:" or url.host or url.query:
        raise DatabaseUrlError("the database URL names no file: write sqlite:///path/to/file.db")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise DatabaseUrlError(
            f"the folder {folder} of the database does not exist: create it, or name another"
        )
    driver = url.set(drivername="sqlite+aiosqlite")
    arguments = {"timeout": BUSY_TIMEOUT_S}
    # No pre-ping: a file does not go away between two uses as a server does.
    writer = create_async_engine(
        driver, connect_args=arguments, pool_size=1, max_overflow=0, hide_parameters=True
    )
    reader = create_async_engine(
        driver, connect_args=arguments, pool_size=READERS, max_overflow=0, hide_parameters=True
    )
    _on_sqlite(
        writer,
        "BEGIN IMMEDIATE",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
    )
    _on_sqlite(reader, "BEGIN", "PRAGMA query_only=ON")
    return Engines(writer, reader, str(path))


def _on_sqlite(engine: AsyncEngine, begin: str, *pragmas: str) -> None:
    """Run `pragmas` on each new connection, and begin transactions with `begin` instead of Python's guess."""

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 would begin by itself, deferred and only before a write
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)


def _mariadb(url: URL) -> Engines:
    if not url.host or not url.database or not url.username:
        raise DatabaseUrlError(
            "the database URL is not complete: write mysql://user:password@host:3306/database"
        )
    if url.query:
        raise DatabaseUrlError(f"the database URL takes no options after '?': {FORMS}")
    driver = url.set(drivername="mysql+asyncmy")
    options: dict[str, Any] = {
        "connect_args": {
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "init_command": MYSQL_SESSION,
        },
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,
        "max_overflow": 0,
        "hide_parameters": True,
    }
    place = f"{url.host}:{url.port or 3306}/{url.database}"
    return Engines(
        create_async_engine(driver, pool_size=1, **options),
        create_async_engine(driver, pool_size=READERS, **options),
        place,
    )
