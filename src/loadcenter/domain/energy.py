"""Energy as integers: a counter with a carried remainder, and forward-only differences of counters."""

from dataclasses import dataclass

from loadcenter.domain.quantities import MW_MS_PER_MWH

COUNTER_MAX_MWH = 2**48 - 1
"""The counter of a PDU has 48 bits: 281 GWh, not reached in a lifetime of an outlet."""


@dataclass(frozen=True, slots=True)
class EnergyCounter:
    """A monotonic energy counter.

    A float sum stops growing (10 W no longer register in float32 at 100 kWh); integers with the remainder
    carried never lose a part.

    Attributes:
        energy_mwh: whole milliwatt-hours.
        remainder_mw_ms: what is left, in milliwatt-milliseconds, 0 to `MW_MS_PER_MWH` - 1.
    """

    energy_mwh: int = 0
    remainder_mw_ms: int = 0

    def add(self, power_mw: int, duration_ms: int) -> "EnergyCounter":
        """Return the counter after `power_mw` has flowed for `duration_ms`.

        Raises:
            ValueError: a negative power or duration; the counter only goes forward.
        """
        if power_mw < 0 or duration_ms < 0:
            raise ValueError(f"energy only goes forward: power {power_mw} mW, duration {duration_ms} ms")
        whole, rest = divmod(self.remainder_mw_ms + power_mw * duration_ms, MW_MS_PER_MWH)
        return EnergyCounter(self.energy_mwh + whole, rest)


def counter_delta_mwh(before_mwh: int, after_mwh: int) -> int:
    """Return the energy between two readings of a counter, in mWh, never negative.

    A counter that went down has been reset to 0 in between: what it shows since is counted.
    """
    return after_mwh - before_mwh if after_mwh >= before_mwh else after_mwh


@dataclass(frozen=True, slots=True)
class Meter:
    """An energy counter as read over its whole life: it counts on where the counter of the device begins again.

    Readings are given in the order in which the device made them, not in that of their times: a clock that was set
    back is no reset.

    Attributes:
        shown_mwh: what the device showed last.
        offset_mwh: what all resets before have hidden.
    """

    shown_mwh: int
    offset_mwh: int = 0

    @property
    def total_mwh(self) -> int:
        """The reading as it would be without resets; never falls."""
        return self.shown_mwh + self.offset_mwh

    def read(self, counter_mwh: int) -> "Meter":
        """Return the meter after the next reading of the device; a lower one means that it began again at 0."""
        hidden = self.shown_mwh if counter_mwh < self.shown_mwh else 0
        return Meter(counter_mwh, self.offset_mwh + hidden)
