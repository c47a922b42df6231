"""Whatever is delivered, in whatever batches: the fake and SQLite read the same, and the same as one batch."""

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.storage.records import DAY, PDU, T0, batch, event, outlet, settle, source
from tests.fakes.store import FakeStore

from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.services.ports import (
    EventFilter,
    IngestBatch,
    PositionConflictError,
    RawOutlet,
    RawSource,
    Store,
)

DELIVERIES = settings(max_examples=25, deadline=None)


@dataclass(frozen=True)
class Record:
    outlet: RawOutlet
    source: RawSource


def unknown_or(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


records = st.lists(
    st.tuples(unknown_or(0, 40_000_000), unknown_or(0, 60), unknown_or(0, 400_000)), min_size=1, max_size=40
).map(
    lambda values: [
        Record(outlet(T0 + 25_000 * at, power, energy, voltage_mv=volts), source(T0 + 25_000 * at, volts))
        for at, (power, energy, volts) in enumerate(values)
    ]
)


async def deliver(store: Store, sent: list[Record], sizes: list[int], repeats: list[bool]) -> list[object]:
    """Deliver in batches of `sizes` (the rest at the end), some of them twice, then read everything."""
    at = 0
    for size, repeat in zip([*sizes, len(sent)], [*repeats, True], strict=True):
        part = sent[at : at + size]
        whole = as_batch(part, at)
        await store.commit(whole)
        if repeat and part:
            try:
                await store.commit(whole)
            except PositionConflictError:
                pass
            else:
                raise AssertionError("a batch was taken twice")
        at += len(part)
    await settle(store)
    return await everything(store)


def as_batch(part: list[Record], before: int) -> IngestBatch:
    if not part:
        return IngestBatch()
    made = batch([one.outlet for one in part], [one.source for one in part], before)
    return replace(made, events=[event(before + number) for number in range(1, len(part) + 1)])


async def everything(store: Store) -> list[object]:
    span = PDU, T0, T0 + DAY
    read: list[object] = [await store.positions(PDU), await store.raw_outlets(PDU, 1, T0, T0 + DAY)]
    read.append(await store.raw_sources(PDU, Source.MAIN, T0, T0 + DAY))
    for tier in Tier:
        read.append(await store.outlet_rollups(tier, span[0], 1, *span[1:]))
        read.append(await store.source_rollups(tier, span[0], Source.MAIN, *span[1:]))
    read.append([replace(one, id=0) for one in await store.events(EventFilter(limit=1000))])
    return read


async def on_sqlite(sent: list[Record], sizes: list[int], repeats: list[bool]) -> list[object]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{Path(folder) / 'x.db'}") as store:
            return await deliver(store, sent, sizes, repeats)


@DELIVERIES
@given(records, st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=8))
def test_any_batches_read_like_one(sent: list[Record], plan: list[tuple[int, bool]]) -> None:
    sizes, repeats = [size for size, _ in plan], [repeat for _, repeat in plan]
    once = asyncio.run(deliver(FakeStore(), sent, [], []))
    assert asyncio.run(deliver(FakeStore(), sent, sizes, repeats)) == once
    assert asyncio.run(on_sqlite(sent, sizes, repeats)) == once
