"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from loadcenter.apps.cli.client import Client, NotRunningError
from loadcenter.apps.cli.terminal import Exit, fail
from loadcenter.apps.config import Config, ConfigError, load_config

ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="TOML file; without it the defaults hold.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Data folder of the control center.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_config(path: Path | None, **given: Any) -> Config:
    """Return the configuration, or end with what is wrong with it."""
    try:
        return load_config(path, **given)
    except ConfigError as error:
        fail(str(error), Exit.CONFIG)


def connect(path: Path | None, data: Path | None) -> Client:
    """Return a client of the running control center, or end with how to start one."""
    config = read_config(path, data=str(data) if data else None)
    try:
        return Client.of(config.folder)
    except NotRunningError as error:
        fail(str(error), Exit.NOT_RUNNING)
