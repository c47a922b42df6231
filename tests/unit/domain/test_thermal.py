import math

import pytest

from loadcenter.domain.thermal import COLD, TAU_S, Heat, of_stage, trip_ma, warmed

RATING_MA = 4000
TRIP_MA = trip_ma(RATING_MA)


def seconds_to_trip(current_ma):
    heat, seconds = COLD, 0
    while not heat.trips:
        heat, seconds = warmed(heat, current_ma, 1, RATING_MA), seconds + 1
    return seconds


@pytest.mark.parametrize("current_ma", [4600, 6000, 8800, 17_000])
def test_the_time_to_the_trip_is_that_of_the_thermal_image(current_ma):
    wanted_s = TAU_S * math.log(current_ma**2 / (current_ma**2 - TRIP_MA**2))
    assert abs(seconds_to_trip(current_ma) - wanted_s) <= max(1, 0.01 * wanted_s)


def test_at_its_rating_an_outlet_never_trips():
    heat = COLD
    for _ in range(3600):
        heat = warmed(heat, 4000, 1, RATING_MA)
    assert not heat.trips
    assert heat.ppm == pytest.approx((4000 / TRIP_MA) ** 2 * 1_000_000, rel=0.001)


def test_it_cools_down_to_nothing():
    heat = Heat(1_000_000)
    for _ in range(20 * TAU_S):
        heat = warmed(heat, 0, 1, RATING_MA)
    assert heat.ppm == 0


def test_stages_are_quarters_of_the_trip():
    assert [Heat(ppm).stage_pct for ppm in (249_999, 250_000, 750_000, 3_000_000)] == [0, 25, 75, 100]
    assert of_stage(75).ppm == 750_000
    assert of_stage(0) is COLD


def test_nothing_changes_in_a_cold_relay_without_current():
    assert warmed(COLD, 0, 5, RATING_MA) is COLD
