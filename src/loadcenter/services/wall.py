"""From the site's calendar to arithmetic that a database does, and to the price of a time."""

from datetime import date

from loadcenter.domain.analysis.wall import DAY_MS, WallClock
from loadcenter.domain.rollups import Tier
from loadcenter.domain.tariffs import LocalTime, Price, Tariffs
from loadcenter.services.measurements import SiteTime

_MINUTE_MS = Tier.MINUTE.value * 1000
_QUARTER_MS = Tier.QUARTER.value * 1000
_EPOCH = date(1970, 1, 1)


def wall_clock(site: SiteTime, tariffs: Tariffs, since_ms: int, until_ms: int) -> WallClock:
    """Return the site's clock from `since_ms` until `until_ms`, and when of a day prices change.

    Clocks are looked at once a day: a day in which they change twice is in no zone's record.
    """
    offsets = [(since_ms, _offset_ms(site, since_ms))]
    for before_ms in range(since_ms, until_ms, DAY_MS):
        after_ms = min(before_ms + DAY_MS, until_ms)
        offset_ms = _offset_ms(site, after_ms)
        if offset_ms != offsets[-1][1]:
            offsets.append((_change_ms(site, before_ms, after_ms, offset_ms), offset_ms))
    return WallClock(tuple(offsets), tuple(minute * _MINUTE_MS for minute in tariffs.change_minutes))


def _offset_ms(site: SiteTime, ts_ms: int) -> int:
    local = site.local(ts_ms)
    return (local.day - _EPOCH).days * DAY_MS + local.minute * _MINUTE_MS - ts_ms // _MINUTE_MS * _MINUTE_MS


def _change_ms(site: SiteTime, before_ms: int, after_ms: int, offset_ms: int) -> int:
    """Return the first quarter after `before_ms` from which on the offset is `offset_ms`."""
    quarters = range(before_ms - before_ms % _QUARTER_MS, after_ms, _QUARTER_MS)
    return next((ts_ms for ts_ms in quarters if _offset_ms(site, ts_ms) == offset_ms), after_ms)


class Moments:
    """Local time and price of each quarter, looked up once for all outlets."""

    def __init__(self, site: SiteTime, tariffs: Tariffs) -> None:
        self._site = site
        self._tariffs = tariffs
        self._known: dict[int, tuple[LocalTime, Price | None]] = {}

    def at(self, start_ms: int) -> tuple[LocalTime, Price | None]:
        """Return local time and price at the begin of a quarter."""
        found = self._known.get(start_ms)
        if found is None:
            local = self._site.local(start_ms)
            found = self._known[start_ms] = local, self._tariffs.price_at(local)
        return found
