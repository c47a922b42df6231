"""What analytics reads: the fake reckons it in Python, the databases in SQL, and both say the same."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.storage.records import DAY, HOUR, MINUTE, PDU, QUARTER, T0, batch, outlet, settle, source
from tests.fakes.store import FakeStore

from loadcenter.domain.analysis.load_profile import Demand
from loadcenter.domain.analysis.metering import Gap, Metered
from loadcenter.domain.analysis.voltage_quality import VoltageBin, VoltageMean
from loadcenter.domain.analysis.wall import WEEK_MS, WallClock, hour_of_week
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import Stat, Tier
from loadcenter.domain.topology import Source
from loadcenter.services.measurements import Measurements
from loadcenter.services.ports import RawOutlet, RawSource, Store


class Database(Store, Measurements):
    """Both ports, as every store has them."""


async def test_the_outlets_of_a_range_are_those_with_days_in_it(store: Database) -> None:
    await store.commit(batch([outlet(T0, number=3), outlet(T0 + 1000, number=1)]))
    await store.commit(batch([outlet(T0 + DAY, number=2)], before=2))
    await settle(store)
    assert await store.outlets_between(PDU, T0, T0 + DAY) == [1, 3]
    assert await store.outlets_between(PDU, T0, T0 + 2 * DAY) == [1, 2, 3]
    assert await store.outlets_between(PDU, T0 + 2 * DAY, T0 + 3 * DAY) == []
    assert await store.outlets_between("nobody", T0, T0 + DAY) == []


UTC = WallClock(((0, 0),), (6 * HOUR, 22 * HOUR))


def quarter(
    number: int, energy_mwh: int | None, *, since_ms: int = 0, until_ms: int = QUARTER
) -> list[RawOutlet]:
    """Readings at the begin and at the end of a quarter, the second one with 5 mWh more."""
    start_ms = T0 + number * QUARTER
    late = None if energy_mwh is None else energy_mwh + 5
    return [
        outlet(start_ms + since_ms, energy_mwh=energy_mwh),
        outlet(start_ms + until_ms - 1000, energy_mwh=late),
    ]


def totals(parts: Sequence[Metered]) -> dict[int, tuple[int, int]]:
    """Energy and covered time by span of the wall."""
    found: dict[int, tuple[int, int]] = {}
    for one in parts:
        energy_mwh, covered_ms = found.get(UTC.span(one.start_ms), (0, 0))
        found[UTC.span(one.start_ms)] = energy_mwh + one.energy_mwh, covered_ms + one.covered_ms
    return found


async def test_energy_is_metered_by_days_and_prices_and_gaps_stand_apart(store: Database) -> None:
    rows = [row for number in range(96) for row in quarter(number, 100 * number) if number not in (40, 41)]
    rows += quarter(96, None) + quarter(97, 10_000, since_ms=20_000) + quarter(98, 10_100, until_ms=800_000)
    await store.commit(batch(rows))
    await settle(store)
    found = await store.metered(PDU, 1, T0 + 2 * QUARTER, T0 + DAY + DAY, UTC)
    assert totals(found) == {
        UTC.span(T0): (22 * 100, 22 * 2000),
        UTC.span(T0 + 6 * HOUR): (61 * 100 + 5, 62 * 2000),
        UTC.span(T0 + 22 * HOUR): (8 * 100, 8 * 2000),
        UTC.span(T0 + DAY): (5 + 100, 3 * 2000),
    }
    assert [one.gap for one in found if one.gap] == [
        Gap(T0 + 40 * QUARTER - 1000, T0 + 42 * QUARTER, 295),
        Gap(T0 + 96 * QUARTER - 1000, T0 + 97 * QUARTER + 20_000, 495),
    ]
    assert await store.metered("nobody", 1, T0, T0 + DAY, UTC) == []
    assert await store.metered(PDU, 1, T0 + 3 * DAY, T0 + 4 * DAY, UTC) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 5 * 3600), st.integers(0, 500), st.booleans()), min_size=1, max_size=40
    ),
    st.integers(0, 30),
)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_however_readings_come_the_parts_are_what_the_counter_went_on(
    store: Database, steps: list[tuple[int, int, bool]], since: int
) -> None:
    ts_ms, mwh, pdu_id = T0, 0, f"rack-{uuid4().hex[:8]}"
    rows = []
    for step_s, energy_mwh, known in steps:
        ts_ms, mwh = ts_ms + step_s * 1000, mwh + energy_mwh
        rows.append(replace(outlet(ts_ms, energy_mwh=mwh if known else None), pdu_id=pdu_id))
    await store.commit(replace(batch(rows), positions=[]))
    await settle(store)
    since_ms = T0 + since * QUARTER
    found = await store.metered(pdu_id, 1, since_ms, ts_ms + 1, UTC)
    shown = [(row.ts_ms, row.reading.energy_mwh) for row in rows if row.reading.energy_mwh is not None]
    before = [energy for at, energy in shown if at < since_ms] or [energy for _, energy in shown[:1]]
    went_on = shown[-1][1] - before[-1] if shown and shown[-1][0] >= since_ms else 0
    assert sum(one.energy_mwh + (one.gap.energy_mwh if one.gap else 0) for one in found) == went_on
    assert sum(one.covered_ms for one in found) == 1000 * sum(row.ts_ms >= since_ms for row in rows)
    fake = FakeStore()
    await fake.commit(replace(batch(rows), positions=[]))
    await settle(fake)
    expected = await fake.metered(pdu_id, 1, since_ms, ts_ms + 1, UTC)
    assert totals(found) == totals(expected)
    assert [one.gap for one in found if one.gap] == [one.gap for one in expected if one.gap]


async def test_hours_of_the_week_are_those_of_the_wall(store: Database) -> None:
    rows = [
        outlet(T0 + 40 * MINUTE, 1000),
        outlet(T0 + 50 * MINUTE, 3000),
        outlet(T0 + HOUR, 500),
        outlet(T0 + 2 * HOUR, None),
    ]
    await store.commit(batch(rows))
    await settle(store)
    utc = await store.hours_of_week(PDU, 1, T0, T0 + DAY, UTC)
    day, hour = hour_of_week(T0 % WEEK_MS)
    assert utc == {(day, hour): Stat(2, 1000, 3000, 4000), (day, hour + 1): Stat(1, 500, 500, 500)}
    kathmandu = WallClock(((0, 20_700_000),))  # 5 h 45 min
    there = await store.hours_of_week(PDU, 1, T0, T0 + DAY, kathmandu)
    assert {stat.total for stat in there.values()} == {4500}
    later = WallClock(((0, 0), (T0 + HOUR, 2 * HOUR)))
    moved = await store.hours_of_week(PDU, 1, T0, T0 + DAY, later)
    assert sorted(moved) == [(day, hour), (day, hour + 3)]
    assert await store.hours_of_week("nobody", 1, T0, T0 + DAY, UTC) == {}


async def test_the_highest_mean_is_of_a_quarter_in_which_every_outlet_is_known(store: Database) -> None:
    def whole(number: int, power_mw: int, quarter: int, samples: int = 900) -> RawOutlet:
        return replace(outlet(T0 + (quarter + 1) * QUARTER - 1000, power_mw, number=number), samples=samples)

    rows = [
        whole(1, 100, 0),
        whole(1, 300, 1),
        whole(1, 900, 2),
        whole(1, 5000, 3, 809),
        whole(1, 900, 4, 810),
    ]
    rows += [whole(2, 500, 0), whole(2, 200, 1), whole(2, 100, 3)]
    await store.commit(batch(rows))
    await settle(store)
    assert await store.highest_mean(PDU, [1], T0, T0 + DAY) == Demand(900, T0 + 2 * QUARTER)
    assert await store.highest_mean(PDU, [1, 2], T0, T0 + DAY) == Demand(600, T0)
    assert await store.highest_mean(PDU, [1, 2, 3], T0, T0 + DAY) is None
    assert await store.highest_mean(PDU, [], T0, T0 + DAY) is None
    assert await store.highest_reading(Tier.QUARTER, PDU, 1, T0, T0 + DAY) == Demand(5000, T0 + 3 * QUARTER)
    assert await store.highest_reading(Tier.MINUTE, PDU, 2, T0, T0 + DAY) == Demand(500, T0 + 14 * MINUTE)
    assert await store.highest_reading(Tier.HOUR, "nobody", 2, T0, T0 + DAY) is None


def off(ts_ms: int) -> RawOutlet:
    return RawOutlet(PDU, ts_ms, 1, OutletReading(1, False, 0, 0, 0, 1000))


async def test_power_levels_are_counted_in_tenths_of_a_watt_where_the_outlet_was_live(
    store: Database,
) -> None:
    rows = [
        outlet(T0, 50_099),
        outlet(T0 + MINUTE, 50_000),
        outlet(T0 + 2 * MINUTE, 50_100),
        outlet(T0 + 3 * MINUTE, 0),
        off(T0 + 4 * MINUTE),
        outlet(T0 + 5 * MINUTE, 90_000),
        off(T0 + 5 * MINUTE + 1000),
        outlet(T0 + 6 * MINUTE, None),
        outlet(T0 + 7 * MINUTE, 99_999),
        outlet(T0 + 7 * MINUTE + 1000, 100_000),
    ]
    await store.commit(batch(rows))
    assert await store.power_levels(PDU, 1, [(T0, T0 + DAY)]) == {0: 1000, 500: 2000, 501: 1000, 999: 2000}
    assert await store.power_levels(PDU, 1, [(T0 + MINUTE, T0 + 2 * MINUTE)]) == {500: 1000}
    parts = [(T0, T0 + MINUTE), (T0 + 2 * MINUTE, T0 + 8 * MINUTE)]
    assert await store.power_levels(PDU, 1, parts) == {0: 1000, 500: 1000, 501: 1000, 999: 2000}
    assert await store.power_levels(PDU, 1, []) == {}
    assert await store.power_levels("nobody", 1, [(T0, T0 + DAY)]) == {}


async def test_ten_minute_values_are_sums_of_their_minutes(store: Database) -> None:
    rows = [
        source(T0 + 1000, 230_000),
        source(T0 + 9 * MINUTE, 232_001),
        source(T0 + 10 * MINUTE, 229_000),
        source(T0 + 10 * MINUTE + 1000, None),
        source(T0 + 30 * MINUTE, None),
        source(T0 + MINUTE, 1, which=Source.BACKUP),
    ]
    await store.commit(batch(sources=rows))
    assert await store.voltage_means(PDU, Source.MAIN, T0, T0 + DAY) == [
        VoltageMean(T0, 2000, 2, 462_001),
        VoltageMean(T0 + 10 * MINUTE, 2000, 1, 229_000),
    ]
    assert await store.voltage_means(PDU, Source.MAIN, T0 + 10 * MINUTE, T0 + 11 * MINUTE) == [
        VoltageMean(T0 + 10 * MINUTE, 2000, 1, 229_000)
    ]
    assert await store.voltage_means("nobody", Source.MAIN, T0, T0 + DAY) == []


async def test_ten_minute_values_are_counted_by_day_and_percent(store: Database) -> None:
    def ten(number: int, voltage_mv: int, samples: int = 600) -> RawSource:
        return replace(source(T0 + (number + 1) * 10 * MINUTE - 1000, voltage_mv), samples=samples)

    rows = [
        ten(0, 230_000),
        ten(1, 232_299),
        ten(2, 253_000),
        ten(3, 253_001),
        ten(4, 1, 539),
        ten(144, 230_001),
    ]
    await store.commit(batch(sources=rows))
    bins = await store.voltage_bins(PDU, Source.MAIN, T0, T0 + 2 * DAY, 230_000, UTC)
    assert sorted(bins, key=lambda one: (one.start_ms, one.percent)) == [
        VoltageBin(T0, 100, False, 2, 230_000, 232_299),
        VoltageBin(T0 + 20 * MINUTE, 110, False, 1, 253_000, 253_000),
        VoltageBin(T0 + 30 * MINUTE, 110, True, 1, 253_001, 253_001),
        VoltageBin(T0 + DAY, 100, False, 1, 230_001, 230_001),
    ]
    eastern = WallClock(((0, 14 * HOUR),))
    one_day = await store.voltage_bins(PDU, Source.MAIN, T0 - DAY, T0 + 2 * DAY, 230_000, eastern)
    assert sum(one.count for one in one_day) == 5
    assert await store.voltage_bins("nobody", Source.MAIN, T0, T0 + DAY, 230_000, UTC) == []


async def test_a_long_record_is_covered_for_its_whole_time(store: Database) -> None:
    thinned = replace(outlet(T0 + 59_000, 12_000), samples=60)
    await store.commit(batch([thinned]))
    assert await store.power_levels(PDU, 1, [(T0, T0 + DAY)]) == {120: 60_000}
