"""Voltage of a source against EN 50160, by mean values over 10 minutes.

EN 50160:2010, 4.2.2 (low voltage): in each week 95 % of the 10-minute means of the RMS voltage lie within +-10 % of the
nominal voltage, and all of them within +10 % / -15 %. Ten-minute values in which a dip, swell or interruption fell are
flagged and left out (IEC 61000-4-30, 4.7).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from loadcenter.domain.analysis.disturbances import Disturbance, Kind

TEN_MINUTES_MS = 600_000
LEAST_COVERAGE = 0.9
"""A ten-minute value needs readings for this part of it, and a week such values for this part of it."""

LEAST_COVERAGE_MS = 540_000
"""The first as time."""

WITHIN_PCT = 90
WIDE_PCT = 85
MOST_PCT = 110
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
    def known(self) -> bool:
        """Whether readings stand for enough of the ten minutes."""
        return self.count > 0 and self.covered_ms >= LEAST_COVERAGE_MS

    def bin(self, nominal_mv: int) -> "VoltageBin":
        """Return the value as a bin of one; it must have readings."""
        hundredfold, nominal = self.total_mv * 100, self.count * nominal_mv
        mean_mv = self.total_mv / self.count
        above = hundredfold > MOST_PCT * nominal
        return VoltageBin(self.start_ms, hundredfold // nominal, above, 1, mean_mv, mean_mv)


@dataclass(frozen=True, slots=True)
class VoltageBin:
    """Ten-minute values of one local day and one percent of the nominal voltage, and how many they are.

    Attributes:
        start_ms: begin of the earliest.
        percent: their percent of the nominal voltage, rounded down.
        above: whether they lie above +10 %.
        count: how many.
        lowest_mv: the lowest; `highest_mv` the highest.
    """

    start_ms: int
    percent: int
    above: bool
    count: int
    lowest_mv: float
    highest_mv: float


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

    def add(self, values: VoltageBin) -> None:
        """Add valid ten-minute values."""
        self.valid += values.count
        if not values.above:
            self.within += values.count if values.percent >= WITHIN_PCT else 0
            self.within_wide += values.count if values.percent >= WIDE_PCT else 0

    @property
    def verdict(self) -> Verdict:
        """Whether the week meets the standard."""
        if not self.whole or not self.valid or self.valid + self.flagged < LEAST_COVERAGE * self.expected:
            return Verdict.UNKNOWN
        met = self.within >= WITHIN_SHARE * self.valid and self.within_wide == self.valid
        return Verdict.MET if met else Verdict.NOT_MET


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
    valid: Iterable[VoltageBin],
    flagged: Iterable[VoltageMean],
    weeks: Mapping[date, Week],
    day_of: Callable[[int], date],
) -> Quality:
    """Return the quality that ten-minute values show.

    Args:
        valid: those without a disturbance.
        flagged: those that a disturbance fell into.
        weeks: by their Monday; every value falls into one of them.
        day_of: the local date of a time.
    """
    quality = Quality(list(weeks.values()))
    for one in flagged:
        weeks[monday(day_of(one.start_ms))].flagged += one.known
    for values in valid:
        weeks[monday(day_of(values.start_ms))].add(values)
        quality.histogram[values.percent] = quality.histogram.get(values.percent, 0) + values.count
        low, high = quality.lowest_mv, quality.highest_mv
        quality.lowest_mv = values.lowest_mv if low is None else min(low, values.lowest_mv)
        quality.highest_mv = values.highest_mv if high is None else max(high, values.highest_mv)
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
