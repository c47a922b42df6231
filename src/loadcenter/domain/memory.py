"""What a PDU still knows after its supply was cut: wishes of people, locks and latched trips."""

from dataclasses import dataclass, replace

from loadcenter.domain.events import Cause
from loadcenter.domain.protection import Latch
from loadcenter.domain.settings import PowerOn


@dataclass(frozen=True, slots=True)
class OutletMemory:
    """What is kept of one outlet.

    Attributes:
        wanted: whether it shall be on. A new PDU comes up with its outlets on, as rack PDUs do.
        cause: why.
        by: who asked, empty when nobody did.
        latch: the trip that holds it open, None when there is none.
        locked: whether it is locked in its state.
        heat_pct: the highest stage that its heat has reached: 0, 25, 50, 75 or 100 % of the trip.
    """

    wanted: bool = True
    cause: Cause = Cause.RESTORE
    by: str = ""
    latch: Latch | None = None
    locked: bool = False
    heat_pct: int = 0


@dataclass(frozen=True, slots=True)
class PduMemory:
    """What is kept of a whole PDU: one entry an outlet, from outlet 1."""

    outlets: tuple[OutletMemory, ...]


def restored(memory: OutletMemory, policy: PowerOn) -> OutletMemory:
    """Return what an outlet shall be after start-up.

    A locked outlet keeps its state under every policy. A latch is never touched: it is above what is returned.
    """
    if memory.latch is not None:
        return replace(memory, wanted=False, cause=Cause.PROTECTION, by="")
    if memory.locked:
        return memory
    match policy:
        case PowerOn.LAST_STATE:
            return replace(memory, cause=Cause.RESTORE, by="") if memory.wanted else memory
        case PowerOn.ALWAYS_ON:
            return replace(memory, wanted=True, cause=Cause.RESTORE, by="")
        case PowerOn.ALWAYS_OFF:
            return replace(memory, wanted=False, cause=Cause.RESTORE, by="")
