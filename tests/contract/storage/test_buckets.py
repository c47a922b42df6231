"""Charts as a store groups them: the same columns from the fake, which goes row by row, SQLite and MariaDB."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.storage.records import DAY, HOUR, MINUTE, PDU, T0, batch, outlet, settle, source
from tests.fakes.store import FakeStore

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.rollups import Counters, Tier, bucket_start_ms
from loadcenter.domain.topology import Source
from loadcenter.services.columns import Buckets
from loadcenter.services.ports import IngestBatch, RawOutlet, RawSource, Store

BUCKETS = [
    Buckets(None, T0, T0 + 5 * HOUR, 7_000),
    Buckets(None, T0 + 1, T0 + HOUR, HOUR),
    Buckets(Tier.MINUTE, T0, T0 + 5 * HOUR, MINUTE),
    Buckets(Tier.MINUTE, T0 + 90_000, T0 + 5 * HOUR, 7 * MINUTE),
    Buckets(Tier.QUARTER, T0, T0 + DAY, 2 * HOUR),
    Buckets(Tier.HOUR, T0, T0 + 9 * DAY, HOUR),
    Buckets(Tier.DAY, T0, T0 + 9 * DAY, DAY, T0, days=1),
    Buckets(Tier.DAY, T0 - 5 * HOUR, T0 + 9 * DAY, 3 * DAY, T0 - DAY, days=3),
]


def rows() -> tuple[list[RawOutlet], list[RawSource]]:
    """Readings with gaps, unknown values, thinned records and resets of the counter."""
    chance = random.Random(7)
    outlets: list[RawOutlet] = []
    for number in (1, 2, 48):
        counter, at = 1_000_000, T0
        for _ in range(300):
            at += chance.choice([1000, 1000, 1000, 30_000, 90_000, HOUR // 3])
            counter = 5 if chance.random() < 0.02 else counter + chance.randrange(50)
            power = chance.choice([None, *(chance.randrange(2_000_000) for _ in range(9))])
            one = outlet(
                at,
                power,
                chance.choice([None, counter, counter, counter]),
                number=number,
                voltage_mv=chance.choice([None, 229_000, 231_000]),
            )
            if power is not None and samples_at(at) > 1:
                reading = one.reading._replace(power_min_mw=power // 2, power_max_mw=power * 2)
                one = replace(one, reading=reading)
            outlets.append(replace(one, samples=samples_at(at)))
    sources = [
        replace(
            source(row.ts_ms, chance.choice([None, 228_000, 233_333]), which=chance.choice(list(Source))),
            samples=row.samples,
        )
        for row in outlets
        if row.reading.outlet == 1
    ]
    return outlets, sources


def samples_at(ts_ms: int) -> int:
    """Readings of one time are of one record and stand for the same samples."""
    chance = random.Random(ts_ms)
    return chance.randrange(2, 60) if chance.random() < 0.2 else 1


async def filled(store: Store) -> None:
    outlets, sources = rows()
    for at in range(0, len(outlets), 200):
        await store.commit(batch(outlets[at : at + 200], before=at))
    await store.commit(batch((), sources, before=len(outlets)))
    await settle(store)


@pytest.fixture
async def plain() -> FakeStore:
    store = FakeStore()
    await filled(store)
    return store


def listed(columns: object) -> object:
    """Return columns as lists of rounded numbers, whatever sequences they are."""
    if hasattr(columns, "__dataclass_fields__"):
        return {name: listed(getattr(columns, name)) for name in columns.__dataclass_fields__}
    if isinstance(columns, dict):
        return {key: listed(value) for key, value in columns.items()}
    assert isinstance(columns, list | tuple)
    return [round(one, 6) if isinstance(one, float) else one for one in columns]


async def test_every_store_groups_outlets_and_sources_as_the_rows_say(store: Store, plain: FakeStore) -> None:
    await filled(store)
    for span in BUCKETS:
        wanted = [1, 2, 3, 48]
        expected = listed(await plain.outlet_buckets(PDU, wanted, span))
        found = listed(await store.outlet_buckets(PDU, wanted, span))
        assert found == expected, span
        assert set(found) == {1, 2, 48}
        expected = listed(await plain.source_buckets(PDU, list(Source), span))
        assert listed(await store.source_buckets(PDU, list(Source), span)) == expected, span


async def test_outlets_of_which_all_is_known_come_beside_others(store: Store, plain: FakeStore) -> None:
    """Outlets 3 and 10 know everything in records that all have the same time, 4 misses a power, 5 a record."""
    rows = [
        replace(outlet(at, 1000 * at % 77_777, at // 1000, number=number), samples=1 + at // 1000 % 3)
        for at in range(T0, T0 + 600_000, 10_000)
        for number in (3, 4, 5, 10)
        if not (number == 5 and at == T0 + 50_000)
    ]
    rows[1] = replace(rows[1], reading=rows[1].reading._replace(power_mw=None))
    rows[0] = replace(rows[0], reading=rows[0].reading._replace(power_min_mw=1, power_max_mw=90_000))
    for one in (store, plain):
        await one.commit(replace(batch(rows), positions=[]))
    for length_ms in (7_000, 60_000, HOUR):
        span = Buckets(None, T0, T0 + HOUR, length_ms)
        expected = listed(await plain.outlet_buckets(PDU, [3, 4, 5, 10], span))
        assert listed(await store.outlet_buckets(PDU, [10, 3, 5, 4], span)) == expected


async def test_counters_come_row_by_row_from_raw_rows_and_from_every_tier(
    store: Store, plain: FakeStore
) -> None:
    await filled(store)
    for tier in (None, *Tier):
        found = await store.outlet_counters(PDU, [48, 1, 9], tier, T0 + HOUR, T0 + DAY)
        assert found == await plain.outlet_counters(PDU, [48, 1, 9], tier, T0 + HOUR, T0 + DAY)
        assert set(found) == {1, 48} or tier is Tier.DAY


async def test_nothing_asked_or_nothing_known_gives_nothing(store: Store) -> None:
    span = Buckets(None, T0, T0 + HOUR, 1000)
    assert await store.outlet_buckets(PDU, [1], span) == {}
    await store.commit(batch([outlet(T0)]))
    assert await store.outlet_buckets(PDU, [], span) == {}
    assert await store.source_buckets(PDU, [], span) == {}
    assert await store.source_buckets(PDU, [Source.MAIN], span) == {}
    assert await store.outlet_counters(PDU, [], None, T0, T0 + HOUR) == {}
    assert await store.outlet_counters("rack-9", [1], None, T0, T0 + HOUR) == {}
    assert await store.outlet_counters(PDU, [1], None, T0, T0 + HOUR) == {
        1: [(T0, Counters(T0, 1000, T0, 1000))]
    }


@pytest.fixture(params=["fake", "sqlite"])
async def viennese(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    day_start = SiteCalendar("Europe/Vienna").day_start_ms
    if request.param == "fake":
        yield FakeStore(day_start)
        return
    async with open_store(f"sqlite:///{tmp_path / 'x.db'}", day_start=day_start) as opened:
        yield opened


async def test_a_bucket_of_days_stands_at_the_midnight_of_the_site(viennese: Store) -> None:
    """Over the change of 26 March 2023 in Vienna, whose day has 23 hours."""
    calendar = SiteCalendar("Europe/Vienna")
    midnights = [calendar.day_start_ms(1_679_600_000_000)]
    while len(midnights) < 8:
        midnights.append(calendar.next_day_start_ms(midnights[-1]))
    minutes = {}
    for midnight in midnights:
        minutes |= batch([outlet(midnight + HOUR)]).outlet_minutes
    await viennese.commit(IngestBatch(outlet_minutes=minutes))
    span = Buckets(Tier.DAY, midnights[0], midnights[-1] + 1, 2 * DAY, midnights[0], days=2)
    found = await viennese.outlet_buckets(PDU, [1], span)
    assert list(found[1].start_ms) == midnights[::2]
    assert list(found[1].covered_ms) == [2_000] * 4
    assert bucket_start_ms(midnights[0], Tier.DAY) != midnights[0]
