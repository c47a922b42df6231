"""`loadcenter backup` and `loadcenter restore`: the whole database into a file, and back."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from loadcenter import __version__
from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.files.csv_table import iso
from loadcenter.adapters.storage.backup import Report, restore_backup, write_backup
from loadcenter.adapters.storage.backup_file import BackupError
from loadcenter.adapters.storage.engine import DatabaseUrlError
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, read_config
from loadcenter.apps.cli.terminal import Exit, counting, fail, show
from loadcenter.apps.data_folder import DataFolderError, make_folder
from loadcenter.apps.rendezvous import find
from loadcenter.services.ports import StoreError


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="New file; by custom it ends with .backup.gz.")
    ],
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write everything in the database into a file, also while the control center runs.

    The file holds hashes of passwords and can be read by its owner only: keep it so.
    """
    settings = read_config(config, data=str(data) if data else None)
    now_ms = SystemClock().now_ms()
    with counting(as_json) as progress:
        report = _run(write_backup(settings.database_url, file, __version__, now_ms, progress))
    _tell(report, f"{file} holds {report.rows:,} rows of {len(report.tables)} tables.", as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'loadcenter backup' has written.")],
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database, of the same kind or the other one.

    Devices then send again what they still hold, and announce as a gap what they do not.
    """
    settings = read_config(config, data=str(data) if data else None)
    if find(settings.folder) is not None:
        fail(f"a control center runs on {settings.folder}: stop it first")
    try:
        if not settings.database:
            make_folder(settings.folder)
    except DataFolderError as error:
        fail(str(error), Exit.UNREACHABLE)
    with counting(as_json) as progress:
        report = _run(restore_backup(settings.database_url, file, progress))
    said = f"{report.rows:,} rows of {len(report.tables)} tables are restored, as of {iso(report.made_ms)}."
    _tell(report, f"{said} Start the control center again.", as_json=as_json)


def _run(work: Coroutine[Any, Any, Report]) -> Report:
    try:
        return asyncio.run(work)
    except BackupError as error:
        fail(str(error))
    except DatabaseUrlError as error:
        fail(str(error), Exit.CONFIG)
    except StoreError as error:
        fail(str(error), Exit.UNREACHABLE)


def _tell(report: Report, text: str, *, as_json: bool) -> None:
    told = {"revision": report.revision, "made_ms": report.made_ms, "tables": report.tables}
    show(told, as_json=as_json, table=text)
