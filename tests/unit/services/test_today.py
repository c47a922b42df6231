"""Energy since local midnight, from counters, whatever resets and restarts do."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import OutletRollup, outlet_rollup
from loadcenter.services.ports import IngestBatch, RollupKey, StoreUnavailableError
from loadcenter.services.today import Shown, Today

HOUR_MS = 3_600_000


def rollup(ts_ms: int, energy_mwh: int | None, power_mw: int = 1_000) -> OutletRollup:
    return outlet_rollup(OutletReading(1, True, 230_000, 4, power_mw, energy_mwh), ts_ms, 1, 1_000)


def today(start: str = "2026-06-01T12:00") -> tuple[Today, FakeClock, FakeStore]:
    at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo("Europe/Vienna"))
    calendar, clock = SiteCalendar("Europe/Vienna"), FakeClock(round(at.timestamp() * 1000))
    store = FakeStore(calendar.day_start_ms)
    return Today(store, clock, calendar), clock, store


async def consumed(store: FakeStore, *counters: tuple[int, int]) -> None:
    """Keep minute rollups from (ts_ms, counter)."""
    for ts_ms, counter in counters:
        await store.commit(
            IngestBatch(
                outlet_minutes={RollupKey("rack-1", 1, ts_ms - ts_ms % 60_000): rollup(ts_ms, counter)}
            )
        )


async def test_the_energy_of_today_counts_from_local_midnight() -> None:
    energy, clock, store = today()
    midnight = clock.now_ms() - 12 * HOUR_MS
    await consumed(store, (midnight - 60_000, 900), (midnight + 1_000, 1_000), (midnight + HOUR_MS, 1_500))
    await energy.refresh({"rack-1": Shown({1: 1_800}, clock.now_ms())})
    assert energy.energy_mwh("rack-1", 1, 1_800, clock.now_ms()) == 800
    assert energy.energy_mwh("rack-1", 1, 1_850, clock.now_ms() + 1_000) == 850


async def test_it_begins_again_after_midnight() -> None:
    energy, clock, store = today("2026-06-01T23:59:30")
    await consumed(store, (clock.now_ms() - HOUR_MS, 1_000))
    await energy.refresh({"rack-1": Shown({1: 1_500}, clock.now_ms())})
    assert energy.energy_mwh("rack-1", 1, 1_500, clock.now_ms()) == 500
    await clock.advance(60_000)
    await consumed(store, (clock.now_ms() - 29_000, 1_501))
    await energy.refresh({"rack-1": Shown({1: 1_510}, clock.now_ms())})
    assert energy.energy_mwh("rack-1", 1, 1_510, clock.now_ms()) == 9


async def test_a_reset_long_after_the_base_was_read_loses_nothing() -> None:
    energy, clock, _ = today()
    at = clock.now_ms()
    await energy.refresh({"rack-1": Shown({1: 100}, at)})
    await energy.refresh({"rack-1": Shown({1: 500}, at + 10_000)})
    await energy.refresh({"rack-1": Shown({1: 50}, at + 20_000)})
    assert energy.energy_mwh("rack-1", 1, 60, at + 21_000) == 400 + 60


async def test_a_reading_older_than_what_the_database_holds_is_no_reset() -> None:
    energy, clock, store = today()
    at = clock.now_ms()
    await consumed(store, (at - HOUR_MS, 1_000), (at - 1_000, 1_500))
    await energy.refresh({"rack-1": Shown({1: 1_499}, at - 2_000)})
    assert energy.energy_mwh("rack-1", 1, 1_499, at - 2_000) == 500
    await energy.refresh({"rack-1": Shown({1: 1_499}, at - 2_000)})
    assert energy.energy_mwh("rack-1", 1, 1_501, at) == 501


async def test_unknown_is_not_zero() -> None:
    energy, clock, _ = today()
    assert energy.energy_mwh("rack-1", 1, 5, clock.now_ms()) is None
    await energy.refresh({"rack-1": Shown({1: None, 2: 7}, clock.now_ms())})
    assert energy.energy_mwh("rack-1", 1, 5, clock.now_ms()) is None
    assert energy.energy_mwh("rack-1", 2, None, clock.now_ms()) is None
    assert energy.energy_mwh("rack-1", 2, 7, clock.now_ms()) == 0


async def test_while_the_database_is_away_the_base_is_not_guessed() -> None:
    energy, clock, store = today()
    store.away = "gone"
    with pytest.raises(StoreUnavailableError):
        await energy.refresh({"rack-1": Shown({1: 5}, clock.now_ms())})
    assert energy.energy_mwh("rack-1", 1, 5, clock.now_ms()) is None
