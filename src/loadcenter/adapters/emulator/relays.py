"""Relays as they really move: names for them, their times and their faults."""

from dataclasses import dataclass
from enum import IntEnum

from loadcenter.adapters.emulator.native import RelayStruct

CYCLES_PER_MS = 16_000


class Part(IntEnum):
    """A relay of the board. Outlet n is `outlet(n)`; a changeover's contact is 0 main, 1 backup, -1 between them."""

    CHANGEOVER = 0
    BACKUP_RELAY = 1
    ISOLATOR = 2
    OUTLET_1 = 3
    OUTLET_2 = 4
    OUTLET_3 = 5
    OUTLET_4 = 6
    OUTLET_5 = 7
    OUTLET_6 = 8
    OUTLET_7 = 9
    OUTLET_8 = 10

    @staticmethod
    def outlet(number: int) -> "Part":
        """Return the relay of outlet `number`, which counts from 1."""
        return Part(Part.ISOLATOR + number)


@dataclass(frozen=True, slots=True)
class RelayModel:
    """Times of one relay in ms and what is wrong with it (behaviour: operate 5 to 10, release 3 to 10, bounce <= 3).

    Attributes:
        operate_ms: from energising the coil until the contact first moves to its other side.
        release_ms: from releasing it likewise.
        bounce_ms: how long a closing contact chatters.
        welded: the contact is closed whatever the coil does.
        stuck_open: it never closes.
        normally_closed: closed while the coil has no current.
        throw_welded: a changeover that stays on this throw (0 main, 1 backup).
    """

    operate_ms: float = 8.0
    release_ms: float = 5.0
    bounce_ms: float = 1.5
    welded: bool = False
    stuck_open: bool = False
    normally_closed: bool = False
    throw_welded: int | None = None

    def struct(self) -> RelayStruct:
        """Return it as the C part takes it."""
        return RelayStruct(
            round(self.operate_ms * CYCLES_PER_MS),
            round(self.release_ms * CYCLES_PER_MS),
            round(self.bounce_ms * CYCLES_PER_MS),
            self.welded,
            self.stuck_open,
            self.normally_closed,
            -1 if self.throw_welded is None else self.throw_welded,
        )
