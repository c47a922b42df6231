"""What is done about occurrences: each rule by itself; tests/properties/test_schedules.py has them together."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from loadcenter.domain.occurrences import (
    Edge,
    Marks,
    Occurrence,
    Past,
    RunKey,
    RunResult,
    conflicts,
    decide,
    taken_over,
)
from loadcenter.domain.schedules import Act
from loadcenter.domain.topology import OutletId

HOUR = 3_600_000
PLACE, OTHER = OutletId("rack-1", 1), OutletId("rack-1", 2)
EVENING = Occurrence("evening", 18 * HOUR, 22 * HOUR, Act.ON, HOUR // 4, (PLACE,))
NONE: Mapping[RunKey, Past] = {}


def key(edge: Edge, occurrence: Occurrence = EVENING, place: OutletId = PLACE) -> RunKey:
    return RunKey(occurrence.schedule_id, occurrence.start_ms, edge, place)


def begun(result: RunResult = RunResult.DONE, occurrence: Occurrence = EVENING) -> dict[RunKey, Past]:
    return {key(Edge.BEGIN, occurrence): Past(result, "why" if result is RunResult.REFUSED else "")}


def results(
    *occurrences: Occurrence,
    now: float,
    since: float = 0,
    past: Mapping[RunKey, Past] = NONE,
    marks: Marks = Marks(),  # noqa: B008 - frozen
) -> list[tuple[str, str, str, str]]:
    """Return (schedule, act, result, code) of what is decided at hour `now`, decided before until hour `since`."""
    decided = {one.schedule_id: round(since * HOUR) for one in occurrences}
    found = decide(occurrences, decided, past, marks, round(now * HOUR))
    return [(d.step.key.schedule_id, d.step.act.value, d.past.result.value, d.past.code) for d in found]


def test_a_beginning_switches_and_its_end_undoes_it() -> None:
    assert results(EVENING, now=18) == [("evening", "on", "sent", "")]
    assert results(EVENING, now=22, since=18, past=begun()) == [("evening", "off", "sent", "")]
    off = replace(EVENING, act=Act.OFF)
    assert results(off, now=22, since=18, past=begun(occurrence=off)) == [("evening", "on", "sent", "")]


def test_nothing_is_decided_before_its_time_or_twice() -> None:
    assert results(EVENING, now=17.999) == []
    assert results(EVENING, now=18.1, since=18) == []
    assert results(EVENING, now=18.1, past=begun()) == []


@pytest.mark.parametrize(
    ("now", "result", "code"),
    [(18.25, "sent", ""), (18.2501, "missed", ""), (21, "missed", "")],
)
def test_a_run_may_be_so_late_and_no_later(now: float, result: str, code: str) -> None:
    assert results(EVENING, now=now) == [("evening", "on", result, code)]


def test_the_beginning_of_an_occurrence_that_is_over_is_missed_and_its_end_with_it() -> None:
    patient = replace(EVENING, late_ms=24 * HOUR)
    assert results(patient, now=22) == [
        ("evening", "on", "missed", "over"),
        ("evening", "off", "missed", "over"),
    ]


@pytest.mark.parametrize(
    "result", [RunResult.MISSED, RunResult.REFUSED, RunResult.SKIPPED, RunResult.OVERRIDDEN]
)
def test_an_end_follows_a_beginning_that_did_not_switch(result: RunResult) -> None:
    (one,) = results(EVENING, now=22, since=18, past=begun(result))
    assert one == ("evening", "off", result.value, begun(result)[key(Edge.BEGIN)].code)


@pytest.mark.parametrize("result", [RunResult.DONE, RunResult.LATE, RunResult.UNKNOWN, RunResult.SENT])
def test_an_end_is_carried_out_where_the_outlet_may_have_been_switched(result: RunResult) -> None:
    assert results(EVENING, now=22, since=18, past=begun(result)) == [("evening", "off", "sent", "")]


def test_an_end_whose_beginning_was_before_the_schedule_existed_is_none() -> None:
    assert results(EVENING, now=22, since=20) == []


def test_a_skipped_occurrence_does_not_happen() -> None:
    marks = Marks(skipped={("evening", EVENING.start_ms)})
    assert results(EVENING, now=18, marks=marks) == [("evening", "on", "skipped", "")]


def test_what_a_person_has_taken_over_is_not_switched_back() -> None:
    marks = Marks(overridden={("evening", EVENING.start_ms, PLACE): "person_off"})
    assert results(EVENING, now=22, since=18, past=begun(), marks=marks) == [
        ("evening", "off", "overridden", "person_off")
    ]
    following = replace(EVENING, start_ms=42 * HOUR, end_ms=46 * HOUR)
    assert results(following, now=42, since=22, marks=marks) == [("evening", "on", "sent", "")]


def test_an_outlet_held_off_is_not_switched_on_and_may_be_switched_off() -> None:
    marks = Marks(held_off={PLACE})
    assert results(EVENING, now=18, marks=marks) == [("evening", "on", "refused", "held_off")]
    assert results(EVENING, now=22, since=18, past=begun(), marks=marks) == [("evening", "off", "sent", "")]


def test_of_several_steps_that_are_due_together_only_the_last_switches() -> None:
    first = Occurrence("first", 17 * HOUR, None, Act.OFF, 24 * HOUR, (PLACE,))
    second = Occurrence("second", 18 * HOUR, None, Act.CYCLE, 24 * HOUR, (PLACE, OTHER))
    assert results(second, first, now=19) == [
        ("first", "off", "overridden", "superseded"),
        ("second", "cycle", "sent", ""),
        ("second", "cycle", "sent", ""),
    ]


def test_what_begins_when_another_ends_has_the_last_word() -> None:
    night = Occurrence("night", 22 * HOUR, 30 * HOUR, Act.ON, HOUR, (PLACE,))
    assert results(EVENING, night, now=22, since=18, past=begun()) == [
        ("evening", "off", "overridden", "superseded"),
        ("night", "on", "sent", ""),
    ]


def test_an_end_leaves_the_outlet_to_another_occurrence_that_still_wants_it_so() -> None:
    long = Occurrence("long", 17 * HOUR, 23 * HOUR, Act.ON, HOUR, (PLACE,))
    past = begun() | begun(occurrence=long)
    assert results(EVENING, long, now=22, since=18, past=past) == [
        ("evening", "off", "overridden", "superseded")
    ]
    taken = Marks(overridden={("long", long.start_ms, PLACE): "person_off"})
    assert results(EVENING, long, now=22, since=18, past=past, marks=taken) == [
        ("evening", "off", "sent", "")
    ]
    missed = begun() | begun(RunResult.MISSED, long)
    assert results(EVENING, long, now=22, since=18, past=missed) == [("evening", "off", "sent", "")]


def test_a_late_beginning_is_not_lost_to_an_end_that_leaves_the_outlet_to_it() -> None:
    night = Occurrence("night", 22 * HOUR - 1, 30 * HOUR, Act.ON, HOUR, (PLACE,))
    assert results(EVENING, night, now=22.1, since=18, past=begun()) == [
        ("night", "on", "sent", ""),
        ("evening", "off", "overridden", "superseded"),
    ]


def test_a_person_takes_over_what_runs_or_may_still_run_and_nothing_later() -> None:
    later = replace(EVENING, schedule_id="later", start_ms=20 * HOUR)
    elsewhere = replace(EVENING, schedule_id="elsewhere", targets=(OTHER,))
    pulse = Occurrence("pulse", 19 * HOUR - 1, None, Act.CYCLE, HOUR, (PLACE, OTHER))
    known = [EVENING, later, elsewhere, pulse]
    assert taken_over(known, PLACE, 19 * HOUR) == [
        ("evening", EVENING.start_ms, PLACE),
        ("pulse", pulse.start_ms, PLACE),
    ]
    assert taken_over(known, PLACE, 22 * HOUR) == []


def test_conflicts_are_where_one_wants_on_what_another_wants_off() -> None:
    night = Occurrence("night", 21 * HOUR, 30 * HOUR, Act.OFF, HOUR, (PLACE, OTHER))
    pulse = Occurrence("pulse", 22 * HOUR, None, Act.CYCLE, HOUR, (OTHER,))
    same = Occurrence("same", 19 * HOUR, 23 * HOUR, Act.ON, HOUR, (PLACE,))
    again = replace(night, start_ms=29 * HOUR, end_ms=40 * HOUR, act=Act.ON)
    found = conflicts([again, pulse, night, EVENING, same])
    told = [
        (c.place.outlet, c.first.schedule_id, c.second.schedule_id, c.since_ms, c.until_ms) for c in found
    ]
    assert told == [
        (1, "evening", "night", 21 * HOUR, 22 * HOUR),
        (1, "same", "night", 21 * HOUR, 23 * HOUR),
        (2, "night", "pulse", 22 * HOUR, 22 * HOUR),
    ]


def test_two_instants_conflict_only_where_they_are_one() -> None:
    on = Occurrence("on", HOUR, None, Act.ON, 0, (PLACE,))
    off = Occurrence("off", HOUR, None, Act.OFF, 0, (PLACE,))
    assert len(conflicts([on, off])) == 1
    assert conflicts([on, replace(off, start_ms=HOUR + 1)]) == []
