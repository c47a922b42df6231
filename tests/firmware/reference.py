"""The ladder of leave limits in floating point, as behaviour.md words it: what a source's voltage should have led to.

It sees the voltage itself, not what a sensor makes of it. Between what must lead to a transfer and what must not there
is a band, because no sensor is exact: `must_leave` and `may_leave` move every limit and every time apart by it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

RATE_HZ = 5000
BAND = 0.03
SLACK = 0.2
SETTLE_S = 0.05
TWO_POINT_DEG_AT_50 = 28.8


@dataclass(frozen=True)
class Limits:
    """The ladder with its limits moved: `under` and `over` multiply voltage limits, `dwell` the times."""

    under: float
    over: float
    dwell: float


MUST = Limits(1 - BAND, 1 + BAND, 1 + SLACK)
MAY = Limits(1 + BAND, 1 - BAND, 1 - SLACK)


@dataclass(frozen=True)
class Line:
    """A voltage, sampled `RATE_HZ` times a second, and what it should be."""

    volts: Sequence[float]
    nominal_v: float
    nominal_hz: float

    @property
    def cycle(self) -> int:
        return round(RATE_HZ / self.nominal_hz)

    def rms(self) -> list[float]:
        """Return the RMS of the cycle before each sample, in parts of the nominal voltage."""
        sums = [0.0, *accumulate(value * value for value in self.volts)]
        return _windowed(
            sums, self.cycle, lambda total: math.sqrt(max(0.0, total) / self.cycle) / self.nominal_v
        )

    def half_means(self) -> list[float]:
        """Return the mean of the half cycle before each sample, as the RMS of a sine with that mean."""
        half = self.cycle // 2
        form = math.pi / (2 * math.sqrt(2)) / self.nominal_v
        sums = [0.0, *accumulate(abs(value) for value in self.volts)]
        return _windowed(sums, half, lambda total: total / half * form)

    def amplitudes(self) -> list[float]:
        """Return the two-point amplitude at each sample, in parts of the nominal peak."""
        apart = round(RATE_HZ * 0.0016)
        angle = 2 * math.pi * self.nominal_hz * apart / RATE_HZ
        over = math.sin(angle) * self.nominal_v * math.sqrt(2)
        pairs = zip(self.volts, self.volts[apart:], strict=False)
        square = (a * a + b * b - 2 * a * b * math.cos(angle) for a, b in pairs)
        return [1.0] * apart + [math.sqrt(max(0.0, value)) / over for value in square]

    def deviations(self) -> list[float]:
        """Return how far the frequency of the last ten cycles is from the nominal one in Hz, at each sample."""
        found, crossings, now = [], [], 0.0
        for n in range(1, len(self.volts)):
            before, after = self.volts[n - 1], self.volts[n]
            if before < 0 <= after:
                crossings.append(n - after / (after - before))
                cycles = min(10, len(crossings) - 1)
                if cycles:
                    now = cycles * RATE_HZ / (crossings[-1] - crossings[-1 - cycles]) - self.nominal_hz
            found.append(now)
        return [0.0, *found]


def _windowed(sums: Sequence[float], width: int, value: Callable[[float], float]) -> list[float]:
    first = value(sums[width] - sums[0])
    return [first] * (width - 1) + [value(sums[n] - sums[n - width]) for n in range(width, len(sums))]


def _first(violated: Sequence[bool], dwell_s: float) -> float | None:
    """Return when a violation has lasted its time, None if it never does."""
    need = max(1, round(dwell_s * RATE_HZ))
    run = 0
    for n, now in enumerate(violated):
        run = run + 1 if now else 0
        if run >= need:
            return n / RATE_HZ
    return None


def leave_s(line: Line, limits: Limits) -> float | None:
    """Return when the ladder with these limits leaves the source, in s from the first sample; None if never."""
    rms, half, amplitudes, deviations = line.rms(), line.half_means(), line.amplitudes(), line.deviations()
    measurable = [value > 0.5 for value in rms]

    def under(values: Sequence[float], limit: float, dwell_s: float) -> float | None:
        return _first([value < limit * limits.under for value in values], dwell_s * limits.dwell)

    def over(values: Sequence[float], limit: float, dwell_s: float) -> float | None:
        return _first([value > limit * limits.over for value in values], dwell_s * limits.dwell)

    frequency = [
        good and abs(value) > 3 * limits.over for good, value in zip(measurable, deviations, strict=True)
    ]
    when = [
        under(amplitudes, 0.65, 0.0016),
        under(half, 0.72, 0.02),
        under(rms, 0.80, 0.2),
        under(rms, 0.87, 3),
        under(rms, 0.90, 60),
        over(rms, 1.10, 60),
        over(rms, 1.13, 0.5),
        over(half, 1.20, 0.0),
        _first(frequency, limits.dwell),
    ]
    return min((at_s for at_s in when if at_s is not None), default=None)


def must_leave(line: Line) -> float | None:
    """Return when the source must have been left at the latest, but for `SETTLE_S`; None if it need not be."""
    return leave_s(line, MUST)


def may_leave(line: Line) -> bool:
    """Return whether the source may be left at all."""
    return leave_s(line, MAY) is not None
