"""Uptime out of a tick counter that rolls over, and the time of day. Runs under MicroPython and CPython."""

NEWEST_MS = 253402300799999  # end of the year 9999: the contract knows no later one


class Uptime:
    """Call it for the milliseconds since it was made; call it at least once per roll-over of the ticks.

    Args:
        ticks: a counter of milliseconds, such as `time.ticks_ms`.
        period: value at which it starts again at 0: 2**30 under MicroPython, which an ESP8266 reaches in 12 days.
    """

    def __init__(self, ticks: object, period: int = 1 << 30) -> None:
        self._ticks = ticks
        self._period = period
        self._last = ticks()
        self._ms = 0

    def __call__(self) -> int:
        """Return the milliseconds."""
        now = self._ticks()
        self._ms += (now - self._last) % self._period
        self._last = now
        return self._ms


class Clock:
    """The time of day on top of an uptime, which setting it never touches (MQTT-55).

    Args:
        uptime: an `Uptime`, or anything that returns milliseconds when called.

    Attributes:
        offset_ms: UTC minus uptime in milliseconds, None while the time of day is not known.
    """

    def __init__(self, uptime: object) -> None:
        self.uptime = uptime
        self.offset_ms = None

    def set(self, ts_ms: int) -> None:
        """Take `ts_ms`, milliseconds UTC since 1970, as now."""
        self.offset_ms = ts_ms - self.uptime()

    def at(self, up_ms: int) -> int | None:
        """Return UTC in milliseconds at an uptime, None while it is not known."""
        return None if self.offset_ms is None else self.offset_ms + up_ms
