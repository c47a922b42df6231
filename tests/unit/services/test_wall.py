"""The site's clock as arithmetic says what the calendar says, in every zone and over its changes."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.analysis.wall import DAY_MS, HOUR_MS, WEEK_MS, hour_of_week
from loadcenter.domain.tariffs import Price, Tariff, Tariffs, Window
from loadcenter.services.wall import Moments, wall_clock

QUARTER_MS = 900_000
ZONES = ("UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe")
EVERY_DAY = frozenset(range(7))
BASE, NIGHT, PEAK = Price("base", 3), Price("night", 1), Price("peak", 5)
WINDOWS = (Window(NIGHT, EVERY_DAY, 1320, 390), Window(PEAK, frozenset(range(5)), 1020, 1185))
TARIFFS = Tariffs("EUR", (Tariff(date(2000, 1, 1), BASE, WINDOWS),))


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.integers(1_262_304_000, 2_000_000_000), st.integers(1, 400), st.data())
def test_the_wall_shows_what_the_calendar_shows(
    zone: str, since_s: int, days: int, data: st.DataObject
) -> None:
    site = SiteCalendar(zone)
    since_ms = since_s * 1000 // QUARTER_MS * QUARTER_MS
    wall = wall_clock(site, TARIFFS, since_ms, since_ms + days * DAY_MS)
    ts_ms = since_ms + data.draw(st.integers(0, days * 96 - 1)) * QUARTER_MS
    local = site.local(ts_ms)
    shown = wall.wall_ms(ts_ms)
    assert divmod(shown // 60_000, 1440) == ((local.day - date(1970, 1, 1)).days, local.minute)
    assert hour_of_week(shown % WEEK_MS) == (local.day.weekday(), local.minute // 60)


@pytest.mark.parametrize("zone", ["Europe/Vienna", "Asia/Kathmandu"])
def test_quarters_of_one_span_have_one_day_and_one_price(zone: str) -> None:
    site = SiteCalendar(zone)
    since_ms = site.midnight_ms(date(2026, 3, 20))
    until_ms = site.midnight_ms(date(2026, 4, 3))
    wall, moments = wall_clock(site, TARIFFS, since_ms, until_ms), Moments(site, TARIFFS)
    spans: dict[int, set[tuple[date, Price | None]]] = {}
    for ts_ms in range(since_ms, until_ms, QUARTER_MS):
        local, price = moments.at(ts_ms)
        spans.setdefault(wall.span(ts_ms), set()).add((local.day, price))
    assert all(len(found) == 1 for found in spans.values())
    assert len(spans) == 14 * 5
    assert wall.changes_ms == tuple(minute * 60_000 for minute in (390, 1020, 1185, 1320))
    assert wall.whole_hours == (zone == "Europe/Vienna")
    assert (until_ms - since_ms) % HOUR_MS == 0
