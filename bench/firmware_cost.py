"""What the real firmware costs (F6): cycles, stack, flash and RAM."""

import itertools

from bench.figures import Figure, Figures
from scripts import firmware
from tests.firmware.rig import Program, Rig
from tests.firmware.waveforms import inductive, lamp, switched_supply

from loadcenter.adapters.emulator import CLOCK_HZ, Kind, Sine, Stats
from loadcenter.domain.topology import Source

STEP_CYCLES = CLOCK_HZ // 100
UNO_BUILDS = {"": "uno", "_60hz": "uno-60hz", "_mega": "mega"}


def busy(program: Program, seconds: float) -> tuple[Stats, list[int], int]:
    """Return the cost of a busy time (loads, commands, an outage), how late each step began, and the end of RAM."""
    rig = Rig(program)
    emulator, board = rig.emulator, rig.board
    for outlet in rig.outlets:
        load = (switched_supply(100), inductive(2, 0.6), lamp(0.5), inductive(3, 0.9))[outlet % 4]
        emulator.plug(outlet, load)
    rig.start_all()
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
    stats = emulator.stats()
    late = lateness(rig, since_s)
    end = emulator.ram[-1]
    rig.close()
    return stats, late, end


def lateness(rig: Rig, since_s: float) -> list[int]:
    """Return by how many cycles each step came later than 10 ms after the one before."""
    begun = [one.cycle for one in rig.events(Kind.PROBE, since_s=since_s) if (one.index, one.value) == (0, 1)]
    return [max(0, after - before - STEP_CYCLES) for before, after in itertools.pairwise(begun)]


def f6(scale: float) -> Figures:
    """Return the figures of cost."""
    figures: Figures = {}
    for suffix, name in UNO_BUILDS.items():
        stats, late, end = busy(Program.built(name), 60 * scale)
        size = firmware.size_of(firmware.BUILDS[name])
        stack = end - stats.lowest_sp
        figures |= {
            f"F6_scan{suffix}": Figure(stats.scan_longest, "cycles", "<= 6300", note=f"{stats.scans} scans"),
            f"F6_isr{suffix}": Figure(max(stats.isr_longest.values()), "cycles", "<= 1600"),
            f"F6_cpu{suffix}": Figure(stats.cpu_share * 100, "%", "<= 70"),
            f"F6_late{suffix}": Figure(
                max(late, default=0) / CLOCK_HZ * 1000, "ms", note=f"{len(late)} steps of 10 ms"
            ),
            f"F6_flash{suffix}": Figure(size.flash, "bytes"),
            f"F6_ram{suffix}": Figure(
                size.ram + stack, "bytes", "<= 1536", note=f"static {size.ram}, stack {stack}"
            ),
        }
    return figures
