"""Contacts as they really move: later than they are driven, and bouncing.

The model is that of small power relays (operate 5 to 10 ms, release 3 to 10 ms, bounce up to 3 ms; behaviour.md,
section 2). *Never both sources closed* is checked here, on contacts, not on what is driven.
"""

import random
from dataclasses import dataclass

from loadcenter.domain.topology import Source


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one relay in ms: from the drive until the contact makes (bounce apart), and until it has broken."""

    operate_ms: int
    release_ms: int
    bounce_ms: int


def any_timing(rng: random.Random) -> Timing:
    """Return the times of one relay, somewhere in the range of its kind."""
    return Timing(rng.randint(5, 10), rng.randint(3, 10), rng.randint(0, 3))


class Contact:
    """A normally open contact. A welded one stays closed whatever is driven."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._driven = False
        self._closed = False
        self._settles_ms: int | None = None
        self.welded = False

    def drive(self, closed: bool, now_ms: int) -> None:
        """Energise or release the coil."""
        if closed is self._driven:
            return
        self._driven = closed
        timing = self._timing
        delay_ms = timing.operate_ms + timing.bounce_ms if closed else timing.release_ms
        self._settles_ms = now_ms + delay_ms

    def closed(self, now_ms: int) -> bool:
        """Return whether it conducts at `now_ms`; while it bounces it does not count as closed."""
        if self._settles_ms is not None and now_ms >= self._settles_ms:
            self._closed = self._driven
            self._settles_ms = None
        return self._closed or self.welded

    def next_change_ms(self, now_ms: int) -> int | None:
        """Return when it moves next after `now_ms`, None while it is at rest."""
        settles_ms = self._settles_ms
        return settles_ms if settles_ms is not None and settles_ms > now_ms else None


class Changeover:
    """A two-pole changeover: one coil, and the interlock is in the contact, which leaves one throw to reach the other.

    De-energised it stands on the main source. It has no way to close both: `violations` stays 0.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._from = self._to = Source.MAIN
        self._breaks_ms = self._makes_ms = 0
        self.violations = 0

    def drive(self, position: Source, now_ms: int) -> None:
        """Energise (backup) or release (main) the coil."""
        if position is self._to:
            return
        timing = self._timing
        self._from = self.closed_to(now_ms) or self._from
        self._to = position
        travel_ms = timing.operate_ms if position is Source.BACKUP else timing.release_ms
        # The moving contact leaves its throw in the last third of the travel.
        self._breaks_ms = now_ms + travel_ms * 2 // 3
        self._makes_ms = now_ms + travel_ms + timing.bounce_ms

    def closed_to(self, now_ms: int) -> Source | None:
        """Return the source that it connects at `now_ms`, None while it flies or bounces."""
        if now_ms >= self._makes_ms:
            return self._to
        return self._from if now_ms < self._breaks_ms else None

    def next_change_ms(self, now_ms: int) -> int | None:
        """Return when it breaks or makes next after `now_ms`, None while it is at rest."""
        return _next_of(now_ms, self._breaks_ms, self._makes_ms)


class RelayPair:
    """Two relays instead of a changeover: the board variant whose interlock is a dead time in software.

    Args:
        main: times of the relay of the main source (closed at first).
        backup: times of the other.
        dead_ms: wait between releasing one and driving the other.
    """

    def __init__(self, main: Timing, backup: Timing, dead_ms: int) -> None:
        self._timing = {Source.MAIN: main, Source.BACKUP: backup}
        self._dead_ms = dead_ms
        self._from = self._to = Source.MAIN
        self._breaks_ms = self._makes_ms = 0
        self.violations = 0

    def drive(self, position: Source, now_ms: int) -> None:
        """Release one relay and, after the dead time, drive the other; both closed at once is counted."""
        if position is self._to:
            return
        old, new = self._timing[self._to], self._timing[position]
        self._from, self._to = self._to, position
        self._breaks_ms = max(now_ms, self._makes_ms) + old.release_ms
        first_touch_ms = now_ms + self._dead_ms + new.operate_ms
        self._makes_ms = first_touch_ms + new.bounce_ms
        if first_touch_ms < self._breaks_ms:
            self.violations += 1

    def closed_to(self, now_ms: int) -> Source | None:
        """Return the source that it connects at `now_ms`, None between the two."""
        if now_ms >= self._makes_ms:
            return self._to
        return self._from if now_ms < self._breaks_ms else None

    def next_change_ms(self, now_ms: int) -> int | None:
        """Return when it breaks or makes next after `now_ms`, None while it is at rest."""
        return _next_of(now_ms, self._breaks_ms, self._makes_ms)


def _next_of(now_ms: int, *times_ms: int) -> int | None:
    return min((at_ms for at_ms in times_ms if at_ms > now_ms), default=None)
