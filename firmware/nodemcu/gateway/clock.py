"""Uptime out of a tick counter that rolls over. Runs under MicroPython and CPython."""


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
