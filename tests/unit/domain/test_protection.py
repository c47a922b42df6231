from dataclasses import replace

import pytest

from loadcenter.domain.protection import (
    CLEAR,
    FAILED_MS,
    Guard,
    Latch,
    Seen,
    Trip,
    closing,
    in_overcurrent,
    opening,
    watch,
)
from loadcenter.domain.settings import Curve, LimitAction, OutletConfig
from loadcenter.domain.thermal import Heat

CONFIG = OutletConfig(limit_ma=4000, limit_ms=2000, curve_ma=10_000)
"""The curve out of the way of the person's own limit."""


class Played:
    """What a course of currents led to."""

    def __init__(
        self, currents, *, step_ms=20, closed=True, config=CONFIG, guard=CLEAR, tripped=False, power=None
    ):
        self.guard, self.latch, self.trip_ms, self.told, self.shed = guard, None, None, [], False
        for index, current_ma in enumerate(currents):
            now_ms = index * step_ms
            seen = Seen(closed, tripped, False, current_ma, power)
            watched = watch(self.guard, seen, config, 10, step_ms, now_ms)
            self.guard = watched.guard
            self.told += [(now_ms, code.value) for code, _ in watched.told]
            self.shed = self.shed or watched.shed
            if watched.latch is not None and self.trip_ms is None:
                self.trip_ms, self.latch = now_ms, watched.latch


# ---- the person's own limit


def test_a_current_at_the_limit_never_trips():
    assert Played([4000] * 1000).trip_ms is None


