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
4. **The bus**: when it has been dead for `OUTAGE_MS` all outlets open, to close again in turn when it is live.
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

from loadcenter.domain import curves, orders, protection, shedding, transfer
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
from loadcenter.domain.outlet import OutletState, Shed, arbitrate
from loadcenter.domain.pdu import Bus, Draft, Drives, GivenOrder, OrderResult, Outputs, PduInputs, PduState
from loadcenter.domain.protection import CARRIES_MA, QUIET_MA, Guard, Latch, Seen, Trip
from loadcenter.domain.quantities import BUS_RATING_MA
from loadcenter.domain.reason import OutletView, why
from loadcenter.domain.sequencing import take_turns
from loadcenter.domain.settings import Curve, OutletConfig, PduConfig
from loadcenter.domain.standing import Standing
from loadcenter.domain.thermal import of_stage, warmed
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

SECOND_MS = 1000
SECONDS_MOST = 10
"""Heat is brought up to date each second; after a longer pause no more than this is reckoned."""

BUS_CURVE = Curve.VI
BUS_TMS_PERMILLE = 1000
"""Inverse-time curve of the bus total; fixed, as the rating of the transfer switch is."""


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
        Bus(dead_since_ms=now_ms + START_GRACE_MS - OUTAGE_MS),
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
    if state.at_rest and not inputs.orders and _nothing_new(state, inputs, config):
        feed = Feed(inputs.main, inputs.backup, inputs.live, inputs.phase_mdeg)
        if transfer.at_rest(state.transfer, feed, config, now_ms):
            state = _rested(state, inputs, config, now_ms)
            return state, Outputs(state.drives, (), state.emitted, (), state.standing)
    draft = Draft(state, inputs, config, now_ms)
    _keep_time(draft)
    _protect(draft)
    _protect_bus(draft)
    _shed(draft)
    _transfer(draft)
    _watch_bus(draft)
    for given in inputs.orders:
        snapshot_now = _snapshot_of(draft.outlets, draft.transfer, _overcurrent(draft), draft.headroom)
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


# -- at rest


def _nothing_new(state: PduState, inputs: PduInputs, config: PduConfig) -> bool:
    """Return whether no current calls for protection, nothing was done at once, and the bus is live."""
    if inputs.acted.tripped or inputs.acted.masked or not inputs.live:
        return False
    for index, outlet in enumerate(state.outlets):
        if not _calm(outlet, index, inputs, config.outlets[index]):
            return False
    load = shedding.total(state.outlets, inputs.currents_ma, inputs.powers_mw)
    budget = shedding.budget_of(config, state.transfer.position)
    return not load.exceeds(budget) and load.current_ma <= BUS_RATING_MA


def _calm(outlet: OutletState, index: int, inputs: PduInputs, config: OutletConfig) -> bool:
    current_ma, guard = inputs.currents_ma[index], outlet.guard
    if (index + 1 in inputs.faulty) is not guard.faulty or guard.heat.trips:
        return False
    if not outlet.closed:
        return current_ma <= CARRIES_MA
    power_mw = inputs.powers_mw[index] if inputs.powers_mw else 0
    return (
        current_ma <= min(config.limit_ma, config.curve_ma)
        and power_mw <= config.limit_mw
        and (current_ma < QUIET_MA) is (guard.quiet_since_ms is not None)
        and (guard.drew_now or current_ma <= CARRIES_MA)
    )


def _rested(state: PduState, inputs: PduInputs, config: PduConfig, now_ms: int) -> PduState:
    """Return the state with the heat of its relays brought up to date; the same object within a second."""
    if now_ms - state.second_ms < SECOND_MS:
        return state
    outlets, second_ms = _seconds_on(state.outlets, inputs, state.second_ms, now_ms)
    standing = replace(state.standing, shed=shedding.plan(outlets, config, state.transfer.position.other))
    return replace(state, outlets=tuple(outlets), second_ms=second_ms, standing=standing)


def _seconds_on(
    outlets: Sequence[OutletState], inputs: PduInputs, second_ms: int, now_ms: int
) -> tuple[list[OutletState], int]:
    """Return the outlets with heat and draws of the seconds that have passed, and up to when that is."""
    passed = (now_ms - second_ms) // SECOND_MS
    seconds = min(SECONDS_MOST, passed)
    found = [_second_on(outlet, index, inputs, seconds) for index, outlet in enumerate(outlets)]
    return found, second_ms + passed * SECOND_MS


def _second_on(outlet: OutletState, index: int, inputs: PduInputs, seconds: int) -> OutletState:
    if outlet.guard.faulty:
        return outlet
    current_ma = inputs.currents_ma[index]
    heat = warmed(outlet.guard.heat, current_ma, seconds)
    if heat is not outlet.guard.heat:
        outlet = replace(outlet, guard=replace(outlet.guard, heat=heat))
        if heat.stage_pct != outlet.memory.heat_pct:
            outlet = replace(outlet, memory=replace(outlet.memory, heat_pct=heat.stage_pct))
    if outlet.closed and current_ma > CARRIES_MA:
        power_mw = inputs.powers_mw[index] if inputs.powers_mw else 0
        if (outlet.draw_ma, outlet.draw_mw) != (current_ma, power_mw):
            outlet = replace(outlet, draw_ma=current_ma, draw_mw=power_mw)
    return outlet


