from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.storage.records import (
    DAY,
    HOUR,
    MINUTE,
    PDU,
    QUARTER,
    T0,
    batch,
    outlet,
    record,
    recorded,
    rollup_of,
    settle,
    source,
)
from tests.fakes.store import FakeStore

from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters, SourceRollup, Tier, source_rollup
from loadcenter.domain.topology import Source
from loadcenter.services.columns import Buckets
from loadcenter.services.ports import IngestBatch, RawOutlet, Store


def hours_of_rows(hours: int) -> list[RawOutlet]:
    """One reading every 20 s; the counter begins again once an hour."""
    return [outlet(T0 + 20_000 * at, 1000 * (at % 97), 5 * (at % 180)) for at in range(180 * hours)]


TIERS = ((Tier.MINUTE, MINUTE), (Tier.QUARTER, QUARTER), (Tier.HOUR, HOUR), (Tier.DAY, DAY))


def metered(rows: list[RawOutlet]) -> list[RawOutlet]:
    """Rows as their meter shows them: it counts on where the device began again."""
    meter, found = Meter(0), []
    for row in rows:
        assert row.reading.energy_mwh is not None
        meter = meter.read(row.reading.energy_mwh)
        found.append(replace(row, reading=row.reading._replace(energy_mwh=meter.total_mwh)))
    return found


async def check(store: Store, rows: list[RawOutlet]) -> None:
    """Every tier holds what `rows` make, computed from nothing else."""
    for tier, span in TIERS:
        found = await store.outlet_rollups(tier, PDU, 1, T0, T0 + DAY)
        starts = sorted({row.ts_ms - (row.ts_ms - T0) % span for row in rows})
        assert found == [
            (start, rollup_of(row for row in rows if start <= row.ts_ms < start + span)) for start in starts
        ]


async def test_every_tier_equals_a_computation_from_raw_rows(store: Store) -> None:
    rows = hours_of_rows(3)
    for at in range(0, len(rows), 50):
        await store.commit(recorded(rows[at : at + 50], at))
        if at % 100:
            await store.fold()
    await settle(store)
    assert await store.raw_outlets(PDU, 1, T0, T0 + DAY) == rows
    await check(store, metered(rows))


async def test_records_wait_until_they_are_folded_and_are_folded_once(store: Store) -> None:
    await store.commit(recorded([outlet(T0)]))
    assert await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY) == []
    assert await store.fold() == 1
    [(_, minute)] = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY)
    assert minute.power.count == 1
    assert await store.fold() == 0
    assert await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY) == [(T0, minute)]


async def test_a_late_record_reaches_every_tier(store: Store) -> None:
    rows = [outlet(T0 + 20_000 * at, 1000 * (at % 97), at) for at in range(360)]
    late = rows.pop(50)
    await store.commit(recorded(rows))
    await settle(store)
    await store.commit(recorded([replace(late, reading=late.reading._replace(energy_mwh=None))], len(rows)))
    await settle(store)
    late = replace(late, reading=late.reading._replace(energy_mwh=None))
    await check(store, [*rows, late])


async def test_minutes_given_as_such_reach_every_tier(store: Store) -> None:
    rows = [outlet(T0 + 20_000 * at, 1000 * (at % 97), at) for at in range(400)]
    for at in range(0, 400, 7):
        await store.commit(batch(rows[at : at + 7], before=at))
    await check(store, rows)


async def test_a_counter_that_began_again_loses_no_energy(store: Store) -> None:
    shown = [1000, 1500, 20, 30]
    rows = [outlet(T0 + 1000 * at, energy_mwh=mwh) for at, mwh in enumerate(shown)]
    await store.commit(recorded(rows[:2]))
    await store.fold()
    await store.commit(recorded(rows[2:], 2))
    await store.fold()
    for tier in Tier:
        [(_, found)] = await store.outlet_rollups(tier, PDU, 1, T0, T0 + 1)
        assert found.counters == Counters(T0, 1000, T0 + 3000, 1530)
        assert found.counters.energy_mwh == 500 + 30
    assert await store.meters([PDU]) == {(PDU, 1): Meter(30, 1500)}
    assert await store.outlets_reset(PDU, [1, 2], T0, T0 + 2001) == {1}
    assert await store.outlets_reset(PDU, [1, 2], T0, T0 + 2000) == frozenset()
    assert await store.outlets_reset("nobody", [1], T0, T0 + 2001) == frozenset()


