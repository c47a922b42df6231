"""Energy by local days, weeks and months, from the day tier: its rows follow the site's date and daylight saving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Protocol, assert_never

from loadcenter.domain.rollups import OutletRollup, Tier
from loadcenter.domain.tariffs import LocalTime
from loadcenter.services.columns import CounterColumns
from loadcenter.services.energy import energy_of
from loadcenter.services.ports import Store
from loadcenter.services.resolution import RangeError, check_range

PERIODS_MAX: Final = 2_000
"""Most periods of one answer: five years of days."""
_LAST_DAY: Final = date.max - timedelta(days=40)


class Period(StrEnum):
    """What energy is added up over; a week begins on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def first_day(self, day: date) -> date:
        """Return the first day of the period that holds `day`."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)
            case _:
                assert_never(self)

    def next_day(self, first: date) -> date:
        """Return the first day of the period after the one that begins with `first`."""
        match self:
            case Period.DAY:
                return first + timedelta(days=1)
            case Period.WEEK:
                return first + timedelta(days=7)
            case Period.MONTH:
                return (first + timedelta(days=31)).replace(day=1)
            case _:
                assert_never(self)


class SiteDates(Protocol):
    """From times to local dates and back."""

    def local(self, ts_ms: int) -> LocalTime:
        """Return date and minute as the site's clock shows them at `ts_ms`."""
        ...

    def midnight_ms(self, day: date) -> int:
        """Return UTC ms of the local midnight at which `day` begins."""
        ...


@dataclass(frozen=True, slots=True)
class PeriodEnergy:
    """Energy of one outlet in one period, in mWh.

    Attributes:
        in_gap_mwh: what flowed while nothing was recorded over at least one midnight, up to this period's first
            reading. What flowed in a shorter gap counts in `mwh`; `covered_ms` tells that there was one.
        covered_ms: the time that records stand for.
    """

    mwh: int
    in_gap_mwh: int
    covered_ms: int


@dataclass(frozen=True, slots=True)
class Periods:
    """Energy of several outlets over periods that follow each other; `bounds_ms` has one more than there are periods."""

    bounds_ms: Sequence[int]
    outlets: Mapping[int, Sequence[PeriodEnergy]]


def period_bounds_ms(dates: SiteDates, period: Period, since_ms: int, until_ms: int) -> list[int]:
    """Return the local midnights that bound the whole periods which a range touches.

    Raises:
        RangeError: the range cannot be shown, or has more than 2,000 periods.
    """
    check_range(since_ms, until_ms)
    day = period.first_day(dates.local(since_ms).day)
    bounds = [dates.midnight_ms(day)]
    while bounds[-1] < until_ms:
        if len(bounds) > PERIODS_MAX or day > _LAST_DAY:
            raise RangeError(
                f"the range has over {PERIODS_MAX} periods: ask for weeks or months, or for less"
            )
        day = period.next_day(day)
        bound_ms = dates.midnight_ms(day)
        if bound_ms > bounds[-1]:  # a zone that changes its side of the date line leaves out a day
            bounds.append(bound_ms)
    return bounds


async def energy_by_period(
    store: Store,
    dates: SiteDates,
    pdu_id: str,
    outlets: Sequence[int],
    period: Period,
    since_ms: int,
    until_ms: int,
) -> Periods:
    """Return the energy of each outlet in each whole period that the range touches.

    All periods together hold everything from the first to the last reading: what the counter went on over a midnight
    belongs to the day after it.

    Raises:
        RangeError: the range cannot be shown.
        StoreUnavailableError: the database is away.
    """
    bounds = period_bounds_ms(dates, period, since_ms, until_ms)
    found = {}
    for outlet in outlets:
        rows = await store.outlet_rollups(Tier.DAY, pdu_id, outlet, bounds[0], bounds[-1])
        found[outlet] = _by_period(rows, bounds)
    return Periods(bounds, found)


def _by_period(days: Sequence[tuple[int, OutletRollup]], bounds: Sequence[int]) -> list[PeriodEnergy]:
    energy = energy_of(CounterColumns.of([rollup.counters for _, rollup in days]))
    found: list[PeriodEnergy] = []
    at = 0
    for until_ms in bounds[1:]:
        mwh = in_gap_mwh = covered_ms = 0
        while at < len(days) and days[at][0] < until_ms:
            mwh += energy.mwh[at]
            in_gap_mwh += energy.in_gap_mwh[at]
            covered_ms += days[at][1].covered_ms
            at += 1
        found.append(PeriodEnergy(mwh, in_gap_mwh, covered_ms))
    return found
