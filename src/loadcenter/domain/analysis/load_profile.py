"""How an outlet draws: highest demand, peak, load factor, hours of the week, and what it draws when it does least."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from loadcenter.domain.rollups import Stat, Tier

QUARTER_MS = Tier.QUARTER.value * 1000
DEMAND_COVERAGE_MS = QUARTER_MS * 9 // 10
"""A quarter counts as demand only with readings for 90 % of it; else a mean of a few seconds could win."""

STANDBY_SHARE = 0.05
"""Standby is the power that an outlet goes below in at most this part of the time that it is switched on."""

STANDBY_MARGIN = 1.25
STANDBY_MARGIN_MW = 1_000
"""An outlet rests while it draws no more than a quarter, or 1 W, above its standby power (noise, small cycles)."""

LEVEL_MW = 100
"""Step of the levels that one-minute means are counted in."""

STANDBY_DAYS = 256
"""Days of all outlets together that standby is reckoned from: a month of eight outlets is read whole."""

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Demand:
    """Mean power of a quarter of an hour, and when it began."""

    power_mw: float
    start_ms: int


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """Load of one outlet over a period.

    Attributes:
        hours: statistic of each hour of the week, by (weekday, hour) of the local clock.
        demand: the highest mean of a quarter that is covered well enough, None if none was.
    """

    hours: Mapping[tuple[int, int], Stat] = field(default_factory=dict)
    demand: Demand | None = None

    @property
    def power(self) -> Stat:
        """The statistic of all readings."""
        return reduce(Stat.merge, self.hours.values(), Stat())


def load_factor(mean_mw: float | None, demand: Demand | None) -> float | None:
    """Return mean power over highest quarter-hour demand, 0 to about 1; None where nothing was drawn or is known."""
    if mean_mw is None or demand is None or demand.power_mw <= 0:
        return None
    return mean_mw / demand.power_mw


def sampled_days(days: int, outlets: int) -> range:
    """Return which days of a period standby is reckoned from, counted from 0: all, or every n-th of a long period.

    Half a million minutes are read in less than a second; n is no multiple of seven, so that all days of the week are
    among them alike.
    """
    step = max(1, -(-days * outlets // STANDBY_DAYS))
    return range(0, days, step + 1 if step % WEEK_DAYS == 0 else step)


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

    def scaled(self, whole_ms: int, part_ms: int) -> "Standby":
        """Return the times and the energy of `whole_ms`, where they were those of `part_ms` of it."""
        if part_ms >= whole_ms:
            return self
        of_part = self.resting_ms, self.energy_mwh, self.on_ms
        return Standby(self.power_mw, *(value * whole_ms // part_ms for value in of_part))


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
