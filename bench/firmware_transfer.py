"""Leaving a lost source (F1), and leaving it only then (F2), by the real firmware in the emulator."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.figures import Figure, Figures
from tests.firmware.reference import RATE_HZ, SETTLE_S, Line, may_leave, must_leave
from tests.firmware.rig import Program, Rig, forked, spread
from tests.firmware.waveforms import VOLTAGES, mains, resistor

from loadcenter.adapters.emulator import Harmonic, Part, RelayModel, Sensor, Sine
from loadcenter.domain.topology import Source

SLOW = RelayModel(operate_ms=10, release_ms=10, bounce_ms=3)
BUILDS = {50: "uno", 60: "uno-60hz"}
SHARES = {50: 0.75, 60: 0.25}
"""Of the time that disturbances are drawn for, by frequency."""
RESIDUALS = (0.0, 0.3, 0.5, 0.6)
BEGINS_S, LASTS_S, AFTER_S = 1.0, 8.0, 1.0


def warm(program: Program, source: Source, seed: int = 1) -> Rig:
    """Return a unit that has stood on a source long enough for everything to be at rest, with a load on each outlet."""
    rig = Rig(program, seed=seed)
    for outlet in rig.outlets:
        rig.emulator.plug(outlet, resistor(1.0, rig.board.nominal_v))
    for part in (Part.CHANGEOVER, Part.BACKUP_RELAY, Part.ISOLATOR):
        rig.emulator.relay(part, SLOW)
    rig.start_all()
    rig.stand_on(source)
    return rig


# ---- F1


@dataclass(frozen=True)
class Loss:
    """What became of one loss, in ms after it: relay pin, contact after its bounce (None: planned transfer)."""

    residual: float
    pin_ms: float
    contact_ms: float
    violations: int


def lose(rig: Rig, source: Source, phase: float, residual: float) -> Loss:
    """Return what the unit does when `source` falls to `residual` at a part `phase` of its cycle."""
    board, emulator = rig.board, rig.emulator
    at_s = (math.ceil(emulator.now_s * board.nominal_hz) + 1 + phase) / board.nominal_hz
    emulator.feed(source, Sine(residual * board.nominal_v, board.nominal_hz), at_s=at_s)
    emulator.run_to(at_s + 0.1)
    pin_s = rig.left(at_s)
    throw = int(source is Source.MAIN)
    contact_s = rig.settled(Part.CHANGEOVER, throw, at_s)
    return Loss(
        residual,
        math.inf if pin_s is None else (pin_s - at_s) * 1000,
        math.inf if contact_s is None else (contact_s - at_s) * 1000,
        emulator.stats().violations,
    )


def losses(scale: float) -> list[Loss]:
    """Return every loss: phases x residuals x directions x 50 and 60 Hz."""
    phases = max(4, round(360 * scale))
    found: list[Loss] = []
    for build in BUILDS.values():
        program = Program.built(build)
        for source in Source:
            rig = warm(program, source)
            cases = [(phase, residual) for residual in RESIDUALS for phase in spread(phases)]
            found += forked(lambda case, rig=rig, source=source: lose(rig, source, *case), cases)
            rig.close()
    return found


def f1(scale: float) -> Figures:
    """Return the figures of a lost source."""
    found = losses(scale)
    deep = [one.pin_ms for one in found if one.residual <= 0.5]
    shallow = [one.pin_ms for one in found if one.residual == 0.6]
    contact = [one.contact_ms for one in found if one.residual == 0]
    planned = max(one.contact_ms for one in found if one.residual > 0)
    return {
        "F1": Figure(
            max(deep),
            "ms",
            "<= 3.6",
            min(deep),
            max(deep),
            peer="APC AP44xx: 10 to 12 ms in all (data sheet)",
            note=f"loss to relay pin, worst of {len(deep)}; mean {sum(deep) / len(deep):.2f}",
        ),
        "F1_60_percent": Figure(max(shallow), "ms", "<= 8", min(shallow), max(shallow)),
        "F1_contact": Figure(
            max(contact),
            "ms",
            "< 20",
            min(contact),
            max(contact),
            note=(
                "complete loss to contact after 3 ms of bounce, 10 ms relay; "
                f"from 30 % residual on with the isolator opened first, {planned:.0f} ms at most"
            ),
        ),
        "F1_both_closed": Figure(
            sum(one.violations for one in found),
            "times",
            "0",
            ablation=overlap(scale),
            note="both sources connected",
        ),
    }


def overlap(scale: float) -> str:
    """Return what the source pair does with its dead time, and what without: the harness must see the difference."""
    phases = max(2, round(12 * scale))
    counts = {}
    for name, program in {
        "10 ms": Program.built("uno-pair"),
        "0 ms": Program.built(
            "uno-pair", "LOADCENTER_DEAD_TIME_MS=0", "LOADCENTER_TEST_BUILD", suffix="no-dead-time"
        ),
    }.items():
        rig = warm(program, Source.MAIN)
        rig.emulator.relay(Part.BACKUP_RELAY, RelayModel(operate_ms=5, release_ms=10, bounce_ms=3))
        done = forked(lambda phase, rig=rig: lose(rig, Source.MAIN, phase, 0.0), spread(phases))
        counts[name] = sum(one.violations > 0 for one in done)
        rig.close()
    return "source pair, dead time " + ", ".join(
        f"{name}: {count} of {phases}" for name, count in counts.items()
    )


# ---- F2


@dataclass(frozen=True)
class Disturbance:
    """Something that befalls a source from `BEGINS_S` on: `feed(rig, source, at_s)` begins it."""

    name: str
    feed: Callable[[Rig, Source, float], None]


def shaped(name: str, of_nominal: float = 1.0, lasts_s: float = LASTS_S, **shape: object) -> Disturbance:
    """Return a disturbance that is a wave of `Sine`, with `hz` off the nominal frequency."""
    off_hz = float(str(shape.pop("off_hz", 0.0)))

    def feed(rig: Rig, source: Source, at_s: float) -> None:
        board = rig.board
        wave = Sine(of_nominal * board.nominal_v, board.nominal_hz + off_hz, **shape)  # type: ignore[arg-type]
        rig.emulator.feed(source, wave, at_s=at_s)
        rig.emulator.feed(source, Sine(board.nominal_v, board.nominal_hz), at_s=at_s + lasts_s)

    return Disturbance(f"{name} {of_nominal:.2f} {off_hz:+.2f} Hz {lasts_s:.3f} s", feed)


def sensed(name: str, **errors: object) -> Disturbance:
    """Return a disturbance of both voltage sensors, not of the source."""

    def feed(rig: Rig, source: Source, at_s: float) -> None:
        del source, at_s
        for one in Source:
            rig.emulator.voltage_sensor(one, Sensor(**errors))  # type: ignore[arg-type]

    return Disturbance(f"{name} {errors}", feed)


def replayed(name: str) -> Disturbance:
    """Return a recorded event, begun where the phase of the source fits that of the recording."""
    recording = mains(name)

    def feed(rig: Rig, source: Source, at_s: float) -> None:
        board = rig.board
        cycle_s = 1 / board.nominal_hz
        wait_s = (recording.phase_deg(VOLTAGES[name]) / 360 - at_s * board.nominal_hz) % 1 * cycle_s
        begins_s = at_s + wait_s
        rig.emulator.feed(source, recording.wave(board.nominal_v), at_s=begins_s)
        span_s = min(recording.span_s, LASTS_S)
        rig.emulator.feed(source, Sine(board.nominal_v, board.nominal_hz), at_s=begins_s + span_s)

    return Disturbance(f"recorded {name}", feed)


def fifth(percent: float) -> tuple[Harmonic, ...]:
    """Return a fifth harmonic."""
    return (Harmonic(5, percent / 100),)


def drawn(rng: random.Random) -> Disturbance:
    """Return a disturbance of some kind and size."""
    off_hz = rng.uniform(-2.9, 2.9)
    lasts_s = 10 ** rng.uniform(-2, 0.9)
    angle = rng.uniform(0, 360)
    match rng.randrange(10):
        case 0:
            return shaped("fifth harmonic", off_hz=off_hz, harmonics=(Harmonic(5, 0.07, angle),))
        case 1:
            return shaped("frequency", off_hz=rng.choice((-1, 1)) * rng.uniform(1, 4.5))
        case 2:
            notch = {
                "notch_depth": rng.uniform(0.3, 1),
                "notch_deg": angle / 2,
                "notch_ms": rng.uniform(0.2, 0.8),
            }
            return shaped("notches", harmonics=fifth(3), **notch)
        case 3:
            return sensed("spikes", spike_per_million=rng.randrange(1000, 10_000))
        case 4:
            return sensed("noise", noise_lsb=rng.uniform(4, 12))
        case 5:
            return shaped("flicker", flicker=rng.uniform(0.02, 0.09), flicker_hz=rng.uniform(0.5, 10))
        case 6 | 7:
            return shaped("sag", rng.uniform(0, 0.95), lasts_s, phase_deg=0.0)
        case 8:
            return shaped("swell", rng.uniform(1.05, 1.3), lasts_s)
        case _:
            return shaped("decay", decay_s=rng.uniform(0.01, 2), ramp_hz_per_s=rng.uniform(-1, 0))


def disturbances(seconds: float, hz: int) -> Iterator[Disturbance]:
    """Yield recordings of that frequency, then drawn disturbances, until their times add up."""
    rng = random.Random(hz)
    each_s = BEGINS_S + LASTS_S + AFTER_S
    names = [name for name, own_hz in VOLTAGES.items() if own_hz == hz]
    for number in range(max(len(names), round(seconds / each_s))):
        yield replayed(names[number]) if number < len(names) else drawn(rng)


@dataclass(frozen=True)
class Verdict:
    """What one disturbance led to, against the reference; `plain` is what a comparison with the last cycle would do."""

    name: str
    left_s: float | None
    must_s: float | None
    may: bool
    plain: bool

    @property
    def false(self) -> bool:
        """Left although the reference, its band included, would not have."""
        return self.left_s is not None and not self.may

    @property
    def missed(self) -> bool:
        """Not left, or later than the reference with its band."""
        return self.must_s is not None and (self.left_s is None or self.left_s > self.must_s + SETTLE_S)


def suffer(rig: Rig, disturbance: Disturbance, seed: int) -> Verdict:
    """Return what the unit does under a disturbance of MAIN that begins at a phase drawn from `seed`."""
    emulator, board = rig.emulator, rig.board
    began_s = emulator.now_s
    emulator.trace(RATE_HZ)
    phase_s = random.Random(seed).random() / board.nominal_hz
    disturbance.feed(rig, Source.MAIN, began_s + BEGINS_S + phase_s)
    rig.run(BEGINS_S + LASTS_S + AFTER_S)
    volts = emulator.traced(Source.MAIN)
    left = rig.left(began_s)
    left_s = None if left is None else left - began_s
    seen = volts if left_s is None else volts[: round((left_s + 0.01) * RATE_HZ)]
    whole = Line(volts, board.nominal_v, board.nominal_hz)
    return Verdict(
        disturbance.name,
        left_s,
        must_leave(whole),
        may_leave(Line(seen, board.nominal_v, board.nominal_hz)),
        plain_leaves(whole),
    )


def plain_leaves(line: Line) -> bool:
    """Return whether a comparison with one cycle before (more than 35 % of the peak in 1.6 ms) would have left."""
    cycle, run = line.cycle, 0
    limit = 0.35 * line.nominal_v * math.sqrt(2)
    for before, now in zip(line.volts, line.volts[cycle:], strict=False):
        run = run + 1 if abs(now - before) > limit else 0
        if run >= round(0.0016 * RATE_HZ):
            return True
    return False


def verdicts(seconds: float) -> list[Verdict]:
    """Return the verdicts of disturbances over so many emulated seconds, three quarters of them at 50 Hz."""
    found: list[Verdict] = []
    for hz, build in BUILDS.items():
        rig = warm(Program.built(build), Source.MAIN)
        cases = list(enumerate(disturbances(seconds * SHARES[hz], hz)))
        found += forked(lambda case, rig=rig: suffer(rig, case[1], case[0]), cases)
        rig.close()
    return found


def f2(scale: float) -> Figures:
    """Return the figures of false and missed transfers."""
    seconds = 1000 * scale
    found = verdicts(seconds)
    return {
        "F2_false": _counted(found, [one for one in found if one.false], seconds),
        "F2_missed": _counted(found, [one for one in found if one.missed], seconds),
    }


def _counted(found: Sequence[Verdict], wrong: Sequence[Verdict], seconds: float) -> Figure:
    must = sum(one.must_s is not None for one in found)
    must_not = sum(not one.may for one in found)
    plain = sum(one.plain and one.must_s is None for one in found)
    return Figure(
        len(wrong),
        "transfers",
        "0",
        peer=f"comparison with the cycle before: {plain} transfers that need not be",
        note=(
            f"{len(found)} disturbances, {seconds:.0f} s emulated: {must} must lead to a transfer, {must_not} must not"
            + "".join(f"; {one.name}: left {one.left_s}, must {one.must_s}" for one in wrong[:5])
        ),
    )
