"""What the emulator tells of a run."""

import math
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from loadcenter.adapters.emulator.native import StatsStruct, TruthStruct


class Kind(IntEnum):
    """What an entry of the log says; `index` and `value` stand behind each."""

    PIN = 1
    """A relay is driven otherwise: relay, on."""
    CONTACT = 2
    """A contact has moved: relay, closed (of a changeover the throw, -1 between)."""
    LIVE = 3
    """An outlet's contact has or has no longer voltage: outlet from 0, live."""
    BOTH = 4
    """Both sources are connected to each other, or no longer: 0, 1 or 0."""
    BUS = 5
    """What the bus is connected to: 0, source (-1 none, 2 both)."""
    RESET = 6
    """The program begins anew: flags of MCUSR."""
    PROBE = 7
    """The program wrote to a general purpose register: its number, value."""
    EEPROM = 8
    """A write begins: address, value."""
    EEPROM_BUSY = 9
    """The program asked the EEPROM while a write was under way: address."""
    EEPROM_CUT = 10
    """Power ended a write midway: address, what is left in the cell."""
    OVERRUN = 11
    """The receiver lost a byte: the byte."""
    CRASH = 12
    """The program left what can be executed: 1 if it sleeps without interrupts, program counter."""
    INPUT = 13
    """The bus-live input: 0, live."""
    WATCH = 14
    """The byte that `watch` names has changed: its address, value."""


class Reset(IntFlag):
    """Causes as in MCUSR."""

    POWER = 1
    EXTERNAL = 2
    BROWN_OUT = 4
    WATCHDOG = 8


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log, at a cycle since the beginning."""

    cycle: int
    kind: Kind
    index: int
    value: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What the program cost since these were last cleared; times in cycles of 62.5 ns.

    Attributes:
        cycles: whole time.
        slept: of these, asleep.
        isr_cycles: of these, in interrupts (nested ones count twice).
        isr_longest: longest run of each vector that ran.
        isr_mean: mean run likewise.
        scans: how many began.
        scan_longest: from the timer's interrupt to the end of the last conversion's.
        scan_late_longest: latest start of a scan behind its grid of 400 us.
        eeprom_writes: cells written.
        overruns: bytes that the receiver lost.
        crashes: times that the program left its code.
        violations: times that both sources came together (never cleared).
        both_s: how long they were so, in s.
        lowest_sp: deepest stack pointer seen at interrupts and probes.
    """

    cycles: int
    slept: int
    isr_cycles: int
    isr_longest: dict[int, int]
    isr_mean: dict[int, float]
    scans: int
    scan_longest: int
    scan_late_longest: int
    eeprom_writes: int
    overruns: int
    crashes: int
    violations: int
    both_s: float
    lowest_sp: int

    @property
    def cpu_share(self) -> float:
        """Part of the time that it was awake."""
        return 1 - self.slept / self.cycles if self.cycles else 0.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What really flowed since this was last cleared.

    Attributes:
        span_s: how long.
        source_v: RMS of each source at its terminals.
        current_a: RMS through each outlet.
        power_w: mean power into each outlet.
        peak_a: highest current of each outlet.
    """

    span_s: float
    source_v: tuple[float, ...]
    current_a: tuple[float, ...]
    power_w: tuple[float, ...]
    peak_a: tuple[float, ...]


def stats_of(struct: StatsStruct, clock_hz: int) -> Stats:
    """Return the C part's counters as values."""
    ran = [vector for vector, count in enumerate(struct.isr_count) if count]
    return Stats(
        cycles=struct.cycles,
        slept=struct.slept,
        isr_cycles=struct.isr_cycles,
        isr_longest={vector: struct.isr_longest[vector] for vector in ran},
        isr_mean={vector: struct.isr_total[vector] / struct.isr_count[vector] for vector in ran},
        scans=struct.scans,
        scan_longest=struct.scan_longest,
        scan_late_longest=struct.scan_late_longest,
        eeprom_writes=struct.eeprom_writes,
        overruns=struct.overruns,
        crashes=struct.crashes,
        violations=struct.violations,
        both_s=struct.both_cycles / clock_hz,
        lowest_sp=struct.lowest_sp,
    )


def truth_of(struct: TruthStruct, clock_hz: int) -> Truth:
    """Return the C part's integrals as means."""
    span_s = struct.cycles / clock_hz
    over = span_s or 1.0
    return Truth(
        span_s,
        tuple(math.sqrt(v2 / over) for v2 in struct.v2),
        tuple(math.sqrt(i2 / over) for i2 in struct.i2),
        tuple(vi / over for vi in struct.vi),
        tuple(struct.peak_a),
    )
