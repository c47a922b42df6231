"""Brings the tables of a database to the newest revision, from nothing or from any older one.

The revisions ship with the package and run when the store is opened. A revision that was cut off half-way (MariaDB
commits each change of a table by itself) runs again from its start, so each step leaves alone what is there.
"""

from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, String, Table

from loadcenter.adapters.storage.dialect import lock_schema, unlock_schema
from loadcenter.services.ports import StoreError

FOLDER: Final = Path(__file__).parent
VERSION_TABLE: Final = "alembic_version"


class SchemaVersionError(StoreError):
    """The tables belong to a newer version of Loadcenter; the message names both revisions."""


def newest_revision() -> str:
    """Return the revision that this version works with."""
    newest = _scripts().get_current_head()
    assert newest is not None, "the package ships at least one revision"
    return newest


def known_revisions() -> frozenset[str]:
    """Return all revisions that this version can bring tables to, or up from."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def migrate(connection: Connection, wanted: str | None = None) -> None:
    """Bring the tables up to `wanted`, by default `newest_revision()`. Other processes wait meanwhile.

    Raises:
        SchemaVersionError: the database is of a revision that this version does not know.
    """
    lock_schema(connection)
    try:
        _upgrade(connection, wanted or newest_revision())
    finally:
        unlock_schema(connection)


def _upgrade(connection: Connection, wanted: str) -> None:
    scripts, known = _scripts(), known_revisions()
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise SchemaVersionError(
            f"the database is at revision {current}, this version of Loadcenter knows up to {newest_revision()}: "
            "install the newer version again, or restore a backup from before it"
        )
    if current == wanted:
        return

    # Alembic's own would name the primary key, which MariaDB leaves aside with a warning.
    Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True)).create(
        connection, checkfirst=True
    )

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs(wanted, revision)  # noqa: SLF001  # what alembic.command.upgrade calls

    with EnvironmentContext(_config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        with environment.begin_transaction():
            environment.run_migrations()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
