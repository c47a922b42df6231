"""Mains and loads that the firmware is put through: recorded ones, and models of those for which no recording is free."""

import cmath
import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadcenter.adapters.emulator import Current, Impedance, Load, Recording, Rectifier

RECORDINGS = Path(__file__).parent / "recordings"
VOLTAGES = {
    "bus_power_swing": 50,
    "line_dip": 50,
    "line_dip_again": 50,
    "line_dip_single_pole_trip": 50,
    "line_reclose_outage": 50,
    "service_transient": 60,
    "bus_load_loss": 60,
}
"""Recorded voltages and the frequency of their network in Hz."""

FINE_HZ = 4000
"""Records are interpolated to at least this rate, so that straight lines between samples do not clip the peaks."""

SWITCHED_ON_S = 0.5
BEFORE_S = 0.01


@dataclass(frozen=True)
class Recorded:
    """Samples of a recording, and how many there are a second."""

    rate_hz: float
    values: Sequence[float]

    @property
    def span_s(self) -> float:
        return (len(self.values) - 1) / self.rate_hz

    def phase_deg(self, frequency_hz: float) -> float:
        """Return the phase of the fundamental at the first sample, as that of a sine."""
        count = round(self.rate_hz / frequency_hz)
        turn = -2j * math.pi * frequency_hz / self.rate_hz
        total = sum(value * cmath.exp(turn * n) for n, value in enumerate(self.values[:count]))
        return math.degrees(cmath.phase(total)) + 90

    def wave(self, scale: float) -> Recording:
        return Recording(list(self.values), self.rate_hz, scale)


def recorded(name: str) -> Recorded:
    """Return a recording as it stands in the folder."""
    with gzip.open(RECORDINGS / f"{name}.csv.gz", "rt", encoding="ascii") as file:
        rate, *values = [float(line) for line in file]
    return Recorded(rate, values)


def mains(name: str) -> Recorded:
    """Return a recorded voltage in parts of its RMS before the event, smooth between its samples."""
    raw = recorded(name)
    per_unit = [value / 1000 for value in raw.values]
    times = max(1, math.ceil(FINE_HZ / raw.rate_hz))
    return Recorded(raw.rate_hz * times, smooth(per_unit, times))


def smooth(values: Sequence[float], times: int) -> list[float]:
    """Return `values` with `times - 1` more between each two, on cubic curves through them (Catmull-Rom)."""
    if times == 1:
        return list(values)
    padded = [values[0], *values, values[-1]]
    fine = []
    for i in range(len(values) - 1):
        a, b, c, d = padded[i : i + 4]
        for step in range(times):
            t = step / times
            cubic = -a + 3 * b - 3 * c + d
            fine.append(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * cubic)))
    return [*fine, values[-1]]


def appliance(name: str) -> Load:
    """Return a recorded switching-on (`kettle_on`, `fridge_on`), from shortly before it, its last cycles for ever."""
    raw = recorded(name)
    first = round((SWITCHED_ON_S - BEFORE_S) * raw.rate_hz)
    values = [value / 1000 for value in raw.values[first:]]
    cycle = round(raw.rate_hz / 50)
    return Current(Recording(values, raw.rate_hz, loop_from=len(values) - 1 - 10 * cycle), from_start=True)


def resistor(amperes: float, volts: float = 230) -> Load:
    return Impedance(volts / amperes)


def inductive(amperes: float, power_factor: float, volts: float = 230, frequency_hz: float = 50) -> Load:
    ohm = volts / amperes
    reactance = ohm * math.sqrt(1 - power_factor**2)
    return Impedance(ohm * power_factor, reactance / (2 * math.pi * frequency_hz))


def motor(amperes: float = 1.0, volts: float = 230, frequency_hz: float = 50) -> Load:
    """Return a motor that starts with six times its current for 0.3 s, at the power factor of a locked rotor."""
    ohm = volts / amperes
    reactance = ohm * 0.8 / (2 * math.pi * frequency_hz)
    return Impedance(ohm * 0.6, reactance, start_factor=6, start_hold_s=0.3, start_tau_s=0.05)


def lamp(amperes: float = 1.0, volts: float = 230) -> Load:
    """Return filament lamps: ten times the current while cold, which passes within some 30 ms."""
    return Impedance(volts / amperes, start_factor=10, start_hold_s=0.002, start_tau_s=0.015)


def switched_supply(watts: float = 150, peak_a: float = 30, volts: float = 230) -> Load:
    """Return a switched-mode supply whose first charge peaks at `peak_a` (when it comes at the peak of the mains)."""
    return Rectifier(watts, 150e-6, volts * math.sqrt(2) / peak_a)
