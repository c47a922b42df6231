"""Local midnights, with every kind of daylight saving that there is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.adapters.calendar import SiteCalendar, TimeZoneError

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ZONES = [
    "UTC", "Europe/Vienna", "America/New_York", "America/St_Johns", "America/Havana", "Africa/Cairo", "Asia/Kathmandu",
    "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia", "Pacific/Kiritimati",
]  # fmt: skip


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "start", "following"),
    [
        ("2026-06-01T12:00+02:00", "2026-06-01T00:00+02:00", "2026-06-02T00:00+02:00"),
        ("2026-06-01T00:00+02:00", "2026-06-01T00:00+02:00", "2026-06-02T00:00+02:00"),
        ("2026-05-31T23:59:59.999+02:00", "2026-05-31T00:00+02:00", "2026-06-01T00:00+02:00"),
        ("2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("2026-10-25T02:30+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
    ],
    ids=["noon", "midnight", "just before", "23 hours long", "25 hours long"],
)
def test_a_day_of_the_site_begins_at_its_midnight(at: str, start: str, following: str) -> None:
    calendar = SiteCalendar("Europe/Vienna")
    assert calendar.day_start_ms(ms(at)) == ms(start)
    assert calendar.next_day_start_ms(ms(at)) == ms(following)


def test_a_midnight_that_the_clocks_jump_over_is_the_instant_of_the_jump() -> None:
    """In Beirut clocks go from 00:00 to 01:00 on 29 March 2026."""
    calendar = SiteCalendar("Asia/Beirut")
    assert calendar.day_start_ms(ms("2026-03-29T15:00+03:00")) == ms("2026-03-29T01:00+03:00")
    assert calendar.next_day_start_ms(ms("2026-03-28T15:00+02:00")) == ms("2026-03-29T01:00+03:00")


@pytest.mark.parametrize("zone", ZONES)
@given(ts_ms=st.integers(ms("2005-01-01T00:00+00:00"), ms("2037-01-01T00:00+00:00")))
def test_days_follow_each_other_without_hole_or_overlap(zone: str, ts_ms: int) -> None:
    calendar = SiteCalendar(zone)
    start, following = calendar.day_start_ms(ts_ms), calendar.next_day_start_ms(ts_ms)
    assert start <= ts_ms < following
    assert 22 * HOUR_MS <= following - start <= 26 * HOUR_MS
    assert calendar.day_start_ms(following) == following
    assert calendar.day_start_ms(following - 1) == start
    assert datetime.fromtimestamp(start / 1000, UTC).astimezone(ZoneInfo(zone)).hour in (0, 1)


@pytest.mark.parametrize("zone", ["Vienna", "", "CEST+2", "../etc/passwd", "/etc/localtime", "Europe/\x00"])
def test_an_unknown_zone_says_what_to_write(zone: str) -> None:
    with pytest.raises(TimeZoneError, match="IANA name, for example Europe/Vienna"):
        SiteCalendar(zone)


def test_the_clock_on_the_wall_shows_an_hour_twice_when_it_goes_back() -> None:
    calendar = SiteCalendar("Europe/Vienna")
    first_ms = calendar.midnight_ms(date(2026, 10, 25))
    hours = [calendar.local(first_ms + hour * 3_600_000) for hour in range(25)]
    assert [local.minute // 60 for local in hours] == [0, 1, 2, 2, *range(3, 24)]
    assert {local.day for local in hours} == {date(2026, 10, 25)}
    assert calendar.midnight_ms(date(2026, 10, 26)) - first_ms == 25 * 3_600_000


def test_a_zone_has_its_name() -> None:
    assert SiteCalendar("Asia/Kolkata").zone == "Asia/Kolkata"
