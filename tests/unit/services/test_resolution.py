"""Which tier a range is read from: enough buckets for the page, few enough rows for the database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.builders import START_MS

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.rollups import Tier
from loadcenter.services.resolution import (
    POINTS_MAX,
    RANGE_MAX_MS,
    RAW_ROWS_MAX,
    TIER_ROWS_MAX,
    RangeError,
    choose_buckets,
)

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
UTC = SiteCalendar()


@pytest.mark.parametrize(
    ("length_ms", "points", "series", "tier", "bucket_ms"),
    [
        (60_000, 600, 1, None, 1_000),
        (HOUR_MS, 600, 8, None, 6_000),
        (2 * HOUR_MS, 600, 4, None, 12_000),
        (2 * HOUR_MS, 600, 8, Tier.MINUTE, 60_000),
        (2 * HOUR_MS + 1, 600, 1, Tier.MINUTE, 60_000),
        (DAY_MS, 600, 8, Tier.MINUTE, 180_000),
        (3 * DAY_MS, 600, 1, Tier.MINUTE, 480_000),
        (3 * DAY_MS, 600, 8, Tier.QUARTER, 900_000),
        (7 * DAY_MS, 600, 8, Tier.QUARTER, 1_800_000),
        (30 * DAY_MS, 600, 8, Tier.HOUR, 2 * HOUR_MS),
        (365 * DAY_MS, 365, 1, Tier.DAY, DAY_MS),
        (365 * DAY_MS, 600, 1, Tier.HOUR, 15 * HOUR_MS),
        (365 * DAY_MS, 600, 8, Tier.DAY, DAY_MS),
        (RANGE_MAX_MS, 600, 1, Tier.DAY, 31 * DAY_MS),
    ],
)
def test_the_coarsest_tier_that_still_gives_the_points_is_chosen_and_a_coarser_one_for_many_series(
    length_ms: int, points: int, series: int, tier: Tier | None, bucket_ms: int
) -> None:
    buckets = choose_buckets(START_MS, START_MS + length_ms, points, series, UTC)
    assert (buckets.tier, buckets.length_ms) == (tier, bucket_ms)


@pytest.mark.parametrize(
    ("since_ms", "until_ms", "points"),
    [(5, 5, 600), (6, 5, 600), (0, RANGE_MAX_MS + 1, 600), (0, 1_000, 0), (0, 1_000, POINTS_MAX + 1)],
)
def test_a_range_that_cannot_be_shown_says_what_can(since_ms: int, until_ms: int, points: int) -> None:
    with pytest.raises(RangeError, match=r"before until_ms|1 to 2000"):
        choose_buckets(since_ms, until_ms, points, 1, UTC)


@given(
    st.integers(0, 2 * 10**12), st.integers(1, RANGE_MAX_MS), st.integers(1, POINTS_MAX), st.integers(0, 50)
)
def test_no_range_gives_more_buckets_than_a_screen_has_points_or_reads_more_rows_than_fit_the_time(
    since_ms: int, length_ms: int, points: int, series: int
) -> None:
    buckets = choose_buckets(since_ms, since_ms + length_ms, points, series, UTC)
    first = (since_ms - buckets.border_ms) // buckets.length_ms
    last = (since_ms + length_ms - 1 - buckets.border_ms) // buckets.length_ms
    assert last - first + 1 <= min(points + 1, POINTS_MAX) + (1 if buckets.days else 0)
    assert buckets.origin_ms <= since_ms
    if buckets.tier is None:
        assert length_ms * series <= RAW_ROWS_MAX * 1_000
    else:
        assert buckets.length_ms % (buckets.tier.value * 1_000) == 0
        assert buckets.tier is Tier.DAY or length_ms * series <= TIER_ROWS_MAX * buckets.tier.value * 1_000
