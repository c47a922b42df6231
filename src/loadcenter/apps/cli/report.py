"""`loadcenter report`: what some days of a PDU came to."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, connect
from loadcenter.apps.cli.outlets import asked
from loadcenter.apps.cli.terminal import show, table

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")]
_UNKNOWN = "-"
_HOUR_MS = 3_600_000


def report(
    pdu: Annotated[str, typer.Argument(help="Name of the PDU.")],
    since: Day = None,
    until: Day = None,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show energy, cost, load, voltage quality and outages; without days, of this month.

    `--until` is the day after the last. Days are those of the site.
    """
    client = connect(config, data)
    days = {"since": _day(since), "until": _day(until)}
    parts = {
        name: asked(partial(client.get, f"/analytics/{name}", pdu=pdu, **days))
        for name in ("energy", "voltage", "supply")
    }
    shown = Group(
        _heading(parts["energy"]), _outlets(parts["energy"]), "", _sources(parts), "", _supply(parts)
    )
    show(parts, as_json=as_json, table=shown)


def _day(value: datetime | None) -> str | None:
    return None if value is None else value.date().isoformat()


def _heading(energy: Mapping[str, Any]) -> str:
    period = energy["period"]
    return f"{period['since']} until before {period['until']}, {energy['timezone']}"


def _outlets(energy: Mapping[str, Any]) -> Table:
    currency = energy["currency"]
    cost = f"cost {currency}" if currency else "cost"
    power = ("mean W", "15 min W", "peak W")
    made = table("outlet", "kWh", "in gaps", cost, *power, "load factor", "standby W", "readings")
    for one in energy["outlets"]:
        _add(made, one["name"], one["amount"], one["load"], one["standby"])
    _add(made, "all", energy["total"], energy["load"], None)
    return made


def _add(
    made: Table,
    name: str,
    amount: Mapping[str, Any],
    load: Mapping[str, Any],
    standby: Mapping[str, Any] | None,
) -> None:
    made.add_row(
        name,
        f"{amount['total_kwh']:.3f}" if amount["coverage"] else _UNKNOWN,
        f"{amount['in_gap_kwh']:.3f}",
        _cost(amount),
        _number(load["mean_w"]),
        _number(load["demand_w"]),
        _number(load["peak_w"]),
        _percent(load["load_factor"]),
        _number(standby["power_w"] if standby else None),
        _percent(amount["coverage"]),
    )


def _cost(amount: Mapping[str, Any]) -> str:
    low, high = amount["cost_low"], amount["cost_high"]
    if not amount["coverage"] or low is None or high is None:
        return _UNKNOWN
    return " to ".join(dict.fromkeys([f"{low:.2f}", f"{high:.2f}"]))


def _sources(parts: Mapping[str, Any]) -> Table:
    made = table(
        "source", "lowest V", "highest V", "weeks met", "not met", "unknown", "disturbances", "readings"
    )
    for one in parts["voltage"]["sources"]:
        verdicts = [week["verdict"] for week in one["weeks"]]
        made.add_row(
            one["source"],
            _number(one["lowest_v"]),
            _number(one["highest_v"]),
            *(str(verdicts.count(verdict)) for verdict in ("met", "not_met", "unknown")),
            str(one["disturbance_count"]),
            _percent(one["coverage"]),
        )
    return made


def _supply(parts: Mapping[str, Any]) -> Table:
    now = parts["supply"]["now"]
    made = table("outages", "total s", "longest s", "availability", "on BACKUP h", "transfers")
    low, high = _percent(now["availability_low"], 3), _percent(now["availability_high"], 3)
    backup_ms = now["on_backup_ms"]
    made.add_row(
        str(now["count"]),
        _number(now["total_ms"] / 1000),
        _number(now["longest_ms"] / 1000),
        low if low == high else f"{low} to {high}",
        _number(None if backup_ms is None else backup_ms / _HOUR_MS),
        ", ".join(f"{one['cause']} {one['count']}" for one in now["transfers"]) or "0",
    )
    return made


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return _UNKNOWN if value is None else f"{value * 100:.{digits}f} %"
