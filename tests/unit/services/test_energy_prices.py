"""Imported prices of energy, and the tariff where there are none."""

from datetime import date, datetime

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.schedules import FakeSchedules

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.tariffs import Price, Tariff, Tariffs
from loadcenter.services.energy_prices import ROWS_MAX, EnergyPrices, PriceListError, read_prices
from loadcenter.services.ports.schedules import PriceRow

QUARTER, HOUR = 900_000, 3_600_000
VIENNA = SiteCalendar("Europe/Vienna")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def rows(text: str) -> list[PriceRow]:
    return read_prices(text, VIENNA.wall_ms)


def test_each_price_holds_until_the_next_and_the_last_as_long_as_the_one_before() -> None:
    text = "Start, Price\n2026-05-05T00:00,0.21\n2026-05-05T00:15,-0.05\n\n2026-05-05T04:00+02:00,0\n"
    begin = ms("2026-05-05T00:00+02:00")
    assert rows(text) == [
        PriceRow(begin, begin + QUARTER, 210_000),
        PriceRow(begin + QUARTER, begin + QUARTER + HOUR, -50_000),
        PriceRow(begin + 4 * HOUR, begin + 5 * HOUR, 0),
    ]


def test_of_an_hour_that_the_clock_shows_twice_the_second_line_is_the_second() -> None:
    starts = [row.start_ms for row in rows("2026-10-25T02:00,1\n2026-10-25T02:00,2\n2026-10-25T03:00,3")]
    assert starts == [ms("2026-10-25T02:00+02:00") + n * HOUR for n in range(3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 0 prices"),
        ("x\n" * (ROWS_MAX + 1), f"has {ROWS_MAX + 1} prices"),
        ("2026-05-05T00:00", "price 1 is '2026-05-05T00:00': write"),
        ("2026-05-05T00:00,dear", "write 2026-11-24T13:00,0.21"),
        ("2026-05-05T00:00,1,2", "write 2026"),
        ("2026-05-05T00:00,nan", "price 1 is nan: give -1000 to 1000"),
        ("2026-05-05T00:00,1001", "for one kWh"),
        ("2026-05-05T00:10,1", "at a quarter of an hour"),
        ("2026-05-05T01:00,1\n2026-05-05T00:00,1", "price 2 begins at or before"),
    ],
)
def test_a_list_that_is_none_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PriceListError, match=said):
        rows(text)


async def test_an_imported_price_goes_before_the_tariff() -> None:
    begin = ms("2026-05-05T00:00+02:00")
    tariffs = Tariffs("EUR", (Tariff(date(2026, 5, 5), Price("day", 300_000)),))
    prices = EnergyPrices(FakeSchedules(), FakeClock(begin), VIENNA, tariffs)
    await prices.add("2026-05-05T00:15,0.1\n2026-05-05T00:30,0.2")
    shown = [one.micro_per_kwh for one in prices.quarters(begin - QUARTER, begin + 4 * QUARTER)]
    assert shown == [None, 300_000, 100_000, 200_000, 300_000]
