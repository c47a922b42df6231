"""Local midnights, with every kind of daylight saving that there is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.adapters.calendar import Location, SiteAlmanac, SiteCalendar, TimeZoneError, parse_location
from loadcenter.domain.schedules import ClockMoment, Days, ScheduleError, SunEvent, SunMoment

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


# ---- schedules: tests/unit/services/test_schedule_times.py and tests/properties/test_schedules.py have the rest ----------


@pytest.mark.parametrize(
    ("text", "place"),
    [("", None), ("48.21, 16.37", Location(48.21, 16.37)), (" -33.9,151 ", Location(-33.9, 151.0))],
)
def test_a_place_is_latitude_and_longitude(text: str, place: Location | None) -> None:
    assert parse_location(text) == place


@pytest.mark.parametrize("text", ["Vienna", "48.21", "91, 0", "0, 181", "1, 2, 3"])
def test_a_text_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError, match="write latitude and longitude"):
        parse_location(text)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3", ["05-08", "05-11", "05-15"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20260731T120000Z", ["05-29", "06-26", "07-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", ["05-31", "07-31"]),
        ("FREQ=DAILY;INTERVAL=100;COUNT=2", ["05-05", "08-13"]),
        ("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;COUNT=1", ["10-25"]),
    ],
)
def test_a_recurrence_gives_its_days(rule: str, days: list[str]) -> None:
    almanac, kept = SiteAlmanac("UTC"), Days(date(2026, 5, 5), rule)
    almanac.check(kept, "UTC")
    found = almanac.days(kept, date(2026, 1, 1), date(2027, 1, 1))
    assert [one.strftime("%m-%d") for one in found] == days
    assert almanac.days(kept, found[-1], found[-1]) == found[-1:]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY", "BYDAY=MO", "FREQ=DAILY;BYDAY=MO", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x", "FREQ=DAILY;FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=1", "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", "FREQ=DAILY;UNTIL=20200101", "RRULE:FREQ=DAILY", "FREQ=DAILY;",
        "FREQ=DAILY;DTSTART=20200101", "freq=daily", "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 100),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_understood_or_never_comes_about_is_refused(rule: str) -> None:
    with pytest.raises(ScheduleError):
        SiteAlmanac("UTC").check(Days(date(2026, 5, 5), rule), "UTC")


def test_a_moment_of_the_sun_needs_the_place_of_the_site() -> None:
    with pytest.raises(ScheduleError, match="'location' in the configuration"):
        SiteAlmanac("UTC").check_moment(SunMoment(SunEvent.SUNSET))
    SiteAlmanac("UTC", Location(0, 0)).check_moment(SunMoment(SunEvent.SUNSET))
    SiteAlmanac("UTC").check_moment(ClockMoment(0))
