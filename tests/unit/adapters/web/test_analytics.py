"""The routes of analytics over fakes: figures with their coverage, errors that say what to do."""

from datetime import UTC, date, datetime

import httpx
import pytest
from tests.fakes.builders import START_MS, Center, birth
from tests.unit.adapters.web.conftest import Site

from loadcenter.domain.events import Cause, EventCode, Severity
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import Tier, bucket_start_ms, outlet_rollup, source_rollup
from loadcenter.domain.tariffs import Price, Tariff, Tariffs, Window
from loadcenter.domain.topology import Source
from loadcenter.services.ports import IngestBatch, RollupKey, StoredEvent

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
TODAY_MS = bucket_start_ms(START_MS, Tier.DAY)
DAY_1_MS = TODAY_MS - 2 * DAY_MS
DAYS = {
    "pdu": "rack-1",
    "since": datetime.fromtimestamp(DAY_1_MS / 1000, UTC).date().isoformat(),
    "until": datetime.fromtimestamp(TODAY_MS / 1000, UTC).date().isoformat(),
}
NIGHT = Window(Price("night", 200_000), frozenset(range(7)), 22 * 60, 6 * 60)
TARIFFS = Tariffs("EUR", (Tariff(date(2020, 1, 1), Price("day", 400_000), (NIGHT,), 1_500_000),))


async def fill(center: Center, hours: range, watts: int = 120) -> None:
    """Store `watts` on outlet 1 and 230 V on MAIN in those hours of the first day."""
    outlets, sources = {}, {}
    for minute in range(hours.start * 60, hours.stop * 60):
        start_ms = DAY_1_MS + minute * MINUTE_MS
        energy_mwh = watts * 1000 * (minute + 1) // 60
        reading = OutletReading(1, True, 230_000, 500, watts * 1000, energy_mwh)
        outlets[RollupKey("rack-1", 1, start_ms)] = outlet_rollup(reading, start_ms + 59_000, 60, 1000)
        voltage = SourceReading(Source.MAIN, 230_000, 50_000)
        sources[RollupKey("rack-1", Source.MAIN, start_ms)] = source_rollup(voltage, 60, 1000)
    await center.store.commit(IngestBatch(outlet_minutes=outlets, source_minutes=sources))
    await center.history.fold()


@pytest.fixture
async def center() -> Center:
    made = await Center(tariffs=TARIFFS).open("rack-1")
    await made.accounts.ensure_admin("a good password")
    return made


async def test_energy_is_priced_and_covered(client: httpx.AsyncClient, center: Center) -> None:
    await fill(center, range(24))
    report = (await client.get("/api/v1/analytics/energy", params=DAYS)).json()
    [outlet] = report["outlets"]
    # 24 hours of 120 W, without the minute before the first counter reading
    assert outlet["amount"]["energy_kwh"] == pytest.approx(2.878)
    assert outlet["amount"]["coverage"] == 0.5
    prices = {one["name"]: one["energy_kwh"] for one in outlet["prices"]}
    assert prices == {"night": pytest.approx(0.958), "day": pytest.approx(1.92)}
    assert (
        report["total"]["cost_low"] == report["total"]["cost_high"] == pytest.approx(0.958 * 0.2 + 1.92 * 0.4)
    )
    assert report["fee"] == 3.0
    assert report["currency"] == "EUR"
    assert [day["amount"]["coverage"] for day in report["days"]] == [1.0, 0.0]
    assert outlet["load"]["demand_w"] == outlet["load"]["peak_w"] == 120
    assert outlet["load"]["load_factor"] == 1.0
    assert outlet["standby"] == {
        "power_w": 120.0,
        "share": 1.0,
        "energy_kwh": pytest.approx(2.8812),
        "on_ms": DAY_MS,
    }
    assert report["before_total"] == {**report["before_total"], "total_kwh": 0.0, "coverage": 0.0}


async def test_energy_of_a_gap_stands_between_two_costs(client: httpx.AsyncClient, center: Center) -> None:
    await fill(center, range(4))
    await fill(center, range(7, 8))
    [outlet] = (await client.get("/api/v1/analytics/energy", params=DAYS)).json()["outlets"]
    amount = outlet["amount"]
    assert amount["in_gap_kwh"] == pytest.approx(0.362)
    assert amount["cost_high"] - amount["cost_low"] == pytest.approx(0.362 * 0.2)
    assert amount["total_kwh"] == pytest.approx(0.958)


async def test_voltage_tells_where_its_nominal_comes_from(client: httpx.AsyncClient, center: Center) -> None:
    await fill(center, range(24))
    told = (await client.get("/api/v1/analytics/voltage", params=DAYS)).json()
    assert (told["nominal_v"], told["nominal_from"]) == (230.0, "default")
    main = next(one for one in told["sources"] if one["source"] == "main")
    assert main["histogram"] == [{"percent": 100, "count": 144}]
    assert (main["coverage"], main["valid"], main["lowest_v"]) == (0.5, 144, 230.0)
    await center.hear("birth", birth(nominal={"v_mv": 120_000, "f_mhz": 60_000}))
    told = (await client.get("/api/v1/analytics/voltage", params=DAYS)).json()
    assert (told["nominal_v"], told["nominal_from"]) == (120.0, "device")
    told = (await client.get("/api/v1/analytics/voltage", params={**DAYS, "nominal_v": 240})).json()
    assert (told["nominal_v"], told["nominal_from"]) == (240.0, "request")


