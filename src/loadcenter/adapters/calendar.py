"""The site's calendar: local midnights with daylight saving, from the system's time zone data."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class TimeZoneError(ValueError):
    """A time zone is not known; the message says what to write."""


class SiteCalendar:
    """Days of a site (`ports.Calendar`).

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

    def day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the local midnight at or before `ts_ms`."""
        local = datetime.fromtimestamp(ts_ms / 1000, self._zone)
        return self._midnight_ms(local, days=0)

    def next_day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the first local midnight after `ts_ms`."""
        local = datetime.fromtimestamp(ts_ms / 1000, self._zone)
        return self._midnight_ms(local, days=1)

    def _midnight_ms(self, local: datetime, days: int) -> int:
        date = local.date() + timedelta(days=days)
        midnight = datetime.combine(date, time(), self._zone)
        return round(midnight.astimezone(UTC).timestamp() * 1000)
