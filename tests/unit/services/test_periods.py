"""Energy by local days, weeks and months: right at every change of daylight saving, in every zone."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.energy import Meter
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import outlet_rollup
from loadcenter.services.history import History
from loadcenter.services.periods import Period, period_bounds_ms
from loadcenter.services.ports import IngestBatch, RollupKey
from loadcenter.services.resolution import RangeError

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ZONES = (
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Africa/Cairo",
)
START_MS = 1_767_225_600_000  # 2026-01-01 UTC


def local(ts_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, ZoneInfo(zone))


@settings(deadline=None)  # a busy machine takes its time
@given(
    st.sampled_from(ZONES),
    st.sampled_from(Period),
    st.integers(1_262_304_000_000, 2_000_000_000_000),
    st.integers(1, 900 * DAY_MS),
)
def test_periods_are_whole_follow_each_other_and_hold_the_range(
    zone: str, period: Period, since_ms: int, length_ms: int
) -> None:
    bounds = period_bounds_ms(SiteCalendar(zone), period, since_ms, since_ms + length_ms)
    assert bounds == sorted(set(bounds))
    assert bounds[0] <= since_ms < bounds[1]
    assert bounds[-2] < since_ms + length_ms <= bounds[-1]
    for bound in bounds:
        day = local(bound, zone).date()
        assert local(bound - 1, zone).date() < day
        match period:
            case Period.WEEK:
                assert day.weekday() == 0
            case Period.MONTH:
                assert day.day == 1
            case Period.DAY:
                pass
    starts = [local(bound, zone).date() for bound in bounds]
    if period is Period.DAY and zone != "Pacific/Apia":  # Samoa left out 30 December 2011
        assert all(late - early == timedelta(days=1) for early, late in pairwise(starts))


def test_the_days_of_the_changes_have_23_and_25_hours() -> None:
    calendar = SiteCalendar("Europe/Vienna")
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        noon = calendar.midnight_ms(day) + 12 * HOUR_MS
        first, second = period_bounds_ms(calendar, Period.DAY, noon, noon + 1)
        assert second - first == hours * HOUR_MS


def test_a_day_that_a_zone_left_out_is_no_period() -> None:
    """Samoa went from 29 to 31 December 2011, a Thursday to a Saturday."""
    calendar = SiteCalendar("Pacific/Apia")
    since_ms, until_ms = calendar.midnight_ms(date(2011, 12, 28)), calendar.midnight_ms(date(2012, 1, 2))
    bounds = period_bounds_ms(calendar, Period.DAY, since_ms, until_ms)
    assert [local(bound, "Pacific/Apia").date().day for bound in bounds] == [28, 29, 31, 1, 2]
    assert [later - bound for bound, later in pairwise(bounds)] == [DAY_MS] * 4


def test_too_many_periods_say_what_to_ask_for_instead() -> None:
    with pytest.raises(RangeError, match="ask for weeks or months"):
        period_bounds_ms(SiteCalendar(), Period.DAY, 0, 3_000 * DAY_MS)
    assert len(period_bounds_ms(SiteCalendar(), Period.MONTH, 0, 3_000 * DAY_MS)) == 100


def test_the_end_of_the_calendar_is_no_crash() -> None:
    with pytest.raises(RangeError):
        period_bounds_ms(SiteCalendar(), Period.DAY, 253_402_300_000_000, 253_402_300_799_999)


@settings(deadline=None)  # a busy machine takes its time
@given(
    st.sampled_from(ZONES),
    st.sampled_from(Period),
    st.lists(st.tuples(st.integers(1, 400), st.integers(-1, 900)), max_size=40),
)
async def test_all_periods_together_hold_all_energy_each_in_the_day_where_it_was_read(
    zone: str, period: Period, steps: list[tuple[int, int]]
) -> None:
    """Readings some hours apart; -1 is a reset."""
    calendar = SiteCalendar(zone)
    store = FakeStore(calendar.day_start_ms)
    at, counter, shown = START_MS + HOUR_MS, 1_000, 0
    expected: dict[int, int] = {}
    meter = Meter(counter)
    readings = [(at, meter.total_mwh)]
    for hours, delta in steps:
        at += hours * HOUR_MS // 4
        before, counter = counter, 0 if delta < 0 else counter + delta
        gone = counter - before if counter >= before else counter
        shown += gone
        start = period_bounds_ms(calendar, period, at, at + 1)[0]
        expected[start] = expected.get(start, 0) + gone
        meter = meter.read(counter)
        readings.append((at, meter.total_mwh))
    await store.commit(
        IngestBatch(
            outlet_minutes={
                RollupKey("rack-1", 1, ts - ts % 60_000): outlet_rollup(
                    OutletReading(1, True, 230_000, 4, 900, mwh), ts, 1, 1_000
                )
                for ts, mwh in readings
            }
        )
    )
    history = History(store, FakeClock(), calendar)
    await history.fold()
    found = await history.energy("rack-1", [1], period, START_MS, at + 1)
    parts = found.outlets[1]
    got = {
        start: one.mwh + one.in_gap_mwh
        for start, one in zip(found.bounds_ms, parts, strict=False)
        if one.covered_ms
    }
    assert {start: mwh for start, mwh in got.items() if mwh} == {s: mwh for s, mwh in expected.items() if mwh}
    assert sum(got.values()) == shown
    assert sum(one.covered_ms for one in parts) == 1_000 * len(readings)


async def test_energy_of_days_without_a_reading_is_shown_as_in_gap_on_the_day_after() -> None:
    calendar = SiteCalendar("Europe/Vienna")
    store = FakeStore(calendar.day_start_ms)
    days = period_bounds_ms(calendar, Period.DAY, START_MS + DAY_MS, START_MS + 6 * DAY_MS)
    readings = [(days[0] + HOUR_MS, 100), (days[0] + 2 * HOUR_MS, 150), (days[3] + HOUR_MS, 900)]
    minutes = {
        RollupKey("rack-1", 1, ts): outlet_rollup(OutletReading(1, True, None, None, None, mwh), ts, 1, 1_000)
        for ts, mwh in readings
    }
    await store.commit(IngestBatch(outlet_minutes=minutes))
    history = History(store, FakeClock(), calendar)
    await history.fold()
    found = await history.energy("rack-1", [1], Period.DAY, days[0], days[4])
    assert [one.mwh for one in found.outlets[1]] == [50, 0, 0, 0]
    assert [one.in_gap_mwh for one in found.outlets[1]] == [0, 0, 0, 750]
