"""Energy and cost of a period, by price and by day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from loadcenter.domain.analysis.metering import Gap
from loadcenter.domain.tariffs import Price, cost_pico


@dataclass(slots=True)
class Amount:
    """Energy and what it costs.

    Attributes:
        energy_mwh: metered while readings came.
        cost_pico: what that costs; only what has a price is in it.
        unpriced_mwh: the part of `energy_mwh` from before the first tariff.
        in_gap_mwh: flowed in gaps.
        gap_low_pico: what that costs at least, at the lowest price within each gap.
        gap_high_pico: and at most.
        gap_unpriced_mwh: the part of `in_gap_mwh` without a price.
        covered_ms: time that readings stand for.
    """

    energy_mwh: int = 0
    cost_pico: int = 0
    unpriced_mwh: int = 0
    in_gap_mwh: int = 0
    gap_low_pico: int = 0
    gap_high_pico: int = 0
    gap_unpriced_mwh: int = 0
    covered_ms: int = 0

    def add(self, other: "Amount") -> None:
        """Add another amount to this one."""
        self.energy_mwh += other.energy_mwh
        self.cost_pico += other.cost_pico
        self.unpriced_mwh += other.unpriced_mwh
        self.in_gap_mwh += other.in_gap_mwh
        self.gap_low_pico += other.gap_low_pico
        self.gap_high_pico += other.gap_high_pico
        self.gap_unpriced_mwh += other.gap_unpriced_mwh
        self.covered_ms += other.covered_ms

    @property
    def total_mwh(self) -> int:
        """All energy, in gaps or not."""
        return self.energy_mwh + self.in_gap_mwh

    def cost_range(self) -> tuple[int, int] | None:
        """Return what everything costs at least and at most; None where some of it has no price."""
        if self.unpriced_mwh or self.gap_unpriced_mwh:
            return None
        return self.cost_pico + self.gap_low_pico, self.cost_pico + self.gap_high_pico


@dataclass(slots=True)
class Priced:
    """Energy at one price."""

    energy_mwh: int = 0
    cost_pico: int = 0


@dataclass(slots=True)
class Bill:
    """Energy and cost of one outlet over a period; grows by `add_energy` and `add_gap`."""

    total: Amount = field(default_factory=Amount)
    by_price: dict[Price, Priced] = field(default_factory=dict)
    by_day: dict[date, Amount] = field(default_factory=dict)

    def add_energy(self, day: date, price: Price | None, energy_mwh: int, covered_ms: int) -> None:
        """Add energy of a day at the price that held, None where there was none."""
        if price is None:
            part = Amount(energy_mwh, unpriced_mwh=energy_mwh, covered_ms=covered_ms)
        else:
            cost = cost_pico(energy_mwh, price)
            part = Amount(energy_mwh, cost, covered_ms=covered_ms)
            at_price = self.by_price.setdefault(price, Priced())
            at_price.energy_mwh += energy_mwh
            at_price.cost_pico += cost
        self._book(day, part)

    def add_gap(self, ended: date, gap: Gap, prices: tuple[int, int] | None) -> None:
        """Add the energy of a gap to the day on which it ended.

        Args:
            ended: day on which the gap ended.
            gap: the gap.
            prices: lowest and highest price within it, None where there was none.
        """
        energy_mwh = gap.energy_mwh
        if prices is None:
            part = Amount(in_gap_mwh=energy_mwh, gap_unpriced_mwh=energy_mwh)
        else:
            low, high = prices
            part = Amount(
                in_gap_mwh=energy_mwh, gap_low_pico=energy_mwh * low, gap_high_pico=energy_mwh * high
            )
        self._book(ended, part)

    def _book(self, day: date, part: Amount) -> None:
        self.total.add(part)
        self.by_day.setdefault(day, Amount()).add(part)


def merged_days(bills: Mapping[int, Bill]) -> dict[date, Amount]:
    """Return the days of all outlets together, in order."""
    days: dict[date, Amount] = {}
    for bill in bills.values():
        for day, amount in bill.by_day.items():
            days.setdefault(day, Amount()).add(amount)
    return dict(sorted(days.items()))
