"""`loadcenter outlet …` and `loadcenter events`."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import typer

from loadcenter.adapters.clock import SystemClock
from loadcenter.apps.cli.client import Client, NotRunningError, RefusedError
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, connect
from loadcenter.apps.cli.terminal import Exit, fail, show, table
from loadcenter.domain.topology import OutletId, TopologyError, parse_outlet_id

outlet = typer.Typer(no_args_is_help=True, help="Switch outlets and ask why they are as they are.")

OutletName = Annotated[str, typer.Argument(metavar="PDU/N", help="An outlet, for example rack-1/3.")]

Confirm = Annotated[bool, typer.Option("--yes", help="Switch it off even if it is critical.")]

_ANSWER_MS = 30_000
_POLL_MS = 100


@outlet.command("on")
def switch_on(
    name: OutletName, config: ConfigFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Switch an outlet on and wait for the PDU's answer."""
    _order(_parse(name), {"do": "on"}, connect(config, data), as_json=as_json)


@outlet.command("off")
def switch_off(
    name: OutletName,
    yes: Confirm = False,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Switch an outlet off and wait for the PDU's answer."""
    _order(_parse(name), {"do": "off", "confirm": yes}, connect(config, data), as_json=as_json)


@outlet.command("cycle")
def cycle(
    name: OutletName,
    off_s: Annotated[float, typer.Option(min=1, max=3600, help="Pause in seconds.")] = 5,
    yes: Confirm = False,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Switch an outlet off and on again, and wait until it is back."""
    _order(
        _parse(name),
        {"do": "cycle", "off_s": off_s, "confirm": yes},
        connect(config, data),
        as_json=as_json,
        wait_s=off_s,
    )


@outlet.command("reset-trip")
def reset_trip(
    name: OutletName, config: ConfigFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Reset a latched trip; the outlet stays off until it is switched on."""
    _order(_parse(name), {"do": "reset_trip"}, connect(config, data), as_json=as_json)


@outlet.command("why")
def why(name: OutletName, config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Say why an outlet is on or off."""
    place = _parse(name)
    pdu = asked(lambda: connect(config, data).get(f"/pdus/{place.pdu_id}"))
    found = next((one for one in pdu["outlets"] if one["n"] == place.outlet), None)
    if found is None:
        fail(f"{place.pdu_id} has reported no outlet {place.outlet}")
    show(found, as_json=as_json, table=f"{place} ({found['name']})  {found['why']}")


def events(
    pdu: Annotated[str | None, typer.Option(help="Only of this PDU.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest events, newest first."""
    items = asked(lambda: connect(config, data).get("/events", pdu=pdu, limit=limit))["items"]
    rows = table("time (UTC)", "PDU", "severity", "what")
    for one in items:
        when = datetime.fromtimestamp(one["ts_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        rows.add_row(when, one["pdu_id"], one["severity"], f"{one['title']}: {one['text']}")
    show(items, as_json=as_json, table=rows)


def _order(
    place: OutletId, body: dict[str, Any], client: Client, *, as_json: bool, wait_s: float = 0
) -> None:
    command = asked(lambda: client.post(f"/pdus/{place.pdu_id}/outlets/{place.outlet}/commands", body))
    clock = SystemClock()
    end_ms = clock.monotonic_ms() + _ANSWER_MS + wait_s * 1000
    while command["status"] in ("pending", "accepted") and clock.monotonic_ms() < end_ms:
        asyncio.run(clock.sleep_ms(_POLL_MS))
        command = asked(partial(client.get, f"/commands/{command['id']}"))
    show(
        command,
        as_json=as_json,
        table=f"{place}  {body['do']}  {command['status']}  {command['message']}".rstrip(),
    )
    if command["status"] != "confirmed":
        raise typer.Exit(Exit.FAILED)


def _parse(name: str) -> OutletId:
    try:
        return parse_outlet_id(name)
    except TopologyError as error:
        fail(str(error), Exit.USAGE)


def asked(ask: Callable[[], Any]) -> Any:
    """Return an answer of the control center, or end with why there is none."""
    try:
        return ask()
    except RefusedError as error:
        fail(str(error))
    except NotRunningError as error:
        fail(str(error), Exit.NOT_RUNNING)
