"""Orders of people within a cycle: admitted or refused, carried out, and answered when their effect is seen."""

from collections.abc import Callable
from dataclasses import replace

from loadcenter.domain import transfer
from loadcenter.domain.admission import PduSnapshot, Refusal, admit
from loadcenter.domain.commands import CommandStatus, Do, Order, ResultCode
from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.pdu import Awaiting, Draft, GivenOrder
from loadcenter.domain.protection import CARRIES_MA

SEEN_MS = 60
"""A relay has operated (10 ms), and three cycles of current have been measured, before its effect is judged."""

UNSEEN_MS = 300
"""After this long without the effect an order ends as `not_confirmed`."""


def give(draft: Draft, given: GivenOrder, snapshot: PduSnapshot) -> None:
    """Admit one order and carry it out, or refuse it."""
    verdict = admit(snapshot, given.order)
    if isinstance(verdict, Refusal):
        draft.answer(given.key, CommandStatus.REJECTED, verdict.code, verdict.numbers)
        return
    draft.answer(given.key, CommandStatus.ACCEPTED, ResultCode.OK)
    order = given.order
    match order.do:
        case Do.SWITCH:
            _switch(draft, given)
        case Do.CYCLE:
            _cycle(draft, given)
        case Do.RESET_TRIP:
            _reset_trip(draft, order)
            draft.answer(given.key, CommandStatus.CONFIRMED, ResultCode.OK)
        case Do.LOCK:
            _lock(draft, order)
            draft.answer(given.key, CommandStatus.CONFIRMED, ResultCode.OK)
        case Do.TRANSFER:
            assert order.source is not None
            _supersede(draft, lambda waiting: waiting.do is Do.TRANSFER)
            draft.transfer = transfer.request(draft.transfer, order.source)
            draft.awaiting.append(Awaiting(given.key, order, draft.now_ms))
        case Do.CLEAR_LOCKOUT:
            lockout_ms = draft.transfer.lockout_ms
            after_ms = 0 if lockout_ms is None else draft.now_ms - lockout_ms
            data: dict[str, Detail] = {"after_ms": after_ms, "by": order.by}
            draft.journal.add(EventCode.LOCKOUT_END, cause=Cause.MANUAL, data=data)
            draft.transfer = transfer.clear_lockout(draft.transfer)
            draft.answer(given.key, CommandStatus.CONFIRMED, ResultCode.OK)


def end_on_trip(draft: Draft, outlet: int) -> None:
    """Answer the orders under way for an outlet that has just tripped."""
    latch = draft.outlets[outlet - 1].memory.latch
    assert latch is not None
    for waiting in [one for one in draft.awaiting if one.order.outlet == outlet]:
        draft.answer(waiting.key, CommandStatus.REJECTED, ResultCode.LATCHED, latch.numbers)
        draft.awaiting.remove(waiting)


def end_transfer(draft: Draft, finished: transfer.Finished) -> None:
    """Answer the manual transfer under way."""
    status = CommandStatus.CONFIRMED if finished.code is ResultCode.OK else CommandStatus.REJECTED
    for waiting in [one for one in draft.awaiting if one.order.do is Do.TRANSFER]:
        draft.answer(waiting.key, status, finished.code, finished.numbers)
        draft.awaiting.remove(waiting)


def confirm(draft: Draft) -> None:
    """Answer the orders whose effect is seen now, or is not seen after its time."""
    for waiting in list(draft.awaiting):
        if waiting.order.do is not Do.TRANSFER:
            _confirm_outlet(draft, waiting)


