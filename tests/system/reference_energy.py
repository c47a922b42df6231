"""Energy of a tracebase recording, computed from its lines alone: the reference of the replay tests.

Zero-order hold, a doubled second counts with its last value, a value is held for 10 s at most and a longer gap has no
energy. Imports nothing of the product.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

HOLD_S = 10


def reference_wh(lines: Iterable[str]) -> float:
    """Return the energy in Wh."""
    values: dict[datetime, float] = {}
    for line in lines:
        if not line.strip():
            continue
        when, watts, _ = line.split(";")
        values[datetime.strptime(when, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)] = float(watts)
    seconds = sorted(values)
    joules = 0.0
    for now, then in pairwise(seconds):
        joules += values[now] * min((then - now).total_seconds(), HOLD_S)
    return joules / 3600
