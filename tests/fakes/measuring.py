"""What analytics reads (`Measurements`), reckoned in Python from the rollups of the fake store."""

from collections.abc import Sequence
from dataclasses import replace

from loadcenter.domain.analysis.load_profile import DEMAND_COVERAGE_MS, LEVEL_MW, Demand
from loadcenter.domain.analysis.metering import GAP_MS, Gap, Metered
from loadcenter.domain.analysis.voltage_quality import TEN_MINUTES_MS, VoltageBin, VoltageMean
from loadcenter.domain.analysis.wall import DAY_MS, WEEK_MS, WallClock, hour_of_week
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, Stat, Tier
from loadcenter.domain.topology import Source


class FakeMeasurements:
    """A part of `FakeStore`, whose rollups it reads."""

    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, OutletRollup]]:
        raise NotImplementedError

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, SourceRollup]]:
        raise NotImplementedError

    async def metered(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
    ) -> list[Metered]:
        found: list[Metered] = []
        before: Counters | None = None
        for start_ms, row in await self.outlet_rollups(Tier.QUARTER, pdu_id, outlet, 0, until_ms):
            if start_ms >= since_ms:
                found.append(metered_quarter(start_ms, row, before))
            before = row.counters or before
        return grouped_quarters(found, wall)

    async def hours_of_week(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
    ) -> dict[tuple[int, int], Stat]:
        hours: dict[tuple[int, int], Stat] = {}
        for start_ms, row in await self.outlet_rollups(Tier.QUARTER, pdu_id, outlet, since_ms, until_ms):
            if row.power.count:
                hour = hour_of_week(wall.wall_ms(start_ms) % WEEK_MS)
                hours[hour] = hours.get(hour, Stat()).merge(row.power)
        return hours

    async def highest_mean(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> Demand | None:
        means: dict[int, list[float]] = {}
        for outlet in outlets:
            for start_ms, row in await self.outlet_rollups(Tier.QUARTER, pdu_id, outlet, since_ms, until_ms):
                if row.power.mean is not None and row.covered_ms >= DEMAND_COVERAGE_MS:
                    means.setdefault(start_ms, []).append(row.power.mean)
        sums = [Demand(sum(one), start_ms) for start_ms, one in means.items() if len(one) == len(outlets)]
        return min(sums, key=lambda one: (-one.power_mw, one.start_ms), default=None)

    async def highest_reading(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int
    ) -> Demand | None:
        rows = await self.outlet_rollups(tier, pdu_id, outlet, since_ms, until_ms)
        found = [Demand(row.power.maximum, start_ms) for start_ms, row in rows if row.power.count]
        return min(found, key=lambda one: (-one.power_mw, one.start_ms), default=None)

    async def power_levels(
        self, pdu_id: str, outlet: int, spans: Sequence[tuple[int, int]]
    ) -> dict[int, int]:
        levels: dict[int, int] = {}
        for since_ms, until_ms in spans:
            for _, row in await self.outlet_rollups(Tier.MINUTE, pdu_id, outlet, since_ms, until_ms):
                if row.power.count and row.voltage.minimum > 0:
                    level = row.power.total // (row.power.count * LEVEL_MW)
                    levels[level] = levels.get(level, 0) + row.covered_ms
        return levels

    async def voltage_bins(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, nominal_mv: int, wall: WallClock
    ) -> list[VoltageBin]:
        means = await self.voltage_means(pdu_id, source, since_ms, until_ms)
        bins: dict[tuple[int, int, bool], VoltageBin] = {}
        for mean in means:
            if mean.known:
                one = mean.bin(nominal_mv)
                key = wall.wall_ms(one.start_ms) // DAY_MS, one.percent, one.above
                bins[key] = together(bins[key], one) if key in bins else one
        return list(bins.values())

    async def voltage_means(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> list[VoltageMean]:
        sums: dict[int, SourceRollup] = {}
        for start_ms, row in await self.source_rollups(Tier.MINUTE, pdu_id, source, since_ms, until_ms):
            ten_ms = start_ms - start_ms % TEN_MINUTES_MS
            if row.voltage.count:
                sums[ten_ms] = sums[ten_ms].merge(row) if ten_ms in sums else row
        return [
            VoltageMean(start_ms, row.covered_ms, row.voltage.count, row.voltage.total)
            for start_ms, row in sums.items()
        ]


def metered_quarter(start_ms: int, row: OutletRollup, before: Counters | None) -> Metered:
    """A quarter by itself, after what the counter showed before."""
    counters = row.counters
    if counters is None or before is None:
        return Metered(start_ms, row.covered_ms, counters.energy_mwh if counters else 0)
    between_mwh = counters.first_mwh - before.last_mwh
    if counters.first_ts_ms - before.last_ts_ms <= GAP_MS:
        return Metered(start_ms, row.covered_ms, counters.energy_mwh + between_mwh)
    gap = Gap(before.last_ts_ms, counters.first_ts_ms, between_mwh)
    return Metered(start_ms, row.covered_ms, counters.energy_mwh, gap)


def grouped_quarters(quarters: Sequence[Metered], wall: WallClock) -> list[Metered]:
    """Quarters of one span together, those that ended a gap by themselves."""
    groups: dict[tuple[int, int], Metered] = {}
    for one in quarters:
        key = wall.span(one.start_ms), one.start_ms if one.gap else 0
        known = groups.get(key, Metered(one.start_ms, 0))
        groups[key] = Metered(
            known.start_ms, known.covered_ms + one.covered_ms, known.energy_mwh + one.energy_mwh, one.gap
        )
    return sorted(groups.values(), key=lambda one: one.start_ms)


def together(one: VoltageBin, other: VoltageBin) -> VoltageBin:
    """Two bins of the same day and percent as one."""
    return replace(
        one,
        count=one.count + other.count,
        lowest_mv=min(one.lowest_mv, other.lowest_mv),
        highest_mv=max(one.highest_mv, other.highest_mv),
    )
