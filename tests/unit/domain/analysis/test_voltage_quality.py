"""Ten-minute values against the limits of EN 50160."""

from datetime import UTC, date, datetime

import pytest

from loadcenter.domain.analysis.disturbances import Disturbance
from loadcenter.domain.analysis.voltage_quality import (
    TEN_MINUTES_MS,
    Quality,
    Verdict,
    VoltageBin,
    VoltageMean,
    Week,
    flagged_intervals,
    judged,
    monday,
)
from loadcenter.domain.topology import Source

NOMINAL = 230_000
MONDAY = date(2026, 11, 16)
START_MS = 1_794_787_200_000  # that Monday, UTC
WEEK_VALUES = 1008


def day_of(ts_ms: int) -> date:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).date()


def means(*values_mv: int, covered_s: int = 600) -> list[VoltageMean]:
    return [
        VoltageMean(START_MS + number * TEN_MINUTES_MS, covered_s * 1000, covered_s, covered_s * value)
        for number, value in enumerate(values_mv)
    ]


def judge(
    values: list[VoltageMean], found: list[Disturbance] | None = None, *, whole: bool = True
) -> Quality:
    weeks = {MONDAY: Week(MONDAY, WEEK_VALUES, whole)}
    flagged_ms = flagged_intervals(found or [], NOMINAL)
    flagged = [one for one in values if one.start_ms in flagged_ms]
    valid = [one.bin(NOMINAL) for one in values if one.known and one.start_ms not in flagged_ms]
    return judged(valid, flagged, weeks, day_of)


def test_the_week_begins_on_monday() -> None:
    assert day_of(START_MS) == MONDAY == monday(date(2026, 11, 22)) == monday(MONDAY)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([230_000] * 1008, Verdict.MET),
        ([206_999] * 50 + [230_000] * 958, Verdict.MET),  # 95.04 % within
        ([206_999] * 51 + [230_000] * 957, Verdict.NOT_MET),
        ([195_499] + [230_000] * 1007, Verdict.NOT_MET),  # below 85 %
        ([253_000] * 1008, Verdict.MET),
        ([253_001] + [230_000] * 1007, Verdict.NOT_MET),
        ([230_000] * 907, Verdict.UNKNOWN),  # 90 % of a week are 907.2
        ([230_000] * 908, Verdict.MET),
        ([], Verdict.UNKNOWN),
    ],
)
def test_a_week_meets_the_standard_or_not(values: list[int], verdict: Verdict) -> None:
    [week] = judge(means(*values)).weeks
    assert week.verdict is verdict


def test_a_week_that_is_not_whole_has_no_verdict() -> None:
    [week] = judge(means(*[230_000] * 1008), whole=False).weeks
    assert week.verdict is Verdict.UNKNOWN


def test_ten_minutes_with_few_readings_have_no_value() -> None:
    quality = judge([*means(230_000, covered_s=539), VoltageMean(START_MS, 600_000, 0, 0)])
    assert (quality.histogram, quality.lowest_mv) == ({}, None)
    assert judge(means(230_000, covered_s=540)).weeks[0].valid == 1


def test_the_histogram_counts_by_whole_percent_rounded_down() -> None:
    quality = judge(means(229_999, 230_000, 232_299, 232_300))
    assert quality.histogram == {99: 1, 100: 2, 101: 1}
    assert (quality.lowest_mv, quality.highest_mv) == (229_999, 232_300)


def test_values_of_a_day_may_come_together() -> None:
    weeks = {MONDAY: Week(MONDAY, WEEK_VALUES, whole=True)}
    bins = [
        VoltageBin(START_MS, 86, False, 40, 198_000, 199_000),
        VoltageBin(START_MS, 110, True, 3, 253_001, 255_000),
    ]
    quality = judged(bins, [], weeks, day_of)
    [week] = quality.weeks
    assert (week.valid, week.within, week.within_wide) == (43, 0, 40)
    assert (quality.histogram, quality.lowest_mv, quality.highest_mv) == ({86: 40, 110: 3}, 198_000, 255_000)


def dip(since_ms: int, until_ms: int) -> Disturbance:
    return Disturbance(Source.MAIN, since_ms, until_ms, ended=True, over=False, extreme_mv=150_000)


def test_a_value_with_a_dip_in_it_is_flagged_and_not_judged() -> None:
    edge_ms = START_MS + TEN_MINUTES_MS
    quality = judge(means(100_000, 100_000, 230_000), [dip(edge_ms - 5_000, edge_ms + 5_000)])
    [week] = quality.weeks
    assert (week.flagged, week.valid) == (2, 1)
    assert quality.histogram == {100: 1}


def test_a_long_undervoltage_is_judged() -> None:
    assert flagged_intervals([dip(START_MS, START_MS + 60_001)], NOMINAL) == set()
    assert flagged_intervals([dip(START_MS + 1, START_MS + 60_001)], NOMINAL) == {START_MS}
