"""Bits that flip in registers and RAM of the real firmware, and what becomes of its outputs."""

import random
from dataclasses import dataclass
from enum import StrEnum

from tests.firmware.contacts import live_s, never_both
from tests.firmware.rig import Program, Rig

from loadcenter.adapters.emulator import DEAD, Kind, Part
from loadcenter.adapters.emulator.emulator import PROGRAM_COUNTER
from loadcenter.domain.topology import Source

REGISTERS = 32
STACK_POINTER = (0x5D, 0x5E)
STATUS = 0x5F
LATCHED, SWITCHED_OFF, LOADED = 2, 3, 1
SLOW_S = 0.3
CURVE_S = 5.0


class Fate(StrEnum):
    """What became of one flip."""

    UNSEEN = "unseen"
    """Nothing differs from what should be."""
    DETECTED = "detected"
    """The program was reset, or told of a failed self test."""
    CHANGED = "changed"
    """Outputs differ, but to the safe side: something is off or was late."""
    UNSAFE = "unsafe"
    """Sources connected to each other, voltage where it must not be, or an overcurrent that stays."""


@dataclass(frozen=True)
class Flip:
    """One flip, as it was drawn, and its fate; `why` says what was unsafe or changed."""

    address: int
    bit: int
    fate: Fate
    why: str = ""


def ready(program: Program) -> Rig:
    """Return a unit with one outlet latched, one switched off by a person, and two that run."""
    rig = Rig(program)
    rig.load_all(2.0)
    rig.start_all()
    rig.run(4)
    rig.overload(LATCHED, 5)
    rig.switch(SWITCHED_OFF, on=False)
    rig.run(3)
    return rig


def draw(rng: random.Random, rig: Rig) -> tuple[int, int]:
    """Return (address, bit): registers in two of five draws, RAM in the rest."""
    if rng.random() < 0.4:
        address = rng.choice((*range(REGISTERS), *STACK_POINTER, STATUS, PROGRAM_COUNTER))
        return address, rng.randrange(14 if address == PROGRAM_COUNTER else 8)
    return rng.choice(rig.emulator.ram), rng.randrange(8)


def suffer(rig: Rig, seed: int) -> Flip:
    """Return what becomes of a flip: some rest, then an overcurrent, then a loss of the source."""
    rng = random.Random(seed)
    emulator = rig.emulator
    address, bit = draw(rng, rig)
    began_s = emulator.now_s
    emulator.flip(address, bit, at_s=began_s + 0.02 + rng.random() * 0.1)
    rig.run(0.6)
    at_s = rig.overload(LOADED, 5)
    rig.run(SLOW_S)
    late = bool(live_s(rig, LOADED, emulator.now_s - 0.001))
    if late:  # the curve, which takes 3.4 s, is there for what the interrupt does not see
        rig.run(CURVE_S)
    tripped = not live_s(rig, LOADED, emulator.now_s - 0.001)
    lost_s = emulator.now_s
    emulator.feed(Source.MAIN, DEAD)
    rig.run(0.5)
    left = rig.left(lost_s) is not None or not emulator.isolator_closed
    unsafe = _unsafe(rig, began_s, tripped)
    if unsafe:
        return Flip(address, bit, Fate.UNSAFE, unsafe)
    if rig.events(Kind.RESET, Kind.CRASH, since_s=began_s) or rig.told("self_test_failed"):
        return Flip(address, bit, Fate.DETECTED)
    changed = _changed(rig, began_s, at_s, left) or ("tripped by its curve" if late else "")
    return Flip(address, bit, Fate.CHANGED if changed else Fate.UNSEEN, changed)


def _unsafe(rig: Rig, began_s: float, tripped: bool) -> str:
    if not never_both(rig):
        return "both sources connected"
    if live_s(rig, LATCHED, began_s):
        return "latched outlet has voltage"
    if live_s(rig, SWITCHED_OFF, began_s):
        return "outlet that a person switched off has voltage"
    return "" if tripped else "overcurrent stays"


def _changed(rig: Rig, began_s: float, at_s: float, left: bool) -> str:
    early = [one for one in rig.events(Kind.PIN, since_s=began_s) if one.cycle / 16e6 < at_s]
    if early:
        return f"{Part(early[0].index).name} moved"
    return "" if left else "the lost source was not left"
