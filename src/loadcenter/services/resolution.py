"""Which tier a range is read from, and in buckets of which length."""

from typing import Final

from loadcenter.domain.rollups import Tier
from loadcenter.services.columns import DAY_MS, Buckets
from loadcenter.services.ports import Calendar

POINTS_MAX: Final = 2_000
"""Most buckets of one series; a screen has no more pixels."""

RAW_RANGE_MAX_MS: Final = 7_200_000
"""Longest range read from raw rows."""

RAW_ROWS_MAX: Final = 30_000
TIER_ROWS_MAX: Final = 16_000
"""Most rows of all series together that a chart reads, raw at 1 Hz and from a tier: the database groups a million
rows a second, so this is what fits into 50 ms (decision 0013). Above it a coarser tier gives fewer buckets."""

RANGE_MAX_MS: Final = 50 * 366 * DAY_MS


class RangeError(ValueError):
    """A range of time that cannot be shown; the message says what can."""


def check_range(since_ms: int, until_ms: int) -> None:
    """Return if the range is one.

    Raises:
        RangeError: it is empty, reversed or longer than 50 years.
    """
    if not 0 < until_ms - since_ms <= RANGE_MAX_MS:
        raise RangeError("since_ms must be before until_ms, and no more than 50 years")


def choose_buckets(since_ms: int, until_ms: int, points: int, series: int, calendar: Calendar) -> Buckets:
    """Return the coarsest tier that still gives about `points` buckets, coarser where `series` are many.

    Raises:
        RangeError: the range cannot be shown, or `points` is not 1 to 2,000.
    """
    check_range(since_ms, until_ms)
    if not 1 <= points <= POINTS_MAX:
        raise RangeError(f"points must be 1 to {POINTS_MAX}")
    length_ms, series = until_ms - since_ms, max(1, series)
    # a range that begins within a bucket touches one more
    wanted_ms = -(-length_ms // min(points, POINTS_MAX - 1))
    if length_ms <= min(RAW_RANGE_MAX_MS, RAW_ROWS_MAX * 1000 // series):
        return Buckets(None, since_ms, until_ms, -(-wanted_ms // 1000) * 1000)
    tier = max((one for one in Tier if one.value * 1000 <= wanted_ms), default=Tier.MINUTE)
    bearable = [one for one in Tier if length_ms * series <= TIER_ROWS_MAX * one.value * 1000]
    tier = max(tier, min(bearable, default=Tier.DAY))
    span_ms = tier.value * 1000
    bucket_ms = -(-wanted_ms // span_ms) * span_ms
    # rounded up, the bucket may be one that a coarser tier holds ready
    tier = max(one for one in Tier if bucket_ms % (one.value * 1000) == 0)
    if tier is not Tier.DAY:
        return Buckets(tier, since_ms, until_ms, bucket_ms)
    origin_ms = calendar.day_start_ms(since_ms)
    return Buckets(tier, since_ms, until_ms, bucket_ms, origin_ms, days=bucket_ms // DAY_MS)
