"""What one transaction holds."""

import pytest
from tests.fakes.builders import START_MS, event, planner, telemetry, up
from tests.fakes.store import FakeStore

from loadcenter.domain.events import Severity
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.planning import Plan, PositionBook
from loadcenter.services.ports import Message, Position

KEY = StreamKey("rack-1", 1, Stream.TELEMETRY)


def planned(*records: bytes, leaf: str = "telemetry", stored: int = 0) -> Plan:
    made = planner()
    book = PositionBook(FakeStore())
    book.apply([Position(StreamKey("rack-1", 1, Stream(leaf)), 0, stored)])
    inbound = [made.read(Message(up("rack-1", leaf), one), START_MS + 3_600_000) for one in records]
    return made.plan(inbound, book)


def test_a_batch_moves_each_stream_once_from_what_was_stored_to_what_will_be() -> None:
    plan = planned(telemetry(8), telemetry(9), telemetry(10), stored=7)
    assert plan.batch.positions == [Position(KEY, 7, 10)]
    assert (plan.taken, plan.duplicates, plan.ahead) == (3, 0, 0)


def test_a_record_is_kept_with_its_outlets_and_sources_and_its_time() -> None:
    [record] = planned(telemetry(1)).batch.records
    assert [reading.outlet for reading in record.readings.outlets] == [1, 2]
    assert [reading.source for reading in record.readings.sources] == [Source.MAIN, Source.BACKUP]
    assert (record.pdu_id, record.ts_ms, record.samples) == ("rack-1", START_MS + 1_000, 1)


def test_records_stand_in_the_order_in_which_the_device_made_them() -> None:
    plan = planned(*(telemetry(seq) for seq in range(58, 63)), stored=57)
    assert [record.ts_ms for record in plan.batch.records] == [
        START_MS + 1_000 * seq for seq in range(58, 63)
    ]


def test_an_event_keeps_what_the_device_said_and_gets_its_severity() -> None:
    body = event(3, "trip", out=2, cause="protection", because=2, data={"i_ma": 5_200, "limit_ma": 4_000})
    (stored,) = planned(body, leaf="event", stored=2).batch.events
    assert (stored.code, stored.severity, stored.outlet) == ("trip", Severity.CRITICAL, 2)
    assert (stored.because_seq, stored.data) == (2, {"i_ma": 5_200, "limit_ma": 4_000})


def test_nothing_new_makes_an_empty_plan_that_is_answered_all_the_same() -> None:
    plan = planned(telemetry(3), stored=5)
    assert plan.empty
    assert plan.urgent == {"rack-1"}
    assert plan.touched == {("rack-1", 1)}


def test_routine_telemetry_is_not_urgent() -> None:
    assert planned(telemetry(1)).urgent == frozenset()


@pytest.mark.parametrize("leaf", ["birth", "status", "state", "result"])
def test_a_leaf_that_carries_no_records_is_refused(leaf: str) -> None:
    inbound = planner().read(Message(up("rack-1", leaf), telemetry(1)), START_MS)
    plan = planner().plan([inbound], PositionBook(FakeStore()))
    assert [row.reason for row in plan.batch.quarantine] == ["foreign_topic"]
    assert plan.batch.positions == []


async def test_positions_are_read_once_and_again_after_they_were_forgotten() -> None:
    store = FakeStore()
    book = PositionBook(store)
    await book.load("rack-1")
    store.tables.positions[KEY] = 9
    await book.load("rack-1")
    assert book.position(KEY) == 0
    book.forget()
    assert not book.known("rack-1")
    await book.load("rack-1")
    assert (book.known("rack-1"), book.position(KEY)) == (True, 9)
