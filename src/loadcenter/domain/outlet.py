"""One outlet under way: its state, and the rules that decide whether its relay is closed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from loadcenter.domain.admission import OutletSnapshot
from loadcenter.domain.budget import Headroom
from loadcenter.domain.events import Cause
from loadcenter.domain.memory import OutletMemory
from loadcenter.domain.protection import CLEAR, Guard


class Rank(IntEnum):
    """Who has the say over an outlet; the lower number wins. No rule yet speaks for `SCHEDULE`."""

    PROTECTION = 1
    LOCK_OR_PERSON_OFF = 2
    SHED = 3
    PERSON_ON = 4
    SCHEDULE = 5
    RESTORE = 6


class Shed(StrEnum):
    """Why an outlet is shed: to keep a source within its budget, or because it was over its own limit.

    The first is restored by itself, the second by a person: its own load is the reason.
    """

    BUDGET = "budget"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class OutletState:
    """All that is remembered of one outlet.

    Attributes:
        memory: what survives a loss of supply.
        closed: what the relay is driven to.
        changed_ms: when that changed last.
        resume_ms: end of the pause of a power cycle.
        dropped: opened because the bus died, not because anybody wanted it off.
        guard: what protection remembers.
        shed: why it is shed, None when it is not.
        returning: it was shed and shall be closed again.
        draw_ma: what it drew when it was last seen to carry current, 0 before.
        draw_mw: likewise.
    """

    memory: OutletMemory
    closed: bool = False
    changed_ms: int = 0
    resume_ms: int | None = None
    dropped: bool = False
    guard: Guard = CLEAR
    shed: Shed | None = None
    returning: bool = False
    draw_ma: int = 0
    draw_mw: int = 0

    @property
    def cause(self) -> Cause:
        """Why it is as it is: the cause of the rule that decided."""
        return arbitrate(self).cause

    def snapshot(self, outlet: int, headroom: Headroom | None = None) -> OutletSnapshot:
        """Return what is reported of it, as outlet number `outlet`; `headroom` is what its source has to spare."""
        memory = self.memory
        return OutletSnapshot(
            outlet,
            self.closed,
            self.cause,
            None if memory.latch is None else memory.latch.trip.value,
            memory.locked,
            memory.by,
            {} if memory.latch is None else memory.latch.numbers,
            None if headroom is None or self.closed else headroom.refuses(self.draw_ma, self.draw_mw),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule wants, and why."""

    rank: Rank
    closed: bool
    cause: Cause


def _protection(outlet: OutletState) -> Verdict | None:
    if outlet.memory.latch is not None:
        return Verdict(Rank.PROTECTION, closed=False, cause=Cause.PROTECTION)
    return None


def _lock(outlet: OutletState) -> Verdict | None:
    if outlet.memory.locked:
        return Verdict(Rank.LOCK_OR_PERSON_OFF, outlet.memory.wanted, Cause.LOCK)
    return None


def _person_off(outlet: OutletState) -> Verdict | None:
    if outlet.memory.cause is Cause.PERSON_OFF:
        return Verdict(Rank.LOCK_OR_PERSON_OFF, closed=False, cause=Cause.PERSON_OFF)
    return None


def _shed(outlet: OutletState) -> Verdict | None:
    if outlet.shed is not None:
        return Verdict(Rank.SHED, closed=False, cause=Cause.SHED)
    return None


def _person_on(outlet: OutletState) -> Verdict | None:
    if outlet.memory.cause is Cause.PERSON_ON:
        # During the pause of a power cycle the person's wish is still "on".
        return Verdict(Rank.PERSON_ON, outlet.resume_ms is None, Cause.PERSON_ON)
    return None


def _restore(outlet: OutletState) -> Verdict:
    return Verdict(Rank.RESTORE, outlet.memory.wanted, Cause.RESTORE)


RULES: tuple[Callable[[OutletState], Verdict | None], ...] = (
    _protection,
    _lock,
    _person_off,
    _shed,
    _person_on,
)
"""In the order of their ranks; the first that has an opinion decides, and the last resort is the restore policy."""


def arbitrate(outlet: OutletState) -> Verdict:
    """Return what the highest rule that speaks wants of an outlet."""
    for rule in RULES:
        verdict = rule(outlet)
        if verdict is not None:
            return verdict
    return _restore(outlet)
