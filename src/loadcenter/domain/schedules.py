"""Schedules: what shall happen to which outlets, on which days, from when until when.

A schedule only says it; which instants that gives in a time zone is found by `services/schedule_times`, and what is then
done about each is decided by `domain/occurrences`. Days are local dates and moments stand on the local clock, so that a
change of daylight saving moves the instant and never the hour on the wall.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from loadcenter.domain.commands import CYCLE_OFF_MS_MAX, CYCLE_OFF_MS_MIN
from loadcenter.domain.tariffs import DAY_MINUTES, QUARTER_MINUTES
from loadcenter.domain.topology import OutletId

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

NAME_MAX = 48
"""With its origin in front of it the name still fits into `by` of a command (64, MQTT-40)."""
TARGETS_MAX = 48
DURATION_MS_MAX = 7 * DAY_MS
LATE_MS_DEFAULT = 15 * MINUTE_MS
LATE_MS_MAX = DAY_MS
OFFSET_MINUTES_MAX = 360
WITHIN_HOURS_MAX = 24
EXCEPTIONS_MAX = 400
FIRST_YEAR = 2000


class Act(StrEnum):
    """What is done to an outlet when an occurrence begins; its end undoes `on` and `off`."""

    ON = "on"
    OFF = "off"
    CYCLE = "cycle"

    @property
    def wants_on(self) -> bool:
        """Whether the outlet shall be on afterwards."""
        return self is not Act.OFF


class Holidays(StrEnum):
    """What a schedule does about the holidays of the site."""

    IGNORE = "ignore"
    SKIP = "skip"
    ONLY = "only"


class SunEvent(StrEnum):
    """Where the sun crosses the horizon."""

    SUNRISE = "sunrise"
    SUNSET = "sunset"


@dataclass(frozen=True, slots=True)
class ClockMoment:
    """A time on the local clock, in minutes since midnight, 0 to 1439."""

    minute: int


@dataclass(frozen=True, slots=True)
class SunMoment:
    """So many minutes after the sun rises or sets at the site; before it with a minus, -360 to 360."""

    event: SunEvent
    offset_minutes: int = 0


Moment: TypeAlias = ClockMoment | SunMoment


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment of a day until another, for a length, or (neither given) at one instant.

    Attributes:
        begin: when.
        end: the first such moment after `begin`; if one of the two follows the sun, only within 12 hours of it.
        duration_ms: instead of `end`, 60,000 to 604,800,000.
    """

    begin: Moment
    end: Moment | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cheapest:
    """So many hours before a time of the local clock, at the lowest price (`domain/cheapest`).

    Attributes:
        before_minute: the time by which they are over, 0 to 1439.
        need_ms: how long, in whole quarters of an hour.
        within_ms: how long before that time they may lie, up to 24 h.
        contiguous: at a stretch.
    """

    before_minute: int
    need_ms: int
    within_ms: int = DAY_MS
    contiguous: bool = False


Timing: TypeAlias = Span | Cheapest


@dataclass(frozen=True, slots=True)
class Days:
    """On which local dates: a recurrence of RFC 5545 from a first day on; without a rule that day alone.

    Attributes:
        first: the first day (DTSTART).
        rrule: the rule, whose smallest step is a day.
        exceptions: days left out (EXDATE).
        holidays: whether the holidays of the site count as such.
    """

    first: date
    rrule: str = ""
    exceptions: frozenset[date] = frozenset()
    holidays: Holidays = Holidays.IGNORE


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall happen to which outlets, and when.

    Attributes:
        targets: the outlets.
        act: what is done to them.
        days: on which days.
        timing: at what time of those days.
        zone: IANA name of the time zone whose dates and clock are meant.
        off_ms: length of the pause of `cycle`.
        late_ms: how late a beginning or an end may still be carried out, 0 to 86,400,000.
    """

    targets: tuple[OutletId, ...]
    act: Act
    days: Days
    timing: Timing
    zone: str
    off_ms: int | None = None
    late_ms: int = LATE_MS_DEFAULT


class ScheduleError(ValueError):
    """A schedule cannot be kept as it is; the message names the part and says what to give."""


def check_plan(name: str, plan: Plan) -> Plan:
    """Return `plan` unchanged if it and its name are complete and within their ranges.

    Raises:
        ScheduleError: a part is missing, contradicts another or is out of range.
    """
    if not 0 < len(name) <= NAME_MAX or not name.isprintable() or name != name.strip():
        raise ScheduleError(
            f"the name is {name!r}: give 1 to {NAME_MAX} printable characters, without spaces around"
        )
    if not 0 < len(plan.targets) <= TARGETS_MAX or len(set(plan.targets)) < len(plan.targets):
        raise ScheduleError(f"give 1 to {TARGETS_MAX} outlets, each once")
    if not 0 <= plan.late_ms <= LATE_MS_MAX:
        raise ScheduleError(f"a run may be up to {LATE_MS_MAX // 1000} s late, or 0")
    if plan.days.first.year < FIRST_YEAR or len(plan.days.exceptions) > EXCEPTIONS_MAX:
        raise ScheduleError(f"begin in {FIRST_YEAR} or later, with at most {EXCEPTIONS_MAX} exceptions")
    _check_act(plan)
    _check_timing(plan)
    return plan


def _check_act(plan: Plan) -> None:
    if plan.act is Act.CYCLE:
        if plan.off_ms is None or not CYCLE_OFF_MS_MIN <= plan.off_ms <= CYCLE_OFF_MS_MAX:
            raise ScheduleError(
                f"'cycle' needs a pause of {CYCLE_OFF_MS_MIN // 1000} to {CYCLE_OFF_MS_MAX // 1000} s"
            )
        if not isinstance(plan.timing, Span) or plan.timing.end or plan.timing.duration_ms:
            raise ScheduleError("'cycle' happens at one instant: leave its end away")
    elif plan.off_ms is not None:
        raise ScheduleError(f"'{plan.act}' has no pause: leave it away")


def _check_timing(plan: Plan) -> None:
    match plan.timing:
        case Span(begin, end, duration_ms):
            for moment in (begin, end):
                _check_moment(moment)
            if end is not None and duration_ms is not None:
                raise ScheduleError("give an end or a duration, not both")
            if end == begin:
                raise ScheduleError("the end is the beginning: give another, or a duration of 24 hours")
            if duration_ms is not None and not MINUTE_MS <= duration_ms <= DURATION_MS_MAX:
                raise ScheduleError(f"a duration is {MINUTE_MS // 1000} to {DURATION_MS_MAX // 1000} s")
        case Cheapest(before_minute, need_ms, within_ms):
            _check_moment(ClockMoment(before_minute))
            quarter_ms = QUARTER_MINUTES * MINUTE_MS
            if not quarter_ms <= within_ms <= WITHIN_HOURS_MAX * HOUR_MS or within_ms % quarter_ms:
                raise ScheduleError(f"they may lie within 0.25 to {WITHIN_HOURS_MAX} h, by quarters")
            if not quarter_ms <= need_ms <= within_ms or need_ms % quarter_ms:
                raise ScheduleError(
                    "the hours needed are 0.25 to those that they may lie within, by quarters"
                )


def _check_moment(moment: Moment | None) -> None:
    match moment:
        case None:
            pass
        case ClockMoment(minute):
            if not 0 <= minute < DAY_MINUTES:
                raise ScheduleError("a time of the clock is 00:00 to 23:59")
        case SunMoment(_, offset_minutes):
            if abs(offset_minutes) > OFFSET_MINUTES_MAX:
                raise ScheduleError(f"an offset from the sun is at most {OFFSET_MINUTES_MAX} minutes")
