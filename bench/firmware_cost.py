"""What the real firmware costs (F6): cycles, stack, flash and RAM."""

from dataclasses import dataclass

from bench.figures import Figure, Figures
from scripts import firmware
from tests.firmware.rig import Program, Rig, number
from tests.firmware.waveforms import inductive, lamp, switched_supply

from loadcenter.adapters.emulator import CLOCK_HZ, Sine, Stats
from loadcenter.domain.topology import Source

STEP_CYCLES = CLOCK_HZ // 100
BUILDS = {"": "uno", "_60hz": "uno-60hz", "_mega": "mega"}


@dataclass(frozen=True)
class Cost:
    """What a busy time cost: counters, latest start of a step in ms, and RAM ever used in bytes, both as the unit says."""

    stats: Stats
    late_ms: float
    steps: int
    used_bytes: int


def busy(program: Program, seconds: float) -> Cost:
    """Return the cost of a busy time: hard loads, commands, outages."""
    rig = Rig(program)
    emulator, board = rig.emulator, rig.board
    for outlet in rig.outlets:
        load = (switched_supply(100), inductive(2, 0.6), lamp(0.5), inductive(3, 0.9))[outlet % 4]
        emulator.plug(outlet, load)
    rig.start_all()
    emulator.stats(clear=True)
    first = len(rig.frames)
    for turn in range(max(1, round(seconds / 10))):
        for outlet in rig.outlets:
            rig.switch(outlet, on=bool(turn % 2))
        rig.run(2)
        emulator.feed(Source.MAIN, Sine(0, board.nominal_hz))
        rig.run(1)
        emulator.feed(Source.MAIN, Sine(board.nominal_v, board.nominal_hz))
        rig.run(6)
    readings = [one for one in rig.frames[first:] if one.type == "T"]
    stats = emulator.stats()
    cost = Cost(
        stats,
        max(number(one, "late_us") for one in readings) / 1000,
        round(stats.cycles / STEP_CYCLES),
        len(emulator.ram) - min(number(one, "free_b") for one in readings),
    )
    rig.close()
    return cost


def f6(scale: float) -> Figures:
    """Return the figures of cost."""
    figures: Figures = {}
    for suffix, name in BUILDS.items():
        cost = busy(Program.built(name), 60 * scale)
        stats = cost.stats
        size = firmware.size_of(firmware.BUILDS[name])
        stack = f"static {size.ram}, stack {cost.used_bytes - size.ram}"
        figures |= {
            f"F6_scan{suffix}": Figure(stats.scan_longest, "cycles", "<= 6300", note=f"{stats.scans} scans"),
            f"F6_isr{suffix}": Figure(max(stats.isr_longest.values()), "cycles", "<= 1600"),
            f"F6_cpu{suffix}": Figure(stats.cpu_share * 100, "%", "<= 70"),
            f"F6_late{suffix}": Figure(cost.late_ms, "ms", note=f"worst of {cost.steps} steps of 10 ms"),
            f"F6_flash{suffix}": Figure(size.flash, "bytes"),
            f"F6_ram{suffix}": Figure(
                cost.used_bytes, "bytes", "<= 1536" if suffix != "_mega" else "", note=stack
            ),
        }
    return figures
