"""What the real firmware costs (F6): cycles, stack, flash and RAM."""

import itertools
from dataclasses import dataclass

from bench.figures import Figure, Figures
from scripts import firmware
from tests.firmware.rig import Program, Rig
from tests.firmware.waveforms import inductive, lamp, switched_supply

from loadcenter.adapters.emulator import CLOCK_HZ, Emulator, Kind, Sine, Stats
from loadcenter.domain.topology import Source

STEP_CYCLES = CLOCK_HZ // 100
BUILDS = {"": "uno", "_60hz": "uno-60hz", "_mega": "mega", "_mega_60hz": "mega-60hz"}


PAINT = 0xA6
OWN_PAINT = 0xC5
"""What the firmware paints its stack with where it watches it by itself."""


@dataclass(frozen=True)
class Cost:
    """What a busy time cost: counters, latest start of a step in ms, steps, and bytes of stack ever used."""

    stats: Stats
    late_ms: float
    steps: int
    stack: int


def busy(program: Program, seconds: float) -> Cost:
    """Return the cost of a busy time: hard loads, commands, outages."""
    rig = Rig(program)
    emulator, board = rig.emulator, rig.board
    free = range(emulator.symbol("_end"), emulator.ram[-1] + 1)
    emulator.poke(free[0], bytes([PAINT]) * len(free))
    for outlet in rig.outlets:
        load = (switched_supply(100), inductive(2, 0.6), lamp(0.5), inductive(3, 0.9))[outlet % 4]
        emulator.plug(outlet, load)
    rig.start_all()
    emulator.watch(clock_address(rig))
    emulator.stats(clear=True)
    since_s = emulator.now_s
    for turn in range(max(1, round(seconds / 10))):
        for outlet in rig.outlets:
            rig.switch(outlet, on=bool(turn % 2))
        rig.run(2)
        emulator.feed(Source.MAIN, Sine(0, board.nominal_hz))
        rig.run(1)
        emulator.feed(Source.MAIN, Sine(board.nominal_v, board.nominal_hz))
        rig.run(6)
    steps = [one.cycle for one in rig.events(Kind.WATCH, since_s=since_s)]
    late = [after - before - STEP_CYCLES for before, after in itertools.pairwise(steps)]
    cost = Cost(emulator.stats(), max(late) / CLOCK_HZ * 1000, len(steps), stack_used(emulator, free))
    rig.close()
    return cost


def clock_address(rig: Rig) -> int:
    """Return where the unit keeps its time: the low byte of a number that is that of its telemetry, and goes on by 10.

    Raises:
        StopIteration: there is no such number.
    """
    emulator = rig.emulator
    seen = []
    for _ in range(3):
        seen.append((emulator.now_s, emulator.peek(emulator.ram[0], len(emulator.ram))))
        rig.run(0.05)

    def at(number: int, offset: int) -> int:
        return int.from_bytes(seen[number][1][offset : offset + 4], "little")

    def fits(offset: int) -> bool:
        steps = [at(number, offset) - at(number - 1, offset) for number in (1, 2)]
        return all(40 <= step <= 60 for step in steps) and abs(at(0, offset) / 1000 - seen[0][0]) < 0.3

    return next(emulator.ram[0] + offset for offset in range(len(emulator.ram) - 4) if fits(offset))


def stack_used(emulator: Emulator, free: range) -> int:
    """Return how many bytes at the end of RAM are not as they were painted."""
    content = emulator.peek(free[0], len(free))
    first = next(offset for offset, byte in enumerate(content) if byte not in {PAINT, OWN_PAINT})
    return len(free) - first


def f6(scale: float) -> Figures:
    """Return the figures of cost."""
    figures: Figures = {}
    for suffix, name in BUILDS.items():
        program = Program.built(name)
        cost = busy(program, 60 * scale)
        stats = cost.stats
        size = firmware.size_of(firmware.BUILDS[name])
        figures |= {
            f"F6_scan{suffix}": Figure(stats.scan_longest, "cycles", "<= 6300", note=f"{stats.scans} scans"),
            f"F6_isr{suffix}": Figure(max(stats.isr_longest.values()), "cycles", "<= 1600"),
            f"F6_cpu{suffix}": Figure(
                stats.cpu_share * 100, "%", "<= 70", note=f"interrupts {stats.isr_cycles / stats.cycles:.0%}"
            ),
            f"F6_late{suffix}": Figure(cost.late_ms, "ms", note=f"latest of {cost.steps} steps of 10 ms"),
            f"F6_flash{suffix}": Figure(size.flash, "bytes", f"<= {firmware.BUILDS[name].flash}"),
            f"F6_ram{suffix}": Figure(
                size.ram + cost.stack,
                "bytes",
                "<= 1536" if suffix != "_mega" else "",
                note=f"static {size.ram}, stack {cost.stack}",
            ),
        }
    return figures
