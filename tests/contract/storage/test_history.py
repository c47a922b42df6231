from dataclasses import replace

import pytest
from tests.contract.storage.records import PDU, T0, event

from loadcenter.domain.events import Cause, EventCode, Severity
from loadcenter.domain.topology import Source
from loadcenter.services.ports import EventFilter, IngestBatch, Store, StoreDataError, StoredEvent


async def test_an_event_comes_back_as_it_was(store: Store) -> None:
    data = {"voltage_mv": 180_000, "words": ["ü", "😀", None], "deep": {"yes": True}, "big": 2**63}
    told = StoredEvent(
        PDU, T0, 3, 9, EventCode.TRANSFER, Severity.WARNING, None, Source.BACKUP, Cause.SOURCE_LOST, 8, data
    )
    await store.commit(IngestBatch(events=[told]))
    [kept] = await store.events(EventFilter())
    assert kept.id > 0
    assert replace(kept, id=0) == told
    assert isinstance(kept.code, EventCode)


async def test_a_code_of_a_newer_device_stays_the_word_that_it_is(store: Store) -> None:
    await store.commit(IngestBatch(events=[event(1, "phase_lost")]))
    [kept] = await store.events(EventFilter())
    assert kept.code == "phase_lost"


async def test_an_event_known_already_is_left_as_it_is(store: Store) -> None:
    await store.commit(IngestBatch(events=[event(1), event(1, "boot"), event(2)]))
    await store.commit(
        IngestBatch(events=[event(2, "boot"), event(3), event(1, boot=2), event(1, pdu_id="rack-2")])
    )
    kept = await store.events(EventFilter(pdu_id=PDU))
    assert [(one.boot, one.seq, one.code) for one in kept] == [
        (2, 1, "trip"),
        (1, 3, "trip"),
        (1, 2, "trip"),
        (1, 1, "trip"),
    ]


async def test_events_of_the_control_center_are_all_kept(store: Store) -> None:
    told = event(0, "link_lost", boot=0)
    first = await store.add_event(told)
    second = await store.add_event(told)
    assert 0 < first.id < second.id
    assert replace(first, id=0) == told
    assert await store.events(EventFilter()) == [second, first]
    await store.commit(IngestBatch(events=[told, told]))
    assert len(await store.events(EventFilter())) == 4


async def test_an_event_of_a_device_comes_only_by_a_batch(store: Store) -> None:
    with pytest.raises(StoreDataError, match="boot must be 0"):
        await store.add_event(event(1))


async def test_events_are_filtered(store: Store) -> None:
    rows = [
        event(1),
        replace(event(2, "boot", ts_ms=T0 + 10), severity=Severity.INFO, outlet=None),
        replace(event(3, "outage", ts_ms=T0 + 20), outlet=3),
        event(1, pdu_id="rack-2", ts_ms=T0 + 30),
    ]
    await store.commit(IngestBatch(events=rows))
    everything = await store.events(EventFilter())
    ids = [one.id for one in everything]
    assert ids == sorted(ids, reverse=True)

    async def seqs(**wanted: object) -> list[tuple[str, int]]:
        return [(one.pdu_id, one.seq) for one in await store.events(EventFilter(**wanted))]

    assert await seqs(pdu_id=PDU) == [(PDU, 3), (PDU, 2), (PDU, 1)]
    assert await seqs(outlet=2) == [("rack-2", 1), (PDU, 1)]
    assert await seqs(severity=Severity.INFO) == [(PDU, 2)]
    assert await seqs(codes=["boot", EventCode.OUTAGE]) == [(PDU, 3), (PDU, 2)]
    assert await seqs(since_ms=T0 + 10, until_ms=T0 + 30) == [(PDU, 3), (PDU, 2)]
    assert await seqs(limit=1) == [("rack-2", 1)]
    assert await seqs(before_id=ids[1]) == [(PDU, 2), (PDU, 1)]
    assert await seqs(after_id=ids[2], limit=1) == [(PDU, 3)]
    assert await seqs(after_id=ids[3]) == [(PDU, 2), (PDU, 3), ("rack-2", 1)]
    assert await seqs(pdu_id="nobody") == []
