"""`loadcenter schedule …`: what shall happen when, on a running control center."""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from loadcenter.apps.cli.client import Client
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, connect
from loadcenter.apps.cli.outlets import OutletName, asked
from loadcenter.apps.cli.terminal import Exit, fail, show, table
from loadcenter.domain.schedules import Act, Holidays
from loadcenter.domain.topology import OutletId, TopologyError, parse_outlet_id

schedule = typer.Typer(no_args_is_help=True, help="Schedules: what shall happen to outlets, and when.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of a schedule.")]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_SETS: Final = {
    "daily": "FREQ=DAILY",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "weekend": "FREQ=WEEKLY;BYDAY=SA,SU",
    "once": "",
}
_SUN = re.compile(r"(sunrise|sunset)([+-]\d{1,3})?")
MOMENT_HELP: Final = "HH:MM, or sunrise or sunset with minutes before or after it, as sunset-15."


@schedule.command("list")
def list_schedules(config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the schedules with their next occurrences."""
    answer = asked(lambda: connect(config, data).get("/schedules"))
    rows = table("name", "outlets", "what", "next", "id")
    for one in answer["items"]:
        rows.add_row(one["name"], _outlets(one), _what(one), _next(one), one["id"])
    none = "There is no schedule: loadcenter schedule add NAME --outlet PDU/N --at HH:MM"
    show(answer["items"], as_json=as_json, table=rows if answer["items"] else none)


@schedule.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    outlet: Annotated[
        list[str], typer.Option(metavar="PDU/N", help="An outlet; may be given several times.")
    ],
    do: Annotated[Act, typer.Option(help="What its beginning does; its end undoes on and off.")] = Act.ON,
    at: Annotated[str | None, typer.Option(help=MOMENT_HELP)] = None,
    until: Annotated[str | None, typer.Option(help=f"When it ends: {MOMENT_HELP}")] = None,
    minutes: Annotated[int | None, typer.Option(min=1, max=10_080, help="Or how long it lasts.")] = None,
    cheapest: Annotated[
        float | None,
        typer.Option(min=0.25, max=24, help="Instead of --at: so many hours at the lowest price."),
    ] = None,
    before: Annotated[str | None, typer.Option(help="HH:MM by which the cheapest hours are over.")] = None,
    within: Annotated[
        float, typer.Option(min=0.25, max=24, help="Hours before that in which they may lie.")
    ] = 24,
    contiguous: Annotated[
        bool, typer.Option("--contiguous", help="The cheapest hours at a stretch.")
    ] = False,
    days: Annotated[
        str,
        typer.Option(help="daily, weekdays, weekend, once, days as mon,fri, or a rule of RFC 5545."),
    ] = "daily",
    first: Annotated[str | None, typer.Option(help="First day, as 2026-11-24; today if left away.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--except", help="A day to leave out; may be given several times.")
    ] = None,
    holidays: Annotated[Holidays, typer.Option(help="What to do on holidays of the site.")] = Holidays.IGNORE,
    off_s: Annotated[float | None, typer.Option(min=1, max=3600, help="Pause of cycle in seconds.")] = None,
    late_s: Annotated[int, typer.Option(min=0, max=86_400, help="How late a run may be, in seconds.")] = 900,
    zone: Annotated[str | None, typer.Option(help="Time zone, if not that of the site.")] = None,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a schedule and show its next occurrences and conflicts."""
    client = connect(config, data)
    body = {
        "name": name,
        "targets": [{"pdu_id": one.pdu_id, "outlet": one.outlet} for one in map(_outlet, outlet)],
        "do": do.value,
        "off_s": _pause(do, off_s),
        "days": {
            "first": first or _today(client, zone),
            "rrule": _rule(days),
            "exceptions": leave_out or [],
            "holidays": holidays.value,
        },
        "begin": None if at is None else _moment(at),
        "end": None if until is None else _moment(until),
        "duration_s": None if minutes is None else minutes * 60,
        "cheapest": _cheapest(cheapest, before, within, contiguous=contiguous),
        "timezone": zone,
        "late_s": late_s,
    }
    made = asked(lambda: client.post("/schedules", body))
    coming = asked(lambda: client.get(f"/schedules/{made['id']}/preview", count=3))
    show(made, as_json=as_json, table=f"{made['name']} is kept as {made['id']}.\n\n{_coming(coming)}")


@schedule.command("remove")
def remove(name: Name, config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Remove a schedule. That switches nothing."""
    client = connect(config, data)
    found = _find(client, name)
    asked(lambda: client.delete(f"/schedules/{found['id']}"))
    show({"removed": found["id"]}, as_json=as_json, table=f"{found['name']} is removed.")


@schedule.command("preview")
def preview(
    name: Name,
    count: Annotated[int, typer.Option(min=1, max=100)] = 10,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the next occurrences of a schedule, and where it contradicts others."""
    client = connect(config, data)
    found = _find(client, name)
    answer = asked(lambda: client.get(f"/schedules/{found['id']}/preview", count=count))
    show(answer, as_json=as_json, table=_coming(answer))


@schedule.command("skip")
def skip(name: Name, config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Let the next occurrence of a schedule not happen."""
    client = connect(config, data)
    found = _find(client, name)
    if found["next"] is None:
        fail(f"'{found['name']}' has no occurrence to come")
    start_ms = found["next"]["start_ms"]
    asked(lambda: client.put(f"/schedules/{found['id']}/skips/{start_ms}", {}))
    when = _shown(start_ms, found["timezone"])
    show({"skipped_ms": start_ms}, as_json=as_json, table=f"{found['name']} does not happen on {when}.")


@schedule.command("runs")
def runs(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of the latest occurrences."""
    items = asked(lambda: connect(config, data).get("/schedules/runs", limit=limit))["items"]
    rows = table("due (UTC)", "schedule", "outlet", "what", "result")
    for one in items:
        place = f"{one['pdu_id']}/{one['outlet']}"
        result = f"{one['result']} {one['code']}".rstrip()
        rows.add_row(_shown(one["due_ms"], "UTC"), one["name"], place, one["do"], result)
    show(items, as_json=as_json, table=rows if items else "No schedule has run yet.")


@schedule.command("hold")
def hold(name: OutletName, config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Let no schedule switch an outlet on, until it is released."""
    place = _outlet(name)
    held = asked(lambda: connect(config, data).put(f"/schedules/holds/{place}", {}))
    show(held, as_json=as_json, table=f"No schedule switches {place} on.")


@schedule.command("release")
def release(name: OutletName, config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Let schedules switch an outlet on again."""
    place = _outlet(name)
    asked(lambda: connect(config, data).delete(f"/schedules/holds/{place}"))
    show({"released": str(place)}, as_json=as_json, table=f"Schedules switch {place} again.")


@schedule.command("prices")
def prices(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns start,price.")],
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Import day-ahead prices of a kWh, by which the cheapest hours are chosen."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")
    kept = asked(lambda: connect(config, data).post("/schedules/prices", {"csv": text}))
    since, until = (_shown(kept[key], "UTC") for key in ("since_ms", "until_ms"))
    show(kept, as_json=as_json, table=f"{kept['count']} prices are kept, from {since} until {until} (UTC).")


def _outlet(text: str) -> OutletId:
    try:
        return parse_outlet_id(text)
    except TopologyError as error:
        fail(str(error), Exit.USAGE)


def _pause(do: Act, off_s: float | None) -> float | None:
    return 5 if do is Act.CYCLE and off_s is None else off_s


def _cheapest(
    hours: float | None, before: str | None, within: float, *, contiguous: bool
) -> dict[str, Any] | None:
    if hours is None:
        if before is not None or contiguous:
            fail("--before and --contiguous go with --cheapest", Exit.USAGE)
        return None
    if before is None:
        fail("--cheapest needs --before HH:MM, by which the hours are over", Exit.USAGE)
    return {"before": before, "hours": hours, "within_h": within, "contiguous": contiguous}


def _moment(text: str) -> dict[str, Any]:
    found = _SUN.fullmatch(text)
    return {"at": text} if found is None else {"sun": found[1], "offset_min": int(found[2] or 0)}


def _rule(text: str) -> str:
    if text in DAY_SETS:
        return DAY_SETS[text]
    names = text.split(",")
    if set(names) <= set(WEEKDAYS):
        return "FREQ=WEEKLY;BYDAY=" + ",".join(name[:2].upper() for name in names)
    return text


def _today(client: Client, zone: str | None) -> str:
    """Return the date at the site, or in the zone of the schedule if it is one."""
    answer = asked(lambda: client.get("/schedules"))
    try:
        local = ZoneInfo(zone or answer["timezone"])
    except (KeyError, ValueError):
        fail(f"'{zone}' is not a time zone: write an IANA name such as Europe/Vienna", Exit.USAGE)
    return datetime.fromtimestamp(answer["server_ms"] / 1000, local).date().isoformat()


def _find(client: Client, name: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = asked(lambda: client.get("/schedules"))["items"]
    found = next((one for one in items if name in (one["id"], one["name"])), None)
    if found is None:
        fail(f"there is no schedule '{name}'; 'loadcenter schedule list' shows those that are")
    return found


def _shown(ts_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")


def _outlets(one: dict[str, Any]) -> str:
    return " ".join(f"{target['pdu_id']}/{target['outlet']}" for target in one["targets"])


def _next(one: dict[str, Any]) -> str:
    if not one["enabled"]:
        return "disabled"
    return "never" if one["next"] is None else _shown(one["next"]["start_ms"], one["timezone"])


def _what(one: dict[str, Any]) -> str:
    cheap = one["cheapest"]
    if cheap is not None:
        return f"{one['do']} {cheap['hours']:g} h before {cheap['before']} at the lowest price"
    end = "" if one["end"] is None else f" until {_moment_text(one['end'])}"
    if one["duration_s"] is not None:
        end = f" for {one['duration_s'] / 60:g} min"
    return f"{one['do']} at {_moment_text(one['begin'])}{end}"


def _moment_text(moment: dict[str, Any]) -> str:
    if moment["at"] is not None:
        return str(moment["at"])
    return f"{moment['sun']}{moment['offset_min']:+}" if moment["offset_min"] else str(moment["sun"])


def _coming(answer: dict[str, Any]) -> str:
    zone = answer["timezone"]
    lines = [
        _shown(one["start_ms"], zone)
        + ("" if one["end_ms"] is None else f" until {_shown(one['end_ms'], zone)}")
        for one in answer["items"]
    ]
    conflicts = [f"conflict on {_shown(one['since_ms'], zone)}: {one['text']}" for one in answer["conflicts"]]
    return "\n".join([*(lines or ["It has no occurrence to come."]), *conflicts])
