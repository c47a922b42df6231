"""How SQLite and MariaDB differ in SQL. Everything outside this module is written in what both speak."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Dialect, Insert, Table, insert
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.services.ports import StoreUnavailableError

SQLITE: Final = "sqlite"
ROWS_PER_STATEMENT: Final = 1000
"""Rows written by one statement; more brings nothing on either database (bench, storage)."""
KEYS_PER_STATEMENT: Final = 500
"""Keys looked up by one statement. From 1,000 on MariaDB turns the list into a join and leaves the key aside."""
SCHEMA_LOCK_S: Final = 60
"""How long a program waits for another one that brings the tables up to date."""

T = TypeVar("T")
Row = Sequence[Any]
HowToInsert = Callable[[Dialect, Table], Insert]

_encode = msgspec.json.Encoder().encode


def upsert(dialect: Dialect, table: Table) -> Insert:
    """Return an INSERT which replaces the other columns of a row whose primary key is there already."""
    changed = [column.name for column in table.columns if not column.primary_key]
    if dialect.name == SQLITE:
        lite = sqlite.insert(table)
        values = {name: lite.excluded[name] for name in changed}
        return lite.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)
    maria = mysql.insert(table)
    return maria.on_duplicate_key_update({name: maria.inserted[name] for name in changed})


def insert_new(dialect: Dialect, table: Table) -> Insert:
    """Return an INSERT which leaves a row with the same key as it is.

    `INSERT IGNORE` would also swallow values that do not fit, and prints a warning for each row left out.
    """
    if dialect.name == SQLITE:
        return sqlite.insert(table).on_conflict_do_nothing()
    key = next(iter(table.primary_key))
    return mysql.insert(table).on_duplicate_key_update({key.name: key})


def add_up(dialect: Dialect, table: Table) -> Insert:
    """Return an INSERT which adds its values to those of the row whose primary key is there already."""
    added = [column for column in table.columns if not column.primary_key]
    if dialect.name == SQLITE:
        lite = sqlite.insert(table)
        totals = {column.name: column + lite.excluded[column.name] for column in added}
        return lite.on_conflict_do_update(index_elements=list(table.primary_key), set_=totals)
    maria = mysql.insert(table)
    return maria.on_duplicate_key_update(
        {column.name: column + maria.inserted[column.name] for column in added}
    )


def insert_only(_dialect: Dialect, table: Table) -> Insert:
    """Return an INSERT which fails where a row with the same key is there already."""
    return insert(table)


async def write_rows(
    connection: AsyncConnection, how: HowToInsert, table: Table, rows: Sequence[Row]
) -> None:
    """Insert many rows whose values stand in the order of the table's columns; None for an id to be given.

    This goes to the driver as tuples: building a dict per row and binding each value costs more than the database
    needs for the row. asyncmy makes one multi-row statement of it, sqlite3 runs one prepared statement.
    """
    text = _driver_text(how, table, connection.dialect)
    for chunk in chunks(rows, ROWS_PER_STATEMENT):
        await connection.exec_driver_sql(text, [tuple(row) for row in chunk])


async def write_plain(
    connection: AsyncConnection, how: HowToInsert, table: Table, rows: Sequence[Row]
) -> None:
    """Insert many rows of whole numbers, None and words of our own: names of streams and sources.

    For MariaDB the values are written into the statement as JSON, whose numbers, `null` and plain words in double
    quotes mean the same there; a driver that quotes each value for itself takes ten times as long.
    """
    if connection.dialect.name == SQLITE:
        await write_rows(connection, how, table, rows)
        return
    for chunk in chunks(rows, ROWS_PER_STATEMENT):
        values = _encode(chunk)[2:-2].replace(b"],[", b"),(").decode()
        await connection.exec_driver_sql(_with_values(how, table, connection.dialect, f"({values})"))


async def write_bytes(connection: AsyncConnection, table: Table, number: int, content: bytes) -> None:
    """Insert a row of an id to be given, a number, and bytes of any size."""
    if connection.dialect.name == SQLITE:
        await write_rows(connection, insert_only, table, [(None, number, content)])
        return
    values = f"(NULL,{number:d},x'{content.hex()}')"
    await connection.exec_driver_sql(_with_values(insert_only, table, connection.dialect, values))


def chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return `rows` in slices of at most `size`."""
    return (rows[at : at + size] for at in range(0, len(rows), size))


def utc_text(dialect: Dialect, column: str) -> str:
    """Return SQL that shows a column of UTC milliseconds as date and time, whatever the session's time zone."""
    if dialect.name == SQLITE:
        return f"strftime('%Y-%m-%d %H:%M:%f', {column} / 1000.0, 'unixepoch')"
    return f"TIMESTAMPADD(MICROSECOND, {column} * 1000, TIMESTAMP'1970-01-01 00:00:00')"


def create_view(dialect: Dialect, name: str, select: str) -> str:
    """Return SQL that creates a view, whether or not it is there already, without a warning."""
    create = "CREATE VIEW IF NOT EXISTS" if dialect.name == SQLITE else "CREATE OR REPLACE VIEW"
    return f"{create} {name} AS {select}"


def lock_schema(connection: Connection) -> None:
    """Wait until no other process changes the schema; the lock ends with the connection or `unlock_schema`.

    In SQLite the transaction itself is that lock.

    Raises:
        StoreUnavailableError: another process has held the lock for `SCHEMA_LOCK_S`.
    """
    if connection.dialect.name == SQLITE:
        return
    got = connection.exec_driver_sql(f"SELECT GET_LOCK('loadcenter_schema', {SCHEMA_LOCK_S})").scalar_one()
    if got != 1:
        raise StoreUnavailableError(
            "another Loadcenter is changing the tables of this database: wait for its end"
        )


def unlock_schema(connection: Connection) -> None:
    """Let other processes change the schema again."""
    if connection.dialect.name != SQLITE:
        connection.exec_driver_sql("SELECT RELEASE_LOCK('loadcenter_schema')").close()


@cache
def _driver_text(how: HowToInsert, table: Table, dialect: Dialect) -> str:
    return str(how(dialect, table).compile(dialect=dialect))


def _with_values(how: HowToInsert, table: Table, dialect: Dialect, values: str) -> str:
    """Return the statement with `values` instead of its placeholders."""
    before, _, after = _driver_text(how, table, dialect).partition(" VALUES (")
    return f"{before} VALUES {values}{after.partition(')')[2]}"
