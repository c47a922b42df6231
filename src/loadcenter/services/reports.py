"""What analytics reports: figures of a PDU over some days, with the time that they cover."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from loadcenter.domain.analysis import load_profile
from loadcenter.domain.analysis.disturbances import Disturbance
from loadcenter.domain.analysis.energy_cost import Amount, Bill, Priced, merged_days
from loadcenter.domain.analysis.load_profile import Demand, LoadProfile, Standby
from loadcenter.domain.analysis.outages import Supply
from loadcenter.domain.analysis.periods import Days
from loadcenter.domain.analysis.voltage_quality import Quality
from loadcenter.domain.tariffs import Price, Tariffs
from loadcenter.domain.topology import Source


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the site, in UTC ms; `elapsed_ms` is how much of it is over."""

    days: Days
    since_ms: int
    until_ms: int
    elapsed_ms: int

    @property
    def now_ms(self) -> int:
        """End of what is over."""
        return self.since_ms + self.elapsed_ms


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest reading, and the begin and length of the bucket that holds it."""

    power_mw: float
    start_ms: int
    within_ms: int


@dataclass(frozen=True, slots=True)
class OutletUse:
    """One outlet over a period, and its amount in the period before."""

    outlet: int
    bill: Bill
    profile: LoadProfile
    peak: Peak | None
    standby: Standby | None
    before: Amount

    @property
    def load_factor(self) -> float | None:
        """Mean power over highest demand."""
        return load_profile.load_factor(self.profile.power.mean, self.profile.demand)


@dataclass(frozen=True, slots=True)
class EnergyReport:
    """Energy, cost and load of a PDU over a period.

    `demand` is the highest of all outlets together. `day_lengths` has every day that has begun, with how much of it is over in ms: 23 to 25 hours for a whole one.
    """

    period: Period
    before: Period
    tariffs: Tariffs
    outlets: Sequence[OutletUse]
    demand: Demand | None
    day_lengths: Mapping[date, int]
    fee_pico: int
    before_fee_pico: int

    @property
    def total(self) -> Amount:
        """All outlets together, without the daily fee."""
        return _sum(one.bill.total for one in self.outlets)

    @property
    def before_total(self) -> Amount:
        """The same of the period before."""
        return _sum(one.before for one in self.outlets)

    @property
    def by_price(self) -> dict[Price, Priced]:
        """All outlets together at each price."""
        merged: dict[Price, Priced] = {}
        for outlet in self.outlets:
            for price, part in outlet.bill.by_price.items():
                known = merged.setdefault(price, Priced())
                known.energy_mwh += part.energy_mwh
                known.cost_pico += part.cost_pico
        return merged

    @property
    def by_day(self) -> dict[date, Amount]:
        """All outlets together on each day that has begun."""
        known = merged_days({one.outlet: one.bill for one in self.outlets})
        return {day: known.get(day, Amount()) for day in self.day_lengths}

    @property
    def mean_mw(self) -> float | None:
        """Mean power of all outlets together, None where one of them is not known."""
        means = [one.profile.power.mean for one in self.outlets]
        return sum(mean for mean in means if mean is not None) if means and None not in means else None


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """Voltage of one source over a period; `covered_ms` is the time that readings stand for."""

    source: Source
    covered_ms: int
    quality: Quality
    disturbances: Sequence[Disturbance]


@dataclass(frozen=True, slots=True)
class VoltageReport:
    """Voltage quality of a PDU's sources over a period."""

    period: Period
    nominal_mv: int
    sources: Sequence[SourceQuality]


@dataclass(frozen=True, slots=True)
class SupplyReport:
    """Outages and transfers of a PDU over a period and the one before."""

    period: Period
    before: Period
    supply: Supply
    supply_before: Supply


def _sum(parts: Iterator[Amount]) -> Amount:
    total = Amount()
    for part in parts:
        total.add(part)
    return total