def _keep_time(draft: Draft) -> None:
    if draft.now_ms - draft.second_ms >= SECOND_MS:
        draft.outlets, draft.second_ms = _seconds_on(
            draft.outlets, draft.inputs, draft.second_ms, draft.now_ms
        )


# -- protection


def _protect(draft: Draft) -> None:
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
            inputs.powers_mw[index] if inputs.powers_mw else None,
            number in inputs.faulty,
            peaks.get(number) if outlet.closed else None,
            number in inputs.acted.masked,
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


def _protect_bus(draft: Draft) -> None:
    """Trip every closed outlet when all together have been over the rating for the time of the curve."""
    total_ma = draft.total.current_ma
    over = total_ma > BUS_RATING_MA
    if not over and draft.bus_curve == 0 and draft.bus_since_ms is None:
        return
    if not over:
        draft.bus_since_ms = None
    elif draft.bus_since_ms is None:
        draft.bus_since_ms = draft.now_ms
    reset_s, tms = draft.config.idmt_reset_s, BUS_TMS_PERMILLE
    draft.bus_curve = curves.advanced(
        draft.bus_curve, total_ma, BUS_CURVE, BUS_RATING_MA, tms, reset_s, draft.step_ms
    )
    if draft.bus_since_ms is not None and draft.bus_curve >= curves.trips_at(tms):
        latch = Latch(Trip.BUS_TOTAL, total_ma, BUS_RATING_MA, draft.now_ms - draft.bus_since_ms)
        for number in [number for number, outlet in enumerate(draft.outlets, 1) if outlet.closed]:
            _trip(draft, number, latch)
        draft.bus_since_ms = None


def _overcurrent(draft: Draft) -> bool:
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


def _feed(draft: Draft) -> Feed:
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
        _overcurrent(draft),
        blocked,
        inputs.acted,
    )


# -- budget and transfer


def _shed(draft: Draft) -> None:
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
        _shed_outlet(draft, verdict.shed, room, currents[verdict.shed])
    index = shedding.first_to_restore(draft.shedding, room, draft.outlets, draft.config, draft.now_ms)
    if index is not None:
        draft.outlets[index] = replace(draft.outlets[index], shed=None, returning=True)
        draft.shedding = replace(draft.shedding, changed_ms=draft.now_ms, restored=True)


def _shed_outlet(draft: Draft, index: int, room: Headroom, draw_ma: int) -> None:
    outlet = draft.outlets[index]
    draft.outlets[index] = replace(outlet, shed=Shed.BUDGET, draw_ma=draw_ma, returning=False)
    data: dict[str, Detail] = {"reason": "budget", **room.numbers, "draw_ma": draw_ma}
    draft.journal.add(
        EventCode.SHED, outlet=index + 1, source=draft.transfer.position, cause=Cause.SHED, data=data
    )


def _transfer(draft: Draft) -> None:
    before = draft.transfer
    draft.transfer, finished = transfer.step(before, _feed(draft), draft.config, draft.now_ms, draft.journal)
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
            _shed_outlet(draft, number - 1, Headroom(draft.drawn, budget), outlet.draw_ma)
    if numbers:
        draft.shedding = replace(draft.shedding, changed_ms=draft.now_ms, restored=False)


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
            guard, _ = protection.opening(outlet.guard, 0)
            draft.outlets[index] = replace(
                outlet, closed=False, changed_ms=draft.now_ms, dropped=True, guard=guard
            )


# -- arbitration


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
        if draft.headroom.fits(outlet.draw_ma, outlet.draw_mw):
            _drive(draft, index, closed=True)
        else:
            _shed_outlet(draft, index, draft.headroom, outlet.draw_ma)


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


# -- what comes out


def _standing(draft: Draft) -> Standing:
    now_ms = draft.now_ms
    closed = [(number, outlet.guard) for number, outlet in enumerate(draft.outlets, 1) if outlet.closed]
    return Standing(
        transfer.may_leave(draft.transfer, _feed(draft), now_ms),
        shedding.plan(draft.outlets, draft.config, draft.transfer.position.other),
        transfer.at_once_permille(draft.transfer, now_ms),
        tuple(number for number, guard in closed if guard.masked(now_ms)),
        tuple(number for number, guard in closed if guard.quiet(now_ms)),
    )


def _at_rest(draft: Draft) -> bool:
    """Return whether nothing goes on with time alone, but the heat of the relays."""
    if draft.awaiting or draft.bus.dead_since_ms is not None or not draft.shedding.at_rest:
        return False
    if draft.bus_curve or draft.transfer.connected_ms is None:
        return False
    if draft.now_ms - draft.transfer.connected_ms < protection.MASK_MS:
        return False
    return all(_outlet_at_rest(outlet, draft.now_ms) for outlet in draft.outlets)


def _outlet_at_rest(outlet: OutletState, now_ms: int) -> bool:
    quiet_ms = outlet.guard.quiet_since_ms
    return (
        outlet.guard.at_rest
        and outlet.resume_ms is None
        and outlet.shed is not Shed.BUDGET
        and outlet.closed is arbitrate(outlet).closed
        and (quiet_ms is None or now_ms - quiet_ms >= protection.QUIET_MS)
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
        _at_rest(draft),
        draft.shedding,
        standing,
        draft.now_ms,
        draft.second_ms,
        draft.bus_curve,
        draft.bus_since_ms,
    )
    return state, Outputs(drives, events, draft.journal.first, tuple(draft.results), standing)