def happened(
    seq: int, at_ms: int, code: EventCode, source: Source | None = None, **more: object
) -> StoredEvent:
    cause = Cause.SOURCE_LOST if code is EventCode.TRANSFER else None
    return StoredEvent("rack-1", at_ms, 1, seq, code, Severity.INFO, None, source, cause, None, more)


async def test_a_dip_is_as_deep_as_its_readings(client: httpx.AsyncClient, center: Center) -> None:
    await fill(center, range(24))
    at_ms = DAY_1_MS + HOUR_MS
    rung = {"rung": "amplitude_65", "measured_mv": 140_000, "dwell_ms": 0}
    reading = source_rollup(SourceReading(Source.MAIN, 3_000, 50_000), 1, 1000)
    await center.store.commit(
        IngestBatch(
            events=[
                happened(1, at_ms, EventCode.SOURCE_LOST, Source.MAIN, **rung),
                happened(2, at_ms + 7_000, EventCode.SOURCE_RESTORED, Source.MAIN),
            ],
            source_minutes={RollupKey("rack-1", Source.MAIN, at_ms): reading},
        )
    )
    told = (await client.get("/api/v1/analytics/voltage", params=DAYS)).json()
    main = next(one for one in told["sources"] if one["source"] == "main")
    [dip] = main["disturbances"]
    assert (dip["kind"], dip["duration_ms"], dip["extreme_v"], dip["ended"]) == (
        "interruption",
        5_000,
        3.0,
        True,
    )
    assert main["classes"]["short_interruptions"] == main["disturbance_count"] == 1
    assert sum(week["flagged"] for week in main["weeks"]) == 1


async def test_supply_counts_outages_and_transfers(client: httpx.AsyncClient, center: Center) -> None:
    await fill(center, range(24))
    events = [
        happened(1, DAY_1_MS - 5_000, EventCode.BOOT),
        happened(2, DAY_1_MS + HOUR_MS, EventCode.TRANSFER, Source.BACKUP, **{"from": "main"}),
        happened(3, DAY_1_MS + 2 * HOUR_MS, EventCode.OUTAGE, Source.BACKUP),
        happened(4, DAY_1_MS + 3 * HOUR_MS, EventCode.OUTAGE_END, outage_ms=HOUR_MS + 200),
    ]
    await center.store.commit(IngestBatch(events=events))
    told = (await client.get("/api/v1/analytics/supply", params=DAYS)).json()
    now = told["now"]
    assert (now["count"], now["total_ms"], now["longest_ms"]) == (1, HOUR_MS + 200, HOUR_MS + 200)
    assert now["transfers"] == [{"cause": "source_lost", "count": 1}]
    assert now["on_backup_ms"] == 47 * HOUR_MS
    assert now["availability_low"] == pytest.approx((23 * HOUR_MS - 200) / (48 * HOUR_MS))
    assert now["availability_high"] == pytest.approx((47 * HOUR_MS - 200) / (48 * HOUR_MS))
    assert told["outages"] == [
        {"since_ms": DAY_1_MS + 2 * HOUR_MS - 200, "duration_ms": HOUR_MS + 200, "ended": True}
    ]
    assert (told["then"]["count"], told["then"]["on_backup_ms"]) == (0, 0)


@pytest.mark.parametrize("report", ["energy", "voltage", "supply"])
async def test_days_that_make_no_period_are_refused(client: httpx.AsyncClient, report: str) -> None:
    for since, until in (
        ("2026-05-01", "2026-05-01"),
        ("2026-05-02", "2026-05-01"),
        ("2024-01-01", "2026-01-01"),
    ):
        answer = await client.get(
            f"/api/v1/analytics/{report}", params={"pdu": "rack-1", "since": since, "until": until}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_range")
    answer = await client.get(f"/api/v1/analytics/{report}", params={"pdu": "rack-1", "since": "yesterday"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
    answer = await client.get(f"/api/v1/analytics/{report}", params={"pdu": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_pdu")


async def test_without_days_it_is_this_month_until_today(client: httpx.AsyncClient, center: Center) -> None:
    report = (await client.get("/api/v1/analytics/supply", params={"pdu": "rack-1"})).json()
    now = datetime.fromtimestamp(center.clock.now_ms() / 1000, UTC)
    assert report["period"]["since"] == now.date().replace(day=1).isoformat()
    assert report["period"]["elapsed_ms"] == center.clock.now_ms() - report["period"]["since_ms"]
    # the period before ends as early in its days as this one
    assert report["before"]["elapsed_ms"] == min(
        report["period"]["elapsed_ms"], report["before"]["until_ms"] - report["before"]["since_ms"]
    )


async def test_nobody_sees_it_without_a_login(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/api/v1/analytics/energy", params=DAYS)).status_code == 401


async def test_without_a_tariff_there_is_energy_but_no_cost() -> None:
    made = await Center().open("rack-1")
    await made.accounts.ensure_admin("a good password")
    await fill(made, range(2))
    async with Site(made).client() as client:
        await client.post("/api/v1/session", json={"username": "admin", "password": "a good password"})
        report = (await client.get("/api/v1/analytics/energy", params=DAYS)).json()
    assert report["total"]["total_kwh"] > 0
    assert (
        report["currency"] is report["fee"] is report["total"]["cost"] is report["total"]["cost_low"] is None
    )
