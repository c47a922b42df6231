"""What a PDU decides, in one place.

Every 20 ms (any step length works) the device takes one *cycle*: what it measures and what it was told is frozen in
`PduInputs`, the rules run over it in a fixed order, and what comes out is how the relays are driven, what has happened
and how orders ended. `step` is that cycle. It reads no clock and keeps nothing but the state that it returns: the same
inputs always give the same outputs.

The order of the rules is the order of their authority, and a later rule never overrides an earlier one:

1. **Protection** opens an outlet that is over its limit for its time, and latches it. Only a person resets the latch.
2. **Transfer** chooses the source and moves the changeover. It waits for no order, and for the end of an overcurrent.
3. **The bus**: when it has been dead for `OUTAGE_MS` all outlets open, to close again in turn when it is live.
4. **Orders** of people are asked of `admit`, the same function that the control center asks beforehand; so the two
   never contradict each other. A person's *off* ends every automatic intention that exists at that instant: the pause
   of a power cycle, the place in the power-on sequence, the return after an outage.
5. **Arbitration**, outlet by outlet: protection > lock and a person's off > shedding > a person's on > schedule >
   power-restore policy (`outlet.RULES`). Shedding and schedules do not exist yet; their rank does.
6. **Sequencing**: what arbitration wants closed closes in turn, `sequence_ms` apart, and only on a live bus. Opening
   never waits.

Every event carries its cause and the numbers that were compared; `because` is the position, in the list of all events
of the run, of the event that led to it. `why` says the same as a sentence.
"""

from collections.abc import Sequence
from dataclasses import replace

from loadcenter.domain import orders, transfer
from loadcenter.domain.admission import (
    Admission,
    OutletSnapshot,
    PduSnapshot,
    Refusal,
    admit,
)
from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.memory import PduMemory, restored
from loadcenter.domain.outlet import OutletState, arbitrate
from loadcenter.domain.pdu import Bus, Draft, Drives, GivenOrder, OrderResult, Outputs, PduInputs, PduState
from loadcenter.domain.protection import CARRIES_MA, CLEAR, Latch, watch
from loadcenter.domain.reason import OutletView, why
from loadcenter.domain.sequencing import take_turns
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer import Feed, TransferState
from loadcenter.domain.transfer_table import Mode

__all__ = [
    "Admission",
    "GivenOrder",
    "OrderResult",
    "OutletSnapshot",
    "OutletView",
    "Outputs",
    "PduConfig",
    "PduInputs",
    "PduSnapshot",
    "PduState",
    "Refusal",
    "admit",
    "snapshot",
    "start",
    "step",
    "why",
]

OUTAGE_MS = 100
"""A bus dead for longer than any transfer takes (45 ms) is an outage."""

START_GRACE_MS = 1000
"""After start the sources have this long to become usable before their absence is an outage."""


def start(memory: PduMemory, config: PduConfig, now_ms: int) -> PduState:
    """Return the state of a PDU that has just got its supply: everything open, latches as they were left."""
    outlets = tuple(
        OutletState(restored(kept, settings.power_on), changed_ms=now_ms)
        for kept, settings in zip(memory.outlets, config.outlets, strict=True)
    )
    return PduState(
        outlets,
        TransferState(started_ms=now_ms, since_ms=now_ms),
        Bus(dead_since_ms=now_ms + START_GRACE_MS - OUTAGE_MS),
        Drives(Source.MAIN, isolator_closed=False, outlets=(False,) * len(outlets)),
    )


def step(state: PduState, inputs: PduInputs, config: PduConfig, now_ms: int) -> tuple[PduState, Outputs]:
    """Return the state after one cycle, and what was decided in it.

    Args:
        state: from `start` or the cycle before.
        inputs: what is measured and asked now.
        config: settings in force; as many outlets as the state has.
        now_ms: monotonic time, not before that of the last cycle.
    """
    if state.at_rest and not inputs.orders and _nothing_new(state, inputs, config):
        feed = Feed(inputs.main, inputs.backup, inputs.live, inputs.phase_mdeg)
        if transfer.at_rest(state.transfer, feed, config, now_ms):
            return state, Outputs(state.drives, (), state.emitted, ())
    draft = Draft(state, inputs, config, now_ms)
    _protect(draft)
    _transfer(draft)
    _watch_bus(draft)
    for given in inputs.orders:
        orders.give(draft, given, _snapshot_of(draft.outlets, draft.transfer, _overcurrent(draft)))
        _open_unwanted(draft)  # so that the next order finds the outlet as this one has left it
    _arbitrate(draft)
    orders.confirm(draft)
    return _finish(draft)


def snapshot(state: PduState) -> PduSnapshot:
    """Return what a PDU reports of itself."""
    return _snapshot_of(state.outlets, state.transfer, overcurrent=None)


def _snapshot_of(
    outlets: Sequence[OutletState], switch: TransferState, overcurrent: bool | None
) -> PduSnapshot:
    return PduSnapshot(
        tuple(outlet.snapshot(number) for number, outlet in enumerate(outlets, 1)),
        switch.position,
        {source: switch.sense(source).grade for source in Source},
        switch.lockout_ms is not None,
        overcurrent,
    )


