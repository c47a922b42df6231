"""Runs revisions with Alembic."""

import logging
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, String, Table

from loadcenter.adapters.storage.migrations import VERSION_TABLE

FOLDER: Final = Path(__file__).parent
_log = logging.getLogger(__name__)


def upgrade(connection: Connection, current: str | None, wanted: str) -> None:
    """Run all revisions after `current`, up to `wanted`."""
    if current is not None:
        _log.warning(
            "the tables are brought from revision %s to %s: if this is cut off, the next start begins it again",
            current,
            wanted,
        )
    # Alembic's own would name the primary key, which MariaDB leaves aside with a warning.
    Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True)).create(
        connection, checkfirst=True
    )
    scripts = revisions()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs(wanted, revision)  # noqa: SLF001  # what alembic.command.upgrade calls

    with EnvironmentContext(_config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        with environment.begin_transaction():
            environment.run_migrations()


def revisions() -> ScriptDirectory:
    """Return the revisions that the package ships."""
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
