"""Protection of the whole PDU within a cycle: each outlet, their total, and what is told to the transfer switch."""

from dataclasses import replace

from loadcenter.domain import curves, orders, protection
from loadcenter.domain.events import Cause, EventCode
from loadcenter.domain.outlet import OutletState, Shed
from loadcenter.domain.pdu import Draft
from loadcenter.domain.protection import CARRIES_MA, Latch, Seen, Trip
from loadcenter.domain.quantities import BUS_RATING_MA
from loadcenter.domain.settings import Curve

BUS_CURVE = Curve.VI
BUS_TMS_PERMILLE = 1000
"""Inverse-time curve of the bus total; fixed, as the rating of the transfer switch is."""


def protect_outlets(draft: Draft) -> None:
    """Watch the current of every outlet, and trip those that must open."""
    inputs = draft.inputs
    peaks = {fast.outlet: fast.peak_ma for fast in inputs.acted.tripped}
    for index, outlet in enumerate(draft.outlets):
        number = index + 1
        latch = outlet.memory.latch
        seen = Seen(
            outlet.closed,
            latch is not None,
            latch is not None and latch.trip is Trip.BREAKER_FAILURE,
            inputs.currents_ma[index],
            inputs.power_mw(index),
            number in inputs.faulty,
            peaks.get(number) if outlet.closed else None,
            number in inputs.acted.masked,
            draft.config.outlet_rating_ma,
        )
        settings = draft.config.outlets[index]
        reset_s = draft.config.idmt_reset_s
        watched = protection.watch(outlet.guard, seen, settings, reset_s, draft.step_ms, draft.now_ms)
        if watched.guard is not outlet.guard:
            draft.outlets[index] = replace(outlet, guard=watched.guard)
        for code, data in watched.told:
            draft.journal.add(code, outlet=number, cause=_cause_of(code, outlet), data=data)
        if watched.shed:
            draft.outlets[index] = replace(draft.outlets[index], shed=Shed.LIMIT)
        if watched.latch is not None:
            _trip(draft, number, watched.latch)


def _cause_of(code: EventCode, outlet: OutletState) -> Cause | None:
    if code is EventCode.RELAY_WELDED:
        return outlet.cause
    return Cause.SHED if code is EventCode.SHED else None


def _trip(draft: Draft, number: int, latch: Latch) -> None:
    outlet = draft.outlets[number - 1]
    failed = latch.trip is Trip.BREAKER_FAILURE
    memory = replace(outlet.memory, latch=latch, wanted=False, cause=Cause.PROTECTION, by="")
    draft.outlets[number - 1] = replace(
        outlet,
        memory=memory,
        closed=False,
        changed_ms=draft.now_ms if outlet.closed else outlet.changed_ms,
        resume_ms=None,
        dropped=False,
        shed=None,
        returning=False,
    )
    code = EventCode.BREAKER_FAILURE if failed else EventCode.TRIP
    draft.journal.add(code, outlet=number, cause=Cause.PROTECTION, data=latch.numbers)
    orders.end_on_trip(draft, number)


def protect_bus(draft: Draft) -> None:
    """Trip every closed outlet when all together have been over the rating for the time of the curve."""
    total_ma = draft.total.current_ma
    over = total_ma > BUS_RATING_MA
    if not over and draft.bus_curve == 0 and draft.bus_since_ms is None:
        return
    first = draft.bus_curve == 0 and draft.bus_since_ms is None
    if not over:
        draft.bus_since_ms = None
    elif draft.bus_since_ms is None:
        draft.bus_since_ms = draft.now_ms
    if first:  # what was before it is not known
        return
    reset_s, tms = draft.config.idmt_reset_s, BUS_TMS_PERMILLE
    draft.bus_curve = curves.advanced(
        draft.bus_curve, total_ma, BUS_CURVE, BUS_RATING_MA, tms, reset_s, draft.step_ms
    )
    if draft.bus_since_ms is not None and draft.bus_curve >= curves.trips_at(tms):
        latch = Latch(Trip.BUS_TOTAL, total_ma, BUS_RATING_MA, draft.now_ms - draft.bus_since_ms)
        for number in [number for number, outlet in enumerate(draft.outlets, 1) if outlet.closed]:
            _trip(draft, number, latch)
        draft.bus_since_ms = None


def in_overcurrent(draft: Draft) -> bool:
    """Return whether a fault may be carried over: an overcurrent, a tripped outlet with current, a bus trip."""
    if draft.bus_since_ms is not None:
        return True
    for index, outlet in enumerate(draft.outlets):
        latch = outlet.memory.latch
        if latch is not None:
            if latch.trip is Trip.BUS_TOTAL or draft.inputs.currents_ma[index] > CARRIES_MA:
                return True
        elif protection.in_overcurrent(outlet.guard, draft.config.outlets[index]):
            return True
    return False
