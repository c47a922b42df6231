"""Whether an order can be taken: asked by the control center beforehand and by the PDU itself, of the same function.

The control center knows what the PDU reported and may know less: what it does not know does not refuse, so that it
never refuses what the PDU would take.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loadcenter.domain.commands import Do, Order, ResultCode
from loadcenter.domain.events import Cause, Detail
from loadcenter.domain.origin import is_automatic
from loadcenter.domain.topology import Grade, Source


@dataclass(frozen=True, slots=True)
class OutletSnapshot:
    """One outlet at one instant.

    Attributes:
        outlet: number, from 1.
        on: whether the relay is commanded on; None is unknown.
        cause: why.
        trip: name of the latched trip, None when there is none.
        locked: whether it is locked in its state.
        by: who asked for it, empty when nobody did.
        numbers: what the trip compared, where known.
        excess: the numbers by which its source would be over its budget with this outlet on; empty when it would not
            be, None when that is not known.
    """

    outlet: int
    on: bool | None
    cause: Cause | None
    trip: str | None = None
    locked: bool = False
    by: str = ""
    numbers: Mapping[str, Detail] = field(default_factory=dict)
    excess: Mapping[str, Detail] | None = None


@dataclass(frozen=True, slots=True)
class PduSnapshot:
    """A PDU at one instant.

    Attributes:
        outlets: from outlet 1.
        active: position of the transfer switch.
        grades: of both sources.
        lockout: returns and manual transfers wait after too many of them.
        overcurrent: an overcurrent is in progress; None is unknown, as it is to the control center.
    """

    outlets: tuple[OutletSnapshot, ...]
    active: Source
    grades: Mapping[Source, Grade]
    lockout: bool = False
    overcurrent: bool | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """The order can be taken."""

    order: Order


@dataclass(frozen=True, slots=True)
class Refusal:
    """The order cannot be taken: the code, a sentence that says what to do, and the numbers compared."""

    code: ResultCode
    message: str
    numbers: Mapping[str, Detail] = field(default_factory=dict)


def admit(snapshot: PduSnapshot | None, order: Order) -> Admission | Refusal:
    """Return whether `order` can be taken by a PDU in the state of `snapshot`.

    Args:
        snapshot: what is known; None when the PDU has not reported yet.
        order: complete, as `check_order` leaves it.
    """
    if snapshot is None:
        return _unreported()
    match order.do:
        case Do.SWITCH | Do.CYCLE | Do.RESET_TRIP | Do.LOCK:
            return _admit_outlet(snapshot, order)
        case Do.TRANSFER:
            return _admit_transfer(snapshot, order)
        case Do.CLEAR_LOCKOUT:
            if not snapshot.lockout:
                return Refusal(ResultCode.ALREADY, "There is no lockout of transfers.")
            return Admission(order)


def _unreported() -> Refusal:
    return Refusal(
        ResultCode.UNREPORTED, "The PDU has not reported its state yet: wait a moment and try again."
    )


def _admit_outlet(snapshot: PduSnapshot, order: Order) -> Admission | Refusal:
    outlet = next((one for one in snapshot.outlets if one.outlet == order.outlet), None)
    if outlet is None:
        count = len(snapshot.outlets)
        return Refusal(
            ResultCode.NO_SUCH_OUTLET,
            f"There is no outlet {order.outlet}: this PDU has outlets 1 to {count}.",
            {"out": order.outlet, "outlets": count},
        )
    if outlet.on is None:
        return _unreported()
    match order.do:
        case Do.SWITCH:
            return _admit_switch(outlet, order)
        case Do.CYCLE:
            return _held(outlet) or Admission(order)
        case Do.LOCK:
            if outlet.locked is order.on:
                state = "locked" if outlet.locked else "not locked"
                return Refusal(ResultCode.ALREADY, f"Outlet {outlet.outlet} is {state} already.")
        case Do.RESET_TRIP:
            if outlet.trip is None:
                return Refusal(ResultCode.ALREADY, f"Outlet {outlet.outlet} has no trip to reset.")
        case Do.TRANSFER | Do.CLEAR_LOCKOUT:
            raise AssertionError(f"'{order.do}' concerns no outlet")
    return Admission(order)


def _admit_switch(outlet: OutletSnapshot, order: Order) -> Admission | Refusal:
    if order.on:
        held = _held(outlet)
        if held is not None:
            return held
        if outlet.on:
            return Refusal(ResultCode.ALREADY, f"Outlet {outlet.outlet} is on already.")
        if outlet.excess:
            message = (
                f"Outlet {outlet.outlet} would take its source over its budget: switch something off first, "
                "or wait until there is headroom."
            )
            return Refusal(ResultCode.NO_HEADROOM, message, outlet.excess)
        return Admission(order)
    if outlet.locked:
        return _locked(outlet)
    # An outlet that is open for another reason still has intentions that an off must end.
    by_person = outlet.cause is Cause.PERSON_OFF and not is_automatic(outlet.by)
    if not outlet.on and by_person:
        return Refusal(ResultCode.ALREADY, f"Outlet {outlet.outlet} is off already.")
    return Admission(order)


def _held(outlet: OutletSnapshot) -> Refusal | None:
    """Return what keeps an outlet from being switched on."""
    if outlet.trip is not None:
        message = (
            f"Outlet {outlet.outlet} is latched off by a trip ({outlet.trip}): find the cause at the load, "
            "reset the trip, then switch on."
        )
        return Refusal(ResultCode.LATCHED, message, {"trip": outlet.trip, **outlet.numbers})
    return _locked(outlet) if outlet.locked else None


def _locked(outlet: OutletSnapshot) -> Refusal:
    return Refusal(ResultCode.LOCKED, f"Outlet {outlet.outlet} is locked: unlock it, then try again.")


def _admit_transfer(snapshot: PduSnapshot, order: Order) -> Admission | Refusal:
    source = order.source
    assert source is not None
    if source is snapshot.active:
        return Refusal(ResultCode.ALREADY, f"The PDU is on {source} already.")
    if snapshot.lockout:
        return Refusal(
            ResultCode.LOCKOUT,
            "Too many transfers within an hour: wait up to 60 min, or clear the lockout.",
        )
    grade = snapshot.grades.get(source)
    if grade is not Grade.GOOD:
        return Refusal(
            ResultCode.SOURCE_NOT_GOOD,
            f"{source} is {grade or 'unknown'}: wait until it has been good for 2 s.",
            {"src": source.value, "grade": None if grade is None else grade.value},
        )
    if snapshot.overcurrent:
        return Refusal(
            ResultCode.IN_OVERCURRENT,
            "An overcurrent is in progress and would be carried over: switch off the overloaded outlet first.",
        )
    return Admission(order)