async def test_a_clock_set_back_over_a_minute_border_is_no_reset(store: Store) -> None:
    """What decides is the order in which the device made its records, not their times."""
    readings = [(T0 + MINUTE - 1000, 100), (T0 + MINUTE + 500, 101), (T0 + 30_000, 102), (T0 + 31_000, 103)]
    for at, (ts_ms, mwh) in enumerate(readings):
        await store.commit(recorded([outlet(ts_ms, energy_mwh=mwh)], at))
        await store.fold()
    for tier in (Tier.QUARTER, Tier.HOUR, Tier.DAY):
        [(_, found)] = await store.outlet_rollups(tier, PDU, 1, T0, T0 + 1)
        assert found.counters is not None
        assert found.counters.energy_mwh == 3
    assert await store.meters([PDU]) == {(PDU, 1): Meter(103)}
    assert await store.outlets_reset(PDU, [1], T0, T0 + DAY) == frozenset()


async def test_a_late_record_adds_to_buckets_whose_minutes_were_deleted(store: Store) -> None:
    """A rebuild from the minutes that are left would make the day smaller."""
    rows = [outlet(T0 + MINUTE * at, 1000, at) for at in range(100)]
    await store.commit(recorded(rows))
    await settle(store)
    while await store.forget_rollups(Tier.MINUTE, T0 + HOUR):
        pass
    assert len(await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY)) == 40
    await store.commit(recorded([outlet(T0 + 5 * MINUTE + 30_000, 9000, None)], 100))
    await settle(store)
    for tier in (Tier.QUARTER, Tier.HOUR, Tier.DAY):
        (_, first), *_ = await store.outlet_rollups(tier, PDU, 1, T0, T0 + DAY)
        assert first.power.total == 1000 * min(100, tier.value // 60) + 9000


async def test_samples_of_another_period_cover_their_time(store: Store) -> None:
    await store.commit(IngestBatch(records=[record(T0, [outlet(T0)], samples=6, period_ms=5000)]))
    await settle(store)
    [(_, minute)] = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + 1)
    assert minute.covered_ms == 30_000
    [chart] = (await store.outlet_buckets(PDU, [1], Buckets(None, T0, T0 + MINUTE, MINUTE))).values()
    assert list(chart.covered_ms) == [30_000]


async def test_sources_are_rolled_up_as_well(store: Store) -> None:
    rows = [source(T0 + 1000 * at, 230_000 + at, which=Source.BACKUP) for at in range(100)]
    await store.commit(batch([], rows))
    await settle(store)
    [(start, day)] = await store.source_rollups(Tier.DAY, PDU, Source.BACKUP, T0, T0 + DAY)
    wanted = source_rollup(rows[0].reading, 1, 1000)
    for row in rows[1:]:
        wanted = wanted.merge(source_rollup(row.reading, 1, 1000))
    assert (start, day) == (T0, wanted)
    assert isinstance(day, SourceRollup)
    assert await store.source_rollups(Tier.DAY, PDU, Source.MAIN, T0, T0 + DAY) == []


async def test_rollups_are_of_the_span(store: Store) -> None:
    await store.commit(batch([outlet(T0 + MINUTE * at) for at in range(4)]))
    found = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0 + MINUTE, T0 + 3 * MINUTE)
    assert [start for start, _ in found] == [T0 + MINUTE, T0 + 2 * MINUTE]
    assert await store.outlet_rollups(Tier.MINUTE, "nobody", 1, T0, T0 + DAY) == []


INDIA_MS = 5 * HOUR + 30 * MINUTE


def indian_day_start(ts_ms: int) -> int:
    return (ts_ms + INDIA_MS) // DAY * DAY - INDIA_MS


@pytest.fixture(params=["fake", "sqlite"])
async def indian_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeStore(indian_day_start)
        return
    async with open_store(f"sqlite:///{tmp_path / 'x.db'}", day_start=indian_day_start) as opened:
        yield opened


async def test_days_are_those_of_the_site_even_where_they_begin_within_an_hour(indian_store: Store) -> None:
    midnight = T0 + DAY - INDIA_MS  # 18:30 UTC
    rows = [outlet(midnight - MINUTE, 1000), outlet(midnight, 20_000), outlet(midnight + 2 * HOUR, 300_000)]
    await indian_store.commit(batch(rows))
    await settle(indian_store)
    days = await indian_store.outlet_rollups(Tier.DAY, PDU, 1, T0 - DAY, T0 + 2 * DAY)
    assert [(start, day.power.total) for start, day in days] == [(midnight - DAY, 1000), (midnight, 320_000)]
