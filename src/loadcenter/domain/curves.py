"""Inverse-time curves of IEC 60255-151, integrated over a varying current.

At a constant current `I` over the pick-up `Is` the time to the trip is `TMS * k / ((I / Is)^alpha - 1)`. Integrated,
that is a progress that grows each millisecond by `((I / Is)^alpha - 1) / k` and trips at `TMS`. The rate of `vi`
(alpha 1) and of `ei` (alpha 2) is exact; `tables.NI_RATES` holds that of `ni`, times 2^17 for a second, at 16 steps in
each octave of `I / Is` from 1 to 16; between them it is linear. All is integer arithmetic that fits 32 bits, so that every device comes to the same instant.
"""

from typing import assert_never

from loadcenter.domain.settings import Curve
from loadcenter.domain.tables import NI_RATES

STEPS = 16
OCTAVES = 4
ONE = 256
"""`I / Is` is reckoned in 1/256."""

STEP_MS_MOST = 20
"""A step counts for no more than this: what was before the last look is not known."""


def rate(curve: Curve, multiple: int) -> int:
    """Return the progress per second, times 2^20, at `multiple` / 256 times the pick-up.

    Args:
        curve: which curve.
        multiple: at least 256; from 4,096 (16 times) on the rate rises no more.
    """
    multiple = min(multiple, ONE << OCTAVES)
    match curve:
        case Curve.VI:
            return (multiple - ONE) * 8192 // 27
        case Curve.EI:
            return (multiple * multiple - ONE * ONE) // 5
        case Curve.NI:
            return _ni_rate(multiple)
        case _:
            assert_never(curve)


def _ni_rate(multiple: int) -> int:
    if multiple == ONE << OCTAVES:
        return NI_RATES[STEPS * OCTAVES] * 8
    octave = 0
    while multiple >= ONE << (octave + 1):
        octave += 1
    width = ONE // STEPS << octave
    past = multiple - (ONE << octave)
    index = octave * STEPS + past // width
    low, high = NI_RATES[index], NI_RATES[index + 1]
    return (low + (high - low) * (past % width) // width) * 8


def trips_at(tms_permille: int) -> int:
    """Return the progress at which a curve with this time multiplier trips."""
    return tms_permille << 20


def advanced(
    progress: int,
    current_ma: int,
    curve: Curve,
    pickup_ma: int,
    tms_permille: int,
    reset_s: int,
    step_ms: int,
) -> int:
    """Return the progress after a step at this current; below the pick-up it falls to 0 within `reset_s`.

    Args:
        progress: before the step, 0 to `trips_at(tms_permille)`.
        current_ma: true RMS.
        curve: which curve.
        pickup_ma: `Is`.
        tms_permille: time multiplier.
        reset_s: time from the trip level to 0, in s.
        step_ms: length of the step.
    """
    step_ms = min(step_ms, STEP_MS_MOST)
    full = trips_at(tms_permille)
    if current_ma > pickup_ma:
        return min(full, progress + rate(curve, current_ma * ONE // pickup_ma) * step_ms)
    return max(0, progress - full // (reset_s * 1000) * step_ms)
