"""The cheapest hours of a stretch of time, from the price of each quarter of an hour.

A quarter whose price is not known counts as dearer than any that is: the hours are then still given in full, and as
many of them as possible where the price is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadcenter.domain.tariffs import QUARTER_MINUTES

QUARTER_MS = QUARTER_MINUTES * 60_000


@dataclass(frozen=True, slots=True)
class PricedQuarter:
    """What a kWh costs in the quarter of an hour that begins at `start_ms`; None is unknown."""

    start_ms: int
    micro_per_kwh: int | None


def cheapest_spans(
    quarters: Sequence[PricedQuarter], need_ms: int, *, contiguous: bool
) -> list[tuple[int, int]]:
    """Return the (start_ms, end_ms) of the cheapest `need_ms`, in order; of equally cheap ones the earliest.

    Args:
        quarters: one after the other, without holes.
        need_ms: how long, rounded up to whole quarters; with more than there is, all of it.
        contiguous: at a stretch.
    """
    count = min(-(-need_ms // QUARTER_MS), len(quarters))
    if count <= 0:
        return []
    if contiguous:
        first = min(range(len(quarters) - count + 1), key=lambda at: _cost(quarters[at : at + count]))
        chosen = list(quarters[first : first + count])
    else:
        chosen = sorted(quarters, key=lambda one: (*_cost([one]), one.start_ms))[:count]
    return _joined(sorted(one.start_ms for one in chosen))


def _cost(quarters: Sequence[PricedQuarter]) -> tuple[int, int]:
    """Return (quarters of unknown price, sum of the known prices): compared in this order."""
    known = [one.micro_per_kwh for one in quarters if one.micro_per_kwh is not None]
    return len(quarters) - len(known), sum(known)


def _joined(starts_ms: Sequence[int]) -> list[tuple[int, int]]:
    """Return quarters that follow each other as one span."""
    breaks = [
        at for at, (one, following) in enumerate(pairwise(starts_ms), 1) if following - one > QUARTER_MS
    ]
    edges = [0, *breaks, len(starts_ms)]
    return [(starts_ms[begin], starts_ms[end - 1] + QUARTER_MS) for begin, end in pairwise(edges)]
