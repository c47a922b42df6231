"""The shapes of the analytics API (docs/api.md). SI units and the tariff's currency; null is unknown, never 0."""

from datetime import date
from typing import Literal

from pydantic import BaseModel

from loadcenter.domain.topology import Source


class PeriodOut(BaseModel):
    """Days of the site; `until` is the day after the last. `elapsed_ms` is how much of it is over."""

    since: date
    until: date
    since_ms: int
    until_ms: int
    elapsed_ms: int


class AmountOut(BaseModel):
    """Energy and cost; `cost` is of `energy_kwh`, and `cost_low` to `cost_high` of everything."""

    energy_kwh: float
    in_gap_kwh: float
    total_kwh: float
    unpriced_kwh: float
    cost: float | None
    cost_low: float | None
    cost_high: float | None
    coverage: float | None


class PriceOut(BaseModel):
    """Energy at one price."""

    name: str
    price_per_kwh: float
    energy_kwh: float
    cost: float


class LoadOut(BaseModel):
    """How an outlet, or all of them, draws."""

    mean_w: float | None
    demand_w: float | None
    demand_at_ms: int | None
    peak_w: float | None
    peak_at_ms: int | None
    peak_within_ms: int | None
    load_factor: float | None


class StandbyOut(BaseModel):
    """What an outlet draws when it does least: power, how much of its time on, and the energy of that time."""

    power_w: float
    share: float
    energy_kwh: float
    on_ms: int


class OutletUseOut(BaseModel):
    """One outlet; `hours` is mean power by weekday (Monday first) and hour of the local clock."""

    n: int
    name: str
    amount: AmountOut
    before: AmountOut
    load: LoadOut
    standby: StandbyOut | None
    prices: list[PriceOut]
    hours: list[list[float | None]]


class DayOut(BaseModel):
    """All outlets on one day."""

    day: date
    amount: AmountOut


class EnergyOut(BaseModel):
    """Energy, cost and load of a PDU."""

    timezone: str
    period: PeriodOut
    before: PeriodOut
    currency: str | None
    total: AmountOut
    before_total: AmountOut
    fee: float | None
    before_fee: float | None
    load: LoadOut
    prices: list[PriceOut]
    days: list[DayOut]
    hours: list[list[float | None]]
    outlets: list[OutletUseOut]


class WeekOut(BaseModel):
    """The ten-minute values of one week, from Monday `first`."""

    first: date
    verdict: Literal["met", "not_met", "unknown"]
    whole: bool
    expected: int
    valid: int
    flagged: int
    within: float | None
    within_wide: float | None


class BinOut(BaseModel):
    """How many ten-minute values lie from `percent` until before the next percent of the nominal voltage."""

    percent: int
    count: int


class DisturbanceOut(BaseModel):
    """A dip, swell, interruption or longer deviation."""

    kind: Literal["dip", "swell", "interruption", "undervoltage", "overvoltage"]
    since_ms: int
    duration_ms: int
    ended: bool
    extreme_v: float
    extreme_pct: float


class ClassesOut(BaseModel):
    """Counts in the tables of EN 50160; rows by voltage from the top, columns by duration."""

    dip_residuals_pct: list[int]
    dip_durations_ms: list[int]
    dips: list[list[int]]
    swell_levels_pct: list[int]
    swell_durations_ms: list[int]
    swells: list[list[int]]
    short_interruptions: int
    long_interruptions: int
    undervoltages: int
    overvoltages: int


class SourceQualityOut(BaseModel):
    """Voltage of one source; `disturbances` holds the latest, `disturbance_count` all."""

    source: Source
    coverage: float | None
    valid: int
    lowest_v: float | None
    highest_v: float | None
    weeks: list[WeekOut]
    histogram: list[BinOut]
    classes: ClassesOut
    disturbance_count: int
    disturbances: list[DisturbanceOut]


class VoltageOut(BaseModel):
    """Voltage quality of a PDU's sources."""

    timezone: str
    period: PeriodOut
    nominal_v: float
    nominal_from: Literal["request", "device", "default"]
    sources: list[SourceQualityOut]


class OutageOut(BaseModel):
    """A time in which the outlets were dead; `ended` tells whether its end was told."""

    since_ms: int
    duration_ms: int
    ended: bool


class TransferCountOut(BaseModel):
    """Transfers of one cause."""

    cause: str
    count: int


class SupplyStatisticsOut(BaseModel):
    """How a PDU was supplied; availability has two bounds, as time without readings may have been either."""

    coverage: float | None
    count: int
    total_ms: int
    longest_ms: int
    availability_low: float | None
    availability_high: float | None
    on_backup_ms: int | None
    position_known: float | None
    transfer_count: int
    transfers: list[TransferCountOut]


class SupplyOut(BaseModel):
    """Outages and transfers of a PDU, and of the period before; `outages` holds the longest."""

    timezone: str
    period: PeriodOut
    before: PeriodOut
    now: SupplyStatisticsOut
    then: SupplyStatisticsOut
    outages: list[OutageOut]
