"""`loadcenter site|group|plan …` and `loadcenter dry-run`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from loadcenter.adapters.clock import SystemClock
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, connect
from loadcenter.apps.cli.outlets import asked
from loadcenter.apps.cli.terminal import Exit, fail, show, table

site = typer.Typer(no_args_is_help=True, help="Show sites: what they may carry, and what they have shed.")
group = typer.Typer(no_args_is_help=True, help="Switch groups of outlets.")
plan = typer.Typer(no_args_is_help=True, help="Show orders for later, and cancel them.")

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Id of a group; 'group list' shows them.")]
Delay = Annotated[float, typer.Option("--in", min=0, max=604_800, help="Wait so many seconds first.")]
Confirm = Annotated[bool, typer.Option("--yes", help="Switch critical outlets off as well.")]

_DAY_MS = 86_400_000


@site.command("list")
def list_sites(config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show every circuit of every site, and what is shed."""
    items = asked(lambda: connect(config, data).get("/sites"))["items"]
    rows = table("site", "circuit", "A", "of", "W", "of", "shed")
    for one in items:
        shed = ", ".join(f"{out['pdu_id']}/{out['outlet']}" for out in one["shed"])
        for circuit in one["circuits"]:
            limit = circuit["limit"]
            mark = " !" if circuit["over"] else ""
            rows.add_row(
                one["id"],
                circuit["title"] + mark,
                f"{circuit['current_a']:.1f}",
                _or_dash(limit["current_a"]),
                f"{circuit['power_w']:.0f}",
                _or_dash(limit["power_w"]),
                shed,
            )
    show(items, as_json=as_json, table=rows)


@group.command("list")
def list_groups(config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show the groups with their outlets."""
    items = asked(lambda: connect(config, data).get("/groups"))["items"]
    rows = table("group", "name", "outlets")
    for one in items:
        rows.add_row(one["id"], one["name"], " ".join(one["members"]))
    show(items, as_json=as_json, table=rows)


@group.command("on")
def group_on(
    name: GroupName,
    delay_s: Delay = 0,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Switch the outlets of a group on, one after the other."""
    body = {"do": "on", "delay_s": delay_s}
    _show_plan(asked(lambda: connect(config, data).post(f"/groups/{name}/commands", body)), as_json=as_json)


@group.command("off")
def group_off(
    name: GroupName,
    delay_s: Delay = 0,
    yes: Confirm = False,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Switch the outlets of a group off, the last one first."""
    body = {"do": "off", "delay_s": delay_s, "confirm": yes}
    _show_plan(asked(lambda: connect(config, data).post(f"/groups/{name}/commands", body)), as_json=as_json)


@plan.command("list")
def list_plans(config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show the orders that wait, and the latest that are over."""
    items = asked(lambda: connect(config, data).get("/plans"))["items"]
    rows = table("plan", "by", "due (UTC)", "outlet", "order", "status", "")
    for one in items:
        _add_orders(rows, one)
    show(items, as_json=as_json, table=rows)


@plan.command("cancel")
def cancel_plan(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a plan; 'plan list' shows them.")],
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """End what still waits of a plan."""
    _show_plan(asked(lambda: connect(config, data).delete(f"/plans/{plan_id}")), as_json=as_json)


def dry_run(
    pdu: Annotated[str, typer.Argument(metavar="PDU")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="[N:]NAME=VALUE", help="A setting, of the PDU or of outlet N."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=92, help="So many days until now.")] = 30,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say what other settings would have done to a PDU, by its recorded minutes."""
    now_ms = SystemClock().now_ms()
    body: dict[str, Any] = {
        "since_ms": now_ms - days * _DAY_MS,
        "until_ms": now_ms,
        **_settings(settings or []),
    }
    answer = asked(lambda: connect(config, data).post(f"/pdus/{pdu}/dry-run", body))
    rows = table("outlet", "sheds", "trips", "min off", "kWh lost", "min possible", "now: sheds", "trips")
    for now, then in zip(answer["current"]["outlets"], answer["proposed"]["outlets"], strict=True):
        rows.add_row(
            f"{then['n']} {then['name']}",
            str(then["sheds"]),
            str(then["trips"]),
            str(then["off_min"]),
            f"{then['lost_kwh']:.2f}",
            str(then["possible_min"]),
            str(now["sheds"]),
            str(now["trips"]),
        )
    show(answer, as_json=as_json, table=rows)


def _settings(given: list[str]) -> dict[str, Any]:
    pdu: dict[str, object] = {}
    out: dict[int, dict[str, object]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        number, colon, inner = name.partition(":")
        if not equals or (colon and not number.isdecimal()):
            fail(
                f"'{text}' is no setting: write budget_main_ma=8000, or 3:priority=8 for outlet 3", Exit.USAGE
            )
        if colon:
            out.setdefault(int(number), {"n": int(number)})[inner] = _value(value)
        else:
            pdu[name] = _value(value)
    return {"pdu": pdu, "out": list(out.values())}


def _value(text: str) -> object:
    if text.isdecimal():
        return int(text)
    return {"true": True, "false": False}.get(text, text)


def _show_plan(one: dict[str, Any], *, as_json: bool) -> None:
    rows = table("plan", "by", "due (UTC)", "outlet", "order", "status", "")
    _add_orders(rows, one)
    show(one, as_json=as_json, table=rows)


def _add_orders(rows: Any, one: dict[str, Any]) -> None:
    for order in one["orders"]:
        due = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=order["due_ms"])
        word = (
            {True: "on", False: "off"}.get(order["on"], order["do"])
            if order["do"] == "switch"
            else order["do"]
        )
        rows.add_row(
            one["id"],
            one["by"],
            due.strftime("%Y-%m-%d %H:%M:%S"),
            f"{order['pdu_id']}/{order['outlet']}",
            word,
            order["status"],
            order["detail"],
        )


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
