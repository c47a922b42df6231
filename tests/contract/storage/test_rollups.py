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
    rollup_of,
    settle,
    source,
)
from tests.fakes.store import FakeStore

from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.rollups import SourceRollup, Tier, source_rollup
from loadcenter.domain.topology import Source
from loadcenter.services.ports import RawOutlet, RollupKey, Store


def hours_of_rows(hours: int) -> list[RawOutlet]:
    """One reading every 20 s; the counter begins again once an hour."""
    return [outlet(T0 + 20_000 * at, 1000 * (at % 97), 5 * (at % 180)) for at in range(180 * hours)]


async def test_a_minute_makes_its_coarser_buckets_dirty(store: Store) -> None:
    at = T0 + 2 * HOUR + 20 * MINUTE
    await store.commit(batch([outlet(at)], [source(at)]))
    wanted = [
        (tier, RollupKey(PDU, channel, start))
        for tier, start in (
            (Tier.QUARTER, T0 + 2 * HOUR + QUARTER),
            (Tier.HOUR, T0 + 2 * HOUR),
            (Tier.DAY, T0),
        )
        for channel in (1, Source.MAIN)
    ]
    dirty = await store.dirty_buckets(100)
    assert [tier for tier, _ in dirty] == sorted(tier for tier, _ in wanted)
    assert set(dirty) == set(wanted)
    assert len(await store.dirty_buckets(2)) == 2


async def test_recomputed_buckets_equal_a_computation_from_raw_rows(store: Store) -> None:
    rows = hours_of_rows(3)
    await store.commit(batch(rows))
    await settle(store)
    raw = await store.raw_outlets(PDU, 1, T0, T0 + DAY)
    assert raw == rows
    for tier, span in ((Tier.QUARTER, QUARTER), (Tier.HOUR, HOUR), (Tier.DAY, DAY)):
        found = await store.outlet_rollups(tier, PDU, 1, T0, T0 + DAY)
        starts = sorted({row.ts_ms - (row.ts_ms - T0) % span for row in raw})
        assert found == [
            (start, rollup_of(row for row in raw if start <= row.ts_ms < start + span)) for start in starts
        ]


async def test_recomputing_marks_clean(store: Store) -> None:
    await store.commit(batch([outlet(T0)]))
    await settle(store)
    assert await store.dirty_buckets(10) == []


async def test_a_late_record_reaches_every_tier(store: Store) -> None:
    rows = hours_of_rows(2)
    late = rows.pop(50)
    await store.commit(batch(rows))
    await settle(store)
    # In a minute of its own: two spans that overlap do not merge (the domain says so).
    late = replace(late, ts_ms=T0 + 5 * HOUR + 1)
    await store.commit(batch([late], before=len(rows)))
    assert {tier for tier, _ in await store.dirty_buckets(10)} == {Tier.QUARTER, Tier.HOUR, Tier.DAY}
    await settle(store)
    [(_, day)] = await store.outlet_rollups(Tier.DAY, PDU, 1, T0, T0 + DAY)
    assert day == rollup_of([*rows, late])


async def test_a_minute_between_two_recomputations_is_not_lost(store: Store) -> None:
    """The hour is rebuilt while a quarter of it is dirty again: the quarter marks the hour once more."""
    await store.commit(batch([outlet(T0, 1000)]))
    await settle(store)
    await store.commit(batch([outlet(T0 + MINUTE, 9000)], before=1))
    await store.recompute(Tier.HOUR, RollupKey(PDU, 1, T0), T0 + HOUR)
    await store.recompute(Tier.DAY, RollupKey(PDU, 1, T0), T0 + DAY)
    await settle(store)
    [(_, hour)] = await store.outlet_rollups(Tier.HOUR, PDU, 1, T0, T0 + DAY)
    [(_, day)] = await store.outlet_rollups(Tier.DAY, PDU, 1, T0, T0 + DAY)
    assert hour.power.total == day.power.total == 10_000


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


async def test_recomputing_reads_no_further_than_it_is_told(store: Store) -> None:
    await store.commit(batch([outlet(T0), outlet(T0 + 2 * MINUTE)]))
    await store.recompute(Tier.QUARTER, RollupKey(PDU, 1, T0), T0 + 2 * MINUTE)
    [(_, quarter)] = await store.outlet_rollups(Tier.QUARTER, PDU, 1, T0, T0 + DAY)
    assert quarter.power.count == 1


async def test_recomputing_from_nothing_leaves_a_bucket_as_it_is(store: Store) -> None:
    key = RollupKey(PDU, 1, T0)
    await store.commit(batch([outlet(T0)]))
    await settle(store)
    before = await store.outlet_rollups(Tier.HOUR, PDU, 1, T0, T0 + DAY)
    await store.recompute(Tier.HOUR, key, T0)
    assert await store.outlet_rollups(Tier.HOUR, PDU, 1, T0, T0 + DAY) == before
    await store.recompute(Tier.HOUR, RollupKey("nobody", 1, T0), T0 + HOUR)
    assert await store.outlet_rollups(Tier.HOUR, "nobody", 1, T0, T0 + DAY) == []


async def test_minutes_are_not_recomputed(store: Store) -> None:
    with pytest.raises(ValueError, match="merged at ingest"):
        await store.recompute(Tier.MINUTE, RollupKey(PDU, 1, T0), T0 + MINUTE)


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
