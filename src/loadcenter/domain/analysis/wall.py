"""The clock on the site's wall as arithmetic, so that a database can group by local days, hours and prices."""

from dataclasses import dataclass

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

_FIRST_WEEKDAY = 3
"""1970-01-01, from which the wall's milliseconds are counted, was a Thursday."""


@dataclass(frozen=True, slots=True)
class WallClock:
    """How the site's clock runs over some time.

    Attributes:
        offsets: rising (from_ms, offset_ms): from that UTC time on the wall shows UTC plus the offset. The first also
            holds before its time.
        changes_ms: times of a local day at which a price may change, in ms since midnight; rising, midnight left out.
    """

    offsets: tuple[tuple[int, int], ...]
    changes_ms: tuple[int, ...] = ()

    @property
    def whole_hours(self) -> bool:
        """Whether an hour by the wall is an hour of UTC."""
        return all(offset_ms % HOUR_MS == 0 for _, offset_ms in self.offsets)

    def wall_ms(self, ts_ms: int) -> int:
        """Return what the wall shows at a UTC time, as ms since 1970-01-01 there."""
        _, offset_ms = self.offsets[0]
        for from_ms, later_ms in self.offsets:
            if from_ms <= ts_ms:
                offset_ms = later_ms
        return ts_ms + offset_ms

    def span(self, ts_ms: int) -> int:
        """Return a number that quarters of one local day between two changes of price have in common."""
        wall_ms = self.wall_ms(ts_ms)
        of_day_ms = wall_ms % DAY_MS
        return wall_ms - of_day_ms + sum(of_day_ms >= change_ms for change_ms in self.changes_ms)


def hour_of_week(week_ms: int) -> tuple[int, int]:
    """Return (weekday, hour) of a time in a week that begins on Thursday, as `wall_ms` modulo `WEEK_MS` does."""
    day, of_day_ms = divmod(week_ms, DAY_MS)
    return (day + _FIRST_WEEKDAY) % 7, of_day_ms // HOUR_MS
