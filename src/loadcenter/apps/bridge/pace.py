"""How far a unit may run ahead of the clock, and how far it has fallen behind it."""

from dataclasses import dataclass

LAG_MS = 200
"""Less is made up for in the next slices; more is let go, or a busy machine would make the unit race for minutes."""


@dataclass(slots=True)
class Pace:
    """The clock against the time of a unit.

    Attributes:
        started_ms: what the clock said when the unit's time was 0.
        lost_ms: time of the clock that was let go since then.
    """

    started_ms: int
    lost_ms: int = 0

    def wait_ms(self, clock_ms: int, unit_ms: float) -> float:
        """Return how long to wait until the clock has come to the unit's time; 0 when the unit is behind."""
        return max(0.0, unit_ms - (clock_ms - self.started_ms))

    def let_go(self, clock_ms: int, unit_ms: float) -> int:
        """Return how far the unit was behind, in ms, if that is too far; it is on time from here."""
        behind_ms = int(clock_ms - self.started_ms - unit_ms)
        if behind_ms < LAG_MS:
            return 0
        self.started_ms += behind_ms
        self.lost_ms += behind_ms
        return behind_ms
