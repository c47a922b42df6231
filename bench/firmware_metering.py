"""What the real firmware meters (F5), beside an emonLib-style sampler of the same waveforms."""

import itertools
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.figures import Figure, Figures
from bench.firmware_transfer import BUILDS
from tests.firmware.rig import Program, Rig, forked, number

from loadcenter.adapters.emulator import Board, Current, Harmonic, Sensor, Sine

CURRENTS_A = (0.1, 0.5, 1.0, 2.0, 4.0)
POWER_FACTORS = (1.0, 0.8, 0.5)
NOISES_LSB = (1.0, 4.0)
SHAPES = {"sine": (), "harmonics": (Harmonic(3, 0.2), Harmonic(5, 0.1, 90))}
OUTLET = 3
LEARNS_S = 60.0
UNITS = 4
"""Units, each with what it has learned of its noise by itself, over which an error is averaged at `ALONE_A` and below."""

ALONE_A = 0.5
LONGER = {0.1: 4, 0.5: 2}
"""By current: how many times more readings a mean needs in noise until its error says something of the unit."""
EMON_HZ = 1800
EMON_CYCLES = 10


@dataclass(frozen=True)
class Point:
    """One operating point."""

    hz: int
    amperes: float
    power_factor: float
    shape: str
    noise_lsb: float
    avcc_v: float = 5.0


@dataclass(frozen=True)
class Metered:
    """Errors in percent at a point: current and voltage of themselves, power of the apparent power.

    Attributes:
        point: where.
        current: mean error.
        current_sd: of single readings of a second.
        units_sd: of the mean errors of several units; 0 where there is one.
        power: mean error.
        voltage: mean error.
        emon_current: mean error of the emonLib-style sampler.
        emon_current_sd: of its single readings.
    """

    point: Point
    current: float
    current_sd: float
    units_sd: float
    power: float
    voltage: float
    emon_current: float
    emon_current_sd: float


def wave(point: Point) -> Sine:
    """Return the current of a point; its RMS is `amperes`, harmonics included."""
    parts = SHAPES[point.shape]
    whole = math.sqrt(1 + sum(part.ratio**2 for part in parts))
    lag_deg = -math.degrees(math.acos(point.power_factor))
    return Sine(point.amperes / whole, point.hz, lag_deg, harmonics=parts, continues=False)


def meter(rig: Rig, point: Point, seconds: int) -> Metered:
    """Return what the unit says at a point, against what flowed."""
    emulator, board = rig.emulator, rig.board
    if point.avcc_v != 5.0:
        now_s = emulator.now_s
        emulator.supply([(now_s, 5.0), (now_s + 0.001, point.avcc_v)])
    # Mains began at 0 with phase 0: from a whole number of cycles on, the angle between the two waves is as given.
    at_s = math.ceil(emulator.now_s * point.hz) / point.hz
    emulator.plug(OUTLET, Current(wave(point)), from_s=at_s)
    rig.run(3.0)
    emulator.truth()
    before = len(rig.frames)
    rig.run(seconds * (LONGER.get(point.amperes, 1) if point.noise_lsb > 1 else 1))
    truth = emulator.truth()
    readings = [one for one in rig.frames[before:] if one.type == "T"]
    amperes = [number(one, f"i_ma.{OUTLET}") / 1000 for one in readings]
    volts = [number(one, "v_mv.main") / 1000 for one in readings]
    watts = [number(one, f"p_mw.{OUTLET}") / 1000 for one in readings]
    true_a, true_w, true_v = truth.current_a[OUTLET - 1], truth.power_w[OUTLET - 1], truth.source_v[0]
    emon = emon_like(board, point, len(amperes))
    return Metered(
        point,
        percent(statistics.fmean(amperes), true_a),
        statistics.pstdev(amperes) / true_a * 100,
        0.0,
        (statistics.fmean(watts) - true_w) / (true_a * true_v) * 100,
        percent(statistics.fmean(volts), true_v),
        percent(statistics.fmean(emon), true_a),
        statistics.pstdev(emon) / true_a * 100,
    )


def percent(measured: float, true: float) -> float:
    """Return the error of a measurement."""
    return (measured - true) / true * 100


def emon_like(board: Board, point: Point, count: int) -> list[float]:
    """Return `count` currents as emonLib reckons them: ten cycles, the middle tracked by a filter, no noise taken out."""
    rng = random.Random(1)
    shape = wave(point)
    peak = shape.rms * math.sqrt(2)
    samples = round(EMON_HZ * EMON_CYCLES / point.hz)
    middle, found, n = 512.0, [], 0
    for _ in range(count + 1):
        total = 0.0
        for _ in range(samples):
            angle = math.tau * point.hz * n / EMON_HZ
            value = math.sin(angle)
            value += sum(
                part.ratio * math.sin(part.order * angle + math.radians(part.phase_deg))
                for part in shape.harmonics
            )
            volts = 2.5 + peak * value * board.volt_per_ampere
            code = math.floor(volts / 5 * 1024 + rng.gauss(0, point.noise_lsb))
            middle += (code - middle) / 1024
            total += (code - middle) ** 2
            n += 1
        found.append(math.sqrt(total / samples) * 5 / 1024 / board.volt_per_ampere)
    return found[1:]


