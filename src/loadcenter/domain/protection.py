"""Protection of one outlet: a definite-time overcurrent trip with a latch, and detection of a welded relay.

Inverse-time curves, thermal memory and inrush masks are not part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from loadcenter.domain.events import Detail
from loadcenter.domain.settings import OutletConfig

CARRIES_MA = 200
"""Current above this flows for certain: ten times the noise of an ACS712 at rest (behaviour.md, section 3)."""

WELDED_MS = 200
"""A relay that was commanded off and still carries current for this long is welded (behaviour.md, section 3)."""


class Trip(StrEnum):
    """What opened an outlet: `spec/codes.toml`, category trip."""

    OVERCURRENT = "overcurrent"


@dataclass(frozen=True, slots=True)
class Latch:
    """A trip that holds an outlet open until a person resets it, with the numbers that were compared."""

    trip: Trip
    current_ma: int
    limit_ma: int
    limit_ms: int

    @property
    def numbers(self) -> Mapping[str, Detail]:
        """The numbers as the data of an event or a result."""
        return {
            "trip": self.trip.value,
            "i_ma": self.current_ma,
            "limit_ma": self.limit_ma,
            "limit_ms": self.limit_ms,
        }


@dataclass(frozen=True, slots=True)
class Guard:
    """What protection remembers of one outlet from step to step; lost with the supply, unlike the latch.

    Attributes:
        over_since_ms: when the current was first seen over its limit, None while it is not.
        stuck_since_ms: when current was first seen through the open relay, None while none flows.
        welded: the relay is known not to open, until it is closed again.
    """

    over_since_ms: int | None = None
    stuck_since_ms: int | None = None
    welded: bool = False


CLEAR = Guard()
"""Nothing wrong; compared by identity where speed matters."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Outcome of a step: the guard, and what became true in it."""

    guard: Guard
    latch: Latch | None = None
    found_welded: bool = False


_QUIET = Watched(CLEAR)


def watch(guard: Guard, *, closed: bool, current_ma: int, config: OutletConfig, now_ms: int) -> Watched:
    """Return the guard after one step, with a latch if the outlet trips now.

    The current must be over `limit_ma` at every step for `limit_ms` from the first of them; one step at or below the
    limit starts anew.

    Args:
        guard: what was remembered.
        closed: whether the relay is commanded on.
        current_ma: true RMS current of the last cycle.
        config: the limits.
        now_ms: monotonic time.
    """
    if closed:
        if current_ma <= config.limit_ma:
            return _QUIET
        since_ms = now_ms if guard.over_since_ms is None else guard.over_since_ms
        if now_ms - since_ms >= config.limit_ms:
            return Watched(CLEAR, Latch(Trip.OVERCURRENT, current_ma, config.limit_ma, config.limit_ms))
        return Watched(Guard(over_since_ms=since_ms))
    if current_ma <= CARRIES_MA:
        return Watched(Guard(welded=True)) if guard.welded else _QUIET
    since_ms = now_ms if guard.stuck_since_ms is None else guard.stuck_since_ms
    found = not guard.welded and now_ms - since_ms >= WELDED_MS
    return Watched(Guard(stuck_since_ms=since_ms, welded=guard.welded or found), found_welded=found)
