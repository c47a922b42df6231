"""What a PDU decides, in one place.

Every 20 ms (any step length works) the device takes one *cycle*: what it measures and what it was told is frozen in
`PduInputs`, the rules run over it in a fixed order, and what comes out is how the relays are driven, what has happened
and how orders ended. `step` is that cycle. It reads no clock and keeps nothing but the state that it returns: the same
inputs always give the same outputs.

The order of the rules is the order of their authority, and a later rule never overrides an earlier one:

1. **Protection** opens an outlet that is over its limit for its time, and latches it. Only a person resets the latch.
   What was done between two cycles (`standing`) is taken as a fact.
2. **Shedding** opens what the active source cannot carry within its budget, the lowest priority first.
3. **Transfer** chooses the source and moves the changeover. It waits for no order, and for the end of an overcurrent.
   What the other source cannot carry is shed in the same cycle.
4. **The bus**: when it has been dead for `supply.OUTAGE_MS` all outlets open, to close again in turn when it is live.
5. **Orders** of people are asked of `admit`, the same function that the control center asks beforehand; so the two
   never contradict each other. A person's *off* ends every automatic intention that exists at that instant: the pause
   of a power cycle, the place in the power-on sequence, the return after an outage or a shed.
6. **Arbitration**, outlet by outlet: protection > lock and a person's off > shedding > a person's on > schedule >
   power-restore policy (`outlet.RULES`). Schedules do not exist yet; their rank does.
7. **Sequencing**: what arbitration wants closed closes in turn, the highest priority first, `sequence_ms` apart, only on
   a live bus and within the budget of its source. Opening never waits.

Every event carries its cause and the numbers that were compared; `because` is the position, in the list of all events
of the run, of the event that led to it. `why` says the same as a sentence.
"""

from collections.abc import Sequence
from dataclasses import replace

from loadcenter.domain import guarding, orders, protection, rest, shedding, supply, transfer
from loadcenter.domain.admission import (
    Admission,
    OutletSnapshot,
    PduSnapshot,
    Refusal,
    admit,
)
from loadcenter.domain.budget import Headroom
from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.memory import PduMemory, restored
from loadcenter.domain.outlet import OutletState, arbitrate
from loadcenter.domain.pdu import Bus, Draft, Drives, GivenOrder, OrderResult, Outputs, PduInputs, PduState
from loadcenter.domain.protection import Guard
from loadcenter.domain.reason import OutletView, why
from loadcenter.domain.sequencing import take_turns
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.standing import Standing
from loadcenter.domain.thermal import of_stage
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer import Feed, TransferState
from loadcenter.domain.transfer_table import Mode

