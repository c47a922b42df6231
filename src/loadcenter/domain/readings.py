"""Readings of outlets and sources, with their quality.

Those of one outlet and one source are named tuples: ten are made for each record, and a frozen dataclass takes four
times as long.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from loadcenter.domain.topology import Source


class Quality(StrEnum):
    """Whether a reading can be trusted."""

    GOOD = "good"
    STALE = "stale"
    INVALID = "invalid"


class OutletReading(NamedTuple):
    """One outlet at one instant (or averaged over a thinned record). None means unknown, never 0.

    Attributes:
        outlet: number, from 1.
        on: whether the relay is commanded on.
        voltage_mv: true RMS voltage at the outlet, 0 while it is off or the bus is dead.
        current_ma: true RMS current.
        power_mw: real power.
        energy_mwh: monotonic counter.
        power_min_mw: lowest power within the record; equals `power_mw` for a single sample.
        power_max_mw: highest power within the record.
        quality: of the values above.
    """

    outlet: int
    on: bool
    voltage_mv: int | None
    current_ma: int | None
    power_mw: int | None
    energy_mwh: int | None
    power_min_mw: int | None = None
    power_max_mw: int | None = None
    quality: Quality = Quality.GOOD


class SourceReading(NamedTuple):
    """One source at one instant: true RMS voltage in mV and frequency in mHz; None means unknown."""

    source: Source
    voltage_mv: int | None
    frequency_mhz: int | None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The readings of one record.

    Attributes:
        ts_ms: UTC of its last sample, in ms.
        samples: how many samples it stands for (1, or more in a thinned record).
        period_ms: time that one sample stands for.
        active: position of the transfer switch.
        live: whether the bus carries voltage.
    """

    ts_ms: int
    samples: int
    period_ms: int
    active: Source
    live: bool
    sources: tuple[SourceReading, ...]
    outlets: tuple[OutletReading, ...]

    @property
    def covered_ms(self) -> int:
        """Time that the record stands for."""
        return self.samples * self.period_ms
