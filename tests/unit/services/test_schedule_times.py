"""Which occurrences schedules have: moments, ends, the sun, holidays, cheapest hours."""

from datetime import UTC, date, datetime, timedelta

import pytest

from loadcenter.adapters.calendar import Location, SiteAlmanac
from loadcenter.domain.cheapest import QUARTER_MS, PricedQuarter
from loadcenter.domain.schedules import (
    Act,
    Cheapest,
    ClockMoment,
    Days,
    Holidays,
    Plan,
    Span,
    SunEvent,
    SunMoment,
    Timing,
)
from loadcenter.domain.topology import OutletId
from loadcenter.services.schedule_times import (
    ChosenSpans,
    Circumstances,
    choosing_now,
    next_choice_ms,
    occurrences,
)

HOUR, DAY = 3_600_000, 86_400_000
VIENNA, TROMSO = Location(48.21, 16.37), Location(69.65, 18.96)
SUNSET, SUNRISE = SunMoment(SunEvent.SUNSET), SunMoment(SunEvent.SUNRISE)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def at(text: str) -> ClockMoment:
    hour, minute = text.split(":")
    return ClockMoment(int(hour) * 60 + int(minute))


class Dear:
    """Every quarter costs 9, but for those given."""

    def __init__(self, cheaper: dict[str, int] | None = None) -> None:
        self.cheaper = {ms(text): price for text, price in (cheaper or {}).items()}

    def quarters(self, since_ms: int, until_ms: int) -> list[PricedQuarter]:
        starts = range(since_ms, until_ms, QUARTER_MS)
        return [PricedQuarter(one, self.cheaper.get(one - one % HOUR, 9)) for one in starts]


def around(
    place: Location = VIENNA,
    holidays: frozenset[date] = frozenset(),
    prices: Dear | None = None,
    chosen: ChosenSpans | None = None,
) -> Circumstances:
    return Circumstances(SiteAlmanac("UTC", place), holidays, prices or Dear(), chosen or {})


def plan(timing: Timing, days: Days | None = None, zone: str = "Europe/Vienna") -> Plan:
    daily = Days(date(2026, 1, 1), "FREQ=DAILY")
    return Plan((OutletId("rack-1", 1),), Act.ON, days or daily, timing, zone)


def found(
    made: Plan, since: str, days: int, circumstances: Circumstances | None = None
) -> list[tuple[str, str]]:
    """Return (start, end) in UTC of the occurrences of some days, to the minute."""

    def shown(ts_ms: int | None) -> str:
        return "" if ts_ms is None else datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%m-%dT%H:%M")

    some = occurrences("s", made, ms(since), ms(since) + days * DAY, circumstances or around())
    return [(shown(one.start_ms), shown(one.end_ms)) for one in some]


@pytest.mark.parametrize(
    ("span", "night", "expected"),
    [
        (Span(at("22:00"), at("06:00")), "2026-03-28T12:00", [("03-28T21:00", "03-29T04:00")]),
        (Span(at("22:00"), at("06:00")), "2026-10-24T12:00", [("10-24T20:00", "10-25T05:00")]),
        (Span(at("02:30"), at("03:10")), "2026-03-29T00:00", [("03-29T01:30", "03-29T02:10")]),
        (Span(at("02:10"), at("02:50")), "2026-03-29T00:00", [("03-29T01:10", "03-29T01:50")]),
        (Span(at("02:30"), at("02:45")), "2026-10-25T00:00", [("10-25T00:30", "10-25T00:45")]),
        (Span(at("01:00"), duration_ms=24 * HOUR), "2026-10-25T12:00", [("10-24T23:00", "10-25T23:00")]),
    ],
    ids=["short night", "long night", "end after the gap", "both in it", "the hour twice", "a length"],
)
def test_the_hour_on_the_wall_holds_through_daylight_saving(
    span: Span, night: str, expected: list[tuple[str, str]]
) -> None:
    assert [one for one in found(plan(span), night, 1) if one in expected] == expected
    every = occurrences("s", plan(span), ms(night), ms(night) + DAY, around())
    assert all(one.end_ms is not None and one.end_ms > one.start_ms for one in every)


def test_the_sun_moves_through_the_year() -> None:
    assert found(plan(Span(SUNRISE)), "2026-06-21T00:00", 1) == [("06-21T02:54", "")]
    assert found(plan(Span(SunMoment(SunEvent.SUNSET, -30))), "2026-12-21T00:00", 1) == [("12-21T14:32", "")]


