"""Energy between buckets: what belongs to a bucket, and what flowed while nothing was heard."""

from dataclasses import dataclass

GAP_MS = 60_000
"""Counters further apart than this have a gap between them, as in the charts of history."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Energy that flowed from the last reading before a gap to the first after it; when in it is not known."""

    since_ms: int
    until_ms: int
    energy_mwh: int


@dataclass(frozen=True, slots=True)
class Metered:
    """Quarters of an hour together, of one local day and at one price; a quarter that ended a gap stands by itself.

    A quarter holds what its counter went on since the last reading before, so that all energies and gaps together are
    what the counter went on.

    Attributes:
        start_ms: begin of the first of them.
        covered_ms: time that readings stand for.
        energy_mwh: their energy, without that of the gap.
        gap: the gap that the quarter ended.
    """

    start_ms: int
    covered_ms: int
    energy_mwh: int = 0
    gap: Gap | None = None
