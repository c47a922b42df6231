import pytest

from loadcenter.domain.protection import CLEAR, Latch, Trip, watch
from loadcenter.domain.settings import OutletConfig

CONFIG = OutletConfig(limit_ma=4000, limit_ms=2000)


def play(currents, *, step_ms=20, closed=True, config=CONFIG):
    """Return (time of the trip, its latch, time at which welding was found, guard) over a course of currents."""
    guard, trip_ms, latch, welded_ms = CLEAR, None, None, None
    for index, current_ma in enumerate(currents):
        now_ms = index * step_ms
        seen = watch(guard, closed=closed, current_ma=current_ma, config=config, now_ms=now_ms)
        guard = seen.guard
        if seen.latch is not None and trip_ms is None:
            trip_ms, latch = now_ms, seen.latch
        if seen.found_welded:
            assert welded_ms is None, "told twice"
            welded_ms = now_ms
    return trip_ms, latch, welded_ms, guard


def test_a_current_at_the_limit_never_trips():
    assert play([4000] * 1000)[0] is None


@pytest.mark.parametrize("step_ms", [1, 7, 20, 100, 1000])
def test_a_current_over_the_limit_trips_after_its_time_at_any_step_length(step_ms):
    trip_ms, latch, _, _ = play([4001] * (6000 // step_ms), step_ms=step_ms)
    assert 2000 <= trip_ms < 2000 + step_ms
    assert latch == Latch(Trip.OVERCURRENT, 4001, 4000, 2000)


def test_one_step_within_the_limit_starts_the_time_anew():
    assert play([5000] * 99 + [4000] + [5000] * 99)[0] is None
    assert play([5000] * 99 + [4000] + [5000] * 101)[0] == 200 * 20


def test_a_motor_start_is_shorter_than_the_limit():
    assert play([24_000] * 25 + [1500] * 500)[0] is None


def test_the_numbers_compared_stand_in_the_latch():
    _, latch, _, _ = play([6200] * 200)
    assert latch.numbers == {"trip": "overcurrent", "i_ma": 6200, "limit_ma": 4000, "limit_ms": 2000}


def test_after_a_trip_nothing_is_remembered_but_the_latch():
    seen = watch(play([6200] * 100)[3], closed=True, current_ma=6200, config=CONFIG, now_ms=100 * 20)
    assert seen.latch is not None
    assert seen.guard is CLEAR


def test_current_through_an_open_relay_for_long_enough_is_a_weld():
    assert play([201] * 50, closed=False)[2] == 200
    assert play([200] * 50, closed=False)[2] is None
    assert play([500] * 10 + [0] * 10, closed=False)[2] is None


def test_a_weld_is_told_once_and_known_until_the_relay_is_closed_again():
    _, _, _, guard = play([500] * 20 + [0] * 20 + [500] * 40, closed=False)
    assert guard.welded
    assert watch(guard, closed=True, current_ma=500, config=CONFIG, now_ms=9000).guard is CLEAR