def test_an_end_that_the_sun_makes_too_late_gives_no_occurrence() -> None:
    until_nine = plan(Span(SUNSET, at("20:00")))
    assert found(until_nine, "2026-06-21T12:00", 1) == []
    assert len(found(until_nine, "2026-12-21T12:00", 1)) == 1
    past_midnight = found(plan(Span(SUNSET, at("01:00"))), "2026-06-21T12:00", 1)
    assert past_midnight == [("06-21T18:58", "06-21T23:00")]
    assert found(plan(Span(at("06:00"), SUNRISE)), "2026-06-21T00:00", 1) == []


def test_a_night_lasts_from_sunset_to_the_next_sunrise_however_long() -> None:
    assert found(plan(Span(SUNSET, SUNRISE)), "2026-12-21T12:00", 1) == [("12-21T15:02", "12-22T06:43")]


def test_where_the_sun_does_not_rise_there_is_no_occurrence() -> None:
    oslo = plan(Span(SUNRISE), zone="Europe/Oslo")
    assert found(oslo, "2026-12-10T00:00", 20, around(TROMSO)) == []
    assert len(found(oslo, "2026-03-10T00:00", 20, around(TROMSO))) == 20
    assert found(plan(Span(SUNSET, SUNRISE), zone="Europe/Oslo"), "2026-06-10T00:00", 5, around(TROMSO)) == []


def test_holidays_are_skipped_or_the_only_days() -> None:
    free = frozenset({date(2026, 12, 25)})
    first = date(2026, 12, 24)
    for rule, expected in (
        (Holidays.SKIP, ["12-24", "12-26"]),
        (Holidays.ONLY, ["12-25"]),
        (Holidays.IGNORE, ["12-24", "12-25", "12-26"]),
    ):
        days = Days(first, "FREQ=DAILY;COUNT=3", holidays=rule)
        shown = found(plan(Span(at("12:00")), days), "2026-12-20T00:00", 10, around(holidays=free))
        assert [one[0][:5] for one in shown] == expected


def test_a_day_alone_and_one_that_is_an_exception() -> None:
    day = date(2026, 5, 5)
    assert found(plan(Span(at("12:00")), Days(day)), "2026-05-01T00:00", 30) == [("05-05T10:00", "")]
    assert found(plan(Span(at("12:00")), Days(day, "", frozenset({day}))), "2026-05-01T00:00", 30) == []
    days = Days(day, "FREQ=DAILY;COUNT=2", frozenset({day}))
    assert found(plan(Span(at("12:00")), days), "2026-05-01T00:00", 30) == [("05-06T10:00", "")]


def test_the_cheapest_hours_lie_within_their_time_in_one_piece_or_several() -> None:
    prices = Dear({"2026-05-05T00:00": 3, "2026-05-05T02:00": 1, "2026-05-04T12:00": 0})
    apart = Cheapest(7 * 60, 2 * HOUR, 9 * HOUR)
    at_a_stretch = Cheapest(7 * 60, 2 * HOUR, 9 * HOUR, contiguous=True)
    day = Days(date(2026, 5, 5))
    shown = around(prices=prices)
    assert found(plan(apart, day), "2026-05-04T00:00", 3, shown) == [
        ("05-05T00:00", "05-05T01:00"),
        ("05-05T02:00", "05-05T03:00"),
    ]
    assert found(plan(at_a_stretch, day), "2026-05-04T00:00", 3, shown) == [("05-05T01:00", "05-05T03:00")]


def test_a_choice_is_made_when_its_time_begins_and_holds() -> None:
    made = plan(Cheapest(7 * 60, HOUR, 9 * HOUR), Days(date(2026, 5, 5)))
    begin = ms("2026-05-04T20:00")
    assert choosing_now("s", made, begin - 1, around()) == []
    assert next_choice_ms("s", made, begin - 1, around()) == begin
    ((day, spans),) = choosing_now("s", made, begin, around())
    assert (day, spans) == (date(2026, 5, 5), [(begin, begin + HOUR)])
    later = around(prices=Dear({"2026-05-05T02:00": 1}), chosen={("s", day): spans})
    assert choosing_now("s", made, begin + HOUR, later) == []
    assert next_choice_ms("s", made, begin - 1, later) is None
    assert found(made, "2026-05-04T00:00", 3, later) == [("05-04T20:00", "05-04T21:00")]


def test_a_night_of_a_change_has_as_many_cheap_hours_as_any_other() -> None:
    made = plan(Cheapest(7 * 60, 9 * HOUR, 9 * HOUR))
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 5, 5)):
        since = datetime.combine(day - timedelta(days=1), datetime.min.time()).isoformat()
        spans = [
            one for one in occurrences("s", made, ms(since), ms(since) + 2 * DAY, around()) if one.end_ms
        ]
        assert {one.until_ms - one.start_ms for one in spans} == {9 * HOUR}
