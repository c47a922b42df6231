"""The supply of the outlets within a cycle: budget of the source, transfer, and whether the bus is live."""

from dataclasses import replace

from loadcenter.domain import guarding, orders, protection, shedding, transfer
from loadcenter.domain.budget import Headroom
from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.outlet import Shed
from loadcenter.domain.pdu import Bus, Draft
from loadcenter.domain.protection import Trip
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer import Feed
from loadcenter.domain.transfer_table import Mode

OUTAGE_MS = 100
"""A bus dead for longer than any transfer takes (45 ms) is an outage."""


def keep_budget(draft: Draft) -> None:
    """Shed what the active source cannot carry, and restore what it can again."""
    if not draft.inputs.live or draft.transfer.mode is not Mode.CLOSED:
        return
    room = draft.headroom
    currents = draft.inputs.currents_ma
    verdict = shedding.judge(draft.shedding, room, draft.outlets, currents, draft.config, draft.now_ms)
    draft.shedding = verdict.state
    if verdict.within:
        draft.journal.add(EventCode.WITHIN_BUDGET, source=draft.transfer.position, data=room.numbers)
    if verdict.exhausted:
        draft.journal.add(EventCode.OVER_BUDGET, source=draft.transfer.position, data=room.numbers)
    if verdict.futile:
        draft.journal.add(EventCode.SHED_FUTILE, source=draft.transfer.position, data=room.numbers)
    if verdict.shed is not None:
        shed_outlet(draft, verdict.shed, room, currents[verdict.shed])
    index = shedding.first_to_restore(draft.shedding, room, draft.outlets, draft.config, draft.now_ms)
    if index is not None:
        draft.outlets[index] = replace(draft.outlets[index], shed=None, returning=True)
        draft.shedding = replace(draft.shedding, changed_ms=draft.now_ms, restored=True)


def shed_outlet(draft: Draft, index: int, room: Headroom, draw_ma: int) -> None:
    """Mark an outlet as shed; arbitration opens it in the same cycle."""
    outlet = draft.outlets[index]
    draft.outlets[index] = replace(outlet, shed=Shed.BUDGET, draw_ma=draw_ma, returning=False)
    data: dict[str, Detail] = {"reason": "budget", **room.numbers, "draw_ma": draw_ma}
    draft.journal.add(
        EventCode.SHED, outlet=index + 1, source=draft.transfer.position, cause=Cause.SHED, data=data
    )


def switch_source(draft: Draft) -> None:
    """Let the transfer switch decide; what the other source cannot carry is shed in the same cycle."""
    before = draft.transfer
    draft.transfer, finished = transfer.step(
        before, feed_of(draft), draft.config, draft.now_ms, draft.journal
    )
    after = draft.transfer
    if after.move is not None and (before.move is None or before.move.target is not after.move.target):
        _shed_for(draft, after.move.target)
    if after.connected_ms != before.connected_ms:
        for index, outlet in enumerate(draft.outlets):
            if outlet.closed:
                guard = protection.masking(outlet.guard, draft.now_ms)
                draft.outlets[index] = replace(outlet, guard=guard)
    if finished is not None:
        orders.end_transfer(draft, finished)


def feed_of(draft: Draft) -> Feed:
    """Return what the transfer switch sees in this cycle."""
    inputs = draft.inputs
    blocked = any(
        outlet.memory.latch is not None and outlet.memory.latch.trip is Trip.BREAKER_FAILURE
        for outlet in draft.outlets
    )
    return Feed(
        inputs.main,
        inputs.backup,
        inputs.live,
        inputs.phase_mdeg,
        guarding.in_overcurrent(draft),
        blocked,
        inputs.acted,
    )


def _shed_for(draft: Draft, source: Source) -> None:
    """Shed what `source` cannot carry, by the last known draws, before it is connected."""
    if draft.inputs.acted.swung:
        numbers = draft.standing_before.shed
    else:
        numbers = shedding.plan(draft.outlets, draft.config, source)
    budget = shedding.budget_of(draft.config, source)
    for number in numbers:
        outlet = draft.outlets[number - 1]
        if outlet.closed and outlet.shed is None:
            shed_outlet(draft, number - 1, Headroom(draft.drawn, budget), outlet.draw_ma)
    if numbers:
        draft.shedding = replace(draft.shedding, changed_ms=draft.now_ms, restored=False)


def watch_bus(draft: Draft) -> None:
    """Tell the beginning and the end of an outage; in it every outlet opens."""
    bus, now_ms = draft.bus, draft.now_ms
    if draft.inputs.live:
        if bus.outage is not None and bus.dead_since_ms is not None:
            data: dict[str, Detail] = {"outage_ms": now_ms - bus.dead_since_ms}
            draft.journal.add(EventCode.OUTAGE_END, data=data, because=bus.outage)
        draft.bus = Bus(None)
    elif bus.dead_since_ms is None:
        draft.bus = Bus(now_ms)
    elif bus.outage is None and now_ms - bus.dead_since_ms >= OUTAGE_MS:
        draft.bus = replace(bus, outage=_note_outage(draft))
        _drop_all(draft)


def _note_outage(draft: Draft) -> int:
    switch, inputs = draft.transfer, draft.inputs
    data: dict[str, Detail] = {
        "main_mv": inputs.main.voltage_mv,
        "backup_mv": inputs.backup.voltage_mv,
        "isolator": "closed" if switch.isolator_closed else "open",
    }
    because = switch.lost_event(switch.position)
    return draft.journal.add(EventCode.OUTAGE, source=switch.position, data=data, because=because)


def _drop_all(draft: Draft) -> None:
    for index, outlet in enumerate(draft.outlets):
        if outlet.closed:
            guard, _ = protection.opening(outlet.guard, 0)
            draft.outlets[index] = replace(
                outlet, closed=False, changed_ms=draft.now_ms, dropped=True, guard=guard
            )
