"""Commands of `loadcenter` that run it or show its configuration."""

import asyncio
import logging
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.logging import RichHandler
from rich.panel import Panel

from loadcenter import __version__
from loadcenter.adapters.mqtt.broker_errors import BrokerStartError
from loadcenter.apps.cli.backups import backup, restore
from loadcenter.apps.cli.control import dry_run, group, plan, site
from loadcenter.apps.cli.devices import device
from loadcenter.apps.cli.doctor import doctor
from loadcenter.apps.cli.flash import flash
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, read_config, usable_config
from loadcenter.apps.cli.outlets import events, outlet
from loadcenter.apps.cli.report import report
from loadcenter.apps.cli.schedules import schedule
from loadcenter.apps.cli.simulate import simulate
from loadcenter.apps.cli.tables import export, import_
from loadcenter.apps.cli.terminal import Exit, err, fail, out, show, table
from loadcenter.apps.config import Config, describe
from loadcenter.apps.demo import DEMO_TARIFF, DemoRack
from loadcenter.apps.log import OneLine
from loadcenter.apps.real_unit import RealUnitError
from loadcenter.apps.run import Started, reach, run_center
from loadcenter.services.accounts import WeakPasswordError
from loadcenter.services.ports import StoreError

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)
config_app = typer.Typer(no_args_is_help=True, help="Show and check the configuration.")
app.add_typer(config_app, name="config")
app.add_typer(device, name="device")
app.add_typer(outlet, name="outlet")
app.add_typer(site, name="site")
app.add_typer(group, name="group")
app.add_typer(plan, name="plan")
app.command("dry-run")(dry_run)
app.add_typer(schedule, name="schedule")
app.add_typer(simulate, name="sim")
app.command("events")(events)
app.command("doctor")(doctor)
app.command("report")(report)
app.command("export")(export)
app.command("import")(import_)
app.command("flash")(flash)
app.command("backup")(backup)
app.command("restore")(restore)

PASSWORD_ENV = "LOADCENTER_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
DEMO_DATA = "~/.local/share/loadcenter-demo"
TARIFF_ENV = "LOADCENTER_TARIFF"
"""Names another tariff than the demo's own."""


def _version(value: bool) -> None:
    if value:
        print(f"loadcenter {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Control center for an open, networked power distribution unit."""
    del version


@app.command()
def serve(
    config: ConfigFile = None,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address of the web server.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the web server.")] = None,
) -> None:
    """Run the control center. Without a configuration: SQLite, embedded broker, this machine only."""
    settings = usable_config(config, data=str(data) if data else None, host=host, port=port)
    _run(settings, None)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the web server; 0 takes a free one.")] = 8080,
    data: Annotated[Path, typer.Option(help="Data folder of the demo.")] = Path(DEMO_DATA),
    pdus: Annotated[int, typer.Option(min=1, max=50, help="Simulated PDUs.")] = 3,
    traces: Annotated[
        Path | None,
        typer.Option(help="Folder with recordings (tracebase, UK-DALE, REFIT) to replay as outlets."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same loads.")] = 1,
    firmware: Annotated[
        bool,
        typer.Option("--firmware", help="One PDU more: the real firmware, emulated, and the real gateway."),
    ] = False,
) -> None:
    """Run the control center with a simulated rack, and a panel to break things."""
    tariff = os.environ.get(TARIFF_ENV) or str(DEMO_TARIFF)
    settings = usable_config(None, data=str(data), host="127.0.0.1", port=port, mqtt_port=0, tariff=tariff)
    _run(settings, DemoRack(pdus, traces, seed, firmware))


@config_app.command("show")
def config_show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print every key with its value and meaning; passwords are hidden."""
    rows = describe(read_config(config))
    shown = table("key", "value", "meaning")
    for key, value, meaning in rows:
        shown.add_row(key, str(value).lower() if isinstance(value, bool) else str(value), meaning)
    show({key: value for key, value, _ in rows}, as_json=as_json, table=shown)


@config_app.command("check")
def config_check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Check a configuration without starting anything."""
    usable_config(config)
    show({"ok": True}, as_json=as_json, table="The configuration can be used.")


def _run(config: Config, rack: DemoRack | None) -> None:
    _log_to_terminal(config.log_level)
    password = os.environ.get(PASSWORD_ENV) or None
    # A demo begins with a password that can be read on the terminal, each time.
    made = secrets.token_urlsafe(12) if rack and not password else None
    try:
        asyncio.run(
            run_center(
                config,
                admin_password=password or made,
                demo=rack,
                started=lambda started: _greet(
                    started, made or started.center.new_password, demo=rack is not None
                ),
            )
        )
    except WeakPasswordError as error:
        fail(f"{PASSWORD_ENV}: {error}", Exit.CONFIG)
    except (OSError, ValueError, StoreError, BrokerStartError, RealUnitError) as error:
        fail(str(error), Exit.UNREACHABLE)
    except BaseExceptionGroup as group:
        if (missing := group.subgroup(RealUnitError)) is not None:
            fail(str(missing.exceptions[0]), Exit.UNREACHABLE)
        logging.getLogger(__name__).critical("a part of the control center failed", exc_info=group)
        raise typer.Exit(Exit.FAILED) from group


def _greet(started: Started, new_password: str | None, *, demo: bool) -> None:
    if new_password:
        login = (
            f"Log in as [bold]admin[/] with this one-time password:  [bold]{new_password}[/]\n"
            f"(Set {PASSWORD_ENV} to choose your own.)"
        )
    else:
        login = "Log in as [bold]admin[/] with the password that you have."
    parts = [f"[bold]Loadcenter[/] is at  [bold]{started.url}[/]", login, reach(started.config)]
    if demo:
        parts.append(
            "To try: switch an outlet; open [bold]Break something[/] and let the main source fail; watch the transfer; "
            "then look at Events and History. Ctrl-C ends it."
        )
    out.print(Panel("\n\n".join(parts), width=min(out.width, 100), padding=(1, 2)), soft_wrap=False)
    sys.stdout.flush()


def _log_to_terminal(level: str) -> None:
    if sys.stderr.isatty():
        rich = RichHandler(console=err, show_path=False, rich_tracebacks=False)
        logging.basicConfig(level=level.upper(), format="%(message)s", datefmt="%H:%M:%S", handlers=[rich])
    else:
        # A file or the journal: one line each, never wrapped.
        logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(OneLine())
    for chatty in ("alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def main() -> None:
    """Run the command line."""
    app()