def points() -> list[Point]:
    """Return the operating points."""
    grid = [
        Point(hz, amperes, power_factor, shape, noise)
        for hz in BUILDS
        for amperes in CURRENTS_A
        for power_factor in POWER_FACTORS
        for shape in SHAPES
        for noise in NOISES_LSB
    ]
    return grid + [Point(hz, amperes, 0.8, "sine", 1.0, 5.15) for hz in BUILDS for amperes in CURRENTS_A]


def warm(hz: int, noise_lsb: float, scale: float = 1.0, seed: int = 1) -> Rig:
    """Return a unit that stands on MAIN with nothing plugged in, and that has learned this noise with its relay open."""
    rig = Rig(Program.built(BUILDS[hz]), seed=seed)
    for outlet in rig.outlets:
        rig.emulator.current_sensor(outlet, Sensor(noise_lsb=noise_lsb))
    rig.start_all()
    rig.run(6.0)  # the least time on
    rig.switch(OUTLET, on=False)
    rig.run(LEARNS_S * min(1.0, 10 * scale))
    rig.switch(OUTLET, on=True)
    rig.run(3.0)
    return rig


def metered(scale: float) -> list[Metered]:
    """Return every point, or with a small scale some of them."""
    everything = points()
    wanted = random.Random(1).sample(everything, max(8, round(len(everything) * min(1.0, scale))))
    seconds = max(4, round(20 * min(1.0, 3 * scale)))
    found: list[Metered] = []
    for hz, noise_lsb in itertools.product(BUILDS, NOISES_LSB):
        cases = [point for point in wanted if (point.hz, point.noise_lsb) == (hz, noise_lsb)]
        several = [point for point in cases if point.amperes <= ALONE_A] if noise_lsb > 1 else []
        by_unit: list[Metered] = []
        for seed in range(1, UNITS + 1 if several else 2):
            rig = warm(hz, noise_lsb, scale, seed)
            own = cases if seed == 1 else several
            by_unit += forked(lambda point, rig=rig: meter(rig, point, seconds), own)
            rig.close()
        found += [averaged([one for one in by_unit if one.point == point]) for point in cases]
    return found


def averaged(units: Sequence[Metered]) -> Metered:
    """Return what several units say at one point, as one."""
    mean = {
        name: statistics.fmean(getattr(one, name) for one in units)
        for name in ("current", "current_sd", "power", "voltage")
    }
    return replace(units[0], **mean, units_sd=statistics.pstdev(one.current for one in units))


def idle(rig: Rig) -> tuple[int, int]:
    """Return the highest current in mA and power in mW that a unit says of outlets that draw nothing."""
    before = len(rig.frames)
    rig.run(10)
    readings = [one for one in rig.frames[before:] if one.type == "T"]
    return (
        max(number(one, f"i_ma.{outlet}") for one in readings for outlet in rig.outlets),
        max(abs(number(one, f"p_mw.{outlet}")) for one in readings for outlet in rig.outlets),
    )


def worst_of(found: Sequence[Metered], what: str) -> Metered:
    """Return the point with the largest error of a kind."""
    return max(found, key=lambda one: abs(float(getattr(one, what))))


def f5(scale: float) -> Figures:
    """Return the figures of metering; those of 60 Hz apart, because another board measures them."""
    found = metered(scale)
    figures: Figures = {}
    for hz, suffix in ((50, ""), (60, "_60hz")):
        own = [one for one in found if one.point.hz == hz]
        small = [one for one in own if one.point.amperes == 0.1]
        large = [one for one in own if one.point.amperes >= 0.5]
        figures |= _errors(f"F5{suffix}_at_0.1A", small, "<= 1.5") | _errors(
            f"F5{suffix}_from_0.5A", large, "<= 0.2"
        )
        if own:
            volts = worst_of(own, "voltage")
            figures[f"F5{suffix}_voltage"] = Figure(
                abs(volts.voltage), "%", "<= 0.2", note=f"at {volts.point}"
            )
    rig = warm(50, 1.0, scale)
    idle_ma, idle_mw = idle(rig)
    rig.close()
    figures["F5_idle"] = Figure(idle_mw / 1000, "W", "0", note=f"{idle_ma} mA")
    return figures


def _errors(key: str, group: Sequence[Metered], goal: str) -> Figures:
    figures: Figures = {}
    for what in ("current", "power") if group else ():
        one = worst_of(group, what)
        emon = worst_of(group, "emon_current")
        figures[f"{key}_{what}"] = Figure(
            abs(getattr(one, what)),
            "%",
            goal,
            peer=f"emonLib-style current: {emon.emon_current:+.1f} % (sd {emon.emon_current_sd:.1f})",
            note=(
                f"worst mean of {len(group)} points, at {one.point}; sd of current {one.current_sd:.2f} % from second to second"
                + (f", {one.units_sd:.2f} % from unit to unit of {UNITS}" if one.units_sd else "")
            ),
        )
    return figures
