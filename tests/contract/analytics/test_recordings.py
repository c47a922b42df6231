"""Analytics against an independent computation: Polars over the rows themselves, on recorded appliances.

What `loadcenter` reckons goes through rollups, tiers and SQL; the other side knows only rows. They must agree to the
last mWh and the last millionth of a cent.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from tests.contract.analytics.recordings import PDU, Record, frame, keep, keep_voltages, played, voltages
from tests.fakes.clock import FakeClock

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.adapters.storage.store import SqlStore, open_store
from loadcenter.adapters.storage.transactions import StoreSettings
from loadcenter.domain.analysis.energy_cost import Amount, Bill
from loadcenter.domain.analysis.periods import Days
from loadcenter.domain.tariffs import Price, Tariff, Tariffs, Window
from loadcenter.domain.topology import Source
from loadcenter.services.analytics import Analytics
from loadcenter.services.reports import EnergyReport, OutletUse

ZONE = "Europe/London"
HOUR_MS = 3_600_000
DAY, NIGHT, PEAK = Price("day", 250_000), Price("night", 131_313), Price("peak", 417_500)
WORKDAYS, EVERY_DAY = frozenset(range(5)), frozenset(range(7))
TARIFFS = Tariffs(
    "GBP",
    (
        Tariff(
            date(2012, 1, 1),
            DAY,
            (
                Window(NIGHT, EVERY_DAY, 22 * 60, 6 * 60 + 30),
                Window(PEAK, WORKDAYS, 17 * 60, 19 * 60 + 45),
            ),
            450_000,
        ),
    ),
)
FORTNIGHT = Days(date(2014, 10, 18), date(2014, 11, 1))
"""The clocks of London went back on the 26th."""

PATIENT = StoreSettings(write_timeout_s=60, read_timeout_s=600)
"""A busy machine takes its time."""

FIRST_MS = 1_413_590_400_000  # 2014-10-18 00:00 UTC, a Saturday
LOST = (
    (FIRST_MS + 5 * HOUR_MS, FIRST_MS + 8 * HOUR_MS + 420_000),
    (FIRST_MS + 8 * 24 * HOUR_MS - HOUR_MS, FIRST_MS + 8 * 24 * HOUR_MS + 4 * HOUR_MS),
)
"""A gap across the end of the night price, and one in the night that has an hour twice."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    calendar = SiteCalendar(ZONE)
    url = f"sqlite:///{tmp_path / 'loadcenter.db'}"
    async with open_store(url, PATIENT, calendar.day_start_ms) as opened:
        yield opened


def analytics(store: SqlStore, zone: str = ZONE, tariffs: Tariffs = TARIFFS) -> Analytics:
    return Analytics(store, FakeClock(1_800_000_000_000), SiteCalendar(zone), tariffs)


def priced(rows: pl.DataFrame) -> pl.DataFrame:
    """Add what each row's kWh cost, by the site's clock; written down anew, not taken from the tariff."""
    minute = pl.col("local").dt.hour().cast(int) * 60 + pl.col("local").dt.minute()
    night = (minute >= 1320) | (minute < 390)
    peak = (pl.col("local").dt.weekday() <= 5) & (minute >= 1020) & (minute < 1185)
    return rows.with_columns(
        price=pl.when(night).then(131_313).when(peak).then(417_500).otherwise(250_000),
        gap=pl.col("step") > 60_000,
        day=pl.col("local").dt.date(),
    )


def check_energy(use: OutletUse, rows: pl.DataFrame) -> None:
    bill: Bill = use.bill
    metered, gaps = rows.filter(~pl.col("gap")), rows.filter(pl.col("gap"))
    assert bill.total.energy_mwh == metered["used"].sum()
    assert bill.total.in_gap_mwh == gaps["used"].sum()
    assert bill.total.cost_pico == (metered["used"] * metered["price"]).sum()
    by_price = dict(metered.group_by("price").agg(pl.col("used").sum()).iter_rows())
    assert {price.micro_per_kwh: part.energy_mwh for price, part in bill.by_price.items()} == by_price
    by_day = dict(metered.group_by("day").agg(pl.col("used").sum()).iter_rows())
    assert {day: one.energy_mwh for day, one in bill.by_day.items()} == by_day
    covered_ms = rows["samples"].sum() * 1000
    assert bill.total.covered_ms == covered_ms


