"""`loadcenter sim …`: play a named scenario in virtual time, or run the real firmware at the pace of the clock."""

from typing import Annotated

import typer

from loadcenter.apps.cli.firmware import run_firmware
from loadcenter.apps.cli.options import AsJson
from loadcenter.apps.cli.terminal import Exit, fail, show, table
from loadcenter.simulator.scenarios import BY_NAME, SCENARIOS, run

simulate = typer.Typer(
    no_args_is_help=True, help="Play scenarios on a simulated PDU, or run the real firmware."
)
simulate.command("firmware")(run_firmware)


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
