"""A disk that is full under a running control center: it says so, keeps nothing in memory, and goes on by itself."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.databases import until
from tests.fakes.builders import START_MS, Center, running, send, telemetry

from loadcenter.adapters.storage.store import SqlStore, open_store
from loadcenter.domain.rollups import Tier
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import LinkState

KEY = StreamKey("rack-1", 1, Stream.TELEMETRY)
RECORDS = 3_000


async def limit_pages(store: SqlStore, pages: int) -> None:
    """Let the file grow to so many pages; with 1 SQLite takes the present size, as on a full disk."""

    async def work(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    await store._database.write(work)


async def test_records_wait_at_the_broker_while_the_disk_is_full_and_come_in_when_there_is_room(
    tmp_path: Path,
) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'loadcenter.db'}") as store:
        center = await Center(store=store).open("rack-1")
        await limit_pages(store, 1)

        async def paused() -> bool:
            await center.clock.advance(1_000)
            return center.records.state is LinkState.PAUSED

        async def stored() -> bool:
            await center.clock.advance(1_000)
            return (await store.positions("rack-1")).get(KEY) == RECORDS

        async with running(center.ingest.run, center.watch.run_pings, center.history.run_rollups):
            send(center, *(telemetry(seq) for seq in range(1, RECORDS + 1)))
            await until(paused)
            assert "disk is full: free space" in center.watch.checks()["database"]
            assert center.broker.unacked("records") == RECORDS
            await limit_pages(store, 1_000_000)
            await until(stored, 60)
            assert center.ingest.counts.pauses == 1
            await until(lambda: is_well(center))
        await center.history.fold()
        minutes = await store.outlet_rollups(Tier.MINUTE, "rack-1", 1, START_MS, START_MS + 10**8)
        assert sum(minute.power.count for _, minute in minutes) == RECORDS
        assert len(await store.raw_outlets("rack-1", 1, START_MS, START_MS + 10**8)) == RECORDS


async def is_well(center: Center) -> bool:
    await center.clock.advance(5_000)
    return center.watch.checks()["database"] == ""
