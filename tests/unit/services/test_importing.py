"""Recordings become history once, however often they are imported, and never mix with other readings."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.store import FakeStore

from loadcenter.domain.rollups import Tier
from loadcenter.services.importing import (
    Feed,
    Imported,
    ImportRefusedError,
    Quantity,
    Target,
    import_feeds,
)
from loadcenter.services.ports import IngestBatch, StoreUnavailableError

T0 = 1_700_006_400_000
TARGET = Target("rack-1", 3)


def power(count: int, step_ms: int = 10_000, since_ms: int = T0) -> list[tuple[int, float]]:
    return [(since_ms + n * step_ms, 100.0 + n % 7) for n in range(count)]


async def run(store: FakeStore, target: Target = TARGET, **feeds: Feed) -> Imported:
    named = {Quantity[name.upper()]: feed for name, feed in feeds.items()}
    return await import_feeds(store, target, named, lambda _: None)


async def test_feeds_are_joined_by_time_into_rows_and_minutes() -> None:
    store = FakeStore()
    done = await run(
        store, power=power(12), voltage=[(T0, 230.1), (T0 + 65_000, 231.0)], energy=[(T0 + 10_000, 1.5)]
    )
    assert done == Imported(13, 0, T0, T0 + 110_000)
    rows = await store.raw_outlets("rack-1", 3, T0, T0 + 120_000)
    assert [row.ts_ms for row in rows] == sorted({*range(T0, T0 + 120_000, 10_000), T0 + 65_000})
    assert {row.samples for row in rows} == {10}
    first, second = rows[:2]
    assert (first.reading.power_mw, first.reading.voltage_mv, first.reading.energy_mwh) == (
        100_000,
        230_100,
        None,
    )
    assert (second.reading.voltage_mv, second.reading.energy_mwh) == (None, 1_500_000)
    (start, minute), _ = await store.outlet_rollups(Tier.MINUTE, "rack-1", 3, T0, T0 + 120_000)
    assert (start, minute.covered_ms, minute.power.count) == (T0, 60_000, 60)
    [(_, day)] = await store.outlet_rollups(Tier.DAY, "rack-1", 3, T0, T0 + 1)
    assert day.power.count == 120


async def test_without_a_feed_of_energy_power_is_added_up() -> None:
    store = FakeStore()
    await run(store, power=[(T0 + n * 10_000, 360.0) for n in range(6)])
    rows = await store.raw_outlets("rack-1", 3, T0, T0 + 60_000)
    assert [row.reading.energy_mwh for row in rows] == [1_000 * n for n in range(1, 7)]
    _, minute = (await store.outlet_rollups(Tier.MINUTE, "rack-1", 3, T0, T0 + 60_000))[0]
    assert minute.counters is not None
    assert minute.counters.energy_mwh == 5_000


@settings(deadline=None)  # a busy machine takes its time
@given(st.integers(1, 200), st.integers(0, 200), st.sampled_from([1_000, 7_000, 10_000, 60_000, 300_000]))
async def test_a_recording_that_has_grown_is_imported_again_and_nothing_is_doubled(
    count: int, more: int, step_ms: int
) -> None:
    target = replace(TARGET, interval_ms=step_ms)
    once, twice = FakeStore(), FakeStore()
    await run(once, target, power=power(count + more, step_ms))
    await run(twice, target, power=power(count, step_ms))
    done = await run(twice, target, power=power(count + more, step_ms))
    again = await run(twice, target, power=power(count + more, step_ms))
    assert (done.rows, again.rows) == (more, 0)
    assert twice.tables == once.tables


@settings(deadline=None)  # a busy machine takes its time
@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
async def test_parts_of_a_range_give_the_same_as_the_whole(first_ms: int, length_ms: int) -> None:
    whole, parts = FakeStore(), FakeStore()
    await run(whole, power=power(300))
    await run(parts, replace(TARGET, until_ms=T0 + first_ms), power=power(300))
    await run(parts, replace(TARGET, since_ms=T0 + first_ms + length_ms), power=power(300))
    await run(parts, power=power(300))
    assert parts.tables.outlets == whole.tables.outlets
    assert parts.tables.rollups == whole.tables.rollups


async def test_other_readings_at_the_same_time_are_refused_and_left_alone() -> None:
    store = FakeStore()
    await run(store, power=power(60))
    before = store.tables
    with pytest.raises(ImportRefusedError, match="has other readings in the minute of 1700006400000 ms UTC"):
        await run(store, power=[(ts_ms, value + 1) for ts_ms, value in power(60)])
    with pytest.raises(ImportRefusedError, match="--since, --until"):
        await run(store, power=power(60, since_ms=T0 - 300_000 + 1))
    assert store.tables.rollups[Tier.MINUTE].items() >= before.rollups[Tier.MINUTE].items()
    await run(store, replace(TARGET, outlet=4), power=[(T0, 1.0)])


class Breaking(FakeStore):
    """Is away from a commit on."""

    def __init__(self, commits: int) -> None:
        super().__init__()
        self.left = commits

    async def commit(self, batch: IngestBatch) -> None:
        if self.left == 0:
            raise StoreUnavailableError("gone")
        self.left -= 1
        await super().commit(batch)


@pytest.mark.parametrize("commits", [0, 1, 2])
async def test_an_import_that_was_cut_off_is_run_again(commits: int) -> None:
    store, whole = Breaking(commits), FakeStore()
    with pytest.raises(StoreUnavailableError):
        await run(store, power=power(9_000, 1_000))
    store.left = 100
    done = await run(store, power=power(9_000, 1_000))
    await run(whole, power=power(9_000, 1_000))
    assert done.known_minutes * 60 == 9_000 - done.rows
    assert store.tables == whole.tables


@pytest.mark.parametrize(
    ("feed", "quantity", "words"),
    [
        ([(T0, 1.0), (T0, 2.0)], "power", "goes back in time"),
        ([(T0, 1.0), (T0 - 1, 2.0)], "power", "sort it"),
        ([(T0, 3e6)], "power", "is it in another unit"),
        ([(T0, -1.0)], "energy", "a counter of kWh"),
        ([(T0, 3e8)], "energy", "a counter of kWh"),
    ],
)
async def test_a_recording_that_cannot_be_meant_so_is_refused(feed: Feed, quantity: str, words: str) -> None:
    with pytest.raises(ImportRefusedError, match=words):
        await run(FakeStore(), **{quantity: feed})


async def test_progress_counts_the_readings() -> None:
    seen: list[int] = []
    note: Callable[[int], None] = seen.append
    await import_feeds(FakeStore(), TARGET, {Quantity.POWER: power(5_000, 1_000)}, note)
    assert seen == sorted(seen)
    assert seen[-1] == 5_000
    assert len(seen) > 1


async def test_nothing_to_import_does_nothing() -> None:
    store = FakeStore()
    assert await run(store, power=[]) == Imported()
    assert await run(store, replace(TARGET, until_ms=5), power=power(5)) == Imported()
    assert store.tables.outlets == {}
