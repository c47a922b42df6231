"""A database that revision 0001 has filled, after the update: nothing is missing and nothing has changed its meaning."""

import asyncio
import itertools
import logging
from typing import Any

import pytest
from alembic import op
from sqlalchemy import Connection
from tests.contract.storage import old_tables
from tests.contract.storage.old_tables import OUTLETS, SECONDS, counter, power, raw_outlets, raw_sources
from tests.contract.storage.records import DAY, PDU, T0, outlet, recorded, settle
from tests.contract.storage.test_migrations import differences, look

from loadcenter.adapters.storage.migrations import migrate, newest_revision
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.energy import Meter, counter_delta_mwh
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import Store

CONSUMED = sum(counter_delta_mwh(a, b) for a, b in itertools.pairwise(counter(s) for s in range(SECONDS)))
NAMES = {1: "rack-1", 2: "rack-2"}
QUALITIES = ["good", "stale", "invalid"]


@pytest.fixture
async def old(url: str) -> str:
    await look(url, old_tables.fill)
    return url


async def raw_as_stored(store: Store) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for pdu_no, name in NAMES.items():
        for number in OUTLETS:
            for row in await store.raw_outlets(name, number, T0, T0 + DAY):
                one = row.reading
                values = (
                    one.voltage_mv,
                    one.current_ma,
                    one.power_mw,
                    one.energy_mwh,
                    one.power_min_mw,
                    one.power_max_mw,
                )
                quality = QUALITIES.index(one.quality)
                found.append((pdu_no, number, row.ts_ms, row.samples, int(one.on), *values, quality))
    return found


async def sources_as_stored(store: Store) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for pdu_no, name in NAMES.items():
        for source in Source:
            for row in await store.raw_sources(name, source, T0, T0 + DAY):
                one = row.reading
                values = one.voltage_mv, one.frequency_mhz, QUALITIES.index(one.quality)
                found.append((pdu_no, str(source), row.ts_ms, row.samples, *values))
    return found


async def check(store: Store) -> None:
    assert sorted(await raw_as_stored(store)) == sorted(raw_outlets())
    assert sorted(await sources_as_stored(store)) == sorted(raw_sources())
    for name in NAMES.values():
        assert await store.positions(name) == {StreamKey(name, 1, Stream.TELEMETRY): SECONDS}
        for number in OUTLETS:
            for tier in Tier:
                found = [one for _, one in await store.outlet_rollups(tier, name, number, T0, T0 + DAY)]
                assert sum(one.power.total for one in found) == sum(power(number, s) for s in range(SECONDS))
                assert sum(one.power.count for one in found) == SECONDS
                counters = [one.counters for one in found]
                assert counters[-1].last_mwh - counters[0].first_mwh == CONSUMED
                between = itertools.pairwise(counters)
                assert all(early.last_mwh <= late.first_mwh for early, late in between)


async def test_every_row_is_there_and_every_tier_counts_the_same_energy(old: str) -> None:
    async with open_store(old) as store:
        await check(store)
    assert await look(old, differences) == []


async def test_records_that_come_after_the_update_go_on_where_the_old_ones_ended(old: str) -> None:
    last = counter(SECONDS - 1)
    async with open_store(old) as store:
        meter = (await store.meters([PDU]))[PDU, 2]
        assert meter.shown_mwh == last
        await store.commit(recorded([outlet(T0 + 1000 * SECONDS, 5, last + 11, number=2)], SECONDS))
        await settle(store)
        assert (await store.meters([PDU]))[PDU, 2] == Meter(last + 11, meter.offset_mwh)
        [(_, day)] = await store.outlet_rollups(Tier.DAY, PDU, 2, T0, T0 + DAY)
        assert day.counters is not None
        assert day.counters.energy_mwh == CONSUMED + 11


async def test_an_update_that_was_cut_off_begins_again(old: str, caplog: pytest.LogCaptureFixture) -> None:
    def cut_off(connection: Connection) -> None:
        migrate(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    await look(old, cut_off)
    with caplog.at_level(logging.WARNING):
        async with open_store(old) as store:
            await check(store)
    assert f"from revision 0001 to {newest_revision()}: if this is cut off, the next start" in caplog.text


async def test_an_update_cut_off_while_rows_were_copied_copies_them_anew(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(op, "drop_column", cut)
    with pytest.raises(KeyboardInterrupt):
        await look(old, migrate)
    monkeypatch.undo()
    async with open_store(old) as store:
        await check(store)


async def test_two_programs_that_start_at_once_update_once(old: str) -> None:
    async def start() -> None:
        async with open_store(old) as store:
            await store.ping()

    await asyncio.gather(start(), start())
    async with open_store(old) as store:
        await check(store)
