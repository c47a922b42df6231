"""A disk that is full under a running control center: it says so, keeps nothing in memory, and goes on by itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.databases import MariaDbServer, until
from tests.fakes.builders import START_MS, Center, running, send, telemetry

from loadcenter.adapters.storage.store import SqlStore, open_store
from loadcenter.domain.rollups import Tier
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import LinkState, StoreUnavailableError

KEY = StreamKey("rack-1", 1, Stream.TELEMETRY)
RECORDS = 3_000
DISK_MB = 200


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(ballast: Path) -> None:
    """Write until no byte more fits."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(65_536))


async def test_records_wait_while_the_disk_of_mariadb_is_full(small_disk: Path) -> None:
    with MariaDbServer(small_disk / "mariadb") as server:
        async with open_store(server.new_database()) as store:
            center = await Center(store=store).open("rack-1")
            ballast = small_disk / "ballast"

            async def paused() -> bool:
                fill(ballast.with_name("more"))  # what the server has freed meanwhile
                await center.clock.advance(1_000)
                return center.records.state is LinkState.PAUSED

            async def stored() -> bool:
                if not server.runs:  # InnoDB ends where it finds no room for pages of its own
                    server.kill()
                    server.start()
                await center.clock.advance(1_000)
                with suppress(StoreUnavailableError):
                    return (await store.positions("rack-1")).get(KEY) == RECORDS
                return False

            async with running(center.ingest.run, center.watch.run_pings, center.history.run_rollups):
                fill(ballast)
                send(center, *(telemetry(seq) for seq in range(1, RECORDS + 1)))
                await until(paused, 60)
                assert center.watch.checks()["database"]
                for full in (ballast, ballast.with_name("more")):
                    full.unlink(missing_ok=True)
                await until(stored, 90)
                await until(lambda: is_well(center))
            await center.history.fold()
            minutes = await store.outlet_rollups(Tier.MINUTE, "rack-1", 1, START_MS, START_MS + 10**8)
            assert sum(minute.power.count for _, minute in minutes) == RECORDS
            assert len(await store.raw_outlets("rack-1", 1, START_MS, START_MS + 10**8)) == RECORDS
