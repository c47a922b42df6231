"""The transfer switch: which source feeds the bus, and how it gets there.

`decide` chooses a trigger, `transfer_table` says where it leads. A lost source is left at once, with the loads on
(`SWINGING`). Where both sources carry voltage, out of step with each other, the isolator opens first and the changeover
moves without load (`OPENING`, `MOVING`, `CLOSING`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from loadcenter.domain.commands import ResultCode
from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.journal import Journal
from loadcenter.domain.qualification import UNSEEN, Departure, Sense, SourceInput, Way, permille, qualify
from loadcenter.domain.settings import PduConfig, TransferMode
from loadcenter.domain.standing import (
    AT_ONCE_INRUSH_MS,
    AT_ONCE_INRUSH_PERMILLE,
    AT_ONCE_PERMILLE,
    NOTHING_DONE,
    Acted,
)
from loadcenter.domain.topology import Grade, Source
from loadcenter.domain.transfer_table import ISOLATOR_CLOSED, LASTS_MS, TABLE, Effect, Mode, Trigger, advance

ISOLATE_MS = 30
"""Three half cycles of overvoltage with nowhere to go, then the isolator opens."""

RESIDUAL_PERMILLE = 350
"""Up to this share of the nominal voltage a source counts as dead, and is left with the loads on.

