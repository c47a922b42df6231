"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from loadcenter.apps.cli.client import Client, NotRunningError
from loadcenter.apps.cli.terminal import Exit, fail
from loadcenter.apps.config import Config, ConfigError, check_addresses, load_config

# What cannot be read is said by the command itself: it knows what the path is for.
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", readable=False, help="TOML file; without it the defaults hold."),
]
Data = Annotated[
    Path | None, typer.Option("--data", readable=False, help="Data folder of the control center.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_config(path: Path | None, **given: Any) -> Config:
    """Return the configuration, or end with what is wrong with it."""
    try:
        return load_config(path, **given)
    except ConfigError as error:
        fail(str(error), Exit.CONFIG)


def usable_config(path: Path | None, **given: Any) -> Config:
    """Return the configuration with its addresses checked, or end with what is wrong with it."""
    config = read_config(path, **given)
    try:
        check_addresses(config)
    except ConfigError as error:
        fail(str(error), Exit.CONFIG)
    return config


def connect(path: Path | None, data: Path | None) -> Client:
    """Return a client of the running control center, or end with how to start one."""
    config = read_config(path, data=str(data) if data else None)
    try:
        return Client.of(config.folder)
    except NotRunningError as error:
        fail(str(error), Exit.NOT_RUNNING)
