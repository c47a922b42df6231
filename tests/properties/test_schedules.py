"""Schedules through years of virtual time, restarts and clocks that are set; and a person's switching in between."""

import random
from bisect import bisect
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.adapters.calendar import Location, SiteAlmanac
from loadcenter.domain.cheapest import PricedQuarter
from loadcenter.domain.occurrences import (
    Edge,
    Marks,
    Occurrence,
    Past,
    RunKey,
    RunResult,
    decide,
    steps_of,
    taken_over,
)
from loadcenter.domain.schedules import Act, ClockMoment, Days, Plan, Span, SunEvent, SunMoment
from loadcenter.domain.topology import OutletId
from loadcenter.services.schedule_times import Circumstances, occurrences

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ZONES = [
    "UTC", "Europe/Vienna", "Europe/London", "Europe/Dublin", "Atlantic/Azores", "America/New_York", "America/St_Johns",
    "America/Havana", "America/Santiago", "America/Asuncion", "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut",
    "Asia/Kathmandu", "Asia/Jerusalem", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham",
    "America/Godthab",
]  # fmt: skip
FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)
PLACES = OutletId("rack-1", 1), OutletId("rack-1", 2)
SEED = 20_261_124


class NoPrices:
    def quarters(self, since_ms: int, until_ms: int) -> list[PricedQuarter]:
        return []


def plan(zone: str, span: Span, places: tuple[OutletId, ...] = PLACES[:1]) -> Plan:
    return Plan(places, Act.ON, Days(FIRST, "FREQ=DAILY;UNTIL=20281231"), span, zone, late_ms=20 * MINUTE)


class Site:
    """What survives a restart of the control center: how far schedules are decided, and what became of their steps."""

    def __init__(self, zone: str) -> None:
        almanac = SiteAlmanac(zone, Location(30.0, 10.0))
        around = Circumstances(almanac, frozenset(), NoPrices(), {})
        plans = {
            "gap": plan(
                zone, Span(ClockMoment(150), ClockMoment(190))
            ),  # 02:30 to 03:10, which some nights lack
            "sun": plan(zone, Span(SunMoment(SunEvent.SUNRISE)), PLACES[1:]),
        }
        start_ms, end_ms = (
            round(datetime.combine(day, time(), UTC).timestamp()) * 1000
            for day in (FIRST - timedelta(days=2), LAST + timedelta(days=3))
        )
        found = [
            one for name, made in plans.items() for one in occurrences(name, made, start_ms, end_ms, around)
        ]
        self.known = sorted(found, key=lambda one: one.start_ms)
        self.starts = [one.start_ms for one in self.known]
        self.dues = sorted({step.due_ms for one in self.known for step in steps_of(one)})
        self.decided = dict.fromkeys(plans, start_ms)
        self.past: dict[RunKey, Past] = {}
        self.switched: Counter[RunKey] = Counter()

    def look(self, now_ms: int, *, dies: bool = False) -> None:
        """Decide and switch what is due, as the scheduler does; where it dies, nothing is written and nothing sent."""
        near = self.known[bisect(self.starts, now_ms - DAY) : bisect(self.starts, now_ms)]
        since = {name: min(at_ms, now_ms) for name, at_ms in self.decided.items()}
        decisions = decide(near, since, self.past, Marks(), now_ms)
        if dies:
            return
        self.decided = dict.fromkeys(self.decided, now_ms)
        for one in decisions:
            self.past[one.step.key] = one.past
            self.switched[one.step.key] += one.past.result is RunResult.SENT

    def live(self, rng: random.Random) -> None:
        """Look at everything that is due; sometimes late, dying, or with a clock that is set back and forth."""
        for due_ms in self.dues:
            kind = rng.random()
            if kind < 0.05:
                self.look(due_ms, dies=True)
                self.look(due_ms + rng.randrange(15 * MINUTE))
            elif kind < 0.10:
                self.look(due_ms + rng.randrange(15 * MINUTE))
                self.look(due_ms - rng.randrange(3 * HOUR))
                self.look(due_ms + 16 * MINUTE)
            else:
                self.look(due_ms)


@pytest.mark.parametrize("zone", ZONES)
def test_each_occurrence_of_five_years_switches_once_at_its_local_time(zone: str) -> None:
    site = Site(zone)
    site.live(random.Random(f"{SEED} {zone}"))
    assert set(site.switched.values()) == {1}
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    local = ZoneInfo(zone)
    for name, edges in (("gap", (Edge.BEGIN, Edge.END)), ("sun", (Edge.BEGIN,))):
        for edge in edges:
            starts = sorted(
                key.start_ms for key in site.switched if (key.schedule_id, key.edge) == (name, edge)
            )
            walls = [datetime.fromtimestamp(at / 1000, local) for at in starts]
            assert [one.date() for one in walls] == days
            odd = [one for one in walls if name == "gap" and (one.hour, one.minute, one.fold) != (2, 30, 0)]
            assert all(jumped(one.date(), local) for one in odd)


