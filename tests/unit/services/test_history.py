"""The right tier for a range, gaps kept as gaps, energy from counters."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.builders import START_MS, Center, outlet, running, send, telemetry
from tests.fakes.clock import FakeClock, settle
from tests.fakes.store import FakeStore

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import Counters, OutletRollup, Stat, Tier, outlet_rollup
from loadcenter.domain.topology import Source
from loadcenter.services.history import (
    POINTS_MAX,
    RANGE_MAX_MS,
    History,
    RangeError,
    Resolution,
    Today,
    choose_resolution,
    energy_of,
    regroup,
    regroup_days,
)
from loadcenter.services.ports import IngestBatch, RollupKey, StoreUnavailableError

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def rollup(ts_ms: int, energy_mwh: int | None, power_mw: int = 1_000) -> OutletRollup:
    return outlet_rollup(OutletReading(1, True, 230_000, 4, power_mw, energy_mwh), ts_ms, 1, 1_000)


# ---- which tier ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length_ms", "points", "expected"),
    [
        (60_000, 600, Resolution(None, 1_000)),
        (2 * HOUR_MS, 600, Resolution(None, 12_000)),
        (2 * HOUR_MS + 1, 600, Resolution(Tier.MINUTE, 60_000)),
        (DAY_MS, 600, Resolution(Tier.MINUTE, 180_000)),
        (7 * DAY_MS, 600, Resolution(Tier.QUARTER, 1_800_000)),
        (30 * DAY_MS, 600, Resolution(Tier.HOUR, 2 * HOUR_MS)),
        (365 * DAY_MS, 365, Resolution(Tier.DAY, DAY_MS)),
        (RANGE_MAX_MS, 600, Resolution(Tier.DAY, 31 * DAY_MS)),
    ],
)
def test_the_coarsest_tier_that_still_gives_the_points_is_chosen(
    length_ms: int, points: int, expected: Resolution
) -> None:
    assert choose_resolution(START_MS, START_MS + length_ms, points) == expected


@pytest.mark.parametrize(
    ("since_ms", "until_ms", "points"),
    [(5, 5, 600), (6, 5, 600), (0, RANGE_MAX_MS + 1, 600), (0, 1_000, 0), (0, 1_000, POINTS_MAX + 1)],
)
def test_a_range_that_cannot_be_shown_says_what_can(since_ms: int, until_ms: int, points: int) -> None:
    with pytest.raises(RangeError, match=r"before until_ms|1 to 2000"):
        choose_resolution(since_ms, until_ms, points)


@given(st.integers(0, 2 * 10**12), st.integers(1, RANGE_MAX_MS), st.integers(1, POINTS_MAX))
def test_no_range_gives_more_buckets_than_a_screen_has_points(
    since_ms: int, length_ms: int, points: int
) -> None:
    resolution = choose_resolution(since_ms, since_ms + length_ms, points)
    first = since_ms // resolution.bucket_ms
    last = (since_ms + length_ms - 1) // resolution.bucket_ms
    assert last - first + 1 <= min(points + 1, POINTS_MAX)
    if resolution.tier is not None:
        assert resolution.bucket_ms % (resolution.tier.value * 1_000) == 0


# ---- buckets ---------------------------------------------------------------------------------------------------------------------


def test_rows_are_merged_into_aligned_buckets_and_empty_ones_are_absent() -> None:
    rows = [(ts, rollup(ts, ts, power)) for ts, power in ((1_000, 10), (4_000, 30), (5_000, 7), (21_000, 9))]
    grouped = regroup(rows, 5_000)
    assert [start for start, _ in grouped] == [0, 5_000, 20_000]
    assert grouped[0][1].power == Stat(2, 10, 30, 40)


def days_of(zone: str, first: str, count: int) -> list[int]:
    """Return UTC ms of `count` local midnights from a date on."""
    calendar = SiteCalendar(zone)
    start = round(datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
    days = [start]
    while len(days) < count:
        days.append(calendar.next_day_start_ms(days[-1]))
    return days


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Vienna", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"]
)
@pytest.mark.parametrize("days", [1, 7, 31])
def test_local_days_keep_their_midnights_over_changes_of_daylight_saving(zone: str, days: int) -> None:
    midnights = days_of(zone, "2026-01-01", 365)
    grouped = regroup_days([(ts, rollup(ts, 0)) for ts in midnights], days, midnights[0])
    assert [start for start, _ in grouped] == midnights[::days]
    assert sum(one.covered_ms for _, one in grouped) == 365_000


# ---- energy ------------------------------------------------------------------------------------------------------------------------


def test_a_bucket_holds_what_its_counter_went_on_since_the_bucket_before() -> None:
    minute = [
        (0, rollup(0, 100).merge(rollup(59_000, 159))),
        (60_000, rollup(60_000, 160).merge(rollup(119_000, 219))),
    ]
    assert energy_of(minute) == ([59, 60], [0, 0], 119)


def test_energy_across_a_gap_stands_apart_and_counts_in_the_total() -> None:
    buckets = [(0, rollup(0, 100)), (600_000, rollup(600_000, 700).merge(rollup(601_000, 701)))]
    assert energy_of(buckets) == ([0, 1], [0, 600], 601)


def test_a_reset_of_the_counter_loses_nothing_that_was_seen() -> None:
    assert energy_of([(0, rollup(0, 500)), (1_000, rollup(1_000, 520)), (2_000, rollup(2_000, 3))]) == (
        [0, 20, 3],
        [0, 0, 0],
        23,
    )


def test_a_bucket_without_a_counter_holds_no_energy_and_breaks_nothing() -> None:
    buckets = [(0, rollup(0, 100)), (1_000, rollup(1_000, None)), (2_000, rollup(2_000, 130))]
    assert energy_of(buckets) == ([0, 0, 30], [0, 0, 0], 30)


def test_no_buckets_hold_no_energy() -> None:
    assert energy_of([]) == ([], [], 0)


steps = st.lists(
    st.tuples(st.integers(1, 200), st.one_of(st.integers(0, 5_000), st.just(-1)), st.booleans()), max_size=60
)


@given(steps, st.integers(1, 120))
def test_the_total_is_the_sum_of_its_parts_whatever_the_buckets_gaps_and_resets(
    todo: list[tuple[int, int, bool]], bucket_s: int
) -> None:
    """No energy that a counter has shown is lost, none is counted twice; gaps last up to 200 s, -1 is a reset."""
    ts_ms, counter, shown, seen = 0, 1_000, 0, 1_000
    rows = [(0, rollup(0, counter))]
    for seconds, delta, known in todo:
        ts_ms += seconds * 1_000
        counter = 0 if delta < 0 else counter + delta
        rows.append((ts_ms, rollup(ts_ms, counter if known else None)))
        if known:
            shown += counter - seen if counter >= seen else counter
            seen = counter
    energy, in_gap, total = energy_of(regroup(rows, bucket_s * 1_000))
    assert total == sum(energy) + sum(in_gap) == shown
    assert len(energy) == len(in_gap)
    assert min(energy + in_gap) >= 0


# ---- charts ------------------------------------------------------------------------------------------------------------------------


async def test_a_short_range_is_read_from_raw_rows(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, *(telemetry(seq) for seq in range(1, 121)))
        await settle()
    chart = await center.history.chart("rack-1", [1, 2], [Source.MAIN], START_MS, START_MS + 121_000, 121)
    assert chart.resolution == Resolution(None, 1_000)
    assert [start for start, _ in chart.outlets[0].buckets] == [START_MS + s * 1_000 for s in range(1, 121)]
    assert chart.outlets[1].total_mwh == 28 * 119
    assert chart.sources[0].buckets[0][1].voltage.mean == 230_000


async def test_a_long_range_is_read_from_rollups_that_are_brought_up_to_date(center: Center) -> None:
    async with running(center.ingest.run, center.history.run_rollups):
        send(center, *(telemetry(seq, out=[outlet(1, e_mwh=10 * seq)]) for seq in range(1, 3_001)))
        for _ in range(8):
            await settle()
        await center.clock.advance(6_000)
    assert await center.store.dirty_buckets(10) == []
    chart = await center.history.chart("rack-1", [1], [Source.BACKUP], START_MS, START_MS + 30 * DAY_MS, 600)
    assert chart.resolution.tier is Tier.HOUR
    assert chart.outlets[0].total_mwh == 10 * 2_999
    assert chart.outlets[0].buckets[0][1].covered_ms == 3_000_000
    assert chart.sources[0].buckets[0][1].covered_ms == 3_000_000


async def test_rollups_wait_for_a_database_that_is_away(center: Center) -> None:
    async with running(center.ingest.run, center.history.run_rollups):
        send(center, telemetry(1))
        await settle()
        center.store.away = "gone"
        await center.clock.advance(60_000)
        center.store.away = None
        assert await center.store.dirty_buckets(10) != []
        await center.clock.advance(6_000)
    assert await center.store.dirty_buckets(10) == []


async def test_days_of_a_chart_begin_at_the_midnights_of_the_site() -> None:
    calendar = SiteCalendar("Europe/Vienna")
    store = FakeStore(calendar.day_start_ms)
    history = History(store, FakeClock(), calendar)
    midnights = days_of("Europe/Vienna", "2026-03-01", 61)
    minutes = {RollupKey("rack-1", 1, ts + HOUR_MS): rollup(ts + HOUR_MS, 5) for ts in midnights}
    await store.commit(IngestBatch(outlet_minutes=minutes))
    await history.recompute_dirty()
    chart = await history.chart("rack-1", [1], [], midnights[0], midnights[-1], 60)
    assert chart.resolution.tier is Tier.DAY
    assert [start for start, _ in chart.outlets[0].buckets] == midnights[:60]


# ---- today ---------------------------------------------------------------------------------------------------------------------------


def today(start: str = "2026-06-01T12:00") -> tuple[Today, FakeClock, FakeStore]:
    at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo("Europe/Vienna"))
    calendar, clock = SiteCalendar("Europe/Vienna"), FakeClock(round(at.timestamp() * 1000))
    store = FakeStore(calendar.day_start_ms)
    return Today(store, clock, calendar), clock, store


async def consumed(store: FakeStore, *counters: tuple[int, int]) -> None:
    """Keep minute rollups from (ts_ms, counter)."""
    for ts_ms, counter in counters:
        await store.commit(
            IngestBatch(
                outlet_minutes={RollupKey("rack-1", 1, ts_ms - ts_ms % 60_000): rollup(ts_ms, counter)}
            )
        )


async def test_the_energy_of_today_counts_from_local_midnight() -> None:
    energy, clock, store = today()
    midnight = clock.now_ms() - 12 * HOUR_MS
    await consumed(store, (midnight - 60_000, 900), (midnight + 1_000, 1_000), (midnight + HOUR_MS, 1_500))
    await energy.refresh("rack-1", {1: 1_800}, clock.now_ms())
    assert energy.energy_mwh("rack-1", 1, 1_800, clock.now_ms()) == 800
    assert energy.energy_mwh("rack-1", 1, 1_850, clock.now_ms() + 1_000) == 850


async def test_it_begins_again_after_midnight() -> None:
    energy, clock, store = today("2026-06-01T23:59:30")
    await consumed(store, (clock.now_ms() - HOUR_MS, 1_000))
    await energy.refresh("rack-1", {1: 1_500}, clock.now_ms())
    assert energy.energy_mwh("rack-1", 1, 1_500, clock.now_ms()) == 500
    await clock.advance(60_000)
    await consumed(store, (clock.now_ms() - 29_000, 1_501))
    await energy.refresh("rack-1", {1: 1_510}, clock.now_ms())
    assert energy.energy_mwh("rack-1", 1, 1_510, clock.now_ms()) == 9


async def test_a_reset_long_after_the_base_was_read_loses_nothing() -> None:
    energy, clock, _ = today()
    at = clock.now_ms()
    await energy.refresh("rack-1", {1: 100}, at)
    await energy.refresh("rack-1", {1: 500}, at + 10_000)
    await energy.refresh("rack-1", {1: 50}, at + 20_000)
    assert energy.energy_mwh("rack-1", 1, 60, at + 21_000) == 400 + 60


async def test_a_reading_older_than_what_the_database_holds_is_no_reset() -> None:
    energy, clock, store = today()
    at = clock.now_ms()
    await consumed(store, (at - HOUR_MS, 1_000), (at - 1_000, 1_500))
    await energy.refresh("rack-1", {1: 1_499}, at - 2_000)
    assert energy.energy_mwh("rack-1", 1, 1_499, at - 2_000) == 500
    await energy.refresh("rack-1", {1: 1_499}, at - 2_000)
    assert energy.energy_mwh("rack-1", 1, 1_501, at) == 501


async def test_unknown_is_not_zero() -> None:
    energy, clock, _ = today()
    assert energy.energy_mwh("rack-1", 1, 5, clock.now_ms()) is None
    await energy.refresh("rack-1", {1: None, 2: 7}, clock.now_ms())
    assert energy.energy_mwh("rack-1", 1, 5, clock.now_ms()) is None
    assert energy.energy_mwh("rack-1", 2, None, clock.now_ms()) is None
    assert energy.energy_mwh("rack-1", 2, 7, clock.now_ms()) == 0


async def test_while_the_database_is_away_the_base_is_not_guessed() -> None:
    energy, clock, store = today()
    store.away = "gone"
    with pytest.raises(StoreUnavailableError):
        await energy.refresh("rack-1", {1: 5}, clock.now_ms())
    assert energy.energy_mwh("rack-1", 1, 5, clock.now_ms()) is None


def test_counters_of_one_instant_hold_no_energy() -> None:
    assert Counters(5, 70, 5, 70).energy_mwh == 0
