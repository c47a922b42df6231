"""What the log of contacts must say after every run, whatever the run was about."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.firmware.rig import Rig

from loadcenter.adapters.emulator import CLOCK_HZ, Kind, Part


@dataclass(frozen=True)
class Closing:
    """A time during which an outlet's contact had voltage, in s; `until_s` is None if it still has."""

    outlet: int
    from_s: float
    until_s: float | None


def live_times(rig: Rig, outlet: int) -> list[Closing]:
    """Return when the contact of an outlet (from 1) carried voltage."""
    found: list[Closing] = []
    for one in rig.events(Kind.LIVE):
        if one.index != outlet - 1:
            continue
        at_s = one.cycle / CLOCK_HZ
        if one.value:
            found.append(Closing(outlet, at_s, None))
        elif found:
            found[-1] = Closing(outlet, found[-1].from_s, at_s)
    return found


def live_s(rig: Rig, outlet: int, since_s: float) -> float:
    """Return for how long the contact of an outlet carried voltage after `since_s`."""
    now_s = rig.emulator.now_s
    return sum(
        max(0.0, (now_s if one.until_s is None else one.until_s) - max(one.from_s, since_s))
        for one in live_times(rig, outlet)
    )


def never_both(rig: Rig) -> bool:
    """Return whether both sources were never connected to each other since power-on."""
    return rig.emulator.stats().violations == 0


def openings(rig: Rig, parts: Iterable[Part], since_s: float) -> dict[Part, float]:
    """Return when the coil of each of some relays lost its current first, after `since_s`; those that kept it are not in it."""
    found: dict[Part, float] = {}
    for one in rig.events(Kind.PIN, since_s=since_s):
        part = Part(one.index)
        if part in parts and not one.value:
            found.setdefault(part, one.cycle / CLOCK_HZ)
    return found