__all__ = [
    "Admission",
    "EventCode",
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

START_GRACE_MS = 1000
"""After start the sources have this long to become usable before their absence is an outage."""


def start(memory: PduMemory, config: PduConfig, now_ms: int) -> PduState:
    """Return the state of a PDU that has just got its supply: everything open, latches as they were left."""
    outlets = tuple(
        OutletState(
            restored(kept, settings.power_on), changed_ms=now_ms, guard=Guard(heat=of_stage(kept.heat_pct))
        )
        for kept, settings in zip(memory.outlets, config.outlets, strict=True)
    )
    return PduState(
        outlets,
        TransferState(started_ms=now_ms, since_ms=now_ms),
        Bus(dead_since_ms=now_ms + START_GRACE_MS - supply.OUTAGE_MS),
        Drives(Source.MAIN, isolator_closed=False, outlets=(False,) * len(outlets)),
        stepped_ms=now_ms,
        second_ms=now_ms,
    )


def step(state: PduState, inputs: PduInputs, config: PduConfig, now_ms: int) -> tuple[PduState, Outputs]:
    """Return the state after one cycle, and what was decided in it.

    Args:
        state: from `start` or the cycle before.
        inputs: what is measured and asked now.
        config: settings in force; as many outlets as the state has.
        now_ms: monotonic time, not before that of the last cycle.
    """
    if state.at_rest and not inputs.orders and rest.nothing_new(state, inputs, config):
        feed = Feed(inputs.main, inputs.backup, inputs.live, inputs.phase_mdeg)
        if transfer.at_rest(state.transfer, feed, config, now_ms):
            rested = rest.rested(state, inputs, config, now_ms)
            if rested is state or not any(outlet.guard.heat.trips for outlet in rested.outlets):
                return rested, Outputs(rested.drives, (), rested.emitted, (), rested.standing)
    draft = Draft(state, inputs, config, now_ms)
    rest.keep_time(draft)
    guarding.protect_outlets(draft)
    guarding.protect_bus(draft)
    supply.keep_budget(draft)
    supply.switch_source(draft)
    supply.watch_bus(draft)
    for given in inputs.orders:
        snapshot_now = _snapshot_of(
            draft.outlets, draft.transfer, guarding.in_overcurrent(draft), draft.headroom
        )
        orders.give(draft, given, snapshot_now)
        _open_unwanted(draft)  # so that the next order finds the outlet as this one has left it
    _arbitrate(draft)
    orders.confirm(draft)
    return _finish(draft)


def snapshot(state: PduState) -> PduSnapshot:
    """Return what a PDU reports of itself."""
    return _snapshot_of(state.outlets, state.transfer, overcurrent=None, headroom=None)


def _snapshot_of(
    outlets: Sequence[OutletState],
    switch: TransferState,
    overcurrent: bool | None,
    headroom: Headroom | None,
) -> PduSnapshot:
    return PduSnapshot(
        tuple(outlet.snapshot(number, headroom) for number, outlet in enumerate(outlets, 1)),
        switch.position,
        {source: switch.sense(source).grade for source in Source},
        switch.lockout_ms is not None,
        overcurrent,
    )


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
    waiting = sorted(
        (
            index
            for index, outlet in enumerate(draft.outlets)
            if not outlet.closed and arbitrate(outlet).closed
        ),
        key=lambda index: (draft.config.outlets[index].priority, index),
    )
    draft.sequence, now = take_turns(draft.sequence, waiting, draft.config.sequence_ms, draft.now_ms)
    for index in now:
        outlet = draft.outlets[index]
        kept = draft.config.outlets[index].protected or outlet.memory.locked  # never shed
        if kept or draft.headroom.fits(outlet.draw_ma, outlet.draw_mw):
            _drive(draft, index, closed=True)
        else:
            supply.shed_outlet(draft, index, draft.headroom, outlet.draw_ma)


def _resume(draft: Draft, index: int) -> None:
    """End the pause of a power cycle when its time has come."""
    outlet = draft.outlets[index]
    if outlet.resume_ms is not None and draft.now_ms >= outlet.resume_ms:
        draft.outlets[index] = replace(outlet, resume_ms=None)


def _drive(draft: Draft, index: int, *, closed: bool) -> None:
    outlet = draft.outlets[index]
    _note_drive(draft, index, outlet, closed=closed)
    if closed:
        guard = protection.closing(outlet.guard, draft.now_ms)
    else:
        guard, suspect = protection.opening(outlet.guard, draft.now_ms - outlet.changed_ms)
        if suspect:
            draft.journal.add(EventCode.SUSPECTED_OPEN, outlet=index + 1, data={"closings": guard.barren})
    draft.outlets[index] = replace(
        outlet,
        closed=closed,
        changed_ms=draft.now_ms,
        dropped=False,
        guard=guard,
        returning=outlet.returning and not closed,
    )


def _note_drive(draft: Draft, index: int, outlet: OutletState, *, closed: bool) -> None:
    """Tell that an outlet is driven, unless another event tells it: the end of an outage, or the shed."""
    number = index + 1
    if closed and outlet.returning:
        draft.journal.add(EventCode.RESTORED, outlet=number, cause=outlet.cause, data=draft.headroom.numbers)
        return
    if (closed and outlet.dropped) or (not closed and outlet.shed is not None):
        return
    data: dict[str, Detail] = {"on": closed, "by": outlet.memory.by}
    cause = outlet.cause
    if not closed and outlet.resume_ms is not None:
        data["off_ms"] = outlet.resume_ms - draft.now_ms
        cause = Cause.PERSON_OFF
    draft.journal.add(EventCode.SWITCHED, outlet=number, cause=cause, data=data)


def _standing(draft: Draft) -> Standing:
    now_ms = draft.now_ms
    closed = [(number, outlet.guard) for number, outlet in enumerate(draft.outlets, 1) if outlet.closed]
    return Standing(
        transfer.may_leave(draft.transfer, supply.feed_of(draft), now_ms),
        shedding.plan(draft.outlets, draft.config, draft.transfer.position.other),
        transfer.at_once_permille(draft.transfer, now_ms),
        tuple(number for number, guard in closed if guard.masked(now_ms)),
        tuple(number for number, guard in closed if guard.quiet(now_ms)),
    )


def _finish(draft: Draft) -> tuple[PduState, Outputs]:
    switch = draft.transfer
    drives = Drives(switch.position, switch.isolator_closed, tuple(outlet.closed for outlet in draft.outlets))
    events = tuple(draft.journal.events)
    standing = _standing(draft)
    state = PduState(
        tuple(draft.outlets),
        switch,
        draft.bus,
        drives,
        draft.sequence,
        tuple(draft.awaiting),
        draft.journal.first + len(events),
        standing.leave and rest.at_rest(draft),  # at rest the permissions stay as they are
        draft.shedding,
        standing,
        draft.now_ms,
        draft.second_ms,
        draft.bus_curve,
        draft.bus_since_ms,
    )
    return state, Outputs(drives, events, draft.journal.first, tuple(draft.results), standing)
