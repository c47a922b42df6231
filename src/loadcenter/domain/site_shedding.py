"""Shedding and restore over the PDUs of a site: one pure step a second, on what the control center knows.

A circuit over its limit for the dwell loses the outlets that bring it within again, the lowest priority first, all at
once, since each answer takes a second or two. Then it is waited until the PDUs have carried that out and measured anew.
If the total has not fallen by half of what was opened, shedding has no effect there and stops. Back come those that were
shed, the highest priority first, one at a time, with room in every circuit up to the root. What a person, a lock or a
trip has decided meanwhile ends that.

All times are UTC in ms, so that the state can be kept over a restart; `shifted` moves it along when the clock is set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loadcenter.domain.budget import Load
from loadcenter.domain.events import Detail, EventCode
from loadcenter.domain.origin import site_origin
from loadcenter.domain.site import (
    Circuit,
    SeenOutlet,
    SeenPdu,
    SiteConfig,
    choose,
    circuits_of,
    total_of,
)
from loadcenter.domain.topology import OutletId, Source

ANSWER_MS = 15_000
"""An outlet that is not seen to obey by then has not: a command expires after 10 s, its answer after 12 s."""

SETTLE_MS = 2_000
"""From the last outlet that obeyed until the totals are measured anew: two readings at 1 Hz."""

BLOCK_MS = 60_000
"""An outlet that has not obeyed is left out for this long, so that others are shed instead."""

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Mark:
    """An outlet that this site has shed.

    Attributes:
        since_ms: when it was asked to open.
        draw: what it carried then.
        numbers: what was compared.
        seen_off: it was reported off by this site since.
        asked_ms: when it was asked to close again, None while it is not.
    """

    since_ms: int
    draw: Load
    numbers: Mapping[str, Detail] = field(default_factory=dict)
    seen_off: bool = False
    asked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Overload:
    """A circuit that is over its limit.

    Attributes:
        since_ms: since when.
        before: its load when something was shed last, None before the first.
        expected: what that should have taken away.
        futile: it had no effect; nothing more is shed until the overload ends.
        told: it was told that nothing is left to shed.
    """

    since_ms: int
    before: Load | None = None
    expected: Load | None = None
    futile: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class SiteState:
    """All that shedding at a site remembers.

    Attributes:
        marks: the outlets that are shed.
        overloads: by key of the circuit.
        backup_since: since when each PDU is on BACKUP.
        blocked: until when an outlet that did not obey is left out.
        restores: when outlets were asked to close within the last hour.
        changed_ms: when something was last shed or restored, or was last seen to obey.
    """

    marks: Mapping[OutletId, Mark] = field(default_factory=dict)
    overloads: Mapping[str, Overload] = field(default_factory=dict)
    backup_since: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[OutletId, int] = field(default_factory=dict)
    restores: Mapping[OutletId, tuple[int, ...]] = field(default_factory=dict)
    changed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Something to be told: an event of a PDU with its numbers."""

    code: EventCode
    pdu_id: str
    outlet: int | None
    numbers: Mapping[str, Detail]


@dataclass(frozen=True, slots=True)
class Step:
    """What a site decides in one step.

    Attributes:
        state: to be remembered, and kept before anything is done.
        shed: outlets to open now.
        restore: outlet to close now.
        told: what is to be told.
    """

    state: SiteState
    shed: tuple[OutletId, ...] = ()
    restore: OutletId | None = None
    told: tuple[Told, ...] = ()


def step(state: SiteState, pdus: Sequence[SeenPdu], config: SiteConfig, now_ms: int) -> Step:
    """Return what to shed, restore and tell now; nothing, with the same state, where nothing has changed."""
    work = _Work(state, pdus, config, now_ms)
    work.follow_marks()
    work.follow_backup()
    work.follow_circuits()
    if not work.in_flight():
        work.shed_stages()
        work.shed_overloads()
        if not work.shed:
            work.restore_one()
    return work.finish()


def overruled(state: SiteState, outlet: OutletId) -> SiteState:
    """Return the state after a person has decided over an outlet: what was shed there stays as it is."""
    if outlet not in state.marks:
        return state
    return replace(state, marks={key: mark for key, mark in state.marks.items() if key != outlet})


def shifted(state: SiteState, by_ms: int) -> SiteState:
    """Return the state after the clock was set by `by_ms`."""
    return SiteState(
        {
            key: replace(
                mark,
                since_ms=mark.since_ms + by_ms,
                asked_ms=None if mark.asked_ms is None else mark.asked_ms + by_ms,
            )
            for key, mark in state.marks.items()
        },
        {key: replace(one, since_ms=one.since_ms + by_ms) for key, one in state.overloads.items()},
        {key: since_ms + by_ms for key, since_ms in state.backup_since.items()},
        {key: until_ms + by_ms for key, until_ms in state.blocked.items()},
        {key: tuple(at_ms + by_ms for at_ms in times) for key, times in state.restores.items()},
        None if state.changed_ms is None else state.changed_ms + by_ms,
    )


