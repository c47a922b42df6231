"""Charts: the right buckets over the fakes, energy exact over resets, rollups brought up to date."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.builders import START_MS, Center, outlet, running, send, telemetry
from tests.fakes.clock import FakeClock, settle
from tests.fakes.store import FakeStore

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.readings import OutletReading, Telemetry
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.services.history import Chart, History
from loadcenter.services.ports import IngestBatch, RawRecord

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def reading(energy_mwh: int | None) -> OutletReading:
    return OutletReading(1, True, 230_000, 4, 1_000, energy_mwh)


def days_of(zone: str, first: str, count: int) -> list[int]:
    """Return UTC ms of `count` local midnights from a date on."""
    calendar = SiteCalendar(zone)
    start = round(datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
    days = [start]
    while len(days) < count:
        days.append(calendar.next_day_start_ms(days[-1]))
    return days


async def chart_of(
    rows: list[tuple[int, int | None]], since_ms: int, until_ms: int, points: int, zone: str = "UTC"
) -> Chart:
    """Return the chart of an outlet with records made of (time, counter)."""
    calendar = SiteCalendar(zone)
    store = FakeStore(calendar.day_start_ms)
    records = [
        RawRecord("rack-1", ts_ms, 1, Telemetry(ts_ms, 1, 1_000, Source.MAIN, True, (), (reading(counter),)))
        for ts_ms, counter in rows
    ]
    await store.commit(IngestBatch(records=records))
    history = History(store, FakeClock(), calendar)
    await history.fold()
    return await history.chart("rack-1", [1], [], since_ms, until_ms, points)


@pytest.mark.parametrize("points", [4, 60, 700])
@pytest.mark.parametrize("length_ms", [2 * HOUR_MS, 3 * HOUR_MS])
async def test_a_clock_that_was_set_back_by_an_hour_adds_nothing(length_ms: int, points: int) -> None:
    first = [(minute * 60_000, 10_000_000 + minute) for minute in range(100)]
    again = [(minute * 60_000 + 500, 10_000_060 + minute) for minute in range(40, 120)]
    chart = await chart_of([*first, *again], 0, length_ms, points)
    [series] = chart.outlets
    assert series.energy.total_mwh == 179


# ---- energy over resets -------------------------------------------------------------------------------------------


async def test_a_reset_within_a_bucket_loses_nothing_and_adds_nothing() -> None:
    rows = [(1_000, 500), (2_000, 520), (3_000, 3), (4_000, 10)]
    chart = await chart_of(rows, 0, 10_000, 1)
    [series] = chart.outlets
    assert series.energy.total_mwh == 20 + 3 + 7
    assert series.columns.counters.first_mwh == [500]
    assert series.columns.counters.last_mwh == [530]


async def test_a_reset_within_a_bucket_of_minutes_is_found_too() -> None:
    rows = [(minute * 60_000, 100 * minute if minute < 100 else minute) for minute in range(200)]
    chart = await chart_of(rows, 0, 200 * 60_000, 20)
    assert chart.buckets.tier is Tier.MINUTE
    assert chart.outlets[0].energy.total_mwh == 9_900 + 100 + 99


steps = st.lists(
    st.tuples(st.integers(1, 2_000), st.one_of(st.integers(0, 5_000), st.just(-1)), st.booleans()),
    max_size=60,
)


@settings(deadline=None)  # a busy machine takes its time
@given(steps, st.sampled_from([HOUR_MS, 2 * HOUR_MS, DAY_MS, 9 * DAY_MS, 60 * DAY_MS]), st.integers(1, 600))
async def test_the_total_is_what_the_counter_has_shown_whatever_the_tier_buckets_gaps_and_resets(
    todo: list[tuple[int, int, bool]], length_ms: int, points: int
) -> None:
    """No energy that a counter has shown is lost, none is counted twice; -1 is a reset."""
    ts_ms, counter, shown, seen = 0, 1_000, 0, 1_000
    rows: list[tuple[int, int | None]] = [(0, counter)]
    for seconds, delta, known in todo:
        ts_ms += seconds * 1_000
        if ts_ms >= length_ms:
            break
        counter = 0 if delta < 0 else counter + delta
        rows.append((ts_ms, counter if known else None))
        if known:
            shown += counter - seen if counter >= seen else counter
            seen = counter
    chart = await chart_of(rows, 0, length_ms, points)
    energy = chart.outlets[0].energy
    assert energy.total_mwh == sum(energy.mwh) + sum(energy.in_gap_mwh) == shown
    assert len(energy.mwh) == len(energy.in_gap_mwh) == len(chart.outlets[0].columns.start_ms)
    assert min([*energy.mwh, *energy.in_gap_mwh]) >= 0


# ---- charts ------------------------------------------------------------------------------------------------------------------------


async def test_a_short_range_is_read_from_raw_rows(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, *(telemetry(seq) for seq in range(1, 121)))
        await settle()
    chart = await center.history.chart("rack-1", [1, 2], [Source.MAIN], START_MS, START_MS + 121_000, 121)
    assert (chart.buckets.tier, chart.buckets.length_ms) == (None, 1_000)
    assert list(chart.outlets[0].columns.start_ms) == [START_MS + s * 1_000 for s in range(1, 121)]
    assert chart.outlets[1].energy.total_mwh == 28 * 119
    assert chart.sources[0].columns.voltage.mean[0] == 230_000


async def test_a_long_range_is_read_from_rollups_that_are_brought_up_to_date(center: Center) -> None:
    async with running(center.ingest.run, center.history.run_rollups):
        send(center, *(telemetry(seq, out=[outlet(1, e_mwh=10 * seq)]) for seq in range(1, 3_001)))
        for _ in range(8):
            await settle()
        await center.clock.advance(6_000)
        await settle()
    assert await center.store.fold() == 0
    chart = await center.history.chart("rack-1", [1], [Source.BACKUP], START_MS, START_MS + 30 * DAY_MS, 600)
    assert chart.buckets.tier is Tier.HOUR
    assert chart.outlets[0].energy.total_mwh == 10 * 2_999
    assert list(chart.outlets[0].columns.covered_ms) == [3_000_000]
    assert list(chart.sources[0].columns.covered_ms) == [3_000_000]


async def test_rollups_wait_for_a_database_that_is_away(center: Center) -> None:
    async with running(center.ingest.run, center.history.run_rollups):
        send(center, telemetry(1))
        await settle()
        center.store.away = "gone"
        await center.clock.advance(60_000)
        center.store.away = None
        assert len(center.store.tables.unfolded) == 1
        await center.clock.advance(6_000)
    assert await center.store.fold() == 0


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Vienna", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"]
)
@pytest.mark.parametrize("days", [1, 7, 31])
async def test_days_of_a_chart_keep_the_midnights_of_the_site_over_changes_of_daylight_saving(
    zone: str, days: int
) -> None:
    midnights = days_of(zone, "2026-01-01", 366)
    rows: list[tuple[int, int | None]] = [(ts + HOUR_MS, 5) for ts in midnights[:-1]]
    chart = await chart_of(rows, midnights[0], midnights[-1], -(-365 // days), zone)
    assert (chart.buckets.tier, chart.buckets.days) == (Tier.DAY, days)
    assert list(chart.outlets[0].columns.start_ms) == midnights[:-1:days]
    assert sum(chart.outlets[0].columns.covered_ms) == 365_000


async def test_a_pdu_of_which_nothing_was_heard_has_empty_series() -> None:
    history = History(FakeStore(), FakeClock(), SiteCalendar())
    chart = await history.chart("rack-9", [1], [Source.MAIN], 0, HOUR_MS, 600)
    assert (len(chart.outlets[0].columns.start_ms), chart.outlets[0].energy.total_mwh) == (0, 0)
    assert len(chart.sources[0].columns.start_ms) == 0