def _confirm_outlet(draft: Draft, waiting: Awaiting) -> None:
    number = waiting.order.outlet
    assert number is not None
    outlet = draft.outlets[number - 1]
    if outlet.resume_ms is not None:
        return
    lasted_ms = draft.now_ms - max(outlet.changed_ms, waiting.since_ms)
    wants_on = waiting.order.do is Do.CYCLE or bool(waiting.order.on)
    if outlet.closed is not wants_on or lasted_ms < SEEN_MS:
        return
    current_ma = draft.inputs.currents_ma[number - 1]
    if wants_on or current_ma <= CARRIES_MA:
        draft.answer(waiting.key, CommandStatus.CONFIRMED, ResultCode.OK)
    elif lasted_ms >= UNSEEN_MS:
        draft.answer(waiting.key, CommandStatus.REJECTED, ResultCode.NOT_CONFIRMED, {"i_ma": current_ma})
    else:
        return
    draft.awaiting.remove(waiting)


def _switch(draft: Draft, given: GivenOrder) -> None:
    order = given.order
    number = _supersede_outlet(draft, order)
    outlet = draft.outlets[number - 1]
    cause = Cause.PERSON_ON if order.on else Cause.PERSON_OFF
    memory = replace(outlet.memory, wanted=bool(order.on), cause=cause, by=order.by)
    if not order.on and not outlet.closed:
        # No relay will move, yet a person has decided something: it belongs into the log.
        data: dict[str, Detail] = {"on": False, "by": order.by}
        draft.journal.add(EventCode.SWITCHED, outlet=number, cause=cause, data=data)
    draft.outlets[number - 1] = replace(
        outlet, memory=memory, resume_ms=None, dropped=False, shed=None, returning=False
    )
    draft.awaiting.append(Awaiting(given.key, order, draft.now_ms))


def _cycle(draft: Draft, given: GivenOrder) -> None:
    order = given.order
    assert order.off_ms is not None
    number = _supersede_outlet(draft, order)
    outlet = draft.outlets[number - 1]
    draft.outlets[number - 1] = replace(
        outlet,
        memory=replace(outlet.memory, wanted=True, cause=Cause.PERSON_ON, by=order.by),
        resume_ms=draft.now_ms + order.off_ms,
        dropped=False,
        shed=None,
        returning=False,
    )
    draft.awaiting.append(Awaiting(given.key, order, draft.now_ms))


def _reset_trip(draft: Draft, order: Order) -> None:
    assert order.outlet is not None
    outlet = draft.outlets[order.outlet - 1]
    latch = outlet.memory.latch
    assert latch is not None
    draft.journal.add(
        EventCode.TRIP_RESET,
        outlet=order.outlet,
        cause=Cause.PERSON_OFF,
        data={"by": order.by, **latch.numbers},
    )
    memory = replace(outlet.memory, latch=None, wanted=False, cause=Cause.PERSON_OFF, by=order.by)
    # What a fault drew says nothing of what will be drawn: it would keep the outlet off for want of headroom, for ever.
    draft.outlets[order.outlet - 1] = replace(outlet, memory=memory, draw_ma=0, draw_mw=0)


def _lock(draft: Draft, order: Order) -> None:
    assert order.outlet is not None
    assert order.on is not None
    outlet = draft.outlets[order.outlet - 1]
    memory = replace(outlet.memory, locked=order.on)
    data: dict[str, Detail] = {"on": order.on, "by": order.by}
    draft.journal.add(EventCode.LOCKED, outlet=order.outlet, cause=Cause.LOCK, data=data)
    if order.on and outlet.resume_ms is not None:
        # The outlet is locked as it is now, in the pause of its power cycle: off.
        _supersede_outlet(draft, order)
        memory = replace(memory, wanted=False, cause=Cause.PERSON_OFF, by=order.by)
    draft.outlets[order.outlet - 1] = replace(outlet, memory=memory, resume_ms=None)


def _supersede_outlet(draft: Draft, order: Order) -> int:
    """End what is under way for the outlet of `order`, and return its number."""
    assert order.outlet is not None
    _supersede(draft, lambda waiting: waiting.outlet == order.outlet)
    return order.outlet


def _supersede(draft: Draft, applies: Callable[[Order], bool]) -> None:
    for waiting in [one for one in draft.awaiting if applies(one.order)]:
        draft.answer(waiting.key, CommandStatus.REJECTED, ResultCode.SUPERSEDED)
        draft.awaiting.remove(waiting)
