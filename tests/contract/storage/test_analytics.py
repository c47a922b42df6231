"""What analytics reads: the fake reckons it in Python, the databases in SQL, and both say the same."""

from dataclasses import replace

from tests.contract.storage.records import DAY, MINUTE, PDU, QUARTER, T0, batch, outlet, settle, source

from loadcenter.domain.analysis.voltage_quality import VoltageMean
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.services.analytics import Measurements
from loadcenter.services.ports import RawOutlet, Store


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


async def test_the_bucket_before_a_time_is_the_last_with_a_counter(store: Database) -> None:
    rows = [
        outlet(T0, energy_mwh=7),
        outlet(T0 + QUARTER, energy_mwh=9),
        outlet(T0 + 2 * QUARTER, energy_mwh=None),
    ]
    await store.commit(batch(rows))
    await settle(store)

    async def before(at_ms: int) -> int | None:
        row = await store.outlet_rollup_before(Tier.QUARTER, PDU, 1, at_ms)
        return row.counters.last_mwh if row and row.counters else None

    assert await before(T0 + 3 * QUARTER) == 9
    assert await before(T0 + QUARTER) == 7
    assert await before(T0) is None
    assert await store.outlet_rollup_before(Tier.QUARTER, "nobody", 1, T0 + DAY) is None


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
    assert await store.power_levels(PDU, 1, T0, T0 + DAY) == {0: 1000, 500: 2000, 501: 1000, 999: 2000}
    assert await store.power_levels(PDU, 1, T0 + MINUTE, T0 + 2 * MINUTE) == {500: 1000}
    assert await store.power_levels("nobody", 1, T0, T0 + DAY) == {}


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


async def test_a_long_record_is_covered_for_its_whole_time(store: Database) -> None:
    thinned = replace(outlet(T0 + 59_000, 12_000), samples=60)
    await store.commit(batch([thinned]))
    assert await store.power_levels(PDU, 1, T0, T0 + DAY) == {120: 60_000}
