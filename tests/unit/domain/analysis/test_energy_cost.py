"""Bills by hand."""

from datetime import date

from loadcenter.domain.analysis.energy_cost import Amount, Bill, merged_days
from loadcenter.domain.analysis.metering import Gap
from loadcenter.domain.tariffs import LocalTime, Price, Tariff, Tariffs, Window

SUNDAY, MONDAY, TUESDAY = date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24)
DAY, NIGHT = Price("day", 300_000), Price("night", 200_000)
TARIFFS = Tariffs("EUR", (Tariff(MONDAY, DAY, (Window(NIGHT, frozenset(range(7)), 22 * 60, 6 * 60),)),))


def test_each_quarter_is_billed_at_its_price_and_on_its_day() -> None:
    bill = Bill()
    bill.add_energy(MONDAY, TARIFFS.price_at(LocalTime(MONDAY, 23 * 60 + 45)), 1_000_000, 900_000)
    bill.add_energy(TUESDAY, TARIFFS.price_at(LocalTime(TUESDAY, 0)), 2_000_000, 900_000)
    bill.add_energy(TUESDAY, TARIFFS.price_at(LocalTime(TUESDAY, 12 * 60)), 1_000_000, 800_000)
    assert bill.total == Amount(4_000_000, 900_000_000_000, covered_ms=2_600_000)
    assert {price.name: part.energy_mwh for price, part in bill.by_price.items()} == {
        "night": 3_000_000,
        "day": 1_000_000,
    }
    assert bill.by_day[MONDAY].cost_pico == 200_000_000_000
    assert bill.total.cost_range() == (900_000_000_000, 900_000_000_000)


def test_energy_in_a_gap_costs_between_the_lowest_and_the_highest_price() -> None:
    bill = Bill()
    bill.add_gap(TUESDAY, Gap(0, 10, 1_000_000), (200_000, 300_000))
    assert bill.total.cost_range() == (200_000_000_000, 300_000_000_000)
    assert (bill.total.energy_mwh, bill.total.in_gap_mwh) == (0, 1_000_000)
    assert bill.by_day[TUESDAY].in_gap_mwh == 1_000_000


def test_energy_from_before_the_first_tariff_has_no_price_and_so_has_the_sum() -> None:
    bill = Bill()
    bill.add_energy(SUNDAY, TARIFFS.price_at(LocalTime(SUNDAY, 0)), 5, 900_000)
    bill.add_energy(MONDAY, TARIFFS.price_at(LocalTime(MONDAY, 0)), 5, 900_000)
    assert bill.total.unpriced_mwh == 5
    assert bill.total.cost_range() is None
    gap = Bill()
    gap.add_gap(MONDAY, Gap(0, 10, 7), None)
    assert (gap.total.gap_unpriced_mwh, gap.total.cost_range()) == (7, None)


def test_days_of_several_outlets_are_added_in_order() -> None:
    one, other = Bill(), Bill()
    one.add_energy(TUESDAY, TARIFFS.price_at(LocalTime(TUESDAY, 0)), 5, 1)
    other.add_energy(MONDAY, TARIFFS.price_at(LocalTime(MONDAY, 0)), 6, 1)
    other.add_energy(TUESDAY, TARIFFS.price_at(LocalTime(TUESDAY, 15)), 7, 1)
    days = merged_days({1: one, 2: other})
    assert [(day, amount.energy_mwh) for day, amount in days.items()] == [(MONDAY, 6), (TUESDAY, 12)]
