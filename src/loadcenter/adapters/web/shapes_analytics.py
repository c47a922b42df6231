"""From the reports of analytics to the shapes of the API."""

from collections.abc import Iterable, Mapping

from loadcenter.adapters.web.models_analytics import (
    AmountOut,
    BinOut,
    ClassesOut,
    DayOut,
    DisturbanceOut,
    EnergyOut,
    LoadOut,
    OutageOut,
    OutletUseOut,
    PeriodOut,
    PriceOut,
    SourceQualityOut,
    StandbyOut,
    SupplyOut,
    SupplyStatisticsOut,
    TransferCountOut,
    VoltageOut,
    WeekOut,
)
from loadcenter.domain.analysis.disturbances import (
    DIP_DURATIONS_MS,
    DIP_RESIDUALS_PCT,
    SWELL_DURATIONS_MS,
    SWELL_LEVELS_PCT,
    Disturbance,
    classified,
)
from loadcenter.domain.analysis.energy_cost import Amount, Priced
from loadcenter.domain.analysis.load_profile import Standby, load_factor
from loadcenter.domain.analysis.outages import Supply
from loadcenter.domain.analysis.periods import share
from loadcenter.domain.analysis.voltage_quality import Week
from loadcenter.domain.rollups import Stat
from loadcenter.domain.tariffs import MICRO, PICO, Price
from loadcenter.services.labels import Labels
from loadcenter.services.reports import (
    EnergyReport,
    OutletUse,
    Period,
    SourceQuality,
    SupplyReport,
    VoltageReport,
)

LISTED_MAX = 100
"""Most disturbances or outages in one answer; all of them are counted."""

_MWH_PER_KWH = 1_000_000
_HOURS = [[(weekday, hour) for hour in range(24)] for weekday in range(7)]


def energy(report: EnergyReport, labels: Labels, zone: str) -> EnergyOut:
    """Return the answer of `/analytics/energy`."""
    priced = bool(report.tariffs.tariffs)
    outlets = report.outlets
    elapsed_ms, before_ms = report.period.elapsed_ms, report.before.elapsed_ms
    days = [
        DayOut(day=day, amount=_amount(amount, report.day_lengths[day] * len(outlets), priced=priced))
        for day, amount in report.by_day.items()
    ]
    return EnergyOut(
        timezone=zone,
        period=_period(report.period),
        before=_period(report.before),
        currency=report.tariffs.currency if priced else None,
        total=_amount(report.total, elapsed_ms * len(outlets), priced=priced),
        before_total=_amount(report.before_total, before_ms * len(outlets), priced=priced),
        fee=report.fee_pico / PICO if priced else None,
        before_fee=report.before_fee_pico / PICO if priced else None,
        load=_total_load(report),
        prices=_prices(report.by_price),
        days=days,
        hours=_total_hours(outlets),
        outlets=[_outlet(one, report, labels, priced=priced) for one in outlets],
    )


def _outlet(use: OutletUse, report: EnergyReport, labels: Labels, *, priced: bool) -> OutletUseOut:
    return OutletUseOut(
        n=use.outlet,
        name=labels.outlet(use.outlet).name,
        amount=_amount(use.bill.total, report.period.elapsed_ms, priced=priced),
        before=_amount(use.before, report.before.elapsed_ms, priced=priced),
        load=_load(use),
        standby=_standby(use.standby),
        prices=_prices(use.bill.by_price),
        hours=[[_watts(use.profile.hours.get(key, Stat()).mean) for key in row] for row in _HOURS],
    )


def _amount(amount: Amount, whole_ms: int, *, priced: bool) -> AmountOut:
    bounds = amount.cost_range() if priced else None
    return AmountOut(
        energy_kwh=amount.energy_mwh / _MWH_PER_KWH,
        in_gap_kwh=amount.in_gap_mwh / _MWH_PER_KWH,
        total_kwh=amount.total_mwh / _MWH_PER_KWH,
        unpriced_kwh=(amount.unpriced_mwh + amount.gap_unpriced_mwh) / _MWH_PER_KWH,
        cost=amount.cost_pico / PICO if priced and not amount.unpriced_mwh else None,
        cost_low=bounds[0] / PICO if bounds else None,
        cost_high=bounds[1] / PICO if bounds else None,
        coverage=share(amount.covered_ms, whole_ms),
    )


def _prices(by_price: Mapping[Price, Priced]) -> list[PriceOut]:
    return [
        PriceOut(
            name=price.name,
            price_per_kwh=price.micro_per_kwh / MICRO,
            energy_kwh=part.energy_mwh / _MWH_PER_KWH,
            cost=part.cost_pico / PICO,
        )
        for price, part in sorted(by_price.items(), key=lambda item: item[0].micro_per_kwh)
    ]


def _load(use: OutletUse) -> LoadOut:
    demand, peak = use.profile.demand, use.peak
    return LoadOut(
        mean_w=_watts(use.profile.power.mean),
        demand_w=_watts(demand.power_mw) if demand else None,
        demand_at_ms=demand.start_ms if demand else None,
        peak_w=_watts(peak.power_mw) if peak else None,
        peak_at_ms=peak.start_ms if peak else None,
        peak_within_ms=peak.within_ms if peak else None,
        load_factor=use.load_factor,
    )


def _total_load(report: EnergyReport) -> LoadOut:
    """Return the load of all outlets; their highest readings need not have been at the same time, so they have none."""
    demand = report.demand
    return LoadOut(
        mean_w=_watts(report.mean_mw),
        demand_w=_watts(demand.power_mw) if demand else None,
        demand_at_ms=demand.start_ms if demand else None,
        peak_w=None,
        peak_at_ms=None,
        peak_within_ms=None,
        load_factor=load_factor(report.mean_mw, demand),
    )


