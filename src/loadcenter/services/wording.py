"""Sentences for people: what an event says, with its numbers, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadcenter.domain.events import Detail, EventCode
from loadcenter.domain.origin import site_origin, spoken
from loadcenter.domain.reason import shed_sentence
from loadcenter.protocol.codes import CODES, Code
from loadcenter.services.ports import CommandRow, StoredEvent


@dataclass(frozen=True, slots=True)
class Wording:
    """Title of an event, one sentence with its numbers, and the remedy ("" where none is needed)."""

    title: str
    text: str
    remedy: str


_TITLES: Mapping[str, str] = {
    EventCode.BOOT: "PDU started",
    EventCode.SOURCE_LOST: "Source lost",
    EventCode.SOURCE_RESTORED: "Source restored",
    EventCode.TRANSFER: "Transfer",
    EventCode.OUTAGE: "Outage",
    EventCode.OUTAGE_END: "Power is back",
    EventCode.TRIP: "Trip",
    EventCode.TRIP_RESET: "Trip reset",
    EventCode.SWITCHED: "Switched",
    EventCode.OVERVOLTAGE: "Overvoltage",
    EventCode.UNDERVOLTAGE: "Undervoltage",
    EventCode.RELAY_WELDED: "Relay welded",
    EventCode.SETTINGS_APPLIED: "Settings applied",
    EventCode.SETTINGS_REFUSED: "Settings refused",
    EventCode.COMMAND_REFUSED: "Command refused",
    EventCode.TRANSFER_LOCKOUT: "Transfers locked out",
    EventCode.REDUNDANCY_LOST: "Redundancy lost",
    EventCode.REDUNDANCY_RESTORED: "Redundancy restored",
    EventCode.SHED_FUTILE: "Shedding had no effect",
    EventCode.SUSPECTED_OPEN: "Nothing drawn",
    EventCode.LOCKOUT_END: "Transfers allowed again",
    EventCode.LOCKED: "Lock changed",
    EventCode.NOMINAL_MISMATCH: "Wrong nominal frequency",
}


def event_wording(event: StoredEvent) -> Wording:
    """Return what the page says of an event."""
    code = CODES["event"].get(str(event.code), Code(0, str(event.code), "none"))
    title = _TITLES.get(str(event.code), str(event.code).replace("_", " ").capitalize())
    remedy = "" if code.remedy == "none" else code.remedy
    return Wording(title, _sentence(event) or code.meaning, remedy)


def _sentence(event: StoredEvent) -> str:
    data = event.data
    source = event.source.value.upper() if event.source else "a source"
    outlet = f"outlet {event.outlet}" if event.outlet else "the PDU"
    match event.code:
        case EventCode.BOOT:
            return f"the PDU has started{_after(data)}"
        case EventCode.TRANSFER:
            return _transfer(event)
        case EventCode.SOURCE_LOST | EventCode.OVERVOLTAGE | EventCode.UNDERVOLTAGE:
            return f"{source} left its limits{_compared(data)}"
        case EventCode.SOURCE_RESTORED:
            return f"{source} is good again{_volts(data)}"
        case EventCode.TRIP:
            return f"{outlet} opened and latched{_amps(data)}"
        case EventCode.TRIP_RESET:
            return f"{outlet}: the trip was reset{_by(data)}; it stays off until it is switched on"
        case EventCode.SWITCHED:
            state = "on" if data.get("on") else "off"
            why = CODES["cause"][event.cause].meaning if event.cause else ""
            return f"{outlet} was switched {state}{_by(data) or (f': {why}' if why else '')}"
        case EventCode.COMMAND_REFUSED:
            known = CODES["result"].get(str(data.get("code", "")))
            return f"a command was refused{f': {known.meaning}' if known else ''}"
        case EventCode.REDUNDANCY_LOST:
            idle = source if event.source else "the idle source"
            return f"{idle} is not usable: an outage now would not be bridged"
        case EventCode.SHED if "site" in data:
            return f"{outlet} was {shed_sentence(site_origin(str(data['site'])), data)}"
        case EventCode.RESTORED if "site" in data:
            return f"{outlet} may close again: the site '{data['site']}' has headroom{_budget(data)}"
        case EventCode.SHED if data.get("reason") == "limit":
            return f"{outlet} was opened at its own limit{_amps(data)}; it stays off until it is switched on"
        case EventCode.SHED:
            return f"{outlet} was opened to keep {source} within its budget{_budget(data)}"
        case EventCode.RESTORED:
            return f"{outlet} is closed again{_budget(data)}"
        case EventCode.OVER_BUDGET | EventCode.WITHIN_BUDGET | EventCode.SHED_FUTILE:
            return f"{CODES['event'][event.code].meaning}{_budget(data)}"
        case EventCode.BREAKER_FAILURE | EventCode.RELAY_WELDED:
            return f"{outlet} is open and still carries current{_amps(data)}"
        case EventCode.LIMIT_EXCEEDED | EventCode.LIMIT_CLEARED:
            return f"{outlet} is {'over' if event.code == EventCode.LIMIT_EXCEEDED else 'below'} its limit{_amps(data)}"
        case EventCode.LINK_LOST | EventCode.LINK_FOUND:
            neighbour = {"unit": "the power unit", "broker": "the broker"}.get(
                str(data.get("link")), "a neighbour"
            )
            return (
                f"the gateway hears {neighbour} {'no more' if event.code == EventCode.LINK_LOST else 'again'}"
            )
        case EventCode.LOCKED:
            return f"{outlet} was {'locked' if data.get('on') else 'unlocked'}{_by(data)}"
        case _:
            return ""


def _transfer(event: StoredEvent) -> str:
    data = event.data
    why = CODES["cause"][event.cause].meaning if event.cause else ""
    text = f"{str(data.get('from', '?')).upper()} to {str(data.get('to', '?')).upper()}"
    detection = data.get("detection_us")
    if isinstance(detection, int) and detection > 0:  # a planned transfer detects nothing
        text += f", detected in {detection / 1000:.1f} ms"
    if data.get("result"):
        text += f", {data['result']}"
    return f"{text}: {why}" if why else text


def _number(data: Mapping[str, Detail], *keys: str) -> int | None:
    for key in keys:
        value = data.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _volts(data: Mapping[str, Detail]) -> str:
    measured = _number(data, "v_mv", "measured_mv", "voltage_mv")
    return "" if measured is None else f" at {measured / 1000:.1f} V"


def _compared(data: Mapping[str, Detail]) -> str:
    limit, dwell = _number(data, "limit_mv"), _number(data, "dwell_ms")
    text = _volts(data)
    if limit is not None:
        text += f" (limit {limit / 1000:.1f} V"
        text += f" for {dwell / 1000:g} s)" if dwell else ")"
    return text


def _amps(data: Mapping[str, Detail]) -> str:
    if data.get("trip") == "overpower":
        return _watts(data)
    measured, limit = _number(data, "i_ma", "measured_ma", "current_ma"), _number(data, "limit_ma")
    dwell = _number(data, "limit_ms", "dwell_ms")
    text = "" if measured is None else f" at {measured / 1000:.2f} A"
    if limit is not None:
        text += f" (limit {limit / 1000:.2f} A"
        text += f" for {dwell / 1000:g} s)" if dwell else ")"
    return text


def _watts(data: Mapping[str, Detail]) -> str:
    measured, limit, dwell = _number(data, "p_mw"), _number(data, "limit_mw"), _number(data, "limit_ms")
    if measured is None or limit is None or dwell is None:
        return ""
    return f" at {measured / 1000:.0f} W (limit {limit / 1000:.0f} W for {dwell / 1000:g} s)"


def _budget(data: Mapping[str, Detail]) -> str:
    """Return total and budget: in watts where the power is what exceeds, else in amps."""
    for unit, name in (("mw", "W"), ("ma", "A")):
        total, budget = _number(data, f"total_{unit}"), _number(data, f"budget_{unit}")
        if total is not None and budget is not None and (total > budget or unit == "ma"):
            return f": {total / 1000:.1f} of {budget / 1000:.1f} {name}"
    return ""


def _after(data: Mapping[str, Detail]) -> str:
    return f" (reset cause: {data['reset_cause']})" if data.get("reset_cause") else ""


def _by(data: Mapping[str, Detail]) -> str:
    return f" by {spoken(str(data['by']))}" if data.get("by") else ""


def command_message(row: CommandRow) -> str:
    """Return what the page says of a command that ended without being confirmed; "" while all is well."""
    if row.code in ("", "ok"):
        return row.detail
    code = CODES["result"].get(row.code)
    if row.detail or code is None:
        return row.detail or row.code
    remedy = "" if code.remedy == "none" else f"; {code.remedy}"
    return f"{code.meaning}{remedy}"
