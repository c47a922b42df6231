"""Never both sources closed, on contacts as they move; and a transfer switch that never hunts."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.test_cycle import COURSES, act
from tests.unit.domain.bench import Bench

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.events import Cause, EventCode
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer_table import ISOLATOR_CLOSED, Mode
from loadcenter.simulator.contacts import Changeover, Contact, RelayPair, Timing, any_timing

MOVES = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(Source)), max_size=20)
TIMINGS = st.builds(Timing, st.integers(5, 10), st.integers(3, 10), st.integers(0, 3))


def closed_each_ms(switch, moves):
    """Return what a switch connects, millisecond by millisecond, over a course of drives."""
    now_ms, seen = 100, []
    for wait_ms, position in moves:
        for _ in range(wait_ms):
            seen.append(switch.closed_to(now_ms))
            now_ms += 1
        switch.drive(position, now_ms)
    return seen + [switch.closed_to(now_ms + later_ms) for later_ms in range(40)]


@given(TIMINGS, MOVES)
def test_a_changeover_leaves_one_source_before_it_reaches_the_other(timing, moves):
    seen = closed_each_ms(Changeover(timing), moves)
    for before, after in pairwise(seen):
        assert before is after or None in (before, after), "no source follows the other without a gap"
    assert seen[-1] is (moves[-1][1] if moves else Source.MAIN)


@given(TIMINGS, TIMINGS, st.lists(st.sampled_from(Source), max_size=10))
def test_a_relay_pair_with_its_dead_time_never_closes_both(main, backup, positions):
    pair = RelayPair(main, backup, dead_ms=10)
    for turn, position in enumerate(positions):
        pair.drive(position, turn * 100)
    assert pair.violations == 0


def test_without_dead_time_the_same_check_reports_a_violation():
    slow_release = Timing(operate_ms=5, release_ms=10, bounce_ms=0)
    pair = RelayPair(slow_release, slow_release, dead_ms=0)
    pair.drive(Source.BACKUP, 100)
    assert pair.violations == 1


@given(TIMINGS, st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=20))
def test_a_contact_follows_its_drive_within_its_times(timing, drives):
    contact, now_ms, driven = Contact(timing), 0, False
    for wait_ms, closed in drives:
        now_ms += wait_ms
        contact.closed(now_ms)
        contact.drive(closed, now_ms)
        driven = closed
    assert contact.closed(now_ms + 14) is driven


def test_relay_times_lie_in_the_range_of_their_kind():
    for seed in range(50):
        timing = any_timing(random.Random(seed))
        assert 5 <= timing.operate_ms <= 10
        assert 3 <= timing.release_ms <= 10
        assert 0 <= timing.bounce_ms <= 3


@settings(deadline=None, max_examples=60)
@given(COURSES)
def test_the_isolator_follows_from_the_mode(course):
    bench = Bench()
    for action in course:
        act(bench, action)
        drives, switch = bench.state.drives, bench.state.transfer
        assert drives.isolator_closed is (switch.mode in ISOLATOR_CLOSED)


@settings(deadline=None, max_examples=60)
@given(COURSES)
def test_transfers_as_they_are_told_lead_to_where_the_changeover_stands(course):
    bench = Bench()
    position = bench.active
    for action in course:
        act(bench, action)
    bench.run(200)
    for _, event in bench.told:
        if event.code is EventCode.TRANSFER:
            assert event.data["from"] == position
            position = event.source
    assert position is bench.active or bench.state.transfer.mode is not Mode.CLOSED


@settings(deadline=None, max_examples=100)
@given(COURSES.map(lambda course: [one for one in course if one != ("order", Order(Do.CLEAR_LOCKOUT))]))
def test_returns_and_manual_transfers_stay_within_their_number(course):
    bench = Bench(PduConfig(max_transfers_per_hour=1, retransfer_delay_s=0))
    for action in course:
        act(bench, action)
    counted = [
        event
        for _, event in bench.told
        if event.code is EventCode.TRANSFER and event.cause in (Cause.RETRANSFER, Cause.MANUAL)
    ]
    assert len(counted) <= 1
    assert len(counted) == 0 or bench.state.transfer.lockout_ms is not None
