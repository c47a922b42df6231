"""What a source carries, what it may carry, and what is left."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadcenter.domain.events import Detail

WATT_MW = 1000


def whole_watts(power_mw: int) -> int:
    """Return a power without what is below a watt, in mW; what flows back counts as none."""
    return max(0, power_mw) // WATT_MW * WATT_MW


@dataclass(frozen=True, slots=True)
class Load:
    """Current and real power, summed over outlets; currents add up as if all were in phase, the worst case."""

    current_ma: int
    power_mw: int

    def less(self, current_ma: int, power_mw: int) -> "Load":
        """Return the load without an outlet's."""
        return Load(self.current_ma - current_ma, self.power_mw - power_mw)

    def exceeds(self, budget: "Load") -> bool:
        """Return whether the budget is exceeded, in current or in power."""
        return self.current_ma > budget.current_ma or self.power_mw > budget.power_mw

    def exceeds_half_more(self, budget: "Load") -> bool:
        """Return whether one and a half of the budget is exceeded."""
        return self.current_ma * 2 > budget.current_ma * 3 or self.power_mw * 2 > budget.power_mw * 3


@dataclass(frozen=True, slots=True)
class Headroom:
    """A load and the budget it is under."""

    load: Load
    budget: Load

    @property
    def numbers(self) -> Mapping[str, Detail]:
        """The numbers compared, as the data of an event."""
        return {
            "total_ma": self.load.current_ma,
            "budget_ma": self.budget.current_ma,
            "total_mw": self.load.power_mw,
            "budget_mw": self.budget.power_mw,
        }

    def fits(self, draw_ma: int, draw_mw: int) -> bool:
        """Return whether an outlet with this draw keeps the load within the budget."""
        return not Load(self.load.current_ma + draw_ma, self.load.power_mw + draw_mw).exceeds(self.budget)

    def refuses(self, draw_ma: int, draw_mw: int) -> Mapping[str, Detail]:
        """Return the numbers by which the outlet does not fit, empty where it does."""
        if self.fits(draw_ma, draw_mw):
            return {}
        return {**self.numbers, "draw_ma": draw_ma, "draw_mw": draw_mw}

    def fits_well(self, draw_ma: int, draw_mw: int) -> bool:
        """Return whether it fits with half its draw more for the inrush, and a tenth of the budget to spare."""
        return (
            self.load.current_ma * 10 + draw_ma * 15 <= self.budget.current_ma * 9
            and self.load.power_mw * 10 + draw_mw * 15 <= self.budget.power_mw * 9
        )
