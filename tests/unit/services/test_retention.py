"""Retention over years of virtual time."""

import asyncio

import pytest
from tests.contract.storage.records import DAY, HOUR, PDU, T0, outlet, record, settle, source
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

from loadcenter.domain.rollups import Tier
from loadcenter.services.ports import IngestBatch, StoreUnavailableError
from loadcenter.services.retention import AWAY_MS, INTERVAL_MS, Keeping, Retention


async def kept_for(years: int) -> FakeStore:
    """A store with a reading a week."""
    store = FakeStore()
    for week in range(years * 52):
        ts_ms = T0 + week * 7 * DAY
        await store.commit(IngestBatch(records=[record(ts_ms, [outlet(ts_ms)], [source(ts_ms)])]))
    await settle(store)
    return store


async def ages(store: FakeStore, tier: Tier | None, now_ms: int) -> list[float]:
    if tier is None:
        starts = [row.ts_ms for row in await store.raw_outlets(PDU, 1, 0, now_ms)]
    else:
        starts = [start for start, _ in await store.outlet_rollups(tier, PDU, 1, 0, now_ms)]
    return [(now_ms - start) / DAY for start in starts]


async def forget(store: FakeStore, keeping: Keeping, now_ms: int) -> Retention:
    clock = FakeClock(now_ms)
    retention = Retention(store, clock, keeping)
    task = asyncio.create_task(retention.forget())
    while not task.done():
        await clock.advance(1000)
    await task
    return retention


async def test_the_defaults_keep_what_they_promise() -> None:
    store = await kept_for(7)
    now_ms = T0 + 7 * 52 * 7 * DAY
    retention = await forget(store, Keeping(), now_ms)
    assert max(await ages(store, None, now_ms)) == 14
    assert 393 < max(await ages(store, Tier.MINUTE, now_ms)) <= 400
    assert 1819 < max(await ages(store, Tier.QUARTER, now_ms)) <= 1826
    for tier in (Tier.HOUR, Tier.DAY):
        assert len(await ages(store, tier, now_ms)) == 7 * 52
    assert set(retention.forgotten) == {"raw", "1m", "15m"}


async def test_for_ever_is_for_ever() -> None:
    store = await kept_for(1)
    now_ms = T0 + 900 * DAY
    retention = await forget(store, Keeping(0, 0, 0, 0, 0), now_ms)
    assert retention.forgotten == {}
    assert len(await ages(store, None, now_ms)) == 52


async def test_every_tier_can_be_bounded() -> None:
    store = await kept_for(2)
    now_ms = T0 + 2 * 52 * 7 * DAY
    await forget(store, Keeping(7, 14, 21, 28, 35), now_ms)
    assert [len(await ages(store, tier, now_ms)) for tier in (None, *Tier)] == [1, 2, 3, 4, 5]


async def test_it_runs_once_an_hour_and_waits_for_a_database_that_is_away() -> None:
    store = await kept_for(1)
    clock = FakeClock(T0 + 52 * 7 * DAY)
    retention = Retention(store, clock, Keeping())
    store.away = "gone"
    with pytest.raises(StoreUnavailableError):
        await retention.forget()
    task = asyncio.create_task(retention.run())
    await clock.advance(1000)
    store.away = None
    await clock.advance(AWAY_MS + HOUR // 60)
    assert len(await ages(store, None, clock.now_ms())) == 1
    late = T0 - DAY
    await store.commit(IngestBatch(records=[record(late, [outlet(late)])]))
    await clock.advance(INTERVAL_MS)
    assert len(await ages(store, None, clock.now_ms())) == 1
    task.cancel()
