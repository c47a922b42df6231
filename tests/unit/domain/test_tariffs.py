"""Tariffs by hand: windows past midnight, days of the week, days of validity, exact money."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.domain.tariffs import LocalTime, Price, Tariff, Tariffs, Window, cost_pico

DAY, NIGHT, PEAK = Price("day", 300_000), Price("night", 200_000), Price("peak", 400_000)
FRIDAY = date(2026, 11, 20)
SATURDAY, SUNDAY, MONDAY = date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)
NIGHTS = Window(NIGHT, frozenset(range(5)), 22 * 60, 6 * 60)
TARIFF = Tariff(date(2026, 1, 1), DAY, (NIGHTS, Window(PEAK, frozenset(range(7)), 17 * 60, 20 * 60)), 250_000)
TARIFFS = Tariffs("EUR", (TARIFF, Tariff(date(2026, 12, 1), PEAK)))


@pytest.mark.parametrize(
    ("day", "clock", "price"),
    [
        (FRIDAY, "21:59", DAY),
        (FRIDAY, "22:00", NIGHT),
        (SATURDAY, "05:59", NIGHT),
        (SATURDAY, "06:00", DAY),
        (SATURDAY, "22:00", DAY),
        (SUNDAY, "05:59", DAY),
        (SUNDAY, "23:00", DAY),
        (MONDAY, "05:00", DAY),
        (MONDAY, "16:59", DAY),
        (MONDAY, "17:00", PEAK),
        (MONDAY, "20:00", DAY),
        (date(2026, 12, 1), "00:00", PEAK),
        (date(2025, 12, 31), "23:59", None),
    ],
)
def test_the_price_at_a_local_time(day: date, clock: str, price: Price | None) -> None:
    minute = int(clock[:2]) * 60 + int(clock[3:])
    assert TARIFFS.price_at(LocalTime(day, minute)) == price


def test_the_first_window_that_holds_counts() -> None:
    always = Window(PEAK, frozenset(range(7)), 0, 1440)
    tariff = Tariff(date(2026, 1, 1), DAY, (always, NIGHTS))
    assert tariff.price_at(LocalTime(FRIDAY, 23 * 60)) == PEAK


def test_the_range_of_prices_knows_every_tariff_within_it() -> None:
    assert TARIFFS.price_range(FRIDAY, MONDAY) == (200_000, 400_000)
    assert (
        Tariffs("EUR", (Tariff(FRIDAY, DAY), Tariff(SUNDAY, NIGHT))).price_range(SUNDAY, MONDAY)
        == (200_000,) * 2
    )
    assert TARIFFS.price_range(date(2025, 12, 1), MONDAY) is None


def test_a_kilowatt_hour_costs_its_price() -> None:
    assert cost_pico(1_000_000, DAY) == 300_000_000_000
    assert TARIFFS.fee_pico(FRIDAY) == 250_000_000_000
    assert TARIFFS.fee_pico(date(2025, 1, 1)) == 0


@given(st.lists(st.integers(0, 10**9)), st.integers(-(10**6), 10**6))
def test_the_cost_of_the_parts_is_the_cost_of_the_whole(parts: list[int], micro: int) -> None:
    price = Price("any", micro)
    assert sum(cost_pico(part, price) for part in parts) == cost_pico(sum(parts), price)
