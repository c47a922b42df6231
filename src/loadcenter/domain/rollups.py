"""Rollups: what a span of readings is reduced to, so that it can be merged again without loss.

Averages do not merge; counts, sums, extremes and counters do. Merging is associative and independent of the order of
arrival (tests/properties/test_rollups.py), so that every tier is merged from the records themselves.
"""

from dataclasses import dataclass
from enum import IntEnum

from loadcenter.domain.readings import OutletReading, SourceReading


class Tier(IntEnum):
    """The spans that history is kept in; the value is the length in seconds."""

    MINUTE = 60
    QUARTER = 900
    HOUR = 3600
    DAY = 86_400


@dataclass(frozen=True, slots=True)
class Stat:
    """Count, minimum, maximum and sum of one quantity, in its wire unit. With `count` 0 the others are 0."""

    count: int = 0
    minimum: int = 0
    maximum: int = 0
    total: int = 0

    @staticmethod
    def of(value: int | None, weight: int = 1, low: int | None = None, high: int | None = None) -> "Stat":
        """Return the statistic of `weight` samples averaging `value`; unknown (None) counts nothing."""
        if value is None or weight <= 0:
            return Stat()
        return Stat(weight, value if low is None else low, value if high is None else high, value * weight)

    def merge(self, other: "Stat") -> "Stat":
        """Return the statistic of both spans together."""
        if not other.count:
            return self
        if not self.count:
            return other
        return Stat(
            self.count + other.count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.total + other.total,
        )

    @property
    def mean(self) -> float | None:
        """The average, None where there was nothing."""
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Counters:
    """First and last reading of an energy counter within a span.

    Readings are those of a `Meter` (domain/energy.py), which never falls: resets of the device are seen where its
    records come in, in their order. The energy of the span is `last_mwh - first_mwh + reset_mwh`; `reset_mwh` is what
    a reset has hidden where the readings come from elsewhere and did fall.
    """

    first_ts_ms: int
    first_mwh: int
    last_ts_ms: int
    last_mwh: int
    reset_mwh: int = 0

    @property
    def energy_mwh(self) -> int:
        """Energy from the first to the last reading of the span."""
        return self.last_mwh - self.first_mwh + self.reset_mwh

    def merge(self, other: "Counters") -> "Counters":
        """Return the counters of both spans together, in whatever order they come and however they overlap."""
        return Counters(
            min(self.first_ts_ms, other.first_ts_ms),
            min(self.first_mwh, other.first_mwh),
            max(self.last_ts_ms, other.last_ts_ms),
            max(self.last_mwh, other.last_mwh),
            self.reset_mwh + other.reset_mwh,
        )


@dataclass(frozen=True, slots=True)
class OutletRollup:
    """What one outlet did in one span. Units as on the wire: mW, mV, mA, mWh, ms."""

    covered_ms: int
    power: Stat
    voltage: Stat
    current: Stat
    counters: Counters | None = None

    def merge(self, other: "OutletRollup") -> "OutletRollup":
        """Return the rollup of both spans together."""
        if self.counters is None or other.counters is None:
            counters = self.counters or other.counters
        else:
            counters = self.counters.merge(other.counters)
        return OutletRollup(
            self.covered_ms + other.covered_ms,
            self.power.merge(other.power),
            self.voltage.merge(other.voltage),
            self.current.merge(other.current),
            counters,
        )


@dataclass(frozen=True, slots=True)
class SourceRollup:
    """What one source did in one span: voltage in mV, frequency in mHz."""

    covered_ms: int
    voltage: Stat
    frequency: Stat

    def merge(self, other: "SourceRollup") -> "SourceRollup":
        """Return the rollup of both spans together."""
        return SourceRollup(
            self.covered_ms + other.covered_ms,
            self.voltage.merge(other.voltage),
            self.frequency.merge(other.frequency),
        )


def outlet_rollup(reading: OutletReading, ts_ms: int, samples: int, period_ms: int) -> OutletRollup:
    """Return the rollup of one record: `samples` samples of `period_ms` each, ending at `ts_ms`."""
    counters = None
    if reading.energy_mwh is not None:
        counters = Counters(ts_ms, reading.energy_mwh, ts_ms, reading.energy_mwh)
    return OutletRollup(
        samples * period_ms,
        Stat.of(reading.power_mw, samples, reading.power_min_mw, reading.power_max_mw),
        Stat.of(reading.voltage_mv, samples),
        Stat.of(reading.current_ma, samples),
        counters,
    )


def source_rollup(reading: SourceReading, samples: int, period_ms: int) -> SourceRollup:
    """Return the rollup of one record of a source."""
    return SourceRollup(
        samples * period_ms,
        Stat.of(reading.voltage_mv, samples),
        Stat.of(reading.frequency_mhz, samples),
    )


def bucket_start_ms(ts_ms: int, tier: Tier) -> int:
    """Return the start (UTC ms) of the bucket that holds `ts_ms`; days here are UTC days.

    Days of a site follow its local date and come from a calendar, not from here.
    """
    span_ms = tier.value * 1000
    return ts_ms - ts_ms % span_ms