Behaviour.md says 30 %; the rest is what a measurement of a few milliseconds may be off.
"""

MISMATCH_MHZ = 5000
"""A frequency this far from the nominal one is that of another grid: 50 and 60 Hz are 10 Hz apart."""

HOUR_MS = 3_600_000
LEAVE_GAP_MS = 10_000
"""During a lockout bad sources are left at least this far apart."""

REDUNDANCY_GRACE_MS = 1000
"""After start a source has this long to become usable before its absence is told."""


class TransferResult(StrEnum):
    """Whether the effect of a transfer was seen at the bus-live input."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Feed:
    """What the transfer switch sees in one step.

    Attributes:
        main: the source of that name.
        backup: likewise.
        live: the bus-live input, behind changeover and isolator.
        phase_mdeg: angle from main to backup, None while one of them is dead.
        overcurrent: an overcurrent is in progress, a tripped outlet still carries current, or the trip of the bus
            total is latched.
        blocked: a relay did not open on a trip: the isolator stays open until a person has reset it.
        acted: what was done at once since the last step.
    """

    main: SourceInput
    backup: SourceInput
    live: bool
    phase_mdeg: int | None = None
    overcurrent: bool = False
    blocked: bool = False
    acted: Acted = NOTHING_DONE

    def of(self, source: Source) -> SourceInput:
        """Return what is measured of `source`."""
        return self.main if source is Source.MAIN else self.backup


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer under way, with what its record will say.

    `target` is where it goes now, `wanted` where it set out for: they differ once that source was lost on the way.
    """

    origin: Source
    target: Source
    wanted: Source
    cause: Cause
    decided_ms: int
    departure: Departure | None = None
    because: int | None = None
    moved_ms: int | None = None
    before: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransferState:
    """All that the transfer switch remembers.

    Attributes:
        started_ms: when the device started.
        mode: what it is doing.
        position: where the changeover is driven to.
        since_ms: when the mode was entered.
        main: grade and history of that source.
        backup: likewise.
        move: the transfer under way.
        request: a manual transfer that waits for its turn.
        held: a person has chosen this source: no return by itself until it is left for another reason.
        overvoltage: why the bus is isolated; False means that it never was connected yet.
        counted_ms: when returns and manual transfers of the last hour were decided.
        lockout_ms: since when these are locked out.
        left_ms: when a bad source was last left.
        redundant: whether the idle source was usable; None before it is known.
        lost: position of the event that told the loss of main and of backup.
        connected_ms: when the bus was last connected to a source; None before the first time.
        mismatch: it was told that the frequency is not the nominal one.
    """

    started_ms: int
    mode: Mode = Mode.ISOLATED
    position: Source = Source.MAIN
    since_ms: int = 0
    main: Sense = UNSEEN
    backup: Sense = UNSEEN
    move: Move | None = None
    request: Source | None = None
    held: bool = False
    overvoltage: bool = False
    counted_ms: tuple[int, ...] = ()
    lockout_ms: int | None = None
    left_ms: int | None = None
    redundant: bool | None = None
    lost: tuple[int | None, int | None] = (None, None)
    connected_ms: int | None = None
    mismatch: bool = False

    def sense(self, source: Source) -> Sense:
        """Return what is remembered of `source`."""
        return self.main if source is Source.MAIN else self.backup

    def lost_event(self, source: Source) -> int | None:
        """Return the position of the event that told the loss of `source`."""
        return self.lost[0 if source is Source.MAIN else 1]

    @property
    def isolator_closed(self) -> bool:
        """Whether the bus isolator is driven closed."""
        return self.mode in ISOLATOR_CLOSED


@dataclass(frozen=True, slots=True)
class Finished:
    """How a manual transfer has ended."""

    code: ResultCode
    numbers: Mapping[str, Detail]


@dataclass(frozen=True, slots=True)
class _Decision:
    trigger: Trigger
    target: Source | None = None
    cause: Cause | None = None


def step(
    state: TransferState, feed: Feed, config: PduConfig, now_ms: int, journal: Journal
) -> tuple[TransferState, Finished | None]:
    """Return the state after one step, and how a manual transfer ended if one did; events go to `journal`."""
    main = qualify(state.main, feed.main, config.nominal_mv, config.nominal_mhz, now_ms)
    backup = qualify(state.backup, feed.backup, config.nominal_mv, config.nominal_mhz, now_ms)
    if main is not state.main or backup is not state.backup:
        state = _note_grades(replace(state, main=main, backup=backup), state, journal)
    state = _note_mismatch(state, feed, config, journal)
    state = _expire_lockout(state, now_ms, journal)
    decision = decide(state, feed, config, now_ms)
    finished = None
    if decision is not None:
        state, finished = _apply(state, decision, feed, config, now_ms, journal)
    if state.request is not None and decision is None and state.mode is Mode.CLOSED:
        state, finished = _drop_request(state)
    return _note_redundancy(state, now_ms, journal), finished


def at_rest(state: TransferState, feed: Feed, config: PduConfig, now_ms: int) -> bool:
    """Return whether `step` would change and tell nothing, now or later, as long as `feed` stays as it is."""
    return (
        state.mode is Mode.CLOSED
        and state.position is config.preferred
        and state.request is None
        and state.lockout_ms is None
        and state.redundant is True
        and state.main.grade is state.backup.grade is Grade.GOOD
        and qualify(state.main, feed.main, config.nominal_mv, config.nominal_mhz, now_ms) is state.main
        and qualify(state.backup, feed.backup, config.nominal_mv, config.nominal_mhz, now_ms) is state.backup
    )


def decide(state: TransferState, feed: Feed, config: PduConfig, now_ms: int) -> _Decision | None:
    """Return what the transfer switch does now, None for nothing."""
    if feed.blocked:
        return None if state.mode is Mode.ISOLATED else _Decision(Trigger.ISOLATE)
    match state.mode:
        case Mode.ISOLATED:
            return _decide_isolated(state, config)
        case Mode.CLOSED:
            return _decide_closed(state, feed, config, now_ms)
        case Mode.SWINGING | Mode.OPENING | Mode.MOVING | Mode.CLOSING:
            return _decide_under_way(state, now_ms)


def may_leave(state: TransferState, feed: Feed, now_ms: int) -> bool:
    """Return whether the active source may be left at once when it is lost."""
    return (
        state.mode is Mode.CLOSED
        and state.sense(state.position.other).grade is not Grade.BAD
        and not feed.overcurrent
        and not feed.blocked
        and not _leave_waits(state, now_ms)
    )


def at_once_permille(state: TransferState, now_ms: int) -> int:
    """Return the two-point limit of the active source."""
    fresh = state.connected_ms is not None and now_ms - state.connected_ms < AT_ONCE_INRUSH_MS
    return AT_ONCE_INRUSH_PERMILLE if fresh else AT_ONCE_PERMILLE


def request(state: TransferState, source: Source) -> TransferState:
    """Return the state with a manual transfer to `source` asked for."""
    return replace(state, request=source)


def clear_lockout(state: TransferState) -> TransferState:
    """Return the state with returns and manual transfers allowed again, counting from none."""
    return replace(state, lockout_ms=None, counted_ms=())


def _decide_isolated(state: TransferState, config: PduConfig) -> _Decision | None:
    for source in (config.preferred, config.preferred.other):
        grade = state.sense(source).grade
        # The source whose overvoltage opened the isolator must prove itself for longer.
        strict = state.overvoltage and source is state.position
        if grade is Grade.GOOD or (grade is Grade.USABLE and not strict):
            cause = Cause.OVERVOLTAGE if state.overvoltage else Cause.START_UP
            return _Decision(Trigger.CONNECT, source, cause)
    return None


def _decide_closed(state: TransferState, feed: Feed, config: PduConfig, now_ms: int) -> _Decision | None:
    active = state.sense(state.position)
    if feed.acted.swung or feed.acted.opened:  # done already: the next steps go on from there
        trigger = Trigger.LEAVE if feed.acted.swung else Trigger.PLAN
        return _Decision(trigger, state.position.other, Cause.SOURCE_LOST)
    if active.grade is Grade.BAD:
        return _decide_leaving(state, active, feed, config, now_ms)
    if feed.overcurrent or state.lockout_ms is not None:
        return None
    if state.request is not None:
        good = state.sense(state.request).grade is Grade.GOOD and state.request is not state.position
        return _Decision(_planned(config), state.request, Cause.MANUAL) if good else None
    if _return_due(state, config, now_ms):
        return _Decision(_planned(config), config.preferred, Cause.RETRANSFER)
    return None


def _planned(config: PduConfig) -> Trigger:
    return Trigger.LEAVE if config.transfer_mode is TransferMode.FAST else Trigger.PLAN


def _decide_leaving(
    state: TransferState, active: Sense, feed: Feed, config: PduConfig, now_ms: int
) -> _Decision | None:
    over = active.departure is not None and active.departure.rung.way is Way.OVER
    other = state.position.other
    if state.sense(other).grade is Grade.BAD or feed.overcurrent:
        # A fault is not carried to the other source; an overvoltage need not wait for it to end.
        due = over and active.departure is not None and now_ms - active.departure.at_ms >= ISOLATE_MS
        return _Decision(Trigger.ISOLATE) if due else None
    if _leave_waits(state, now_ms):
        return None
    dead = permille(feed.of(state.position).voltage_mv, config.nominal_mv) <= RESIDUAL_PERMILLE
    trigger = Trigger.LEAVE if dead else _planned(config)
    return _Decision(trigger, other, Cause.OVERVOLTAGE if over else Cause.SOURCE_LOST)


def _leave_waits(state: TransferState, now_ms: int) -> bool:
    locked_out = state.lockout_ms is not None and state.left_ms is not None
    return locked_out and state.left_ms is not None and now_ms - state.left_ms < LEAVE_GAP_MS


def _decide_under_way(state: TransferState, now_ms: int) -> _Decision | None:
    target = state.position if state.move is None else state.move.target
    sense = state.sense(target)
    if sense.grade is Grade.BAD:
        fallback = state.sense(target.other).grade is not Grade.BAD
        if fallback and (state.mode, Trigger.RETARGET) in TABLE:
            return _Decision(Trigger.RETARGET, target.other)
        over = sense.departure is not None and sense.departure.rung.way is Way.OVER
        if over and not fallback:
            return _Decision(Trigger.ISOLATE)
    return _Decision(Trigger.ELAPSED) if now_ms - state.since_ms >= LASTS_MS[state.mode] else None


def _return_due(state: TransferState, config: PduConfig, now_ms: int) -> bool:
    since_ms = state.sense(config.preferred).good_since_ms
    return (
        config.auto_retransfer
        and state.position is not config.preferred
        and not state.held
        and state.sense(config.preferred).grade is Grade.GOOD
        and since_ms is not None
        and now_ms - since_ms >= config.retransfer_delay_s * 1000
    )


def _apply(
    state: TransferState, decision: _Decision, feed: Feed, config: PduConfig, now_ms: int, journal: Journal
) -> tuple[TransferState, Finished | None]:
    mode, effect = advance(state.mode, decision.trigger)
    state = _begin(state, decision, feed, now_ms)
    connects = mode in (Mode.SWINGING, Mode.CLOSING)
    connected_ms = now_ms if connects else state.connected_ms
    state = replace(state, mode=mode, since_ms=now_ms, connected_ms=connected_ms)
    finished = None
    match effect:
        case Effect.MOVE:
            assert state.move is not None
            state = replace(state, position=state.move.target, move=replace(state.move, moved_ms=now_ms))
        case Effect.SETTLE:
            state, finished = _settle(state, feed, config, now_ms, journal)
        case Effect.NONE:
            pass
    if decision.trigger is Trigger.ISOLATE:
        finished = _ended_early(state)
        state = replace(state, move=None, request=None, overvoltage=not feed.blocked)
    return state, finished


def _begin(state: TransferState, decision: _Decision, feed: Feed, now_ms: int) -> TransferState:
    """Return the state with the transfer that `decision` begins, or turned to its new target."""
    if decision.target is None:
        return state
    if decision.trigger is Trigger.RETARGET:
        assert state.move is not None
        return replace(state, move=replace(state.move, target=decision.target))
    assert decision.cause is not None
    left = decision.cause in (Cause.SOURCE_LOST, Cause.OVERVOLTAGE)
    counted = decision.cause in (Cause.RETRANSFER, Cause.MANUAL)
    move = Move(
        state.position,
        decision.target,
        decision.target,
        decision.cause,
        now_ms,
        state.sense(state.position).departure if left else None,
        state.lost_event(state.position) if left else None,
        before={"main_before_mv": feed.main.voltage_mv, "backup_before_mv": feed.backup.voltage_mv}
        | ({} if feed.phase_mdeg is None else {"phase_mdeg": feed.phase_mdeg}),
    )
    return replace(
        state,
        move=move,
        held=decision.cause is Cause.MANUAL,
        counted_ms=(*state.counted_ms, now_ms) if counted else state.counted_ms,
        left_ms=now_ms if left else state.left_ms,
    )


def _settle(
    state: TransferState, feed: Feed, config: PduConfig, now_ms: int, journal: Journal
) -> tuple[TransferState, Finished | None]:
    move = state.move
    assert move is not None
    result = _seen(state, feed)
    position = None
    if move.origin is not move.target:
        position = journal.add(
            EventCode.TRANSFER,
            source=move.target,
            cause=move.cause,
            data=_record(move, feed, result),
            because=move.because,
        )
    finished = None
    if state.request is move.wanted and move.cause is Cause.MANUAL:
        finished = _judge_request(move, result)
        state = replace(state, request=None)
    arrived = move.target is move.wanted  # else nobody has chosen the source that it came back to
    held = state.held and arrived and state.position is not config.preferred
    state = replace(state, move=None, overvoltage=False, held=held)
    return _lock_out(state, config, now_ms, journal, position), finished


def _seen(state: TransferState, feed: Feed) -> TransferResult:
    if feed.live:
        return TransferResult.CONFIRMED
    dead = state.sense(state.position).grade is Grade.BAD
    return TransferResult.UNVERIFIED if dead else TransferResult.CONTRADICTED


def _record(move: Move, feed: Feed, result: TransferResult) -> Mapping[str, Detail]:
    moved_ms = move.decided_ms if move.moved_ms is None else move.moved_ms
    detection_us = 0 if move.departure is None else move.departure.detection_us
    return {
        "from": move.origin.value,
        "to": move.target.value,
        "result": result.value,
        "detection_us": detection_us,
        "command_us": detection_us + (moved_ms - move.decided_ms) * 1000,
        "main_after_mv": feed.main.voltage_mv,
        "backup_after_mv": feed.backup.voltage_mv,
        **move.before,
        **({} if move.departure is None else move.departure.numbers),
    }


def _judge_request(move: Move, result: TransferResult) -> Finished:
    numbers: Mapping[str, Detail] = {"result": result.value}
    if move.target is not move.wanted:
        return Finished(ResultCode.SOURCE_NOT_GOOD, {"src": move.wanted.value})
    confirmed = result is TransferResult.CONFIRMED
    return Finished(ResultCode.OK if confirmed else ResultCode.NOT_CONFIRMED, numbers)


def _ended_early(state: TransferState) -> Finished | None:
    if state.request is None:
        return None
    return Finished(ResultCode.SOURCE_NOT_GOOD, {"src": state.request.value})


def _drop_request(state: TransferState) -> tuple[TransferState, Finished]:
    assert state.request is not None
    wanted, state = state.request, replace(state, request=None)
    if wanted is state.position:
        return state, Finished(ResultCode.OK, {"src": wanted.value})
    if state.lockout_ms is not None:
        return state, Finished(ResultCode.LOCKOUT, {"count": len(state.counted_ms)})
    if state.sense(wanted).grade is Grade.GOOD:
        return state, Finished(ResultCode.IN_OVERCURRENT, {})
    return state, Finished(ResultCode.SOURCE_NOT_GOOD, {"src": wanted.value})


def _lock_out(
    state: TransferState, config: PduConfig, now_ms: int, journal: Journal, because: int | None
) -> TransferState:
    counted = tuple(at_ms for at_ms in state.counted_ms if now_ms - at_ms < HOUR_MS)
    state = replace(state, counted_ms=counted)
    if len(counted) < config.max_transfers_per_hour or state.lockout_ms is not None:
        return state
    journal.add(
        EventCode.TRANSFER_LOCKOUT,
        data={"count": len(counted), "max_transfers_per_hour": config.max_transfers_per_hour},
        because=because,
    )
    return replace(state, lockout_ms=now_ms)


def _expire_lockout(state: TransferState, now_ms: int, journal: Journal) -> TransferState:
    if state.lockout_ms is None or now_ms - state.lockout_ms < HOUR_MS:
        return state
    journal.add(EventCode.LOCKOUT_END, data={"after_ms": now_ms - state.lockout_ms, "by": ""})
    return clear_lockout(state)


def _note_mismatch(state: TransferState, feed: Feed, config: PduConfig, journal: Journal) -> TransferState:
    """Tell once that a source has the frequency of another grid; it is bad, so that nothing is connected to it."""
    if state.mismatch or state.connected_ms is not None:
        return state
    for source in Source:
        departure = state.sense(source).departure
        measured_mhz = feed.of(source).frequency_mhz
        if departure is None or departure.rung.way is not Way.FREQUENCY or measured_mhz is None:
            continue
        if abs(measured_mhz - config.nominal_mhz) >= MISMATCH_MHZ:
            data: dict[str, Detail] = {"measured_mhz": measured_mhz, "nominal_mhz": config.nominal_mhz}
            journal.add(EventCode.NOMINAL_MISMATCH, source=source, data=data)
            return replace(state, mismatch=True)
    return state


def _note_grades(state: TransferState, before: TransferState, journal: Journal) -> TransferState:
    if before.main.grade is state.main.grade and before.backup.grade is state.backup.grade:
        return state
    lost = list(state.lost)
    for index, source in enumerate(Source):
        was, now = before.sense(source), state.sense(source)
        if was.grade is now.grade:
            continue
        if now.grade is Grade.BAD and now.departure is not None:
            lost[index] = _note_loss(source, now.departure, state, journal)
        elif now.grade is Grade.GOOD and lost[index] is not None:
            journal.add(EventCode.SOURCE_RESTORED, source=source, because=lost[index])
            lost[index] = None
    return replace(state, lost=(lost[0], lost[1]))


_ACTIVE_EVENT: Mapping[Way, EventCode] = {
    Way.OVER: EventCode.OVERVOLTAGE,
    Way.UNDER: EventCode.UNDERVOLTAGE,
}


def _note_loss(source: Source, departure: Departure, state: TransferState, journal: Journal) -> int:
    because = None
    code = _ACTIVE_EVENT.get(departure.rung.way)
    if code is not None and source is state.position and state.isolator_closed:
        because = journal.add(code, source=source, data=departure.numbers)
    return journal.add(EventCode.SOURCE_LOST, source=source, data=departure.numbers, because=because)


def _note_redundancy(state: TransferState, now_ms: int, journal: Journal) -> TransferState:
    if state.mode is not Mode.CLOSED:
        return state
    idle = state.position.other
    redundant = state.sense(idle).grade is not Grade.BAD
    if redundant is state.redundant or (not redundant and now_ms - state.started_ms < REDUNDANCY_GRACE_MS):
        return state
    if not redundant:
        journal.add(EventCode.REDUNDANCY_LOST, source=idle, because=state.lost_event(idle))
    elif state.redundant is False:
        journal.add(EventCode.REDUNDANCY_RESTORED, source=idle)
    return replace(state, redundant=redundant)
