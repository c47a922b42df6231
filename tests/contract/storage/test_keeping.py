"""What is kept and what is forgotten, on every store, in a time of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.contract.storage.records import (
    DAY,
    HOUR,
    MINUTE,
    PDU,
    T0,
    outlet,
    record,
    recorded,
    settle,
    source,
)
from tests.contract.storage.test_migrations import look

from loadcenter.adapters.storage.engine import open_engines
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.services.ports import IngestBatch, Store, StoreUnavailableError


async def a_month(store: Store) -> None:
    """A reading every six hours for 30 days, from two PDUs."""
    for day in range(30):
        await store.prepare_days(T0 + day * DAY)
        for hour in (0, 6, 12, 18):
            ts_ms = T0 + day * DAY + hour * HOUR
            for pdu_id in (PDU, "rack-2"):
                readings = record(ts_ms, [outlet(ts_ms, 1000, day)], [source(ts_ms)], pdu_id=pdu_id)
                await store.commit(IngestBatch(records=[readings]))
    await settle(store)


async def forgotten(store: Store, tier: Tier | None, before_ms: int) -> int:
    whole = 0
    while rows := await (store.forget_rollups(tier, before_ms) if tier else store.forget_raw(before_ms)):
        whole += rows
    return whole


async def test_raw_rows_are_forgotten_and_their_rollups_stay(store: Store) -> None:
    await a_month(store)
    assert await forgotten(store, None, T0 + 16 * DAY) > 0
    for pdu_id in (PDU, "rack-2"):
        rows = await store.raw_outlets(pdu_id, 1, T0, T0 + 31 * DAY)
        assert [row.ts_ms for row in rows] == [T0 + 16 * DAY + at * 6 * HOUR for at in range(14 * 4)]
        lines = await store.raw_sources(pdu_id, Source.MAIN, T0, T0 + 31 * DAY)
        assert len(lines) == len(rows)
        for tier in Tier:
            found = await store.outlet_rollups(tier, pdu_id, 1, T0, T0 + 31 * DAY)
            assert sum(rollup.power.count for _, rollup in found) == 120
    assert await forgotten(store, None, T0 + 16 * DAY) == 0


async def test_a_record_older_than_all_raw_rows_is_kept_and_reaches_its_rollups(store: Store) -> None:
    await a_month(store)
    await forgotten(store, None, T0 + 16 * DAY)
    late = T0 - 400 * DAY
    await store.commit(recorded([outlet(late, 7000, None)]))
    await settle(store)
    assert [row.ts_ms for row in await store.raw_outlets(PDU, 1, late, late + 1)] == [late]
    [(_, day)] = await store.outlet_rollups(Tier.DAY, PDU, 1, late, late + 1)
    assert day.power.total == 7000


async def test_each_tier_is_forgotten_by_itself(store: Store) -> None:
    await a_month(store)
    whole = {tier: len(await store.outlet_rollups(tier, PDU, 1, T0, T0 + 31 * DAY)) for tier in Tier}
    assert await forgotten(store, Tier.QUARTER, T0 + 10 * DAY) == 2 * 2 * 40
    for tier in Tier:
        left = len(await store.outlet_rollups(tier, PDU, 1, T0, T0 + 31 * DAY))
        assert left == whole[tier] - (40 if tier is Tier.QUARTER else 0)
        sources = await store.source_rollups(tier, "rack-2", Source.MAIN, T0, T0 + 31 * DAY)
        assert len(sources) == left
    assert await forgotten(store, Tier.QUARTER, T0 + 10 * DAY) == 0


async def test_many_rows_go_in_portions(store: Store) -> None:
    await store.prepare_days(T0)
    rows = [outlet(T0 + MINUTE * at, 1000, at) for at in range(6000)]
    for at in range(0, 6000, 2000):
        await store.commit(recorded(rows[at : at + 2000], at))
    await settle(store)
    assert await forgotten(store, Tier.MINUTE, T0 + 5900 * MINUTE) == 5900
    assert len(await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + 31 * DAY)) == 100
    await forgotten(store, None, T0 + 10 * DAY)
    assert await store.raw_outlets(PDU, 1, T0, T0 + DAY) == []


async def test_a_month_without_the_program_leaves_no_day_without_a_place(store: Store) -> None:
    await store.prepare_days(T0)
    await store.commit(recorded([outlet(T0 + 10 * DAY)]))
    await store.prepare_days(T0 + 30 * DAY)
    await store.prepare_days(T0 + 30 * DAY)
    await store.commit(recorded([outlet(T0 + 31 * DAY), outlet(T0 + 90 * DAY)], 1))
    assert len(await store.raw_outlets(PDU, 1, T0, T0 + 100 * DAY)) == 3


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
async def test_days_have_partitions_ahead_and_old_ones_are_dropped(url: str) -> None:
    def partitions(connection: Connection) -> list[str]:
        query = (
            "SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() "
            "AND TABLE_NAME = 'raw_record' ORDER BY PARTITION_ORDINAL_POSITION"
        )
        return list(connection.exec_driver_sql(query).scalars())

    async with open_store(url) as store:
        assert await look(url, partitions) == ["later"]
        await store.prepare_days(T0)
        days = ["p20231115", "p20231116", "p20231117", "p20231118"]
        assert await look(url, partitions) == [*days, "later"]
        await store.prepare_days(T0 + 2 * DAY)
        assert await look(url, partitions) == [*days, "p20231119", "p20231120", "later"]
        while await store.forget_raw(T0 + 2 * DAY + HOUR):
            pass
        assert await look(url, partitions) == ["p20231117", "p20231118", "p20231119", "p20231120", "later"]


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
async def test_days_stay_while_a_backup_reads_them_and_records_come_in_meanwhile(url: str) -> None:
    async with open_store(url) as store, open_engines_of(url) as backup:
        await store.prepare_days(T0)
        await store.commit(recorded([outlet(T0)]))
        async with backup.connect() as reading:
            await reading.exec_driver_sql("SELECT COUNT(*) FROM raw_record")
            with pytest.raises(StoreUnavailableError, match="being read, by a backup"):
                await store.forget_raw(T0 + 2 * DAY)
            await store.commit(recorded([outlet(T0 + MINUTE)], 1))
        assert len(await store.raw_outlets(PDU, 1, T0, T0 + DAY)) == 2
        while await store.forget_raw(T0 + 2 * DAY):
            pass
        assert await store.raw_outlets(PDU, 1, T0, T0 + DAY) == []


@asynccontextmanager
async def open_engines_of(url: str) -> AsyncIterator[AsyncEngine]:
    engines = open_engines(url)
    yield engines.reader
    await engines.close()
