"""Dips, swells and interruptions of a source, out of the events of its PDU, in the classes of EN 50160.

A PDU tells when a source has left its limits and when it is good again. That is no class A instrument in the sense of
IEC 61000-4-30: a dip too short or too shallow for the limits of the transfer ladder is not told at all, and a depth
that no 1 s reading shows is the one measured when the limit was left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.qualification import GOOD_MS, LADDER, Way
from loadcenter.domain.topology import Source

DIP_RESIDUALS_PCT = (80, 70, 40, 5)
"""Lower bounds of the classes of residual voltage, EN 50160:2010 table 2; below 5 % it is an interruption."""

DIP_DURATIONS_MS = (200, 500, 1000, 5000, 60_000)
"""Upper bounds of the classes of duration, EN 50160:2010 table 2; beyond 1 min it is no dip."""

SWELL_LEVELS_PCT = (120, 110)
"""Lower bounds of the classes of swell voltage, EN 50160:2010 table 3."""

SWELL_DURATIONS_MS = (500, 5000, 60_000)
"""Upper bounds of the classes of duration, EN 50160:2010 table 3."""

SHORT_INTERRUPTION_MS = 180_000
"""An interruption of up to 3 min is short, EN 50160:2010 section 3.6."""

_WAYS: Mapping[str, Way] = {rung.name: rung.way for rung in LADDER}


@dataclass(frozen=True, slots=True)
class Noted:
    """An event as the analysis reads it; `ts_ms` is UTC."""

    ts_ms: int
    code: EventCode | str
    source: Source | None = None
    cause: Cause | None = None
    data: Mapping[str, Detail] = field(default_factory=dict)


class Kind(StrEnum):
    """What a disturbance is called; the last two are longer than 1 min."""

    DIP = "dip"
    SWELL = "swell"
    INTERRUPTION = "interruption"
    UNDERVOLTAGE = "undervoltage"
    OVERVOLTAGE = "overvoltage"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A time in which a source was outside its voltage limits.

    Attributes:
        source: which.
        since_ms: when the limit was first violated.
        until_ms: when it was good again, or the end of what is known.
        ended: whether that end was told; else it lasted longer.
        over: above the limits, not below.
        extreme_mv: the residual voltage, or the highest of a swell.
    """

    source: Source
    since_ms: int
    until_ms: int
    ended: bool
    over: bool
    extreme_mv: int

    @property
    def duration_ms(self) -> int:
        """How long it lasted."""
        return self.until_ms - self.since_ms

    def seen(self, lowest_mv: int, highest_mv: int) -> "Disturbance":
        """Return it with the extremes of the readings within it."""
        if self.over:
            return replace(self, extreme_mv=max(self.extreme_mv, highest_mv))
        return replace(self, extreme_mv=min(self.extreme_mv, lowest_mv))

    def kind(self, nominal_mv: int) -> Kind:
        """Return what it is called at a nominal voltage."""
        long = self.duration_ms > DIP_DURATIONS_MS[-1]
        if self.over:
            return Kind.OVERVOLTAGE if long else Kind.SWELL
        if self.extreme_mv * 100 < DIP_RESIDUALS_PCT[-1] * nominal_mv:
            return Kind.INTERRUPTION
        return Kind.UNDERVOLTAGE if long else Kind.DIP


def disturbances(events: Iterable[Noted], source: Source, until_ms: int) -> list[Disturbance]:
    """Return the voltage disturbances of a source.

    Args:
        events: of one PDU in order of time: `source_lost`, `source_restored` and `boot`; others are passed by.
        source: whose.
        until_ms: end of what is known.
    """
    found: list[Disturbance] = []
    begun: Disturbance | None = None
    for event in events:
        if event.code == EventCode.BOOT:
            # what the source did while the PDU was down nobody knows
            found += _ended(begun, event.ts_ms, told=False)
            begun = None
        elif event.source is not source:
            continue
        elif event.code == EventCode.SOURCE_LOST:
            begun = begun or _begun(source, event)
        elif event.code == EventCode.SOURCE_RESTORED:
            # it is told after the source has been good for GOOD_MS
            found += _ended(begun, event.ts_ms - GOOD_MS, told=True)
            begun = None
    return found + _ended(begun, until_ms, told=False)


def _begun(source: Source, event: Noted) -> Disturbance | None:
    way = _WAYS.get(str(event.data.get("rung")))
    measured_mv, dwell_ms = event.data.get("measured_mv"), event.data.get("dwell_ms")
    if way is None or not isinstance(measured_mv, int):
        return None  # a frequency, or a rung of a newer device
    since_ms = event.ts_ms - (dwell_ms if isinstance(dwell_ms, int) else 0)
    return Disturbance(source, since_ms, event.ts_ms, False, way is Way.OVER, measured_mv)


def _ended(begun: Disturbance | None, until_ms: int, *, told: bool) -> list[Disturbance]:
    if begun is None:
        return []
    return [replace(begun, until_ms=max(until_ms, begun.until_ms), ended=told)]


@dataclass(frozen=True, slots=True)
class Classes:
    """Counts by class: a row for each voltage class from the top, a column for each class of duration."""

    dips: Sequence[Sequence[int]]
    swells: Sequence[Sequence[int]]
    short_interruptions: int
    long_interruptions: int
    undervoltages: int
    overvoltages: int


def classified(found: Iterable[Disturbance], nominal_mv: int) -> Classes:
    """Return how many disturbances fall into each class of EN 50160."""
    dips = [[0] * len(DIP_DURATIONS_MS) for _ in DIP_RESIDUALS_PCT]
    swells = [[0] * len(SWELL_DURATIONS_MS) for _ in SWELL_LEVELS_PCT]
    counts = dict.fromkeys(Kind, 0)
    short = 0
    for one in found:
        kind = one.kind(nominal_mv)
        counts[kind] += 1
        if kind is Kind.DIP:
            dips[_level(one, nominal_mv, DIP_RESIDUALS_PCT)][_column(one, DIP_DURATIONS_MS)] += 1
        elif kind is Kind.SWELL:
            swells[_level(one, nominal_mv, SWELL_LEVELS_PCT)][_column(one, SWELL_DURATIONS_MS)] += 1
        elif kind is Kind.INTERRUPTION:
            short += one.duration_ms <= SHORT_INTERRUPTION_MS
    return Classes(
        dips,
        swells,
        short,
        counts[Kind.INTERRUPTION] - short,
        counts[Kind.UNDERVOLTAGE],
        counts[Kind.OVERVOLTAGE],
    )


def _level(one: Disturbance, nominal_mv: int, bounds_pct: Sequence[int]) -> int:
    reached = (row for row, pct in enumerate(bounds_pct) if one.extreme_mv * 100 >= pct * nominal_mv)
    return next(reached, len(bounds_pct) - 1)


def _column(one: Disturbance, bounds_ms: Sequence[int]) -> int:
    return next(column for column, bound in enumerate(bounds_ms) if one.duration_ms <= bound)