def check_load(use: OutletUse, rows: pl.DataFrame) -> None:
    mean_mw = (rows["mw"] * rows["samples"]).sum() / rows["samples"].sum()
    assert use.profile.power.mean == pytest.approx(mean_mw, rel=1e-12)
    quarters = rows.group_by("quarter").agg(
        mean=(pl.col("mw") * pl.col("samples")).sum() / pl.col("samples").sum(),
        covered=pl.col("samples").sum(),
    )
    demand_mw = quarters.filter(pl.col("covered") >= 810)["mean"].max()
    if demand_mw is None:  # every quarter of the recording misses seconds
        assert use.profile.demand is use.load_factor is None
    else:
        assert use.profile.demand is not None
        assert use.profile.demand.power_mw == pytest.approx(demand_mw, rel=1e-12)
        assert use.load_factor == pytest.approx(mean_mw / demand_mw, rel=1e-12)
    assert use.peak is not None
    highest = rows.filter(pl.col("mw") == rows["mw"].max())
    assert use.peak.power_mw == highest["mw"][0]
    assert (
        use.peak.start_ms
        <= highest["ts"][0]
        < use.peak.start_ms + use.peak.within_ms
        == use.peak.start_ms + 60_000
    )


def check_hours(use: OutletUse, rows: pl.DataFrame) -> None:
    by_hour = rows.group_by(
        pl.col("local").dt.weekday().alias("weekday"), pl.col("local").dt.hour().alias("hour")
    ).agg(mean=(pl.col("mw") * pl.col("samples")).sum() / pl.col("samples").sum())
    known = {(weekday - 1, hour): mean for weekday, hour, mean in by_hour.iter_rows()}
    assert use.profile.hours.keys() == known.keys()
    for key, stat in use.profile.hours.items():
        assert stat.mean == pytest.approx(known[key], rel=1e-12)


