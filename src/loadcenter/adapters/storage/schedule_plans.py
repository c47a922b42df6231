"""The plan of a schedule as JSON, as the table keeps it."""

from datetime import date
from typing import Any

import msgspec

from loadcenter.domain.schedules import (
    Act,
    Cheapest,
    ClockMoment,
    Days,
    Holidays,
    Moment,
    Plan,
    Span,
    SunEvent,
    SunMoment,
    Timing,
)
from loadcenter.domain.topology import parse_outlet_id

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def plan_text(plan: Plan) -> str:
    """Return a plan as JSON."""
    days = plan.days
    fields = {
        "targets": [str(one) for one in plan.targets],
        "act": plan.act.value,
        "first": days.first.isoformat(),
        "rrule": days.rrule,
        "exceptions": sorted(one.isoformat() for one in days.exceptions),
        "holidays": days.holidays.value,
        "timing": _timing_fields(plan.timing),
        "zone": plan.zone,
        "off_ms": plan.off_ms,
        "late_ms": plan.late_ms,
    }
    return _encode(fields).decode()


def read_plan(text: str) -> Plan:
    """Return the plan in a text that `plan_text` made."""
    fields = _decode(text)
    days = Days(
        date.fromisoformat(fields["first"]),
        fields["rrule"],
        frozenset(date.fromisoformat(one) for one in fields["exceptions"]),
        Holidays(fields["holidays"]),
    )
    return Plan(
        tuple(parse_outlet_id(one) for one in fields["targets"]),
        Act(fields["act"]),
        days,
        _timing(fields["timing"]),
        fields["zone"],
        fields["off_ms"],
        fields["late_ms"],
    )


def _timing_fields(timing: Timing) -> dict[str, Any]:
    match timing:
        case Span(begin, end, duration_ms):
            return {"begin": _moment_fields(begin), "end": _moment_fields(end), "duration_ms": duration_ms}
        case Cheapest(before_minute, need_ms, within_ms, contiguous):
            return {
                "before_minute": before_minute,
                "need_ms": need_ms,
                "within_ms": within_ms,
                "contiguous": contiguous,
            }


def _timing(fields: dict[str, Any]) -> Timing:
    if "begin" not in fields:
        return Cheapest(**fields)
    begin = _moment(fields["begin"])
    assert begin is not None
    return Span(begin, _moment(fields["end"]), fields["duration_ms"])


def _moment_fields(moment: Moment | None) -> dict[str, Any] | None:
    match moment:
        case None:
            return None
        case ClockMoment(minute):
            return {"minute": minute}
        case SunMoment(event, offset_minutes):
            return {"sun": event.value, "offset_minutes": offset_minutes}


def _moment(fields: dict[str, Any] | None) -> Moment | None:
    if fields is None:
        return None
    if "minute" in fields:
        return ClockMoment(fields["minute"])
    return SunMoment(SunEvent(fields["sun"]), fields["offset_minutes"])
