"""Why an outlet is on or off, in one sentence with the numbers; the same words in page, API and log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from loadcenter.domain.events import Cause, Detail
from loadcenter.domain.origin import SITE_PREFIX, cause_of, spoken


@dataclass(frozen=True, slots=True)
class OutletView:
    """What is known of an outlet where the sentence is shown.

    Attributes:
        on: whether the relay is commanded on; None is unknown.
        cause: why.
        by: who asked for it, empty when nobody did.
        trip: name of the latched trip.
        locked: whether it is locked in its state.
        live: whether the bus carries voltage; None is unknown.
        trip_ma: current at which it tripped, where known.
        limit_ma: limit that was exceeded, where known.
        limit_ms: time of that limit, where known.
        shed: what a site compared when it shed the outlet, empty where none did.
    """

    on: bool | None
    cause: Cause | None
    by: str = ""
    trip: str | None = None
    locked: bool = False
    live: bool | None = None
    trip_ma: int | None = None
    limit_ma: int | None = None
    limit_ms: int | None = None
    shed: Mapping[str, Detail] = field(default_factory=dict)


_TRIPS: Mapping[str, str] = {
    "overpower": "too much power",
    "inverse_time": "its inverse-time curve",
    "instantaneous": "a short circuit or a very high peak",
    "thermal": "the heat of its relay",
    "bus_total": "the total of all outlets",
    "breaker_failure": "the failure of its relay to open",
}


def shed_sentence(by: str, numbers: Mapping[str, Detail]) -> str:
    """Return why a site has shed an outlet: "shed by site cellar: 10.4 of 10.0 A at site:cellar"."""
    who = by.replace(":", " ")
    if "keep_priority" in numbers:
        return (
            f"shed by {who} after {numbers['stage_s']} s on BACKUP, where priorities up to "
            f"{numbers['keep_priority']} are kept"
        )
    for unit, name, digits in (("mw", "W", 0), ("ma", "A", 1)):
        total, budget = numbers.get(f"total_{unit}"), numbers.get(f"budget_{unit}")
        if isinstance(total, int) and isinstance(budget, int) and (total > budget or unit == "ma"):
            where = str(numbers.get("circuit", "")).replace(":", " ")
            return f"shed by {who}: {total / 1000:.{digits}f} of {budget / 1000:.{digits}f} {name} at {where}"
    return f"shed by {who} to keep it within its limits"


def why(view: OutletView) -> str:
    """Return the sentence; what is unknown is said to be so."""
    if view.on is None or view.cause is None:
        return "Unknown: the PDU has not reported this outlet yet."
    if view.trip is not None:
        return _tripped(view)
    if view.on:
        dead = " No source feeds it now." if view.live is False else ""
        return f"On: {_said(view, on=True)}.{dead}"
    if view.live is False:
        if view.cause in (Cause.PERSON_ON, Cause.SCHEDULE):
            return "Off: no source feeds the PDU. It closes by itself when one returns."
        if view.cause is Cause.RESTORE:  # which may be `always_off`: the report does not tell
            return "Off: no source feeds the PDU. When one returns, the power-restore policy decides."
    if view.cause is Cause.PERSON_ON:
        return f"Off for a moment: it closes by itself, {_said(view, on=True)}."
    return f"Off: {_said(view, on=False)}."


def _said(view: OutletView, *, on: bool) -> str:
    assert view.cause is not None
    cause = cause_of(view.cause, view.by, on=on)
    if view.by.startswith(SITE_PREFIX) and cause in (Cause.SHED, Cause.RESTORE):
        site = view.by.replace(":", " ")
        return f"closed again by {site}, which has headroom" if on else shed_sentence(view.by, view.shed)
    return _cause(cause, view.by, on=on)


def _tripped(view: OutletView) -> str:
    after = "Reset the trip to switch it on."
    if view.trip_ma is None or view.limit_ma is None:
        return f"Off: tripped by {_TRIPS.get(view.trip or '', view.trip)}. {after}"
    lasting = "" if view.limit_ms is None else f" for {view.limit_ms / 1000:.1f} s"
    return (
        f"Off: tripped at {view.trip_ma / 1000:.1f} A, limit {view.limit_ma / 1000:.1f} A{lasting}. {after}"
    )


def _cause(cause: Cause, by: str, *, on: bool) -> str:
    who = f"by {by}" if by else "by a person"
    match cause:
        case Cause.PROTECTION:
            return "opened by protection"
        case Cause.LOCK:
            return "locked; unlock it to switch it"
        case Cause.PERSON_OFF:
            return f"switched off {who}"
        case Cause.SHED:
            return "shed to keep a source within its budget"
        case Cause.PERSON_ON:
            return f"switched on {who}"
        case Cause.SCHEDULE:
            return f"switched {'on' if on else 'off'} by {spoken(by) or 'a schedule'}"
        case Cause.RESTORE:
            return "set by the power-restore policy at start-up"
        case Cause.SOURCE_LOST | Cause.OVERVOLTAGE | Cause.RETRANSFER | Cause.MANUAL | Cause.START_UP:
            return f"after a transfer ({cause})"
        case _:
            assert_never(cause)
