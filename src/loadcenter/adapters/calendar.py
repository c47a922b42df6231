"""The site's calendar: local midnights with daylight saving, from the system's time zone data.

For schedules (`SiteAlmanac`) also recurrences by RFC 5545, from dateutil, and sunrise and sunset, from astral.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from astral import Observer
from astral.sun import sunrise, sunset
from dateutil.rrule import rrule, rrulestr

from loadcenter.domain.schedules import ClockMoment, Days, Moment, ScheduleError, SunEvent, SunMoment
from loadcenter.domain.tariffs import LocalTime


class TimeZoneError(ValueError):
    """A time zone is not known; the message says what to write."""


class SiteCalendar:
    """Days and local times of a site (`ports.Calendar`, `analytics.SiteTime`).

    Args:
        zone: IANA name such as `Europe/Vienna`.

    Raises:
        TimeZoneError: there is no such zone.
    """

    def __init__(self, zone: str = "UTC") -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise TimeZoneError(
                f"'{zone}' is not a time zone: write an IANA name, for example Europe/Vienna or UTC"
            ) from error

    @property
    def zone(self) -> str:
        """The name of the time zone."""
        return self._zone.key

    def local(self, ts_ms: int) -> LocalTime:
        """Return date and minute as the site's clock shows them at `ts_ms`."""
        at = datetime.fromtimestamp(ts_ms // 1000, self._zone)
        return LocalTime(at.date(), at.hour * 60 + at.minute)

    def wall_ms(self, at: datetime) -> int:
        """Return UTC ms of a time; one without an offset stands on the site's clock (`fold` 1: the second of two)."""
        return _ms(at if at.tzinfo else at.replace(tzinfo=self._zone))

    def midnight_ms(self, day: date) -> int:
        """Return UTC ms of the local midnight at which `day` begins."""
        return round(datetime.combine(day, time(), self._zone).astimezone(UTC).timestamp() * 1000)

    def day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the local midnight at or before `ts_ms`."""
        local = datetime.fromtimestamp(ts_ms / 1000, self._zone)
        return self._midnight_ms(local, days=0)

    def next_day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the first local midnight after `ts_ms`."""
        local = datetime.fromtimestamp(ts_ms / 1000, self._zone)
        return self._midnight_ms(local, days=1)

    def _midnight_ms(self, local: datetime, days: int) -> int:
        return self.midnight_ms(local.date() + timedelta(days=days))


def _ms(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1000)


RULE_PARTS: Final = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYDAY",
    "BYMONTH",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYSETPOS",
]
RULE_CHARS: Final = 200
INTERVAL_MAX: Final = 366
FREQUENCIES: Final[dict[str, frozenset[str]]] = {
    "DAILY": frozenset({"BYMONTH"}),
    "WEEKLY": frozenset({"BYDAY", "BYMONTH"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset(RULE_PARTS[5:]),
}
"""The BY... parts that each frequency takes: those with which a rule that never comes about is soon found out."""

LOCATION: Final = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*")
_UNTIL = re.compile(r"(UNTIL=\d{8})T\d{6}Z?")


@dataclass(frozen=True, slots=True)
class Location:
    """A place on earth, in degrees: north and east are positive."""

    latitude: float
    longitude: float


def parse_location(text: str) -> Location | None:
    """Return the place in a text such as `48.21, 16.37`; None if it is empty.

    Raises:
        ScheduleError: it is of another form, or beyond 90 or 180 degrees.
    """
    if not text:
        return None
    found = LOCATION.fullmatch(text)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:  # noqa: PLR2004 - degrees
        raise ScheduleError(f"'{text}' is no place: write latitude and longitude, for example 48.21, 16.37")
    return Location(float(found[1]), float(found[2]))


class SiteAlmanac:
    """Local days and moments as instants (`ports.Almanac`).

    Args:
        zone: time zone of the site, one that is known.
        location: where the sun rises and sets; None where schedules cannot follow it.
    """

    def __init__(self, zone: str, location: Location | None = None) -> None:
        self._site_zone = zone
        self._location = location

    @property
    def site_zone(self) -> str:
        """The time zone of the site."""
        return self._site_zone

    def check(self, days: Days, zone: str) -> None:
        """See `Almanac.check`."""
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ScheduleError(
                f"'{zone}' is not a time zone: write an IANA name such as Europe/Vienna"
            ) from error
        _check_rule(days)

    def check_moment(self, moment: Moment) -> None:
        """See `Almanac.check_moment`."""
        if isinstance(moment, SunMoment) and self._location is None:
            raise ScheduleError(
                "the place of the site is not known: give its 'location' in the configuration, as latitude and longitude"
            )

    def days(self, days: Days, first: date, last: date) -> list[date]:
        """See `Almanac.days`."""
        if not days.rrule:
            return [days.first] if first <= days.first <= last and days.first not in days.exceptions else []
        found = _days_of(days.first, days.rrule).between(first, last)
        return [one for one in found if one not in days.exceptions]

    def instant_ms(self, day: date, moment: Moment, zone: str) -> int | None:
        """See `Almanac.instant_ms`."""
        match moment:
            case ClockMoment(minute):
                wall = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone))
                return _ms(wall)
            case SunMoment(event, offset_minutes):
                at = None if self._location is None else _sun(event, day, zone, self._location)
                return None if at is None else _ms(at + timedelta(minutes=offset_minutes))

    def day_of(self, ts_ms: int, zone: str) -> date:
        """See `Almanac.day_of`."""
        return datetime.fromtimestamp(ts_ms // 1000, ZoneInfo(zone)).date()


def _check_rule(days: Days) -> None:
    """Check a rule before dateutil sees it: its smallest step is a day, and it comes about.

    Raises:
        ScheduleError: it does not fit.
    """
    if not days.rrule:
        return
    parts = dict(part.partition("=")[::2] for part in days.rrule.split(";"))
    allowed = FREQUENCIES.get(parts.get("FREQ", ""))
    if allowed is None:
        raise ScheduleError(f"the recurrence needs FREQ={', '.join(FREQUENCIES)} (RFC 5545, in capitals)")
    unknown = [key for key in parts if key not in RULE_PARTS[:5] and key not in allowed]
    interval = parts.get("INTERVAL", "1")
    if unknown or len(days.rrule) > RULE_CHARS or len(parts) < days.rrule.count(";") + 1:
        what = f"'{unknown[0]}' does not go with FREQ={parts['FREQ']}" if unknown else "it is too long"
        raise ScheduleError(f"the recurrence is not understood: {what}")
    if not interval.isdecimal() or not 1 <= int(interval) <= INTERVAL_MAX:
        raise ScheduleError(f"INTERVAL of the recurrence is 1 to {INTERVAL_MAX}")
    try:
        happens = any(
            one.date() not in days.exceptions
            for one in islice(_rule(days.first, days.rrule), len(days.exceptions) + 1)
        )
    except (ValueError, TypeError, IndexError) as error:
        raise ScheduleError(f"the recurrence '{days.rrule}' is not understood: {error}") from error
    if not happens:
        raise ScheduleError("the recurrence never comes about: look at its days and its end")


def _rule(first: date, text: str) -> rrule:
    """Return a recurrence of local midnights."""
    # dates bound it by day: a time of day in UNTIL would be one of another zone
    made = rrulestr(_UNTIL.sub(r"\1", text), dtstart=datetime.combine(first, time()))
    assert isinstance(made, rrule)
    return made


class _RuleDays:
    """The days of a recurrence, found as far as they were asked for."""

    def __init__(self, rule: rrule) -> None:
        self._coming = iter(rule)
        self._known: list[date] = []

    def between(self, first: date, last: date) -> list[date]:
        """Return the days from `first` to `last`."""
        while not self._known or self._known[-1] <= last:
            following = next(self._coming, None)
            if following is None:
                break
            self._known.append(following.date())
        return self._known[bisect_left(self._known, first) : bisect_right(self._known, last)]


@lru_cache(maxsize=256)
def _days_of(first: date, text: str) -> _RuleDays:
    return _RuleDays(_rule(first, text))


@lru_cache(maxsize=4096)
def _sun(event: SunEvent, day: date, zone: str, place: Location) -> datetime | None:
    """Return when the sun rises or sets on a local day, to the second; None where it does not."""
    reckon = sunrise if event is SunEvent.SUNRISE else sunset
    observer, local = Observer(place.latitude, place.longitude), ZoneInfo(zone)
    # the day of the event in UTC may be another one than at the site
    for utc_day in (day - timedelta(days=1), day, day + timedelta(days=1)):
        try:
            at = reckon(observer, utc_day, tzinfo=UTC)
        except ValueError:
            continue  # polar day or night
        if at.astimezone(local).date() == day:
            return at.replace(microsecond=0)
    return None
