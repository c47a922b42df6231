"""What a device may do between two steps, and what it has done.

A step comes every 10 to 20 ms; a lost source and a short circuit cannot wait for it. The part of a device that samples
(firmware: the interrupt) acts at once, but only within what the last step has allowed (`Standing`). It reports what it
has done (`Acted`), and the next step takes that as a fact.
"""

from dataclasses import dataclass

AT_ONCE_PERMILLE = 650
"""Two-point amplitude, in permille of the nominal peak, below which the active source is left at once."""

AT_ONCE_INRUSH_PERMILLE = 400
"""The same for `AT_ONCE_INRUSH_MS` after the bus was connected: inrush pulls a weak source down."""

AT_ONCE_INRUSH_MS = 150


@dataclass(frozen=True, slots=True)
class FastTrip:
    """An outlet that was opened by the instantaneous trip, with the highest current that was compared, in mA."""

    outlet: int
    peak_ma: int


@dataclass(frozen=True, slots=True)
class Acted:
    """What was done at once since the last step.

    Attributes:
        swung: the changeover was moved to the other source, and the outlets of `Standing.shed` opened.
        opened: the isolator was opened because the active source was lost but still carries voltage.
        tripped: outlets opened by the instantaneous trip.
        masked: outlets whose load has started by itself, so that an inrush mask began.
    """

    swung: bool = False
    opened: bool = False
    tripped: tuple[FastTrip, ...] = ()
    masked: tuple[int, ...] = ()


NOTHING_DONE = Acted()


@dataclass(frozen=True, slots=True)
class Standing:
    """What may be done at once until the next step.

    Attributes:
        leave: leave the active source when it is lost.
        shed: outlets to open in the same pass, before the changeover moves.
        at_once_permille: two-point limit of the active source.
        masked: outlets without an instantaneous trip now, except by clip count.
        quiet: outlets whose load may begin a mask by starting up.
    """

    leave: bool = False
    shed: tuple[int, ...] = ()
    at_once_permille: int = AT_ONCE_PERMILLE
    masked: tuple[int, ...] = ()
    quiet: tuple[int, ...] = ()


NOTHING_ALLOWED = Standing()
