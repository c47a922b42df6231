"""`loadcenter sim …`: play a named scenario in virtual time, or run the real firmware at the pace of the clock."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from loadcenter.apps.cli.options import AsJson
from loadcenter.apps.cli.terminal import Exit, fail, show, table
from loadcenter.apps.firmware_builds import BoardName
from loadcenter.simulator.scenarios import BY_NAME, SCENARIOS, run

simulate = typer.Typer(
    no_args_is_help=True, help="Play scenarios on a simulated PDU, or run the real firmware."
)


@simulate.command("firmware")
def run_firmware(
    board: Annotated[
        BoardName | None,
        typer.Option(help="Board to build for; without it the first whose build fits its chip."),
    ] = None,
    elf: Annotated[
        Path | None, typer.Option(help="A program that is built, with its board.json beside it.")
    ] = None,
    tcp: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Put the serial line on this port of 127.0.0.1; 0 takes a free one."
        ),
    ] = None,
    pty: Annotated[bool, typer.Option("--pty", help="Put the serial line on a pseudo-terminal.")] = False,
    eeprom: Annotated[
        Path | None, typer.Option(help="File that keeps the unit's EEPROM from one run to the next.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same sources, loads and relays.")] = 1,
) -> None:
    """Run the real firmware in an emulator: its serial line on a port, orders from the keyboard (help lists them)."""
    # The emulator and what plugs into it take 10 MB of memory, which every other command would carry along.
    bench = import_module("loadcenter.apps.cli.firmware")
    bench.run(board, elf, tcp, eeprom, seed, pty=pty)


@simulate.command("list")
def list_scenarios(as_json: AsJson = False) -> None:
    """List the scenarios."""
    rows = table("scenario", "what it shows")
    for one in SCENARIOS:
        rows.add_row(one.name, one.tells)
    show([{"name": one.name, "tells": one.tells} for one in SCENARIOS], as_json=as_json, table=rows)


@simulate.command("run")
def run_scenario(
    scenario: Annotated[str, typer.Argument(help="A name that 'loadcenter sim list' shows.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same course.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Play a scenario in virtual time and print its events."""
    known = BY_NAME.get(scenario)
    if known is None:
        fail(f"there is no scenario '{scenario}': one of {', '.join(BY_NAME)}", Exit.USAGE)
    record = run(known, seed)
    rows = table("s", "event", "outlet", "source", "cause")
    for event in record.events:
        up_ms = event["up_ms"]
        seconds = f"{up_ms / 1000:.2f}" if isinstance(up_ms, int) else ""
        rows.add_row(
            seconds, str(event["code"]), *(str(event.get(key, "")) for key in ("out", "src", "cause"))
        )
    data = {
        "scenario": known.name,
        "seed": seed,
        "events": record.events,
        "results": record.results,
        "switchings": dict(record.switchings),
        "last_state": record.states[-1] if record.states else None,
    }
    show(data, as_json=as_json, table=rows)
