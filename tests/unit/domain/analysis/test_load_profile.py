"""Demand, peaks, load factor and standby with known answers."""

from datetime import date

import pytest

from loadcenter.domain.analysis.load_profile import (
    Demand,
    LoadProfile,
    load_factor,
    standby,
    total_demand,
)
from loadcenter.domain.rollups import Stat
from loadcenter.domain.tariffs import LocalTime

MONDAY = date(2026, 11, 23)
QUARTER_MS = 900_000


def profile(*quarters: tuple[int, int, int, int]) -> LoadProfile:
    """(number of the quarter, mean, highest, covered seconds)."""
    made = LoadProfile()
    for number, mean_mw, high_mw, covered_s in quarters:
        stat = Stat.of(mean_mw, covered_s, 0, high_mw)
        made.add(number * QUARTER_MS, LocalTime(MONDAY, number * 15 % 1440), stat, covered_s * 1000)
    return made


def test_demand_is_the_highest_mean_of_a_quarter_and_the_peak_the_highest_reading() -> None:
    made = profile((0, 100, 900, 900), (1, 300, 400, 900), (2, 200, 200, 900))
    assert made.demand == Demand(300, QUARTER_MS)
    assert made.highest == Demand(900, 0)
    assert load_factor(made.power.mean, made.demand) == pytest.approx(200 / 300)


def test_a_quarter_with_few_readings_is_no_demand_but_its_peak_counts() -> None:
    made = profile((0, 100, 100, 900), (1, 5000, 5000, 809), (2, 150, 150, 810))
    assert made.demand == Demand(150, 2 * QUARTER_MS)
    assert made.highest == Demand(5000, QUARTER_MS)


def test_an_outlet_that_draws_nothing_has_no_load_factor() -> None:
    made = profile((0, 0, 0, 900))
    assert load_factor(made.power.mean, made.demand) is None
    assert load_factor(None, None) is None


def test_a_quarter_without_readings_changes_nothing() -> None:
    made = LoadProfile()
    made.add(0, LocalTime(MONDAY, 0), Stat(), 900_000)
    assert made == LoadProfile()


def test_hours_are_those_of_the_week() -> None:
    made = profile((0, 100, 100, 900), (3, 200, 200, 900), (4, 500, 500, 900))
    assert {hour: stat.mean for hour, stat in made.hours.items()} == {(0, 0): 150.0, (0, 1): 500.0}


def test_the_demand_of_all_outlets_is_at_one_time_and_only_where_all_are_known() -> None:
    one = profile((0, 100, 100, 900), (1, 300, 300, 900), (2, 900, 900, 900))
    other = profile((0, 500, 500, 900), (1, 200, 200, 900), (2, 900, 900, 100))
    assert total_demand([one, other]) == Demand(600, 0)
    assert total_demand([]) is None
    assert total_demand([one, LoadProfile()]) is None


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
