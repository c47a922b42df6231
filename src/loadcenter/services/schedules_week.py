"""Occurrences between two instants with what became of them: what the week on the page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loadcenter.domain.occurrences import (
    Conflict,
    Edge,
    Marks,
    Occurrence,
    RunKey,
    RunResult,
    conflicts,
)
from loadcenter.domain.schedules import DAY_MS, DURATION_MS_MAX, Act, ScheduleError
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports.schedules import RunFilter, RunRow, ScheduleRow
from loadcenter.services.schedules import CONFLICTS_MAX, Schedules

RANGE_MS_MAX: Final = 62 * DAY_MS
ITEMS_MAX: Final = 5_000
AWAY_MS_MAX: Final = 10 * 365 * DAY_MS
"""How far from now a range may lie."""


class OccurrenceState(StrEnum):
    """What an occurrence is, for one outlet: to come, under way, or what became of its beginning."""

    PLANNED = "planned"
    DISABLED = "disabled"
    RUNNING = "running"
    DONE = "done"
    LATE = "late"
    MISSED = "missed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    OVERRIDDEN = "overridden"
    SENT = "sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WeekItem:
    """One occurrence of a schedule at one outlet."""

    schedule_id: str
    name: str
    place: OutletId
    act: Act
    start_ms: int
    end_ms: int | None
    state: OccurrenceState
    code: str


@dataclass(frozen=True, slots=True)
class Week:
    """Everything between two instants: occurrences by time, and the conflicts among those to come."""

    items: tuple[WeekItem, ...]
    conflicts: tuple[Conflict, ...]


class Weeks:
    """Reads occurrences with their states."""

    def __init__(self, schedules: Schedules) -> None:
        self._schedules = schedules

    async def between(self, since_ms: int, until_ms: int, pdu_id: str | None = None) -> Week:
        """Return what reaches since <= time < until, of one PDU or of all.

        Raises:
            ScheduleError: the range is empty, longer than 62 days or over 10 years away, or holds over 5,000 occurrences.
            StoreUnavailableError: the database is away.
        """
        if not 0 < until_ms - since_ms <= RANGE_MS_MAX:
            raise ScheduleError(
                f"give a range of at most {RANGE_MS_MAX // DAY_MS} days, its end after its beginning"
            )
        now_ms = self._schedules.clock.now_ms()
        if max(abs(since_ms - now_ms), abs(until_ms - now_ms)) > AWAY_MS_MAX:
            raise ScheduleError(f"give a range within {AWAY_MS_MAX // (365 * DAY_MS)} years from now")
        rows = {row.id: row for row in self._schedules.rows()}
        coming = self._schedules.occurrences(since_ms, until_ms, rows.values())
        wanted = RunFilter(since_ms - DURATION_MS_MAX, until_ms, limit=2 * ITEMS_MAX)
        runs = {run.key: run for run in await self._schedules.store.runs(wanted)}
        marks = self._schedules.marks()
        items = [
            *_past(runs, coming, marks, since_ms, now_ms),
            *_coming(coming, rows, runs, marks, now_ms),
        ]
        shown = [one for one in items if pdu_id in (None, one.place.pdu_id)]
        if len(shown) > ITEMS_MAX:
            raise ScheduleError(
                f"there are {len(shown)} occurrences, at most {ITEMS_MAX} are shown: give a shorter range"
            )
        ahead = [one for one in coming if one.until_ms > now_ms and rows[one.schedule_id].enabled]
        happening = [one for one in ahead if (one.schedule_id, one.start_ms) not in marks.skipped]
        clashes = [one for one in conflicts(happening) if pdu_id in (None, one.place.pdu_id)]
        ordered = sorted(shown, key=lambda one: (one.start_ms, one.place, one.schedule_id))
        return Week(tuple(ordered), tuple(clashes[:CONFLICTS_MAX]))


def _past(
    runs: Mapping[RunKey, RunRow], coming: Sequence[Occurrence], marks: Marks, since_ms: int, now_ms: int
) -> list[WeekItem]:
    """Return what has been decided; a schedule that was changed or removed since is still told as it ran."""
    ends_ms = {(one.schedule_id, one.start_ms): one.end_ms for one in coming}
    items = []
    for key, run in runs.items():
        if key.edge is Edge.END:
            continue
        end = runs.get(RunKey(key.schedule_id, key.start_ms, Edge.END, key.place))
        end_ms = ends_ms.get((key.schedule_id, key.start_ms)) if end is None else end.due_ms
        if (key.start_ms if end_ms is None else end_ms) < since_ms:
            continue
        state, code = _state_of(run, end, end_ms, marks, now_ms)
        items.append(
            WeekItem(
                key.schedule_id, run.schedule_name, key.place, run.act, key.start_ms, end_ms, state, code
            )
        )
    return items


def _state_of(
    begin: RunRow, end: RunRow | None, end_ms: int | None, marks: Marks, now_ms: int
) -> tuple[OccurrenceState, str]:
    key = begin.key
    taken = marks.overridden.get((key.schedule_id, key.start_ms, key.place))
    if begin.past.result.switched and taken is not None:
        return OccurrenceState.OVERRIDDEN, taken
    if (
        end is not None
        and end.past.result is not begin.past.result
        and end.past.result
        not in (
            RunResult.DONE,
            RunResult.LATE,
        )
    ):
        return OccurrenceState(end.past.result.value), end.past.code
    under_way = end is None and end_ms is not None and now_ms < end_ms
    if under_way and begin.past.result in (RunResult.DONE, RunResult.LATE):
        return OccurrenceState.RUNNING, begin.past.code
    return OccurrenceState(begin.past.result.value), begin.past.code


def _coming(
    coming: Sequence[Occurrence],
    rows: Mapping[str, ScheduleRow],
    runs: Mapping[RunKey, RunRow],
    marks: Marks,
    now_ms: int,
) -> list[WeekItem]:
    items = []
    for one in coming:
        row = rows[one.schedule_id]
        waiting = row.decided_ms < one.start_ms and one.start_ms + one.late_ms >= now_ms
        if one.start_ms <= now_ms and not (row.enabled and waiting):
            continue
        state = OccurrenceState.PLANNED if row.enabled else OccurrenceState.DISABLED
        if (one.schedule_id, one.start_ms) in marks.skipped:
            state = OccurrenceState.SKIPPED
        items += [
            WeekItem(one.schedule_id, row.name, place, one.act, one.start_ms, one.end_ms, state, "")
            for place in one.targets
            if RunKey(one.schedule_id, one.start_ms, Edge.BEGIN, place) not in runs
        ]
    return items
