"""What is done about each occurrence of a schedule: done, late, missed, skipped, overridden or refused.

An occurrence has a beginning and mostly an end; each of these, for each outlet, is a *step* and is decided once. What is
remembered are the steps decided and what people did about occurrences (`Marks`); everything else follows from the time.

The rules, in this order:

1. A person has skipped the occurrence: its steps are `skipped`.
2. A person has switched the outlet while the occurrence was running: what is left of it is `overridden`. An occurrence
   that starts later is another one and may switch again.
3. An end does what its beginning was followed by: if that was missed, refused or never happened, so is the end.
4. A step later than it may be, or the beginning of an occurrence that is over, is `missed`.
5. An outlet held off is not switched on: `refused` with `held_off`.
6. Of several steps of one outlet that are due together only the last one switches, and an end leaves the outlet to
   another occurrence that still wants it as it is: `overridden` with `superseded`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from loadcenter.domain.schedules import Act
from loadcenter.domain.topology import OutletId

ON_TIME_MS = 5_000
"""A run within this of its time is `done`, not `late`."""

HELD_OFF = "held_off"
SUPERSEDED = "superseded"
OVER = "over"


class Edge(StrEnum):
    """Which end of an occurrence."""

    BEGIN = "begin"
    END = "end"


class RunResult(StrEnum):
    """What became of a step. `sent` is under way; `unknown` was sent and not answered, and a late answer settles it."""

    SENT = "sent"
    DONE = "done"
    LATE = "late"
    MISSED = "missed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    OVERRIDDEN = "overridden"
    UNKNOWN = "unknown"

    @property
    def switched(self) -> bool:
        """Whether the outlet was, or may have been, switched."""
        return self in _SWITCHED


_SWITCHED = (RunResult.SENT, RunResult.DONE, RunResult.LATE, RunResult.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a schedule comes about; `end_ms` is None for an instant.

    Attributes:
        schedule_id: of which schedule.
        start_ms: UTC of its beginning, which also names it.
        end_ms: UTC of its end, at which `on` and `off` are undone.
        act: what is done at its beginning.
        late_ms: how late a step of it may be.
        targets: the outlets.
    """

    schedule_id: str
    start_ms: int
    end_ms: int | None
    act: Act
    late_ms: int
    targets: tuple[OutletId, ...]

    @property
    def until_ms(self) -> int:
        """Its end, or its instant."""
        return self.start_ms if self.end_ms is None else self.end_ms

    def concerns(self, now_ms: int) -> bool:
        """Return whether it is running at `now_ms`, or has begun and may still be carried out late."""
        last_ms = self.start_ms + self.late_ms if self.end_ms is None else self.end_ms - 1
        return self.start_ms <= now_ms <= last_ms


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """Names a step: the beginning or end of an occurrence, for one outlet."""

    schedule_id: str
    start_ms: int
    edge: Edge
    place: OutletId


@dataclass(frozen=True, slots=True)
class Step:
    """A step with the time at which it is due and what it does."""

    key: RunKey
    due_ms: int
    act: Act
    occurrence: Occurrence

    @property
    def rank(self) -> tuple[int, bool, str, int]:
        """The order of steps: by time, ends before beginnings, so that what begins has the last word."""
        return self.due_ms, self.key.edge is Edge.BEGIN, self.key.schedule_id, self.key.start_ms


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a step, and the code of the reason where there is one."""

    result: RunResult
    code: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What people have done about occurrences and outlets.

    Attributes:
        skipped: (schedule, start) of occurrences that shall not happen.
        overridden: for (schedule, start, outlet) the code of what a person did while it was running.
        held_off: outlets that no schedule switches on.
    """

    skipped: Collection[tuple[str, int]] = frozenset()
    overridden: Mapping[tuple[str, int, OutletId], str] = field(default_factory=dict)
    held_off: Collection[OutletId] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a step: `sent` means that it switches now."""

    step: Step
    past: Past


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two schedules want one outlet on and off at the same time."""

    place: OutletId
    first: Occurrence
    second: Occurrence
    since_ms: int
    until_ms: int


def steps_of(occurrence: Occurrence) -> list[Step]:
    """Return the steps of an occurrence, for all its outlets."""
    steps = [_step(occurrence, Edge.BEGIN, place) for place in occurrence.targets]
    if occurrence.end_ms is not None:
        steps += [_step(occurrence, Edge.END, place) for place in occurrence.targets]
    return steps


def _step(occurrence: Occurrence, edge: Edge, place: OutletId) -> Step:
    key = RunKey(occurrence.schedule_id, occurrence.start_ms, edge, place)
    if edge is Edge.BEGIN:
        return Step(key, occurrence.start_ms, occurrence.act, occurrence)
    return Step(key, occurrence.until_ms, Act.OFF if occurrence.act.wants_on else Act.ON, occurrence)


