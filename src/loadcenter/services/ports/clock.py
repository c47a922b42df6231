"""Time, and the days of the site."""

from typing import Protocol


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """UTC in ms since 1970, for records."""
        ...

    def monotonic_ms(self) -> int:
        """A clock that never steps, for intervals."""
        ...

    async def sleep_ms(self, duration_ms: int) -> None:
        """Return after `duration_ms` have passed."""
        ...


class Calendar(Protocol):
    """Days of the site, which follow its local date and daylight saving."""

    def day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the local midnight at or before `ts_ms`."""
        ...

    def next_day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the first local midnight after `ts_ms`."""
        ...