@pytest.mark.parametrize("step_ms", [1, 7, 20, 100, 1000])
def test_a_current_over_the_limit_trips_after_its_time_at_any_step_length(step_ms):
    played = Played([4001] * (6000 // step_ms), step_ms=step_ms)
    assert 2000 <= played.trip_ms < 2000 + step_ms
    assert played.latch == Latch(Trip.OVERCURRENT, 4001, 4000, 2000)


def test_one_step_within_the_limit_starts_the_time_anew():
    assert Played([5000] * 99 + [4000] + [5000] * 99).trip_ms is None
    assert Played([5000] * 99 + [4000] + [5000] * 101).trip_ms == 200 * 20


def test_a_motor_start_is_shorter_than_the_limit():
    assert Played([9_900] * 25 + [1500] * 500).trip_ms is None


def test_the_numbers_compared_stand_in_the_latch():
    assert Played([6200] * 200).latch.numbers == {
        "trip": "overcurrent",
        "i_ma": 6200,
        "limit_ma": 4000,
        "limit_ms": 2000,
    }


def test_power_over_its_limit_trips_with_its_own_numbers():
    config = replace(CONFIG, limit_mw=500_000, limit_ms=100)
    played = Played([2200] * 20, config=config, power=500_001)
    assert played.trip_ms == 100
    assert played.latch.numbers == {
        "trip": "overpower",
        "p_mw": 500_001,
        "limit_mw": 500_000,
        "limit_ms": 100,
    }


def test_a_warning_is_told_once_and_ends_five_per_cent_below_the_limit():
    config = replace(CONFIG, limit_action=LimitAction.WARN)
    played = Played([4500] * 200 + [3900] * 50 + [4500] * 200 + [3800] * 50, config=config)
    assert played.latch is None
    assert played.told == [(2000, "limit_exceeded"), (9000, "limit_cleared")]
    assert not in_overcurrent(Played([4500] * 50, config=config).guard, config)


def test_an_outlet_over_its_limit_may_be_shed_instead():
    played = Played([4500] * 101, config=replace(CONFIG, limit_action=LimitAction.SHED))
    assert played.latch is None
    assert played.shed
    assert played.told == [(2000, "shed")]


# ---- the curve, the heat, the instantaneous trip


def test_the_curve_trips_whatever_the_action_of_the_limit():
    config = OutletConfig(limit_action=LimitAction.WARN, curve=Curve.EI, curve_ma=4000)
    played = Played([12_000] * 600, config=config)
    assert played.latch.trip is Trip.INVERSE_TIME
    assert played.latch.limit_ms == played.trip_ms
    assert 9_960 <= played.trip_ms <= 10_040  # 80 / (3^2 - 1) s


def test_a_hot_relay_trips_at_any_current():
    guard = Guard(heat=Heat(1_000_000))
    assert Played([3000], guard=guard).latch.trip is Trip.THERMAL


def test_what_the_sampler_has_opened_is_latched_with_its_peak():
    seen = Seen(True, False, False, 3000, None, peak_ma=24_000)
    latch = watch(CLEAR, seen, CONFIG, 10, 20, 1000).latch
    assert latch.numbers == {"trip": "instantaneous", "i_ma": 24_000, "limit_ma": 17_600, "limit_ms": 1}


def test_after_a_trip_no_time_runs_on():
    seen = Seen(True, False, False, 6200)
    watched = watch(Played([6200] * 100).guard, seen, CONFIG, 10, 20, 100 * 20)
    assert watched.latch is not None
    assert watched.guard.over_since_ms is None
    assert watched.guard.picked_up_ms is None


# ---- the inrush mask


def test_a_mask_lasts_150_ms_and_the_next_one_of_a_load_may_begin_after_two_seconds():
    guard = closing(CLEAR, 1000)
    assert (guard.masked(1149), guard.masked(1150)) == (True, False)
    quiet = Played([100] * 99, guard=closing(CLEAR, 0)).guard
    assert not quiet.quiet(1980)
    assert Played([100] * 101, guard=closing(CLEAR, 0)).guard.quiet(2000)


def test_a_load_is_quiet_after_200_ms_below_a_quarter_of_the_rating():
    guard = Played([999] * 10).guard
    assert (guard.quiet(180), guard.quiet(200)) == (False, True)
    assert not Played([1000] * 20).guard.quiet(400)


# ---- relays and sensors that fail


def test_current_through_an_open_relay_for_long_enough_is_a_weld():
    assert Played([201] * 50, closed=False).told == [(200, "relay_welded")]
    assert Played([200] * 50, closed=False).told == []
    assert Played([500] * 10 + [0] * 10, closed=False).told == []


def test_a_weld_is_told_once_and_known_until_the_relay_is_closed_again():
    played = Played([500] * 20 + [0] * 20 + [500] * 40, closed=False)
    assert played.told == [(200, "relay_welded")]
    assert played.guard.welded
    assert not Played([500], guard=played.guard).guard.welded


def test_a_tripped_outlet_that_carries_current_is_a_failure_of_its_breaker():
    played = Played([201] * 10, closed=False, tripped=True)
    assert played.trip_ms == FAILED_MS
    assert played.latch == Latch(Trip.BREAKER_FAILURE, 201, 200, FAILED_MS)


def test_so_is_an_open_outlet_that_carries_more_than_its_rating():
    assert Played([4001] * 10, closed=False).latch.trip is Trip.BREAKER_FAILURE


def test_three_closings_without_any_draw_make_an_outlet_suspect_if_it_drew_before():
    guard, told = Played([500] * 5).guard, []
    for _ in range(4):
        guard = Played([0] * 100, guard=closing(guard, 0)).guard
        guard, suspect = opening(guard, 2000)
        told.append(suspect)
    assert told == [False, False, True, False]
    never = Played([0] * 100).guard
    assert opening(replace(never, barren=2), 2000) == (replace(never, barren=2), False)


def test_a_faulty_sensor_is_told_and_trips_nothing():
    seen = Seen(True, False, False, 9_900, None, faulty=True)
    watched = watch(CLEAR, seen, CONFIG, 10, 20, 0)
    assert [code.value for code, _ in watched.told] == ["sensor_fault"]
    later = watch(watched.guard, seen, CONFIG, 10, 20, 60_000)
    assert (later.latch, later.told) == (None, ())
    back = watch(later.guard, replace(seen, faulty=False, current_ma=100), CONFIG, 10, 20, 60_020)
    assert [code.value for code, _ in back.told] == ["sensor_restored"]