def _standby(standby: Standby | None) -> StandbyOut | None:
    if standby is None:
        return None
    return StandbyOut(
        power_w=standby.power_mw / 1000,
        share=standby.resting_ms / standby.on_ms,
        energy_kwh=standby.energy_mwh / _MWH_PER_KWH,
        on_ms=standby.on_ms,
    )


def _total_hours(outlets: Iterable[OutletUse]) -> list[list[float | None]]:
    """Return the sum of all outlets with readings, by hour of the week; null where one of them is not known."""
    known = [one.profile.hours for one in outlets if one.profile.hours]

    def total(key: tuple[int, int]) -> float | None:
        means = [hours.get(key, Stat()).mean for hours in known]
        return (
            _watts(sum(mean for mean in means if mean is not None)) if means and None not in means else None
        )

    return [[total(key) for key in row] for row in _HOURS]


def voltage(report: VoltageReport, zone: str, nominal_from: str) -> VoltageOut:
    """Return the answer of `/analytics/voltage`."""
    return VoltageOut.model_validate(
        {
            "timezone": zone,
            "period": _period(report.period),
            "nominal_v": report.nominal_mv / 1000,
            "nominal_from": nominal_from,
            "sources": [_source(one, report) for one in report.sources],
        }
    )


def _source(one: SourceQuality, report: VoltageReport) -> SourceQualityOut:
    quality = one.quality
    latest = sorted(one.disturbances, key=lambda found: -found.since_ms)[:LISTED_MAX]
    return SourceQualityOut(
        source=one.source,
        coverage=share(one.covered_ms, report.period.elapsed_ms),
        valid=sum(week.valid for week in quality.weeks),
        lowest_v=_volts(quality.lowest_mv),
        highest_v=_volts(quality.highest_mv),
        weeks=[_week(week) for week in quality.weeks],
        histogram=[BinOut(percent=key, count=quality.histogram[key]) for key in sorted(quality.histogram)],
        classes=_classes(one.disturbances, report.nominal_mv),
        disturbance_count=len(one.disturbances),
        disturbances=[_disturbance(found, report.nominal_mv) for found in latest],
    )


def _week(week: Week) -> WeekOut:
    return WeekOut(
        first=week.first,
        verdict=week.verdict.value,
        whole=week.whole,
        expected=week.expected,
        valid=week.valid,
        flagged=week.flagged,
        within=share(week.within, week.valid),
        within_wide=share(week.within_wide, week.valid),
    )


def _classes(found: Iterable[Disturbance], nominal_mv: int) -> ClassesOut:
    counted = classified(found, nominal_mv)
    return ClassesOut(
        dip_residuals_pct=list(DIP_RESIDUALS_PCT),
        dip_durations_ms=list(DIP_DURATIONS_MS),
        dips=[list(row) for row in counted.dips],
        swell_levels_pct=list(SWELL_LEVELS_PCT),
        swell_durations_ms=list(SWELL_DURATIONS_MS),
        swells=[list(row) for row in counted.swells],
        short_interruptions=counted.short_interruptions,
        long_interruptions=counted.long_interruptions,
        undervoltages=counted.undervoltages,
        overvoltages=counted.overvoltages,
    )


def _disturbance(found: Disturbance, nominal_mv: int) -> DisturbanceOut:
    return DisturbanceOut(
        kind=found.kind(nominal_mv).value,
        since_ms=found.since_ms,
        duration_ms=found.duration_ms,
        ended=found.ended,
        extreme_v=found.extreme_mv / 1000,
        extreme_pct=found.extreme_mv * 100 / nominal_mv,
    )


def supply(report: SupplyReport, zone: str) -> SupplyOut:
    """Return the answer of `/analytics/supply`."""
    longest = sorted(report.supply.outages, key=lambda one: -one.duration_ms)[:LISTED_MAX]
    return SupplyOut(
        timezone=zone,
        period=_period(report.period),
        before=_period(report.before),
        now=_supply(report.supply),
        then=_supply(report.supply_before),
        outages=[
            OutageOut(since_ms=one.since_ms, duration_ms=one.duration_ms, ended=one.ended) for one in longest
        ],
    )


def _supply(found: Supply) -> SupplyStatisticsOut:
    available = found.availability()
    return SupplyStatisticsOut(
        coverage=share(found.covered_ms, found.elapsed_ms),
        count=len(found.outages),
        total_ms=found.outage_ms,
        longest_ms=found.longest_ms,
        availability_low=available[0] if available else None,
        availability_high=available[1] if available else None,
        on_backup_ms=found.on_backup_ms if found.position_known_ms else None,
        position_known=share(found.position_known_ms, found.elapsed_ms),
        transfer_count=sum(found.transfers.values()),
        transfers=[TransferCountOut(cause=cause, count=count) for cause, count in found.transfers.items()],
    )


def _period(period: Period) -> PeriodOut:
    return PeriodOut(
        since=period.days.first,
        until=period.days.end,
        since_ms=period.since_ms,
        until_ms=period.until_ms,
        elapsed_ms=period.elapsed_ms,
    )


def _watts(power_mw: float | None) -> float | None:
    return None if power_mw is None else power_mw / 1000


def _volts(voltage_mv: float | None) -> float | None:
    return None if voltage_mv is None else voltage_mv / 1000
