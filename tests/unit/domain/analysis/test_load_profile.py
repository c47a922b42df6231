"""Demand, peaks, load factor and standby with known answers."""

import pytest

from loadcenter.domain.analysis.load_profile import (
    STANDBY_DAYS,
    Demand,
    LoadProfile,
    Standby,
    load_factor,
    sampled_days,
    standby,
)
from loadcenter.domain.rollups import Stat


def test_the_power_of_a_profile_is_that_of_all_its_hours() -> None:
    made = LoadProfile({(0, 0): Stat(2, 50, 150, 200), (6, 23): Stat(1, 0, 400, 400)})
    assert made.power == Stat(3, 0, 400, 600)
    assert LoadProfile().power.mean is None


def test_the_load_factor_is_the_mean_over_the_demand() -> None:
    assert load_factor(200, Demand(300, 0)) == pytest.approx(200 / 300)


def test_an_outlet_that_draws_nothing_has_no_load_factor() -> None:
    assert load_factor(0, Demand(0, 0)) is None
    assert load_factor(None, None) is None


@pytest.mark.parametrize(("days", "outlets"), [(1, 1), (31, 8), (256, 1), (0, 3)])
def test_a_month_of_eight_outlets_is_read_whole(days: int, outlets: int) -> None:
    assert list(sampled_days(days, outlets)) == list(range(days))


@pytest.mark.parametrize(("days", "outlets"), [(365, 8), (400, 24), (63, 8), (400, 4), (257, 1)])
def test_of_a_long_period_every_nth_day_is_read_and_all_days_of_the_week(days: int, outlets: int) -> None:
    sample = sampled_days(days, outlets)
    assert len(sample) * outlets <= STANDBY_DAYS + outlets
    assert {day % 7 for day in sample} == set(range(7))


def test_what_was_read_of_a_part_is_scaled_to_the_whole() -> None:
    assert Standby(2000, 10, 20, 30).scaled(300, 100) == Standby(2000, 30, 60, 90)
    assert Standby(2000, 10, 20, 30).scaled(100, 100) == Standby(2000, 10, 20, 30)


def test_standby_is_what_five_percent_of_the_time_on_lie_below() -> None:
    # 2 W for 20 hours, 90 W for 4 hours
    found = standby({20: 20 * 3_600_000, 900: 4 * 3_600_000})
    assert found is not None
    assert (found.power_mw, found.resting_ms, found.on_ms) == (2000, 20 * 3_600_000, 24 * 3_600_000)
    assert found.energy_mwh == 20 * 2050


def test_a_short_time_below_is_no_standby() -> None:
    found = standby({0: 4, 500: 96})
    assert found is not None
    assert found.power_mw == 50_000
    rests_at_nothing = standby({0: 6, 500: 94})
    assert rests_at_nothing is not None
    assert (rests_at_nothing.power_mw, rests_at_nothing.energy_mwh) == (0, 0)


def test_an_outlet_that_was_never_on_has_no_standby() -> None:
    assert standby({}) is None
