"""Notices when the clock of this machine was set, so that what runs by intervals can be moved along."""

from loadcenter.services.ports import Clock

STEP_MS = 1_000
"""The clock was set when it moved this much against the monotonic one."""


class ClockSteps:
    """Compares the two clocks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ms = clock.now_ms() - clock.monotonic_ms()

    def taken(self) -> int:
        """Return by how much the clock was set since the last call, in ms; 0 where it was not."""
        ahead_ms = self._clock.now_ms() - self._clock.monotonic_ms()
        by_ms = ahead_ms - self._ahead_ms
        if abs(by_ms) < STEP_MS:
            return 0
        self._ahead_ms = ahead_ms
        return by_ms
