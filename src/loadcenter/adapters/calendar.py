"""The site's calendar: local midnights with daylight saving, from the system's time zone data."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