class _Work:
    """One step under way."""

    def __init__(self, state: SiteState, pdus: Sequence[SeenPdu], config: SiteConfig, now_ms: int) -> None:
        self._before = state
        self._config = config
        self._now_ms = now_ms
        self._pdus = pdus
        self._seen = {one.outlet: one for pdu in pdus for one in pdu.outlets}
        self._circuits = circuits_of(config, pdus)
        self._marks = dict(state.marks)
        self._overloads = dict(state.overloads)
        self._backup_since = dict(state.backup_since)
        self._blocked = {key: until for key, until in state.blocked.items() if until > now_ms}
        self._restores = _recent(state.restores, now_ms)
        self._changed_ms = state.changed_ms
        self.shed: list[OutletId] = []
        self._restore: OutletId | None = None
        self._told: list[Told] = []

    def follow_marks(self) -> None:
        """Note which outlets have obeyed, and forget those over which somebody else has decided."""
        for key, mark in list(self._marks.items()):
            known = key.pdu_id in self._config.pdus
            followed = self._followed(mark, self._seen.get(key)) if known else None
            if followed is None:
                del self._marks[key]
            else:
                self._marks[key] = followed

    def _followed(self, mark: Mark, seen: SeenOutlet | None) -> Mark | None:
        if seen is None or not seen.reachable:
            # what is not heard decides nothing: it is looked at again when it is
            if not mark.seen_off and not self._awaited(mark):
                self._forget_expected()
            return mark
        if seen.locked or seen.tripped:
            return None
        if seen.on:
            if mark.seen_off:
                self._changed_ms = self._now_ms
                return None
            return self._given_up(mark, seen)
        if seen.by != site_origin(self._config.site_id):
            return None
        if not mark.seen_off:
            self._changed_ms = self._now_ms
            return replace(mark, seen_off=True)
        if mark.asked_ms is not None and not self._awaited(mark):
            return replace(mark, asked_ms=None)
        return mark

    def _given_up(self, mark: Mark, seen: SeenOutlet) -> Mark | None:
        if self._awaited(mark):
            return mark
        self._blocked[seen.outlet] = self._now_ms + BLOCK_MS
        self._forget_expected()
        return None

    def _forget_expected(self) -> None:
        """Nothing was opened, so that the total has not fallen says nothing of the shedding."""
        self._overloads = {
            key: replace(one, before=None, expected=None) for key, one in self._overloads.items()
        }

    def _awaited(self, mark: Mark) -> bool:
        asked_ms = mark.asked_ms if mark.seen_off else mark.since_ms
        return asked_ms is not None and self._now_ms - asked_ms < ANSWER_MS

    def follow_backup(self) -> None:
        """Note since when each PDU is on BACKUP; one that is not heard stays where it was."""
        for pdu in self._pdus:
            if pdu.source is Source.MAIN:
                self._backup_since.pop(pdu.pdu_id, None)
            else:
                self._backup_since.setdefault(pdu.pdu_id, self._now_ms)
        known = {pdu.pdu_id for pdu in self._pdus}
        self._backup_since = {key: at for key, at in self._backup_since.items() if key in known}

    def follow_circuits(self) -> None:
        """Note which circuits are over their limits, and since when."""
        over = {circuit.key: circuit for circuit in self._circuits if circuit.over}
        for circuit in self._circuits:
            ended = self._overloads.get(circuit.key)
            if ended is not None and circuit.key not in over and (ended.told or ended.futile):
                self._tell(EventCode.WITHIN_BUDGET, circuit)
        self._overloads = {key: self._overloads.get(key, Overload(self._now_ms)) for key in over}

    def in_flight(self) -> bool:
        """Return whether an answer is awaited, or the totals are not yet measured with it."""
        waiting = any(self._awaited(mark) for mark in self._marks.values())
        return waiting or self._since_change_ms() < SETTLE_MS

    def _since_change_ms(self) -> int:
        return HOUR_MS if self._changed_ms is None else self._now_ms - self._changed_ms

    def shed_stages(self) -> None:
        """Shed what is given up after this long on BACKUP."""
        for pdu in self._pdus:
            since_ms = self._backup_since.get(pdu.pdu_id)
            kept = None if since_ms is None else self._config.kept_priority(self._now_ms - since_ms)
            if since_ms is None or kept is None:
                continue
            numbers: Mapping[str, Detail] = {
                "stage_s": (self._now_ms - since_ms) // 1000,
                "keep_priority": kept,
            }
            for one in pdu.outlets:
                if one.priority > kept and self._may_shed(one):
                    self._shed(one, numbers)

    def shed_overloads(self) -> None:
        """Shed what brings each circuit within its limit, from leaf to root."""
        for circuit in self._circuits:
            overload = self._overloads.get(circuit.key)
            left = circuit.without(self._seen[key] for key in self.shed)
            if overload is None or overload.futile or not left.over or not self._due(circuit, overload):
                continue
            if self._had_no_effect(circuit, overload):
                self._overloads[circuit.key] = replace(overload, futile=True)
                self._tell(EventCode.SHED_FUTILE, circuit)
                continue
            chosen = choose(left, (one for one in self._seen.values() if self._may_shed(one)))
            for one in chosen:
                self._shed(one, circuit.numbers)
            self._overloads[circuit.key] = self._shed_for(circuit, overload, left, chosen)

    def _shed_for(
        self, circuit: Circuit, overload: Overload, left: Circuit, chosen: Sequence[SeenOutlet]
    ) -> Overload:
        told = overload.told
        if left.without(chosen).over and not told:
            self._tell(EventCode.OVER_BUDGET, circuit)
            told = True
        if not chosen:
            return replace(overload, told=told)
        gone = total_of(self._seen[key].load for key in self.shed if circuit.feeds(key))
        return replace(overload, told=told, before=circuit.load, expected=gone)

    def _due(self, circuit: Circuit, overload: Overload) -> bool:
        dwelt = self._now_ms - overload.since_ms >= self._config.dwell_s * 1000
        return dwelt or circuit.limit.half_more_passed_by(circuit.load)

    @staticmethod
    def _had_no_effect(circuit: Circuit, overload: Overload) -> bool:
        if overload.before is None or overload.expected is None:
            return False
        fallen_ma = overload.before.current_ma - circuit.load.current_ma
        return fallen_ma < overload.expected.current_ma // 2

    def _may_shed(self, one: SeenOutlet) -> bool:
        return one.sheddable and one.outlet not in self._marks and one.outlet not in self._blocked

    def _shed(self, one: SeenOutlet, numbers: Mapping[str, Detail]) -> None:
        self._marks[one.outlet] = Mark(self._now_ms, one.load, numbers)
        self._changed_ms = self._now_ms
        self.shed.append(one.outlet)
        data = {**numbers, "draw_ma": one.load.current_ma, "draw_mw": one.load.power_mw}
        self._told.append(Told(EventCode.SHED, one.outlet.pdu_id, one.outlet.outlet, data))

    def restore_one(self) -> None:
        """Close the shed outlet of the highest priority again, if it fits in every circuit."""
        if self._overloads or self._since_change_ms() < self._config.restore_delay_s * 1000:
            return
        shed = [
            self._seen[key]
            for key, mark in self._marks.items()
            if mark.seen_off and key in self._seen and self._seen[key].reachable
        ]
        first = min(shed, key=lambda one: (one.priority, one.outlet), default=None)
        if first is None or not self._may_restore(first):
            return
        key, mark = first.outlet, self._marks[first.outlet]
        self._marks[key] = replace(mark, asked_ms=self._now_ms)
        self._restores[key] = (*self._restores.get(key, ()), self._now_ms)
        self._changed_ms = self._now_ms
        self._restore = key
        draw = _larger(mark.draw, first.draw)
        data: dict[str, Detail] = {"draw_ma": draw.current_ma, "draw_mw": draw.power_mw}
        for circuit in self._circuits:
            if circuit.feeds(key):
                data |= circuit.numbers
        self._told.append(Told(EventCode.RESTORED, key.pdu_id, key.outlet, data))

    def _may_restore(self, one: SeenOutlet) -> bool:
        mark = self._marks[one.outlet]
        rested = self._now_ms - mark.since_ms >= self._config.min_off_s * 1000
        often = len(self._restores.get(one.outlet, ())) >= self._config.max_restores_per_hour
        since_ms = self._backup_since.get(one.outlet.pdu_id)
        kept = None if since_ms is None else self._config.kept_priority(self._now_ms - since_ms)
        given_up = kept is not None and one.priority > kept
        if not rested or often or given_up:
            return False
        return all(
            circuit.limit.fits_well(circuit.load, _larger(mark.draw, one.draw))
            for circuit in self._circuits
            if circuit.feeds(one.outlet)
        )

    def _tell(self, code: EventCode, circuit: Circuit) -> None:
        # the last PDU may have left BACKUP, and so ended what was told of it
        pdu_id = min(circuit.pdus or self._config.pdus)
        self._told.append(Told(code, pdu_id, None, circuit.numbers))

    def finish(self) -> Step:
        """Return what was decided."""
        state = SiteState(
            self._marks,
            self._overloads,
            self._backup_since,
            self._blocked,
            self._restores,
            self._changed_ms,
        )
        return Step(
            self._before if state == self._before else state,
            tuple(self.shed),
            self._restore,
            tuple(self._told),
        )


def _larger(first: Load, second: Load) -> Load:
    """Return the larger of both in each: a load may have risen between the order to open and its opening."""
    return Load(max(first.current_ma, second.current_ma), max(first.power_mw, second.power_mw))


def _recent(restores: Mapping[OutletId, Iterable[int]], now_ms: int) -> dict[OutletId, tuple[int, ...]]:
    kept = {key: tuple(at for at in times if now_ms - at < HOUR_MS) for key, times in restores.items()}
    return {key: times for key, times in kept.items() if times}
