"""How fit a source is: good, usable or bad, by a ladder of limits with times (behaviour.md, section 2).

A source becomes bad when any rung has been violated for its time, and usable again only when none has been for
`USABLE_MS`: between those two the grade stays, which is the hysteresis. The 65 % rung is a two-point amplitude
detector in firmware; here its result comes in as a flag.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from loadcenter.domain.events import Detail
from loadcenter.domain.tables import RUNGS
from loadcenter.domain.topology import Grade


class Way(StrEnum):
    """In which direction a limit is left."""

    LOST = "lost"
    UNDER = "under"
    OVER = "over"
    FREQUENCY = "frequency"


@dataclass(frozen=True, slots=True)
class Rung:
    """One limit of the ladder.

    Attributes:
        name: as in the data of events.
        way: direction.
        limit: permille of the nominal voltage; for `FREQUENCY` the deviation in mHz.
        dwell_ms: how long the limit must be violated before the source is bad.
        half: compared with the mean of half cycles, not with the RMS of whole ones.
    """

    name: str
    way: Way
    limit: int
    dwell_ms: int
    half: bool = False


LADDER: tuple[Rung, ...] = tuple(
    Rung(name, Way(way), limit, dwell_ms, half) for name, way, limit, dwell_ms, half in RUNGS
)
"""Limits at which a source is left, the most urgent first; behaviour.md, section 2."""

HALF_CYCLE_RUNGS: tuple[Rung, ...] = tuple(rung for rung in LADDER if rung.half)

USABLE_MS = 60
"""Time inside every leave limit before a bad source is usable."""

GOOD_MS = 2000
"""Time inside the good limits before a usable source is good."""

GOOD_PERMILLE = 70
GOOD_MHZ = 1500

MEASURABLE_PERMILLE = 500
"""Below half of the nominal voltage a zero crossing is no measure of frequency."""


@dataclass(frozen=True, slots=True)
class SourceInput:
    """What is measured of one source.

    Attributes:
        voltage_mv: true RMS of the last whole cycles.
        frequency_mhz: None where there is too little voltage to tell.
        amplitude_lost: the two-point detector has seen less than its limit in four scans.
        detection_us: latency of that detector, as measured in firmware; 0 while the flag is not set.
        half_low_mv: lowest mean of a half cycle since the last step, as the RMS of a sine with that mean; None: as
            `voltage_mv`.
        half_high_mv: highest likewise.
    """

    voltage_mv: int
    frequency_mhz: int | None
    amplitude_lost: bool = False
    detection_us: int = 0
    half_low_mv: int | None = None
    half_high_mv: int | None = None

    def compared_mv(self, rung: Rung) -> int:
        """Return the voltage that `rung` looks at."""
        half_mv = self.half_low_mv if rung.way is Way.UNDER else self.half_high_mv
        return half_mv if rung.half and half_mv is not None else self.voltage_mv


@dataclass(frozen=True, slots=True)
class Departure:
    """Why a source is bad: the rung, and the numbers compared.

    Attributes:
        rung: the limit that was violated for its time.
        measured: in mV, or mHz for a frequency.
        limit: in the same unit.
        since_ms: when the limit was first seen violated.
        at_ms: when the time of the rung had passed.
        detection_us: from the first violation to the decision.
    """

    rung: Rung
    measured: int
    limit: int
    since_ms: int
    at_ms: int
    detection_us: int

    @property
    def numbers(self) -> Mapping[str, Detail]:
        """The numbers as data of an event."""
        unit = "mhz" if self.rung.way is Way.FREQUENCY else "mv"
        return {
            "rung": self.rung.name,
            f"measured_{unit}": self.measured,
            f"limit_{unit}": self.limit,
            "dwell_ms": self.rung.dwell_ms,
        }


@dataclass(frozen=True, slots=True)
class Sense:
    """What is remembered of one source.

    Attributes:
        grade: how fit it is.
        departure: why it is bad; None while it never was good enough to leave, or is not bad.
        violated_ms: for each rung since when it is violated.
        inside_since_ms: since when no rung is violated.
        good_since_ms: since when it is inside the good limits.
    """

    grade: Grade = Grade.BAD
    departure: Departure | None = None
    violated_ms: tuple[int | None, ...] = (None,) * len(LADDER)
    inside_since_ms: int | None = None
    good_since_ms: int | None = None


UNSEEN = Sense()
"""A source of which nothing is known yet: bad until it has been usable."""

_NONE: tuple[int | None, ...] = (None,) * len(LADDER)


def permille(voltage_mv: int, nominal_mv: int) -> int:
    """Return a voltage in permille of the nominal one, rounded down: a limit is exceeded by a whole permille."""
    return voltage_mv * 1000 // nominal_mv


def qualify(sense: Sense, reading: SourceInput, nominal_mv: int, nominal_mhz: int, now_ms: int) -> Sense:
    """Return the sense of a source after one reading; the same object where nothing has changed."""
    well = _within_good(reading, nominal_mv, nominal_mhz)
    if well and sense.grade is Grade.GOOD:
        return sense
    violated = tuple(
        (now_ms if since is None else since) if _violates(rung, reading, nominal_mv, nominal_mhz) else None
        for rung, since in zip(LADDER, sense.violated_ms, strict=True)
    )
    inside = now_ms if sense.inside_since_ms is None else sense.inside_since_ms
    good = now_ms if sense.good_since_ms is None else sense.good_since_ms
    seen = Sense(
        sense.grade,
        sense.departure,
        violated,
        inside if violated == _NONE else None,
        good if well else None,
    )
    graded = _regrade(seen, reading, nominal_mv, nominal_mhz, now_ms)
    return sense if graded == sense else graded


def _regrade(sense: Sense, reading: SourceInput, nominal_mv: int, nominal_mhz: int, now_ms: int) -> Sense:
    for rung, since_ms in zip(LADDER, sense.violated_ms, strict=True):
        if since_ms is not None and now_ms - since_ms >= rung.dwell_ms:
            if sense.departure is not None and sense.departure.rung.way is rung.way:
                return replace(sense, grade=Grade.BAD)
            departure = _departure(rung, reading, nominal_mv, nominal_mhz, since_ms, now_ms)
            return replace(sense, grade=Grade.BAD, departure=departure)
    since_ms = sense.inside_since_ms
    if sense.grade is Grade.BAD and (since_ms is None or now_ms - since_ms < USABLE_MS):
        return sense
    since_ms = sense.good_since_ms
    good = since_ms is not None and now_ms - since_ms >= GOOD_MS
    return replace(sense, grade=Grade.GOOD if good else Grade.USABLE, departure=None)


def _departure(
    rung: Rung, reading: SourceInput, nominal_mv: int, nominal_mhz: int, since_ms: int, now_ms: int
) -> Departure:
    latency_us = reading.detection_us if rung.way is Way.LOST else (now_ms - since_ms) * 1000
    if rung.way is Way.FREQUENCY:
        measured = reading.frequency_mhz or 0
        limit = nominal_mhz + rung.limit if measured > nominal_mhz else nominal_mhz - rung.limit
        return Departure(rung, measured, limit, since_ms, now_ms, latency_us)
    return Departure(
        rung, reading.compared_mv(rung), nominal_mv * rung.limit // 1000, since_ms, now_ms, latency_us
    )


def _violates(rung: Rung, reading: SourceInput, nominal_mv: int, nominal_mhz: int) -> bool:
    match rung.way:
        case Way.LOST:
            return reading.amplitude_lost
        case Way.UNDER:
            return permille(reading.compared_mv(rung), nominal_mv) < rung.limit
        case Way.OVER:
            return permille(reading.compared_mv(rung), nominal_mv) > rung.limit
        case Way.FREQUENCY:
            measurable = permille(reading.voltage_mv, nominal_mv) >= MEASURABLE_PERMILLE
            frequency = reading.frequency_mhz
            return measurable and frequency is not None and abs(frequency - nominal_mhz) > rung.limit


def _within_good(reading: SourceInput, nominal_mv: int, nominal_mhz: int) -> bool:
    frequency = reading.frequency_mhz
    return (
        not reading.amplitude_lost
        and frequency is not None
        and abs(permille(reading.voltage_mv, nominal_mv) - 1000) <= GOOD_PERMILLE
        and not any(_violates(rung, reading, nominal_mv, nominal_mhz) for rung in HALF_CYCLE_RUNGS)
        and abs(frequency - nominal_mhz) <= GOOD_MHZ
    )
