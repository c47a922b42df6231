from itertools import pairwise

import pytest

from loadcenter.domain.quantities import power_factor
from loadcenter.simulator.loads import CATALOG, NOTHING, Conditions, Heater, Motor, draw_of
from loadcenter.simulator.noise import drift, noise

NOMINAL_MV = 230_000


def at(now_ms, voltage_mv=NOMINAL_MV, energised_ms=0):
    return Conditions(now_ms, energised_ms, voltage_mv, NOMINAL_MV)


def day(load, step_ms=10_000):
    return [load.draw(at(ms, energised_ms=-10_000)) for ms in range(0, 86_400_000, step_ms)]


# Mean and highest power in W of a day, and the power factor: figures as in the docstring of the module.
PUBLISHED = {
    "router": (8.5, 11, 11.5, 0.5, 0.65),
    "switch": (8.5, 11, 11.5, 0.5, 0.65),
    "monitor": (23, 30, 46, 0.5, 0.65),
    "laptop": (17, 30, 45, 0.5, 0.65),
    "pc": (45, 110, 252, 0.95, 1.0),
    "fridge": (25, 60, 328, 0.6, 0.7),
    "server": (140, 200, 270, 0.95, 1.0),
    "nas": (27, 40, 47, 0.9, 1.0),
    "projector": (215, 232, 235, 0.95, 1.0),
    "kettle": (150, 300, 1920, 1.0, 1.0),
    "lamp": (8.9, 9.3, 9.4, 0.5, 0.65),
    "charger": (0, 12, 19, 0.5, 0.65),
}


@pytest.mark.parametrize("name", CATALOG)
def test_a_load_draws_what_its_kind_does(name):
    least_mean_w, most_mean_w, most_w, least_pf, most_pf = PUBLISHED[name]
    draws = day(CATALOG[name](7))
    mean_w = sum(draw.power_mw for draw in draws) / len(draws) / 1000
    assert least_mean_w <= mean_w <= most_mean_w
    assert max(draw.power_mw for draw in draws) <= most_w * 1000
    factors = [power_factor(one.power_mw, NOMINAL_MV, one.current_ma) for one in draws if one.current_ma > 50]
    assert all(least_pf - 0.02 <= factor <= most_pf for factor in factors)


@pytest.mark.parametrize("name", CATALOG)
def test_a_draw_depends_on_time_voltage_and_seed_alone(name):
    one, same, other = CATALOG[name](3), CATALOG[name](3), CATALOG[name](4)
    assert day(one, 600_000) == day(same, 600_000) != day(other, 600_000)


@pytest.mark.parametrize("name", CATALOG)
def test_a_draw_is_never_negative_and_holds_for_some_time(name):
    load = CATALOG[name](5)
    for voltage_mv in (1000, 60_000, 120_000, 195_000, 280_000):
        for now_ms in range(0, 100_000, 777):
            draw = load.draw(at(now_ms, voltage_mv))
            assert draw.power_mw >= 0
            assert draw.current_ma >= 0
            assert draw.lasts_ms > 0
            assert draw.power_mw <= voltage_mv * draw.current_ma / 1000 * 1.001 + voltage_mv / 1000


def test_the_power_of_a_heater_follows_the_square_of_the_voltage():
    kettle = Heater(1870)
    assert kettle.draw(at(0)).power_mw == 1_870_000
    assert kettle.draw(at(0, NOMINAL_MV // 2)).power_mw == 467_500


def test_a_kettle_draws_as_recorded():
    draw = Heater(1870).draw(at(0, 232_700))
    assert draw.power_mw == pytest.approx(1_915_000, rel=0.01)
    assert draw.current_ma == pytest.approx(8230, rel=0.01)


def test_a_supply_draws_more_current_at_less_voltage_and_lets_go_far_below():
    pc = CATALOG["pc"](1)
    assert pc.draw(at(0, 160_000)).current_ma > pc.draw(at(0)).current_ma
    assert pc.draw(at(0, 60_000)) == NOTHING


def test_a_motor_starts_with_six_times_its_current_for_300_to_500_ms():
    for seed in range(20):
        motor = Motor(87, 650, on_ms=900_000, off_ms=0, seed=seed)
        first = motor.draw(at(10_000, energised_ms=10_000))
        assert first.current_ma == pytest.approx(6 * 582, rel=0.03)
        assert 300 <= first.lasts_ms <= 500
        later = motor.draw(at(10_000 + first.lasts_ms, energised_ms=10_000))
        assert later.current_ma == pytest.approx(582, rel=0.03)


def test_the_recorded_fridge_has_the_power_factor_of_the_model():
    assert draw_of(87_000, 650, 235_600).current_ma == pytest.approx(570, rel=0.01)


def test_noise_is_spread_between_its_bounds():
    values = [noise(1, slot) for slot in range(2000)]
    assert -1 <= min(values) < -0.9
    assert 0.9 < max(values) <= 1
    assert abs(sum(values) / len(values)) < 0.06


def test_a_drift_has_no_jumps():
    values = [drift(1, ms, 20_000) for ms in range(0, 200_000, 100)]
    assert max(abs(after - before) for before, after in pairwise(values)) < 0.02
