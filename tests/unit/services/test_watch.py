"""Broker and database are watched, and what must be done when they are back is done."""

import asyncio

import pytest
from tests.fakes.builders import START_MS, Center, running, send, telemetry
from tests.fakes.clock import settle

from loadcenter.domain.rollups import OutletRollup
from loadcenter.services.announce import ServerChanged


def said(center: Center) -> list[tuple[bool, bool]]:
    """Return (broker away, database away) of each announcement."""
    return [(bool(one.broker), bool(one.database)) for one in center.said if isinstance(one, ServerChanged)]


async def test_all_is_well_while_both_connections_are_up(center: Center) -> None:
    await center.watch.look()
    assert center.watch.checks() == {"broker": "", "database": ""}


async def test_a_change_is_announced_once(center: Center) -> None:
    async with running(center.watch.run):
        await center.clock.advance(3_000)
        center.broker.stop()
        await center.clock.advance(3_000)
        center.broker.start()
        await center.clock.advance(3_000)
    assert said(center) == [(False, False), (True, False), (False, False)]


async def test_the_reason_says_what_to_do(center: Center) -> None:
    center.broker.stop()
    assert "start it" in center.watch.checks()["broker"]


async def test_without_the_broker_every_pdu_counts_as_offline(center: Center) -> None:
    await center.greet()
    center.broker.stop()
    await center.watch.look()
    assert not center.fleet.twin("rack-1").online


async def test_a_records_connection_that_is_down_for_the_database_is_no_fault_of_the_broker(
    center: Center,
) -> None:
    async with running(center.ingest.run):
        center.store.away = "disk full"
        send(center, telemetry(1))
        await center.clock.advance(6_000)
        assert center.watch.checks() == {"broker": "", "database": "disk full"}
        center.store.away = None
        await center.clock.advance(1_000)
        assert center.watch.checks() == {"broker": "", "database": ""}


async def test_desired_settings_are_published_again_at_every_new_connection(center: Center) -> None:
    await center.tuning.change("rack-1", 0, {"sequence_ms": 500}, [])
    async with running(center.watch.run):
        await center.clock.advance(1_000)
        center.broker.retained.clear()  # the broker lost its store
        center.broker.stop()
        center.broker.start()
        await center.clock.advance(1_000)
    assert list(center.broker.retained) == ["loadcenter/v1/rack-1/down/desired"]


async def test_the_energy_of_today_is_read_again_every_ten_seconds(center: Center) -> None:
    async with running(center.ingest.run, center.watch.run_today):
        await center.greet()
        send(center, telemetry(1), telemetry(2))
        await settle()
        await center.clock.advance(10_000)
    counter = 1_000 + 28 * 5
    assert center.today.energy_mwh("rack-1", 1, counter, START_MS + 5_000) == 28 * 4


async def test_a_database_that_is_away_does_not_end_the_watch(center: Center) -> None:
    await center.greet()
    center.store.away = "gone"
    async with running(center.watch.run, center.watch.run_today):
        await center.clock.advance(30_000)


async def test_a_database_that_hangs_does_not_hide_that_the_broker_is_gone(
    center: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> list[tuple[int, OutletRollup]]:
        await asyncio.Event().wait()
        return []

    await center.greet()
    monkeypatch.setattr(center.store, "outlet_rollups", hang)
    async with running(center.watch.run, center.watch.run_today):
        center.broker.stop()
        await center.clock.advance(1_000)
        assert not center.fleet.twin("rack-1").online


async def test_a_database_that_is_lost_while_nobody_sends_is_noticed(center: Center) -> None:
    async with running(center.watch.run_pings):
        center.store.away = "gone"
        await center.clock.advance(5_000)
        assert center.watch.checks()["database"] == "gone"
        center.store.away = None
        await center.clock.advance(5_000)
        assert center.watch.checks()["database"] == ""
