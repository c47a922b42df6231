"""Which occurrences a schedule has: its days and moments as instants.

The same function serves what is carried out, the preview and the week on the page, so that these never differ. Chosen
spans of the cheapest hours are given in (`chosen`): once the time in which they may lie has begun they stay as they are,
whatever prices come later.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from loadcenter.domain.cheapest import QUARTER_MS, cheapest_spans
from loadcenter.domain.occurrences import Occurrence
from loadcenter.domain.schedules import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    Cheapest,
    ClockMoment,
    Days,
    Holidays,
    Moment,
    Plan,
    Span,
)
from loadcenter.domain.tariffs import DAY_MINUTES
from loadcenter.services.ports.schedules import Almanac, Prices

SUN_END_MS = 12 * HOUR_MS
"""An end on the other side of midnight that follows the sun, or follows upon it, is meant only within this."""

Spans = Sequence[tuple[int, int]]
ChosenSpans = Mapping[tuple[str, date], Spans]
"""Spans of the cheapest hours that were chosen, by schedule and day; empty where there are none."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What occurrences depend on beside their plan.

    Attributes:
        almanac: days and instants.
        holidays: of the site.
        prices: of energy.
        chosen: spans that were chosen earlier.
    """

    almanac: Almanac
    holidays: Collection[date]
    prices: Prices
    chosen: ChosenSpans


def occurrences(
    schedule_id: str, plan: Plan, since_ms: int, until_ms: int, around: Circumstances
) -> list[Occurrence]:
    """Return the occurrences that begin before `until_ms` and reach `since_ms` or later, in order."""
    back_ms = _longest_ms(plan) + 2 * DAY_MS
    first = around.almanac.day_of(since_ms - back_ms, plan.zone)
    last = around.almanac.day_of(until_ms, plan.zone) + timedelta(days=2)
    found = [
        Occurrence(schedule_id, start_ms, end_ms, plan.act, plan.late_ms, plan.targets)
        for day in _days(plan.days, first, last, around)
        for start_ms, end_ms in _spans(schedule_id, plan, day, around)
        if start_ms < until_ms and (start_ms if end_ms is None else end_ms) >= since_ms
    ]
    return sorted(found, key=lambda one: one.start_ms)


def choosing_now(
    schedule_id: str, plan: Plan, now_ms: int, around: Circumstances
) -> list[tuple[date, list[tuple[int, int]]]]:
    """Return (day, spans) of the cheapest hours that are to be chosen now: their time has begun, and none are yet."""
    timing = plan.timing
    if not isinstance(timing, Cheapest):
        return []
    today = around.almanac.day_of(now_ms, plan.zone)
    chosen = []
    for day in _days(plan.days, today - timedelta(days=1), today + timedelta(days=2), around):
        window = _window(timing, plan.zone, day, around.almanac)
        if window[0] <= now_ms < window[1] and (schedule_id, day) not in around.chosen:
            chosen.append((day, _cheapest(timing, window, around.prices)))
    return chosen


def next_choice_ms(schedule_id: str, plan: Plan, now_ms: int, around: Circumstances) -> int | None:
    """Return when the next time begins in which cheapest hours may lie, None if none does within two days."""
    timing = plan.timing
    if not isinstance(timing, Cheapest):
        return None
    today = around.almanac.day_of(now_ms, plan.zone)
    starts = [
        _window(timing, plan.zone, day, around.almanac)[0]
        for day in _days(plan.days, today, today + timedelta(days=3), around)
        if (schedule_id, day) not in around.chosen
    ]
    return min((one for one in starts if one > now_ms), default=None)


def _longest_ms(plan: Plan) -> int:
    match plan.timing:
        case Span(_, _, duration_ms):
            return duration_ms or 2 * DAY_MS
        case Cheapest():
            return DAY_MS


def _days(days: Days, first: date, last: date, around: Circumstances) -> list[date]:
    wanted = around.almanac.days(days, first, last)
    match days.holidays:
        case Holidays.IGNORE:
            return wanted
        case Holidays.SKIP:
            return [one for one in wanted if one not in around.holidays]
        case Holidays.ONLY:
            return [one for one in wanted if one in around.holidays]


def _spans(
    schedule_id: str, plan: Plan, day: date, around: Circumstances
) -> Sequence[tuple[int, int | None]]:
    timing = plan.timing
    if isinstance(timing, Cheapest):
        chosen = around.chosen.get((schedule_id, day))
        if chosen is not None:
            return list(chosen)
        return [*_cheapest(timing, _window(timing, plan.zone, day, around.almanac), around.prices)]
    start_ms = around.almanac.instant_ms(day, timing.begin, plan.zone)
    if start_ms is None:
        return []
    if timing.duration_ms is not None:
        return [(start_ms, start_ms + timing.duration_ms)]
    if timing.end is None:
        return [(start_ms, None)]
    end_ms = _end_ms(timing.begin, timing.end, day, start_ms, plan.zone, around.almanac)
    return [] if end_ms is None else [(start_ms, end_ms)]


def _end_ms(begin: Moment, end: Moment, day: date, start_ms: int, zone: str, almanac: Almanac) -> int | None:
    """Return the first `end` after the beginning; None where the sun makes that too late, or does not come."""
    if isinstance(begin, ClockMoment) and isinstance(end, ClockMoment):
        next_day = end.minute <= begin.minute
        end_ms = almanac.instant_ms(day + timedelta(days=next_day), end, zone)
        assert end_ms is not None
        if end_ms > start_ms:
            return end_ms
        # the clock jumps over one of the two: the occurrence keeps its length
        return start_ms + (end.minute - begin.minute + DAY_MINUTES * next_day) * MINUTE_MS
    both_sun = not isinstance(begin, ClockMoment) and not isinstance(end, ClockMoment)
    for following in (day, day + timedelta(days=1)):
        end_ms = almanac.instant_ms(following, end, zone)
        if end_ms is not None and start_ms < end_ms:
            near = both_sun or following == day or end_ms - start_ms <= SUN_END_MS
            return end_ms if near else None
    return None


def _window(timing: Cheapest, zone: str, day: date, almanac: Almanac) -> tuple[int, int]:
    """Return the time in which the cheapest hours of a day may lie, by whole quarters."""
    at_ms = almanac.instant_ms(day, ClockMoment(timing.before_minute), zone)
    assert at_ms is not None
    until_ms = at_ms - at_ms % QUARTER_MS
    return until_ms - timing.within_ms, until_ms


def _cheapest(timing: Cheapest, window: tuple[int, int], prices: Prices) -> list[tuple[int, int]]:
    return cheapest_spans(prices.quarters(*window), timing.need_ms, contiguous=timing.contiguous)
