"""How an outlet draws: highest demand, peak, load factor, hours of the week, and what it draws when it does least."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadcenter.domain.rollups import Stat, Tier
from loadcenter.domain.tariffs import LocalTime

QUARTER_MS = Tier.QUARTER.value * 1000
DEMAND_COVERAGE = 0.9
"""A quarter counts as demand only with readings for this part of it; else a mean of a few seconds could win."""

STANDBY_SHARE = 0.05
"""Standby is the power that an outlet goes below in at most this part of the time that it is switched on."""

STANDBY_MARGIN = 1.25
STANDBY_MARGIN_MW = 1_000
"""An outlet rests while it draws no more than a quarter, or 1 W, above its standby power (noise, small cycles)."""

LEVEL_MW = 100
"""Step of the levels that one-minute means are counted in."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Mean power of a quarter of an hour, and when it began."""

    power_mw: float
    start_ms: int


@dataclass(slots=True)
class LoadProfile:
    """Load of one outlet over a period; grows by `add`.

    Attributes:
        power: of all readings.
        demand: the highest mean of a quarter that is covered well enough, None if none was.
        highest: the highest reading and the start of the quarter that holds it.
        hours: statistic of each hour of the week, by (weekday, hour) of the local clock.
        quarters: mean power of the quarters that are covered well enough, in mW by start.
    """

    power: Stat = field(default_factory=Stat)
    demand: Demand | None = None
    highest: Demand | None = None
    hours: dict[tuple[int, int], Stat] = field(default_factory=dict)
    quarters: dict[int, float] = field(default_factory=dict)

    def add(self, start_ms: int, local: LocalTime, power: Stat, covered_ms: int) -> None:
        """Add a quarter that begins at `local`."""
        mean = power.mean
        if mean is None:
            return
        self.power = self.power.merge(power)
        hour = local.day.weekday(), local.minute // 60
        self.hours[hour] = self.hours.get(hour, Stat()).merge(power)
        if self.highest is None or power.maximum > self.highest.power_mw:
            self.highest = Demand(power.maximum, start_ms)
        if covered_ms >= DEMAND_COVERAGE * QUARTER_MS:
            self.quarters[start_ms] = mean
            if self.demand is None or mean > self.demand.power_mw:
                self.demand = Demand(mean, start_ms)


def load_factor(mean_mw: float | None, demand: Demand | None) -> float | None:
    """Return mean power over highest quarter-hour demand, 0 to about 1; None where nothing was drawn or is known."""
    if mean_mw is None or demand is None or demand.power_mw <= 0:
        return None
    return mean_mw / demand.power_mw


def total_demand(profiles: Sequence[LoadProfile]) -> Demand | None:
    """Return the highest demand of all outlets together, over quarters in which every one of them is known."""
    if not profiles:
        return None
    common = set(profiles[0].quarters).intersection(*(one.quarters for one in profiles[1:]))
    best: Demand | None = None
    for start_ms in sorted(common):
        power_mw = sum(one.quarters[start_ms] for one in profiles)
        if best is None or power_mw > best.power_mw:
            best = Demand(power_mw, start_ms)
    return best


@dataclass(frozen=True, slots=True)
class Standby:
    """What an outlet draws when it does least.

    Attributes:
        power_mw: the standby power, to 0.1 W.
        resting_ms: time that it drew no more than that and the margin.
        energy_mwh: energy of that time.
        on_ms: time that it was switched on, with readings.
    """

    power_mw: int
    resting_ms: int
    energy_mwh: int
    on_ms: int


def standby(levels: Mapping[int, int]) -> Standby | None:
    """Return standby power from one-minute means of the time that an outlet was live, None where it never was.

    Args:
        levels: covered time in ms by power, in steps of `LEVEL_MW` (level 23 holds 2.3 W up to 2.4 W).
    """
    on_ms = sum(levels.values())
    if not on_ms:
        return None
    power_mw, below_ms = 0, 0
    for level in sorted(levels):
        power_mw, below_ms = level * LEVEL_MW, below_ms + levels[level]
        if below_ms > STANDBY_SHARE * on_ms:
            break
    limit_mw = max(power_mw * STANDBY_MARGIN, power_mw + STANDBY_MARGIN_MW)
    resting = {level: span for level, span in levels.items() if level * LEVEL_MW <= limit_mw}
    energy_mw_ms = sum((level * LEVEL_MW + LEVEL_MW // 2) * span for level, span in resting.items() if level)
    return Standby(power_mw, sum(resting.values()), energy_mw_ms // 3_600_000, on_ms)