def jumped(day: date, local: ZoneInfo) -> bool:
    """Return whether the clock of a day never shows 02:30."""
    wall = datetime.combine(day, time(2, 30), local)
    return wall.astimezone(UTC).astimezone(local).time() != time(2, 30)


@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(0, 400 * 24 * 60), min_size=1, max_size=6),
    st.sampled_from(
        [Span(ClockMoment(120), ClockMoment(60)), Span(ClockMoment(1439), duration_ms=50 * HOUR)]
    ),
)
def test_a_range_has_the_same_occurrences_however_it_is_cut(zone: str, cuts: list[int], span: Span) -> None:
    around = Circumstances(SiteAlmanac(zone), frozenset(), NoPrices(), {})
    bounds = sorted({0, 400 * DAY, *(one * MINUTE for one in cuts)})
    first_ms = 1_704_067_200_000
    pieces = [
        one
        for since, until in pairwise(bounds)
        for one in occurrences("s", plan(zone, span), first_ms + since, first_ms + until, around)
        if one.start_ms >= first_ms + since
    ]
    whole = occurrences("s", plan(zone, span), first_ms, first_ms + 400 * DAY, around)
    assert pieces == [one for one in whole if one.start_ms >= first_ms]


# ---- people in between --------------------------------------------------------------------------------------------------

OCCURRENCES = st.lists(
    st.builds(
        lambda name, start, length, act, late: Occurrence(
            name, start * HOUR, (start + length) * HOUR if length else None, act, late * HOUR, PLACES
        ),
        st.sampled_from("abc"),
        st.integers(0, 30),
        st.integers(0, 9),
        st.sampled_from([Act.ON, Act.OFF]),
        st.integers(0, 3),
    ),
    max_size=8,
    unique_by=lambda one: (one.schedule_id, one.start_ms),
)


@given(OCCURRENCES, st.integers(0, 40), st.integers(0, 40), st.sets(st.integers(0, 45)))
def test_a_person_ends_every_occurrence_that_exists_and_no_later_one(
    known: list[Occurrence], person_h: int, set_back_h: int, looks: set[int]
) -> None:
    """Until the person comes and after, each look decides; the clock may be set back at that instant."""
    decided, past = dict.fromkeys("abc", -1), {}
    person_ms = person_h * HOUR + 1
    switched: list[tuple[int, RunKey]] = []

    def look(now_ms: int, marks: Marks) -> None:
        since = {name: min(at_ms, now_ms) for name, at_ms in decided.items()}
        for one in decide(known, since, past, marks, now_ms):
            past[one.step.key] = one.past
            if one.past.result is RunResult.SENT:
                switched.append((now_ms, one.step.key))
        decided.update(dict.fromkeys(decided, now_ms))

    for hour in sorted(one for one in looks if one <= person_h):
        look(hour * HOUR, Marks())
    before = len(switched)
    taken = taken_over(known, PLACES[0], person_ms)
    marks = Marks(overridden=dict.fromkeys(taken, "person_off"))
    for hour in sorted(one for one in looks if one > person_h - set_back_h):
        look(hour * HOUR + 2, marks)
    after = [key for _, key in switched[before:] if key.place == PLACES[0]]
    existing = {(one.schedule_id, one.start_ms) for one in known if one.concerns(person_ms)}
    assert not existing & {(key.schedule_id, key.start_ms) for key in after}
    assert {(one[0], one[1]) for one in taken} == existing
    keys = [key for _, key in switched]
    assert len(set(keys)) == len(keys)


@given(OCCURRENCES, st.sets(st.integers(0, 45)), st.integers(0, 45))
def test_what_was_decided_does_not_depend_on_restarts(
    known: list[Occurrence], looks: set[int], again_h: int
) -> None:
    """A look that is repeated decides nothing more: what survives a restart is all that matters."""
    decided, past = dict.fromkeys("abc", -1), {}
    for hour in sorted(looks | {again_h}):
        for _ in range(2 if hour == again_h else 1):
            found = decide(known, decided, past, Marks(), hour * HOUR)
            past |= {one.step.key: one.past for one in found}
        if hour != again_h:
            decided = dict.fromkeys(decided, hour * HOUR)
    found = decide(known, decided, past, Marks(), again_h * HOUR)
    assert found == []


def test_what_is_due_at_once_switches_each_outlet_once() -> None:
    every = [
        Occurrence(f"s{n}", n * MINUTE, None, Act.ON if n % 3 else Act.OFF, DAY, PLACES) for n in range(50)
    ]
    found = decide(every, {one.schedule_id: -1 for one in every}, {}, Marks(), HOUR)
    sent = [one.step.key.place for one in found if one.past.result is RunResult.SENT]
    assert (len(found), sorted(sent)) == (100, sorted(PLACES))
