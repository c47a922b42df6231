"""Voltage of a source against EN 50160, by mean values over 10 minutes.

EN 50160:2010, 4.2.2 (low voltage): in each week 95 % of the 10-minute means of the RMS voltage lie within +-10 % of the
nominal voltage, and all of them within +10 % / -15 %. Ten-minute values in which a dip, swell or interruption fell are
flagged and left out (IEC 61000-4-30, 4.7).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from loadcenter.domain.analysis.disturbances import Disturbance, Kind

TEN_MINUTES_MS = 600_000
LEAST_COVERAGE = 0.9
"""A ten-minute value needs readings for this part of it, and a week such values for this part of it."""

WITHIN_PCT = (90, 110)
WIDE_PCT = (85, 110)
WITHIN_SHARE = 0.95
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class VoltageMean:
    """Readings of ten minutes: the time they stand for, how many they are, and their sum in mV."""

    start_ms: int
    covered_ms: int
    count: int
    total_mv: int

    @property
    def mean_mv(self) -> float | None:
        """The mean, None where readings stand for too little of the ten minutes."""
        if not self.count or self.covered_ms < LEAST_COVERAGE * TEN_MINUTES_MS:
            return None
        return self.total_mv / self.count


class Verdict(StrEnum):
    """Whether a week meets the standard; `unknown` where too little of it is known."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Week:
    """The ten-minute values of one week; grows by `add`.

    Attributes:
        first: its Monday.
        expected: how many ten-minute intervals it has within the period.
        whole: whether all of it lies within the period and is over.
        valid: intervals with enough readings and without a disturbance.
        flagged: intervals with enough readings that a disturbance fell into.
        within: valid ones within +-10 %.
        within_wide: valid ones within +10 % / -15 %.
    """

    first: date
    expected: int
    whole: bool
    valid: int = 0
    flagged: int = 0
    within: int = 0
    within_wide: int = 0

    def add(self, mean_mv: float, nominal_mv: int) -> None:
        """Add a valid ten-minute value."""
        self.valid += 1
        self.within += _inside(mean_mv, nominal_mv, WITHIN_PCT)
        self.within_wide += _inside(mean_mv, nominal_mv, WIDE_PCT)

    @property
    def verdict(self) -> Verdict:
        """Whether the week meets the standard."""
        if not self.whole or not self.valid or self.valid + self.flagged < LEAST_COVERAGE * self.expected:
            return Verdict.UNKNOWN
        met = self.within >= WITHIN_SHARE * self.valid and self.within_wide == self.valid
        return Verdict.MET if met else Verdict.NOT_MET


def _inside(mean_mv: float, nominal_mv: int, bounds_pct: tuple[int, int]) -> bool:
    low, high = bounds_pct
    return low * nominal_mv <= mean_mv * 100 <= high * nominal_mv


@dataclass(slots=True)
class Quality:
    """Voltage quality of one source.

    Attributes:
        weeks: each week that the period touches.
        histogram: valid ten-minute values by whole percent of the nominal voltage, rounded down.
        lowest_mv: lowest valid value, None without any.
        highest_mv: highest one.
    """

    weeks: list[Week]
    histogram: dict[int, int] = field(default_factory=dict)
    lowest_mv: float | None = None
    highest_mv: float | None = None


def judged(
    means: Iterable[VoltageMean],
    found: Sequence[Disturbance],
    weeks: Mapping[date, Week],
    nominal_mv: int,
    day_of: Callable[[int], date],
) -> Quality:
    """Return the quality that ten-minute values show.

    Args:
        means: in order of time.
        found: disturbances of the same source.
        weeks: by their Monday; every mean falls into one of them.
        nominal_mv: nominal voltage.
        day_of: the local date of a time.
    """
    flagged = flagged_intervals(found, nominal_mv)
    quality = Quality(list(weeks.values()))
    for one in means:
        mean_mv = one.mean_mv
        if mean_mv is None:
            continue
        week = weeks[monday(day_of(one.start_ms))]
        if one.start_ms in flagged:
            week.flagged += 1
            continue
        week.add(mean_mv, nominal_mv)
        percent = int(mean_mv * 100 // nominal_mv)
        quality.histogram[percent] = quality.histogram.get(percent, 0) + 1
        quality.lowest_mv = mean_mv if quality.lowest_mv is None else min(quality.lowest_mv, mean_mv)
        quality.highest_mv = mean_mv if quality.highest_mv is None else max(quality.highest_mv, mean_mv)
    return quality


def flagged_intervals(found: Iterable[Disturbance], nominal_mv: int) -> set[int]:
    """Return the starts of the ten-minute intervals that a dip, swell or interruption touches."""
    brief = [one for one in found if one.kind(nominal_mv) not in (Kind.UNDERVOLTAGE, Kind.OVERVOLTAGE)]
    return {
        start_ms
        for one in brief
        for start_ms in range(one.since_ms - one.since_ms % TEN_MINUTES_MS, one.until_ms + 1, TEN_MINUTES_MS)
    }


def monday(day: date) -> date:
    """Return the first day of the week that holds `day`."""
    return day - timedelta(days=day.weekday())
