"""Power-on sequence: outlets close one after the other, so that their inrush currents do not add up."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sequence:
    """When an outlet was last closed; None before the first."""

    closed_ms: int | None = None


def take_turns(
    sequence: Sequence, waiting: Iterable[int], sequence_ms: int, now_ms: int
) -> tuple[Sequence, tuple[int, ...]]:
    """Return the sequence after one step, and which of the `waiting` outlets close now.

    At most one closes per step, the first of `waiting` first, `sequence_ms` after the one before; with `sequence_ms` 0
    all close at once.
    """
    outlets = tuple(waiting)
    if not outlets:
        return sequence, ()
    if sequence_ms == 0:
        return Sequence(now_ms), outlets
    if sequence.closed_ms is not None and now_ms - sequence.closed_ms < sequence_ms:
        return sequence, ()
    return Sequence(now_ms), outlets[:1]
