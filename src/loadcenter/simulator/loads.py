"""Loads of outlets: power and current as a function of time, voltage and a seed.

Figures: *FIRED* is the sample record of Voelker et al. (kettle 1,915 W and 8.23 A at 232.7 V; fridge 87 W and 0.57 A at
235.6 V, so a power factor of 0.65). *tracebase* (Reinhardt et al. 2012) gives the mean and the highest second of a day:
router 9.3 and 11 W, Ethernet switch 10.1 and 11 W, monitor 12 and 45 W, laptop 19.4 and 43 W, desktop PC 35 to 55 and
252 W, refrigerator 41 and 328 W, projector 228 W. Power factors: supplies over 75 W must correct theirs (IEC 61000-3-2,
class D), to 0.95 and above; small ones do not, and stand at 0.5 to 0.65. Server, NAS, charger and lamp are assumed, in
the range of data sheets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from loadcenter.simulator.noise import drift, noise

HOLD_MS = 1000
"""A draw is worked out anew at least this often."""

MOTOR_START_FACTOR = 6
"""Locked-rotor over running current of small single-phase motors (behaviour.md: modelled motor 6x)."""

MOTOR_START_PF_PERMILLE = 400
SUPPLY_CUT_OFF_PERMILLE = 350
"""A wide-range supply (100 to 240 V) lets go somewhat below its lowest input."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a load is exposed to.

    Attributes:
        now_ms: time.
        energised_ms: since when it has had voltage without a break.
        voltage_mv: true RMS at the outlet, above 0.
        nominal_mv: nominal voltage of the supply.
    """

    now_ms: int
    energised_ms: int
    voltage_mv: int
    nominal_mv: int


@dataclass(frozen=True, slots=True)
class Draw:
    """What a load takes: real power in mW and RMS current in mA, good for `lasts_ms`."""

    power_mw: int
    current_ma: int
    lasts_ms: int = HOLD_MS


NOTHING = Draw(0, 0)


class Load(Protocol):
    """Something that is plugged in."""

    def draw(self, at: Conditions) -> Draw:
        """Return what it takes under these conditions; always the same for the same ones."""
        ...


def draw_of(power_mw: int, pf_permille: int, voltage_mv: int, lasts_ms: int = HOLD_MS) -> Draw:
    """Return the draw of a real power at a power factor: I = P / (U x PF)."""
    return Draw(power_mw, round(power_mw * 1_000_000 / (voltage_mv * pf_permille)), lasts_ms)


@dataclass(frozen=True, slots=True)
class Heater:
    """A resistance under a thermostat: its power follows the square of the voltage.

    Attributes:
        power_w: at nominal voltage.
        on_ms: how long the thermostat is closed.
        off_ms: how long it is open; 0 is always closed.
        seed: shifts the beginning.
    """

    power_w: float
    on_ms: int = 1
    off_ms: int = 0
    seed: int = 0

    def draw(self, at: Conditions) -> Draw:
        """Return the draw; the power factor is 1."""
        if not _on_phase(self.seed, at.now_ms, self.on_ms, self.off_ms)[0]:
            return NOTHING
        ratio = at.voltage_mv / at.nominal_mv
        return draw_of(round(self.power_w * 1000 * ratio * ratio), 1000, at.voltage_mv)


@dataclass(frozen=True, slots=True)
class Electronics:
    """A switched-mode supply: constant power at any voltage, with work that comes and goes.

    Attributes:
        idle_w: least power.
        busy_w: highest power.
        pf_permille: power factor.
        seed: of the work.
        period_ms: how fast the work changes.
    """

    idle_w: float
    busy_w: float
    pf_permille: int
    seed: int
    period_ms: int = 20_000

    def draw(self, at: Conditions) -> Draw:
        """Return the draw; below its cut-off voltage it takes nothing."""
        if at.voltage_mv * 1000 < at.nominal_mv * SUPPLY_CUT_OFF_PERMILLE:
            return NOTHING
        work = (drift(self.seed, at.now_ms, self.period_ms) + 1) / 2
        power = self.idle_w + (self.busy_w - self.idle_w) * work * work
        power *= 1 + 0.01 * noise(self.seed, at.now_ms // HOLD_MS)
        return draw_of(round(power * 1000), self.pf_permille, at.voltage_mv)


@dataclass(frozen=True, slots=True)
class Motor:
    """A compressor under a thermostat; each start takes six times its current for 300 to 500 ms.

    Attributes:
        running_w: power while it runs.
        pf_permille: power factor while it runs.
        on_ms: how long it runs.
        off_ms: how long it rests.
        seed: shifts the beginning and sets the length of the start.
    """

    running_w: float
    pf_permille: int
    on_ms: int
    off_ms: int
    seed: int

    def draw(self, at: Conditions) -> Draw:
        """Return the draw: rest, start or run."""
        runs, since_ms = _on_phase(self.seed, at.now_ms, self.on_ms, self.off_ms)
        if not runs:
            return NOTHING
        left_ms = 400 + round(100 * noise(self.seed, 1)) - (at.now_ms - max(since_ms, at.energised_ms))
        power = self.running_w * 1000 * (1 + 0.02 * noise(self.seed, at.now_ms // HOLD_MS))
        running = draw_of(round(power), self.pf_permille, at.voltage_mv)
        if left_ms <= 0:
            return running
        current_ma = running.current_ma * MOTOR_START_FACTOR
        power_mw = current_ma * at.voltage_mv * MOTOR_START_PF_PERMILLE // 1_000_000
        return Draw(power_mw, current_ma, left_ms)


def _on_phase(seed: int, now_ms: int, on_ms: int, off_ms: int) -> tuple[bool, int]:
    """Return whether a thermostat is closed now, and since when."""
    period_ms = on_ms + off_ms
    shift_ms = round((noise(seed, 0) + 1) / 2 * period_ms)
    into_ms = (now_ms + shift_ms) % period_ms
    return into_ms < on_ms, now_ms - into_ms


CATALOG: Mapping[str, Callable[[int], Load]] = {
    "kettle": lambda seed: Heater(1870, on_ms=150_000, off_ms=1_200_000, seed=seed),
    "lamp": lambda seed: Electronics(9.0, 9.2, 600, seed),
    "fridge": lambda seed: Motor(87, 650, on_ms=900_000, off_ms=1_100_000, seed=seed),
    "pc": lambda seed: Electronics(48, 180, 960, seed),
    "laptop": lambda seed: Electronics(17, 43, 550, seed, period_ms=60_000),
    "monitor": lambda seed: Electronics(24, 30, 600, seed, period_ms=120_000),
    "router": lambda seed: Electronics(9, 11, 550, seed),
    "switch": lambda seed: Electronics(9, 11, 560, seed),
    "server": lambda seed: Electronics(140, 260, 970, seed, period_ms=15_000),
    "nas": lambda seed: Electronics(28, 46, 920, seed, period_ms=45_000),
    "projector": lambda seed: Electronics(220, 230, 960, seed, period_ms=120_000),
    "charger": lambda seed: Electronics(0.2, 18, 520, seed, period_ms=300_000),
}
"""What can be plugged in: name -> load of a seed."""
