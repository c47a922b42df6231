import pytest

from loadcenter.domain.curves import ONE, advanced, rate, trips_at
from loadcenter.domain.settings import Curve

CONSTANTS = {Curve.NI: (0.14, 0.02), Curve.VI: (13.5, 1.0), Curve.EI: (80.0, 2.0)}
"""k and alpha of IEC 60255-151, table A.1."""


def time_to_trip_s(curve, pickup_ma, current_ma, tms_permille=1000, step_ms=20):
    progress, now_ms = 0, 0
    while progress < trips_at(tms_permille):
        progress = advanced(progress, current_ma, curve, pickup_ma, tms_permille, 10, step_ms)
        now_ms += step_ms
    return now_ms / 1000


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("pickup_ma", [1500, 4000])
@pytest.mark.parametrize("multiple", [1.2, 1.5, 2, 3, 4.25, 10])
def test_times_are_those_of_the_standard_within_five_per_cent_or_one_step(curve, pickup_ma, multiple):
    k, alpha = CONSTANTS[curve]
    current_ma = round(pickup_ma * multiple)
    wanted_s = k / ((current_ma / pickup_ma) ** alpha - 1)
    found_s = time_to_trip_s(curve, pickup_ma, current_ma)
    assert abs(found_s - wanted_s) <= max(0.05 * wanted_s, 0.02)


def test_half_the_multiplier_is_half_the_time():
    full, half = (time_to_trip_s(Curve.VI, 4000, 8000, tms) for tms in (1000, 500))
    assert abs(full - 2 * half) <= 0.04


@pytest.mark.parametrize("curve", Curve)
def test_the_rate_rises_with_the_current_and_no_more_from_16_times_on(curve):
    rates = [rate(curve, multiple) for multiple in range(ONE, 17 * ONE, 7)]
    assert rates == sorted(rates)
    assert rate(curve, 16 * ONE) == rate(curve, 100 * ONE)


def test_below_the_pickup_it_falls_to_zero_within_the_reset_time():
    progress = trips_at(1000)
    for _ in range(10_000 // 20):
        progress = advanced(progress, 4000, Curve.NI, 4000, 1000, 10, 20)
    assert progress <= trips_at(1000) // 10_000  # what the whole milliseconds leave over
    assert advanced(progress, 4000, Curve.NI, 4000, 1000, 10, 20) == 0


def test_numbers_stay_within_32_bits():
    progress = 0
    for _ in range(100):
        progress = advanced(progress, 100_000, Curve.EI, 100, 1500, 1, 20)
    assert progress == trips_at(1500) < 2**31
