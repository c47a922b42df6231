"""Sources: a nominal voltage and frequency that wander slowly, and what can befall them.

The wander stays well inside the good limits: households see about +-3 % over a day (UCI household record: 233 to 247 V
in two days) and an interconnected grid about +-20 mHz.
"""

import math
import random
from dataclasses import dataclass

from loadcenter.simulator.noise import noise

VOLTAGE_WANDER_PERMILLE = 12
FREQUENCY_WANDER_MHZ = 20
NOISE_PERMILLE = 1
DEAD_PERMILLE = 10
"""Below a hundredth of the nominal voltage a source has no phase."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What a source suffers: `level_permille` of its voltage is left (0 is an outage, 1180 a swell)."""

    level_permille: int = 1000
    offset_mhz: int = 0


UNDISTURBED = Disturbance()


@dataclass(frozen=True, slots=True)
class Supplied:
    """A source at one instant.

    Attributes:
        voltage_mv: true RMS.
        frequency_mhz: also given where the voltage is too low to measure it.
        phase_mdeg: against an ideal oscillator of nominal frequency, 0 to 359,999.
    """

    voltage_mv: int
    frequency_mhz: int
    phase_mdeg: int


class Supply:
    """One source.

    Args:
        nominal_mv: nominal RMS voltage.
        nominal_mhz: nominal frequency.
        rng: fixes periods and phases of the wander, and the noise.
    """

    def __init__(self, nominal_mv: int, nominal_mhz: int, rng: random.Random) -> None:
        self.nominal_mv = nominal_mv
        self.nominal_mhz = nominal_mhz
        self.disturbance = UNDISTURBED
        self.disturbed_ms = 0
        self._seed = rng.getrandbits(32)
        self._periods_ms = (rng.uniform(40, 90) * 1000, rng.uniform(500, 900) * 1000)
        self._starts = (rng.uniform(0, math.tau), rng.uniform(0, math.tau))
        self._phase_mdeg = rng.uniform(0, 360_000)
        self._read_ms: int | None = None

    def disturb(self, disturbance: Disturbance, now_ms: int) -> None:
        """Let `disturbance` begin at `now_ms`, in place of the one before; `UNDISTURBED` ends it."""
        if disturbance != self.disturbance:
            self.disturbance = disturbance
            self.disturbed_ms = now_ms

    def read(self, now_ms: int) -> Supplied:
        """Return the source at `now_ms`, which does not go back."""
        fast, slow = (
            math.sin(math.tau * now_ms / period + start)
            for period, start in zip(self._periods_ms, self._starts, strict=True)
        )
        permille = 1000 + VOLTAGE_WANDER_PERMILLE * (0.4 * fast + 0.6 * slow)
        permille += NOISE_PERMILLE * noise(self._seed, now_ms // 1000)
        frequency = self.nominal_mhz + FREQUENCY_WANDER_MHZ * fast + self.disturbance.offset_mhz
        self._turn(frequency, now_ms)
        voltage = self.nominal_mv * permille * self.disturbance.level_permille / 1_000_000
        return Supplied(round(voltage), round(frequency), round(self._phase_mdeg) % 360_000)

    def _turn(self, frequency_mhz: float, now_ms: int) -> None:
        """Advance the phase: a deviation of 1 mHz for 1 ms is 0.36 millidegrees."""
        if self._read_ms is not None:
            self._phase_mdeg += (frequency_mhz - self.nominal_mhz) * (now_ms - self._read_ms) * 0.36
        self._read_ms = now_ms