def _nothing_new(state: PduState, inputs: PduInputs, config: PduConfig) -> bool:
    """Return whether no current calls for protection and the bus is live."""
    for outlet, current_ma, settings in zip(state.outlets, inputs.currents_ma, config.outlets, strict=True):
        if current_ma > (settings.limit_ma if outlet.closed else CARRIES_MA):
            return False
    return inputs.live


def _protect(draft: Draft) -> None:
    for index, outlet in enumerate(draft.outlets):
        current_ma = draft.inputs.currents_ma[index]
        settings = draft.config.outlets[index]
        seen = watch(
            outlet.guard, closed=outlet.closed, current_ma=current_ma, config=settings, now_ms=draft.now_ms
        )
        if seen.guard is not outlet.guard:
            draft.outlets[index] = replace(outlet, guard=seen.guard)
        if seen.latch is not None:
            _trip(draft, index + 1, seen.latch)
        if seen.found_welded:
            data: dict[str, Detail] = {"i_ma": current_ma, "limit_ma": CARRIES_MA}
            draft.journal.add(EventCode.RELAY_WELDED, outlet=index + 1, cause=outlet.cause, data=data)


def _trip(draft: Draft, number: int, latch: Latch) -> None:
    outlet = draft.outlets[number - 1]
    memory = replace(outlet.memory, latch=latch, wanted=False, cause=Cause.PROTECTION, by="")
    draft.outlets[number - 1] = replace(
        outlet, memory=memory, closed=False, changed_ms=draft.now_ms, resume_ms=None, dropped=False
    )
    draft.journal.add(EventCode.TRIP, outlet=number, cause=Cause.PROTECTION, data=latch.numbers)
    orders.end_on_trip(draft, number)


def _overcurrent(draft: Draft) -> bool:
    """Return whether an overcurrent is in progress, or a tripped outlet still carries current."""
    return any(
        outlet.guard.over_since_ms is not None
        or (outlet.memory.latch is not None and current_ma > CARRIES_MA)
        for outlet, current_ma in zip(draft.outlets, draft.inputs.currents_ma, strict=True)
    )


def _transfer(draft: Draft) -> None:
    inputs = draft.inputs
    feed = Feed(inputs.main, inputs.backup, inputs.live, inputs.phase_mdeg, _overcurrent(draft))
    draft.transfer, finished = transfer.step(draft.transfer, feed, draft.config, draft.now_ms, draft.journal)
    if finished is not None:
        orders.end_transfer(draft, finished)


def _watch_bus(draft: Draft) -> None:
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
            draft.outlets[index] = replace(outlet, closed=False, changed_ms=draft.now_ms, dropped=True)


def _arbitrate(draft: Draft) -> None:
    for index in range(len(draft.outlets)):
        _resume(draft, index)
    _open_unwanted(draft)
    if draft.inputs.live and draft.transfer.mode is Mode.CLOSED:
        _close_in_turn(draft)


def _open_unwanted(draft: Draft) -> None:
    for index, outlet in enumerate(draft.outlets):
        if outlet.closed and not arbitrate(outlet).closed:
            _drive(draft, index, closed=False)


def _close_in_turn(draft: Draft) -> None:
    waiting = [
        index for index, outlet in enumerate(draft.outlets) if not outlet.closed and arbitrate(outlet).closed
    ]
    draft.sequence, now = take_turns(draft.sequence, waiting, draft.config.sequence_ms, draft.now_ms)
    for index in now:
        _drive(draft, index, closed=True)


def _resume(draft: Draft, index: int) -> None:
    """End the pause of a power cycle when its time has come."""
    outlet = draft.outlets[index]
    if outlet.resume_ms is not None and draft.now_ms >= outlet.resume_ms:
        draft.outlets[index] = replace(outlet, resume_ms=None)


def _drive(draft: Draft, index: int, *, closed: bool) -> None:
    outlet = draft.outlets[index]
    pause = not closed and outlet.resume_ms is not None
    if not (closed and outlet.dropped):  # its return after an outage is told by the end of the outage
        data: dict[str, Detail] = {"on": closed, "by": outlet.memory.by}
        if pause and outlet.resume_ms is not None:
            data["off_ms"] = outlet.resume_ms - draft.now_ms
        cause = Cause.PERSON_OFF if pause else outlet.cause
        draft.journal.add(EventCode.SWITCHED, outlet=index + 1, cause=cause, data=data)
    draft.outlets[index] = replace(outlet, closed=closed, changed_ms=draft.now_ms, dropped=False)


def _finish(draft: Draft) -> tuple[PduState, Outputs]:
    switch = draft.transfer
    drives = Drives(switch.position, switch.isolator_closed, tuple(outlet.closed for outlet in draft.outlets))
    at_rest = (
        not draft.awaiting
        and draft.bus.dead_since_ms is None
        and all(
            outlet.guard is CLEAR and outlet.resume_ms is None and outlet.closed is arbitrate(outlet).closed
            for outlet in draft.outlets
        )
    )
    events = tuple(draft.journal.events)
    state = PduState(
        tuple(draft.outlets),
        switch,
        draft.bus,
        drives,
        draft.sequence,
        tuple(draft.awaiting),
        draft.journal.first + len(events),
        at_rest,
    )
    return state, Outputs(drives, events, draft.journal.first, tuple(draft.results))
