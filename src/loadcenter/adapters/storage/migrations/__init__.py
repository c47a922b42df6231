"""Brings the tables of a database to the newest revision, from nothing or from any older one.

The revisions ship with the package and run when the store is opened. A revision that was cut off half-way (MariaDB
commits each change of a table by itself) runs again from its start, so each step leaves alone what is there. Alembic,
which runs them, takes some 10 MB of memory: it is loaded only where there is something to do.
"""

import importlib
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from loadcenter.adapters.storage.dialect import lock_schema, unlock_schema
from loadcenter.services.ports import StoreError

REVISIONS: Final = ("0001", "0002", "0003", "0004")
"""All revisions in their order."""
VERSION_TABLE: Final = "alembic_version"


class SchemaVersionError(StoreError):
    """The tables belong to a newer version of Loadcenter; the message names both revisions."""


def newest_revision() -> str:
    """Return the revision that this version works with."""
    return REVISIONS[-1]


def known_revisions() -> frozenset[str]:
    """Return all revisions that this version can bring tables to, or up from."""
    return frozenset(REVISIONS)


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the tables are at, None before the first."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(
        select(column("version_num")).select_from(table(VERSION_TABLE))
    ).scalar()
    return found


def migrate(connection: Connection, wanted: str | None = None) -> None:
    """Bring the tables up to `wanted`, by default `newest_revision()`. Other processes wait meanwhile.

    Raises:
        SchemaVersionError: the database is of a revision that this version does not know.
    """
    wanted = wanted or newest_revision()
    lock_schema(connection)
    try:
        current = current_revision(connection)
        if current is not None and current not in REVISIONS:
            raise SchemaVersionError(
                f"the database is at revision {current}, this version of Loadcenter knows up to {newest_revision()}: "
                "install the newer version again, or restore a backup from before it"
            )
        if current != wanted:
            importlib.import_module(f"{__name__}.upgrading").upgrade(connection, current, wanted)
    finally:
        unlock_schema(connection)