def decide(
    occurrences: Iterable[Occurrence],
    decided_ms: Mapping[str, int],
    past: Mapping[RunKey, Past],
    marks: Marks,
    now_ms: int,
) -> list[Decision]:
    """Return what is done now, in order: every step due after its schedule's `decided_ms` and up to `now_ms`, once.

    Args:
        occurrences: at least those with a step in that time, and those running now.
        decided_ms: by schedule, until when its steps have been decided; an end whose beginning lies before it and has
            no past belongs to a time at which the schedule did not exist.
        past: what became of earlier steps, at least of the beginnings of these occurrences.
        marks: what people have done.
        now_ms: UTC.
    """
    known = list(occurrences)
    due = [
        step
        for occurrence in known
        for step in steps_of(occurrence)
        if decided_ms[occurrence.schedule_id] < step.due_ms <= now_ms and step.key not in past
    ]
    seen = dict(past)
    decisions = []
    for step in sorted(due, key=lambda one: one.rank):
        ruled = _ruled(step, seen, marks, now_ms)
        if ruled is not None:
            seen[step.key] = ruled
            decisions.append(Decision(step, ruled))
    return _settled(decisions, known, seen, marks, now_ms)


def _ruled(step: Step, past: Mapping[RunKey, Past], marks: Marks, now_ms: int) -> Past | None:
    """Return what rules 1 to 5 say of a step: `sent` if nothing speaks against it, None if it never existed."""
    key, occurrence = step.key, step.occurrence
    if (key.schedule_id, key.start_ms) in marks.skipped:
        return Past(RunResult.SKIPPED)
    taken = marks.overridden.get((key.schedule_id, key.start_ms, key.place))
    if key.edge is Edge.END:
        begun = past.get(RunKey(key.schedule_id, key.start_ms, Edge.BEGIN, key.place))
        if begun is None:
            return None
        if not begun.result.switched:
            return begun
    if taken is not None:
        return Past(RunResult.OVERRIDDEN, taken)
    if now_ms - step.due_ms > max(occurrence.late_ms, ON_TIME_MS):
        return Past(RunResult.MISSED)
    if key.edge is Edge.BEGIN and occurrence.end_ms is not None and occurrence.end_ms <= now_ms:
        return Past(RunResult.MISSED, OVER)
    if step.act.wants_on and key.place in marks.held_off:
        return Past(RunResult.REFUSED, HELD_OFF)
    return Past(RunResult.SENT)


def _settled(
    decisions: Sequence[Decision],
    occurrences: Sequence[Occurrence],
    past: Mapping[RunKey, Past],
    marks: Marks,
    now_ms: int,
) -> list[Decision]:
    """Apply rule 6: leave an outlet to other occurrences that still want it as it is, and to the last step due."""
    switching = [
        one
        for one in decisions
        if one.past.result is RunResult.SENT and not _wanted_so(one.step, occurrences, past, marks, now_ms)
    ]
    last = {one.step.key.place: one for one in switching}
    return [
        replace(one, past=Past(RunResult.OVERRIDDEN, SUPERSEDED))
        if one.past.result is RunResult.SENT and last.get(one.step.key.place) is not one
        else one
        for one in decisions
    ]


def _wanted_so(
    step: Step,
    occurrences: Iterable[Occurrence],
    past: Mapping[RunKey, Past],
    marks: Marks,
    now_ms: int,
) -> bool:
    """Return whether `step` is an end, and another occurrence that is running wants the outlet as it is."""
    if step.key.edge is Edge.BEGIN:
        return False
    for other in occurrences:
        key = RunKey(other.schedule_id, other.start_ms, Edge.BEGIN, step.key.place)
        if (
            other is not step.occurrence
            and other.end_ms is not None
            and other.start_ms <= now_ms < other.end_ms
            and other.act.wants_on is not step.act.wants_on
            and key in past
            and past[key].result.switched
            and (key.schedule_id, key.start_ms, key.place) not in marks.overridden
        ):
            return True
    return False


def taken_over(
    occurrences: Iterable[Occurrence], place: OutletId, now_ms: int
) -> list[tuple[str, int, OutletId]]:
    """Return the occurrences that end for an outlet when a person switches it at `now_ms`: all that exist then."""
    return [
        (one.schedule_id, one.start_ms, place)
        for one in occurrences
        if place in one.targets and one.concerns(now_ms)
    ]


def conflicts(occurrences: Iterable[Occurrence]) -> list[Conflict]:
    """Return where different schedules want one outlet on and off at the same time, by outlet and time."""
    by_place: dict[OutletId, list[Occurrence]] = {}
    for one in occurrences:
        for place in one.targets:
            by_place.setdefault(place, []).append(one)
    found: list[Conflict] = []
    for place in sorted(by_place):
        found += _conflicts_of(
            place, sorted(by_place[place], key=lambda one: (one.start_ms, one.schedule_id))
        )
    return found


def _conflicts_of(place: OutletId, ordered: Sequence[Occurrence]) -> list[Conflict]:
    found: list[Conflict] = []
    running: list[Occurrence] = []
    for one in ordered:
        running = [other for other in running if _reaches(other, one.start_ms)]
        found += [
            Conflict(place, other, one, one.start_ms, min(other.until_ms, one.until_ms))
            for other in running
            if other.schedule_id != one.schedule_id and other.act.wants_on is not one.act.wants_on
        ]
        running.append(one)
    return found


def _reaches(occurrence: Occurrence, at_ms: int) -> bool:
    """Return whether an occurrence that has begun is still there at an instant."""
    return occurrence.until_ms > at_ms or occurrence.start_ms == at_ms