def check_standby(use: OutletUse, rows: pl.DataFrame) -> None:
    minutes = (
        rows.group_by(pl.col("ts") // 60_000)
        .agg(
            mw=(pl.col("mw") * pl.col("samples")).sum() // pl.col("samples").sum(),
            covered=pl.col("samples").sum(),
        )
        .sort("mw")
        .with_columns(below=pl.col("covered").cum_sum())
    )
    on_s = minutes["covered"].sum()
    level_mw = minutes.filter(pl.col("below") > 0.05 * on_s)["mw"][0] // 100 * 100
    assert use.standby is not None
    assert use.standby.on_ms == on_s * 1000
    assert use.standby.power_mw == level_mw
    limit_mw = max(1.25 * level_mw, level_mw + 1000)
    resting = minutes.filter(pl.col("mw") // 100 * 100 <= limit_mw)
    assert use.standby.resting_ms == resting["covered"].sum() * 1000
    exact_mwh = (resting["mw"] * resting["covered"]).sum() / 3600
    # levels are 0.1 W wide, and their middle is taken
    assert use.standby.energy_mwh == pytest.approx(exact_mwh, abs=0.05 * 1000 * on_s / 3600 + 1)


def check_gap_costs(report: EnergyReport, rows: pl.DataFrame) -> None:
    for use in report.outlets:
        gaps = rows.filter(pl.col("gap"), pl.col("outlet") == use.outlet)["used"].to_list()
        first, second = gaps
        # the first gap met night and day on a Saturday; the second one, Saturday to Sunday, only the night
        assert use.bill.total.gap_low_pico == (first + second) * 131_313
        assert use.bill.total.gap_high_pico == first * 250_000 + second * 131_313


async def test_a_fortnight_of_a_house_agrees_with_polars_to_the_last_millionth(store: SqlStore) -> None:
    records = played(
        "REFIT_House20_2014-10_1min.csv.gz", ["Aggregate", "Dishwasher", "Microwave"], LOST, FIRST_MS
    )
    await keep(store, records, SiteCalendar(ZONE))
    reckoner = analytics(store)
    report = await reckoner.energy(PDU, FORTNIGHT)
    rows = priced(frame(records, ZONE))
    assert [use.outlet for use in report.outlets] == [1, 2, 3]
    for use in report.outlets:
        own = rows.filter(pl.col("outlet") == use.outlet)
        check_energy(use, own)
        check_load(use, own)
        check_hours(use, own)
        check_standby(use, own)
    check_gap_costs(report, rows)
    check_total_demand(report, rows)
    await check_parts(reckoner, report.total)
    assert report.total.total_mwh == sum(used for (used,) in rows.select(pl.col("used")).iter_rows())
    assert report.fee_pico == 14 * 450_000 * 10**6
    assert report.period.elapsed_ms == (14 * 24 + 1) * HOUR_MS


def check_total_demand(report: EnergyReport, rows: pl.DataFrame) -> None:
    quarters = rows.group_by("quarter", "outlet").agg(
        mean=pl.col("mw").mean(), covered=pl.col("samples").sum()
    )
    whole = quarters.filter(pl.col("covered") >= 810).group_by("quarter").agg(pl.col("mean").sum(), pl.len())
    best = whole.filter(pl.col("len") == 3).sort("mean", descending=True).row(0, named=True)
    assert report.demand is not None
    assert report.demand.power_mw == pytest.approx(best["mean"], rel=1e-12)
    assert report.demand.start_ms == best["quarter"] * 900_000


def pieces(days: Days) -> Sequence[Days]:
    return [
        Days(days.first, date(2014, 10, 26)),
        Days(date(2014, 10, 26), date(2014, 10, 27)),
        Days(date(2014, 10, 27), days.end),
    ]


async def check_parts(reckoner: Analytics, whole: Amount) -> None:
    """The parts of a period are the period, the night with its gap and its hour twice among them."""
    parts = [(await reckoner.energy(PDU, days)).total for days in pieces(FORTNIGHT)]
    assert sum(part.total_mwh for part in parts) == whole.total_mwh
    assert sum(part.cost_pico for part in parts) == whole.cost_pico
    assert sum(part.gap_high_pico for part in parts) == whole.gap_high_pico


APPLIANCES = [
    "tracebase_Refrigerator_599393_2012.01.16.csv.gz",
    "tracebase_EthernetSwitch_B7BED4_2012.01.17.csv.gz",
    "tracebase_PC-Desktop_59ADA7_2012.01.16.csv.gz",
]


@pytest.mark.parametrize("name", APPLIANCES)
async def test_a_day_of_an_appliance_at_one_second_agrees_with_polars(store: SqlStore, name: str) -> None:
    records: list[Record] = played(name, [""])
    await keep(store, records, SiteCalendar(ZONE))
    day = date(2012, 1, 16 if "01.16" in name else 17)
    report = await analytics(store).energy(PDU, Days(day, date(2012, 1, day.day + 1)))
    [use] = report.outlets
    rows = priced(frame(records, ZONE)).filter(pl.col("local").dt.date() == day)
    check_load(use, rows)
    check_hours(use, rows)
    check_standby(use, rows)
    # gaps within a quarter are in the quarter: at one price they cost the same
    assert use.bill.total.total_mwh == rows["used"].sum()


async def test_ten_minute_values_of_a_recorded_voltage_agree_with_polars(store: SqlStore) -> None:
    calendar = SiteCalendar("UTC")
    recorded = list(voltages("uci_household_2007-02-01_2days_1min.csv.gz"))
    await keep_voltages(store, recorded, calendar)
    days = Days(date(2007, 2, 1), date(2007, 2, 3))
    report = await analytics(store, "UTC").voltage(PDU, days, 230_000)
    main = next(one for one in report.sources if one.source is Source.MAIN)
    means = (
        pl.DataFrame(recorded, orient="row", schema=["ts", "mv"])
        .group_by(pl.col("ts") // 600_000)
        .agg(pl.col("mv").mean(), pl.len())
        .filter(pl.col("len") >= 9)
    )
    counted = means.group_by((pl.col("mv") * 100 / 230_000).floor().cast(int)).agg(pl.len())
    assert main.quality.histogram == dict(counted.iter_rows())
    assert main.quality.lowest_mv == pytest.approx(means["mv"].min(), rel=1e-12)
    assert main.quality.highest_mv == pytest.approx(means["mv"].max(), rel=1e-12)
    assert main.covered_ms == len(recorded) * 60_000
    [week] = main.quality.weeks
    assert week.valid == len(means)
    assert week.within == means.filter(pl.col("mv").is_between(207_000, 253_000)).height
