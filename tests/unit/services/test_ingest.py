"""Records from the broker to the database: MQTT-10 to MQTT-19, over fakes and virtual time."""

import asyncio
import logging

import pytest
from tests.fakes.builders import START_MS, Center, event, gap, running, send, telemetry
from tests.fakes.clock import settle
from tests.fakes.store import FakeStore

from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.announce import EventAdded
from loadcenter.services.ports import (
    IngestBatch,
    LinkState,
    Position,
    StoreDataError,
    StoreUnavailableError,
)

TELEMETRY = StreamKey("rack-1", 1, Stream.TELEMETRY)
EVENTS = StreamKey("rack-1", 1, Stream.EVENT)


def acks(center: Center, pdu_id: str = "rack-1") -> list[tuple[int, int, int]]:
    return [(ack["boot"], ack["telemetry"], ack["event"]) for ack in center.sent("ack", pdu_id)]


def stored_seconds(center: Center, outlet: int = 1) -> list[int]:
    """Return the second of the boot of each raw row of an outlet."""
    return sorted((ts - START_MS) // 1000 for (_, n, ts) in center.store.tables.outlets if n == outlet)


async def test_records_are_stored_and_answered_with_both_positions(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(2), ("event", event(1)))
        await settle()
    assert stored_seconds(center) == [1, 2]
    assert [one.seq for one in center.store.tables.events] == [1]
    assert center.store.tables.positions == {TELEMETRY: 2, EVENTS: 1}
    assert acks(center) == [(1, 2, 1)]
    assert center.ingest.counts.records == 3


async def test_one_batch_is_one_transaction(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, *(telemetry(seq) for seq in range(1, 61)))
        await settle()
    assert center.ingest.counts.transactions == 1
    assert center.store.tables.positions[TELEMETRY] == 60


class Watched(FakeStore):
    """Notes what had left the control center at the instant of each COMMIT."""

    def __init__(self) -> None:
        super().__init__()
        self.center: Center | None = None
        self.before_commit: list[tuple[int, int]] = []

    async def commit(self, batch: IngestBatch) -> None:
        assert self.center is not None
        self.before_commit.append((len(acks(self.center)), self.center.broker.unacked("records")))
        await super().commit(batch)


async def test_neither_device_nor_broker_hears_of_a_record_before_its_commit() -> None:
    store = Watched()
    center = await Center(store=store).open("rack-1")
    store.center = center
    async with running(center.ingest.run):
        send(center, telemetry(1), ("event", event(1)))
        await settle()
    assert store.before_commit == [(0, 2)]
    assert len(acks(center)) == 1
    assert center.broker.unacked("records") == 0


# ---- when acks are sent (MQTT-14) ----------------------------------------------------------------------------


async def test_routine_acks_are_sent_once_in_two_seconds(center: Center) -> None:
    async with running(center.ingest.run, center.ingest.run_acks):
        for seq in range(1, 11):
            send(center, telemetry(seq))
            await center.clock.advance(500)
    sent = acks(center)
    assert 3 <= len(sent) <= 4
    assert sent[0] == (1, 1, 0)
    assert sent[-1][1] >= 7


async def test_the_last_records_are_acknowledged_even_if_nothing_follows(center: Center) -> None:
    async with running(center.ingest.run, center.ingest.run_acks):
        send(center, telemetry(1))
        await settle()
        send(center, telemetry(2))
        await settle()
        assert acks(center) == [(1, 1, 0)]
        await center.clock.advance(2_000)
    assert acks(center) == [(1, 1, 0), (1, 2, 0)]


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        (("event", event(1)), (1, 1, 1)),
        (("telemetry", telemetry(1)), (1, 1, 0)),
        (("telemetry", telemetry(9)), (1, 1, 0)),
        (("telemetry", b"{not json"), (1, 1, 0)),
    ],
    ids=["event", "duplicate", "ahead", "unreadable"],
)
async def test_what_a_device_waits_for_is_answered_at_once(
    center: Center, what: tuple[str, bytes], answer: tuple[int, int, int]
) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1))
        await settle()
        send(center, what)
        await settle()
    assert acks(center) == [(1, 1, 0), answer]


async def test_a_birth_is_answered_at_once_with_what_is_stored_of_that_boot(center: Center) -> None:
    center.store.tables.positions[TELEMETRY] = 41
    await center.ingest.acknowledge("rack-1", 1)
    await center.ingest.acknowledge("rack-1", 2)
    assert acks(center) == [(1, 41, 0), (2, 0, 0)]


async def test_a_birth_while_the_database_is_away_does_not_ask_it(
    center: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(pdu_id: str) -> dict[StreamKey, int]:
        raise AssertionError(f"the control link would wait for the database at each birth: {pdu_id}")

    center.ingest.database_away = "it hangs"
    monkeypatch.setattr(center.store, "positions", hang)
    await center.ingest.acknowledge("rack-1", 1)
    assert acks(center) == []


async def test_an_event_of_a_commit_that_was_given_up_and_happened_is_announced(
    center: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = center.store.commit

    async def late(batch: IngestBatch) -> None:
        monkeypatch.setattr(center.store, "commit", commit)
        await commit(batch)
        raise StoreUnavailableError("it does not answer within 5 s")

    monkeypatch.setattr(center.store, "commit", late)
    async with running(center.ingest.run):
        send(center, ("event", event(1)))
        await center.clock.advance(1_000)
    assert [one.event.seq for one in center.said if isinstance(one, EventAdded)] == [1]


async def test_an_unreadable_record_right_after_a_start_is_answered_with_the_position_in_the_database(
    center: Center,
) -> None:
    center.store.tables.positions[TELEMETRY] = 41
    await center.ingest.acknowledge("rack-1", 1)
    async with running(center.ingest.run):
        send(center, b"{")
        await settle()
    assert acks(center) == [(1, 41, 0), (1, 41, 0)]


async def test_a_birth_while_the_database_is_away_is_not_answered_with_a_position_nobody_knows(
    center: Center,
) -> None:
    center.store.away = "gone"
    await center.ingest.acknowledge("rack-1", 1)
    assert acks(center) == []


class SlowReads(FakeStore):
    """Reads positions only while `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()

    async def positions(self, pdu_id: str) -> dict[StreamKey, int]:
        await self.go.wait()
        return await super().positions(pdu_id)


async def test_positions_being_read_again_are_never_told_as_nothing_stored() -> None:
    """An ack of 0 would make the device book all it has sent as `not_held` (MQTT-18)."""
    store = SlowReads()
    center = await Center(store=store).open("rack-1")
    async with running(center.ingest.run, center.ingest.run_acks):
        send(center, telemetry(1))
        await settle()
        send(center, telemetry(2))  # its ack is held back
        await settle()
        store.tables.positions[TELEMETRY] = 5  # somebody else moved it
        store.go.clear()
        send(center, telemetry(3))
        await center.clock.advance(2_500)
        assert acks(center) == [(1, 1, 0)]
        store.go.set()
        await settle()
    assert acks(center) == [(1, 1, 0), (1, 5, 0)]


async def test_a_broker_that_is_down_loses_acks_but_no_record(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1))
        center.broker.stop()
        await settle()
        center.broker.start()
        await settle()
        send(center, telemetry(1), telemetry(2))
        await settle()
    assert stored_seconds(center) == [1, 2]
    assert acks(center)[-1] == (1, 2, 0)


# ---- which records are taken (MQTT-12, MQTT-13) -----------------------------------------------------------------


async def test_a_record_that_comes_twice_is_stored_once(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(1))
        await settle()
        send(center, telemetry(1))
        await settle()
    assert center.ingest.counts.duplicates == 2
    await center.history.fold()
    (rollup,) = [r for k, r in center.store.tables.rollups[60].items() if k.channel == 1]
    assert rollup.covered_ms == 1_000


async def test_a_record_ahead_is_not_stored_until_the_missing_one_has_come(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(2), telemetry(3))
        await settle()
        assert stored_seconds(center) == []
        assert acks(center) == [(1, 0, 0)]
        send(center, telemetry(1), telemetry(2), telemetry(3))
        await settle()
    assert stored_seconds(center) == [1, 2, 3]
    assert center.ingest.counts.ahead == 2


async def test_of_a_thinned_record_only_the_part_after_the_position_counts(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(2))
        send(center, telemetry(6, first=1, samples=6))
        await settle()
    rows = [row for (_, n, _), row in center.store.tables.outlets.items() if n == 1]
    assert [row.samples for row in rows] == [1, 1, 4]
    await center.history.fold()
    (rollup,) = [r for k, r in center.store.tables.rollups[60].items() if k.channel == 1]
    assert (rollup.covered_ms, rollup.power.count) == (6_000, 6)


async def test_a_gap_is_shortened_by_what_is_stored(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(2), gap(5, first=1, count=5))
        await settle()
    (row,) = center.store.tables.gaps
    assert (row.first, row.last, row.count, row.reason) == (3, 5, 3, "overflow")
    assert center.store.tables.positions[TELEMETRY] == 5


async def test_a_gap_of_unknown_size_stays_unknown(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, gap(5, first=1, count=None, reason="not_held"))
        await settle()
    (row,) = center.store.tables.gaps
    assert (row.first, row.last, row.count) == (1, 5, None)


async def test_a_gap_in_the_events_moves_the_position_of_the_events(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, ("event", gap(3, first=1, count=3)), ("event", event(4)))
        await settle()
    assert center.store.tables.positions == {EVENTS: 4}


async def test_each_start_of_a_device_has_positions_of_its_own(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(1, boot=2, ts_ms=START_MS + 90_000))
        await settle()
    assert center.store.tables.positions == {TELEMETRY: 1, StreamKey("rack-1", 2, Stream.TELEMETRY): 1}
    assert acks(center) == [(1, 1, 0), (2, 1, 0)]


# ---- records that cannot be understood (MQTT-19) -------------------------------------------------------------------


async def test_a_bad_record_with_a_readable_envelope_counts_as_stored(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1, live="perhaps"), telemetry(2))
        await settle()
    (row,) = center.store.tables.quarantine
    assert (row.reason, row.boot, row.seq) == ("wrong_type", 1, 1)
    assert b"perhaps" in row.payload
    assert center.store.tables.positions == {TELEMETRY: 2}
    assert center.ingest.counts.refused == {"wrong_type": 1}


async def test_an_unreadable_record_moves_nothing(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), b'{"v":1,"boot":1,"seq":')
        await settle()
    (row,) = center.store.tables.quarantine
    assert (row.reason, row.boot, row.seq) == ("unreadable", None, None)
    assert center.store.tables.positions == {TELEMETRY: 1}
    assert acks(center) == [(1, 1, 0)]


async def test_a_payload_nested_a_thousand_brackets_deep_harms_nobody(center: Center) -> None:
    deep = b'{"v":1,"boot":1,"seq":1,"up_ms":1,"code":"boot","data":{"a":' + b"[" * 1900 + b"]" * 1900 + b"}}"
    async with running(center.ingest.run):
        send(center, ("event", deep), telemetry(1))
        await settle()
    assert [row.reason for row in center.store.tables.quarantine] == ["unreadable"]
    assert center.store.tables.positions == {TELEMETRY: 1}


async def test_an_empty_payload_is_no_message(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, b"", ("event", b""))
        await settle()
    assert center.store.tables.quarantine == []
    assert acks(center) == []
    assert center.broker.unacked("records") == 0


@pytest.mark.parametrize(
    "topic",
    ["loadcenter/v1/Rack_One/up/telemetry", f"loadcenter/v1/{'x' * 33}/up/event"],
)
async def test_a_topic_that_names_no_device_goes_to_quarantine(center: Center, topic: str) -> None:
    async with running(center.ingest.run):
        center.broker.publish(topic, telemetry(1))
        await settle()
    (row,) = center.store.tables.quarantine
    assert (row.reason, row.pdu_id, row.topic) == ("foreign_topic", "", topic)


async def test_a_stranger_is_neither_stored_nor_acknowledged_and_warned_of_once(
    center: Center, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(center.ingest.run):
            for seq in (1, 2, 3):
                send(center, telemetry(seq), ("event", event(seq)), pdu_id="stranger")
                await settle()
    assert center.store.tables.outlets == {}
    assert center.store.tables.quarantine == []
    assert acks(center, "stranger") == []
    assert center.broker.unacked("records") == 0
    assert caplog.text.count("loadcenter device add stranger") == 1


async def test_a_stranger_that_is_registered_later_is_taken_from_its_first_record(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1), pdu_id="rack-2")
        await settle()
        await center.registry.add("rack-2", "")
        send(center, telemetry(1), telemetry(2), pdu_id="rack-2")
        await settle()
    assert acks(center, "rack-2") == [(1, 2, 0)]


# ---- what the database does meanwhile -------------------------------------------------------------------------------


class Picky(FakeStore):
    """Refuses every batch that holds a reading of 66,666 mW."""

    async def commit(self, batch: IngestBatch) -> None:
        if any(row.power_mw == 66_666 for record in batch.records for row in record.readings.outlets):
            raise StoreDataError("66,666 does not fit")
        await super().commit(batch)


async def test_one_record_that_the_database_refuses_goes_to_quarantine_and_the_others_are_stored() -> None:
    center = await Center(store=Picky()).open("rack-1")
    poison = telemetry(7, out=[{"n": 1, "on": True, "i_ma": 1, "p_mw": 66_666, "e_mwh": 1}])
    async with running(center.ingest.run):
        send(center, *(telemetry(seq) for seq in range(1, 7)), poison, *(telemetry(s) for s in range(8, 12)))
        await settle()
    assert stored_seconds(center) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    (row,) = center.store.tables.quarantine
    assert (row.reason, row.seq) == ("out_of_range", 7)
    assert "66,666 does not fit" in row.detail
    assert center.store.tables.positions == {TELEMETRY: 11}
    assert center.broker.unacked("records") == 0


class Contested(FakeStore):
    """Another writer moves the telemetry position right before our first COMMIT."""

    def __init__(self) -> None:
        super().__init__()
        self.contested = False

    async def commit(self, batch: IngestBatch) -> None:
        if not self.contested:
            self.contested = True
            await super().commit(IngestBatch(positions=[Position(TELEMETRY, 0, 1)]))
        await super().commit(batch)


async def test_after_a_position_conflict_the_positions_are_read_again_and_the_batch_goes_on() -> None:
    center = await Center(store=Contested()).open("rack-1")
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(2))
        await settle()
    assert stored_seconds(center) == [2]
    assert center.store.tables.positions == {TELEMETRY: 2}
    assert center.ingest.counts.retries == 1
    assert acks(center) == [(1, 2, 0)]


async def test_a_short_absence_of_the_database_keeps_the_connection_and_the_batch(center: Center) -> None:
    async with running(center.ingest.run):
        center.store.away = "restarting"
        send(center, telemetry(1))
        await center.clock.advance(3_000)
        assert center.ingest.database_away == "restarting"
        assert center.records.state is LinkState.UP
        assert center.broker.unacked("records") == 1
        center.store.away = None
        await center.clock.advance(1_000)
    assert center.ingest.database_away == ""
    assert center.records.generation == 1
    assert stored_seconds(center) == [1]
    assert center.broker.unacked("records") == 0
    assert center.ingest.counts.pauses == 0


async def test_a_long_absence_takes_the_records_connection_down_and_everything_is_stored_afterwards(
    center: Center,
) -> None:
    async with running(center.ingest.run):
        send(center, telemetry(1))
        await settle()
        center.store.away = "no such host"
        send(center, telemetry(2))
        await center.clock.advance(6_000)
        assert center.records.state is LinkState.PAUSED
        send(center, *(telemetry(seq) for seq in range(3, 100)), ("event", event(1)))
        await center.clock.advance(600_000)
        assert center.ingest.database_away == "no such host"
        center.store.away = None
        await center.clock.advance(1_000)
    assert center.records.generation == 2
    assert stored_seconds(center) == list(range(1, 100))
    assert center.store.tables.positions == {TELEMETRY: 99, EVENTS: 1}
    assert center.ingest.counts.pauses == 1
    assert center.ingest.database_away == ""
    assert center.broker.unacked("records") == 0


async def test_a_database_restored_from_a_backup_is_asked_for_its_positions_anew(
    center: Center, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(center.ingest.run):
        send(center, *(telemetry(seq) for seq in range(1, 11)))
        await settle()
        backup = center.store.tables.fork()
        send(center, *(telemetry(seq) for seq in range(11, 21)))
        await settle()
        center.store.away = "being restored"
        send(center, telemetry(21))
        await center.clock.advance(6_000)
        center.store.tables, center.store.away = backup, None
        await center.clock.advance(1_000)
    assert acks(center)[-1] == (1, 10, 0)
    assert "moved by somebody else" not in caplog.text


async def test_events_are_announced_only_once_they_are_stored(center: Center) -> None:
    async with running(center.ingest.run):
        send(center, ("event", event(1, "trip", out=2, data={"i_ma": 6000})))
        await settle()
    assert center.news.trip_numbers("rack-1", 2) == {"i_ma": 6000}
    assert center.news.last_id == 1


# ---- restarts of a device (MQTT-16) ---------------------------------------------------------------------------------


async def test_a_boot_event_books_what_the_boot_before_has_lost(center: Center) -> None:
    closes = {"closes": {"boot": 1, "telemetry": 9}}
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(2), ("event", event(1, "boot", boot=2, data=closes)))
        await settle()
        send(center, telemetry(3))  # a straggler of the boot before is a duplicate of the gap
        await settle()
    (row,) = center.store.tables.gaps
    assert (row.key, row.first, row.last, row.count, row.reason) == (TELEMETRY, 3, 9, 7, "reboot")
    assert center.store.tables.positions[TELEMETRY] == 9
    assert stored_seconds(center) == [1, 2]


async def test_a_boot_event_after_everything_was_stored_books_nothing(center: Center) -> None:
    closes = {"closes": {"boot": 1, "telemetry": 2}}
    async with running(center.ingest.run):
        send(center, telemetry(1), telemetry(2), ("event", event(1, "boot", boot=2, data=closes)))
        await settle()
    assert center.store.tables.gaps == []


async def test_a_boot_event_that_knows_no_number_books_a_gap_of_unknown_size(center: Center) -> None:
    closes = {"closes": {"boot": 1, "telemetry": None}}
    async with running(center.ingest.run):
        send(center, telemetry(1), ("event", event(1, "boot", boot=2, data=closes)))
        await settle()
    (row,) = center.store.tables.gaps
    assert (row.first, row.count) == (2, None)
    assert center.store.tables.positions[TELEMETRY] == 1


@pytest.mark.parametrize(
    "closes",
    [
        None,
        {},
        {"boot": 0, "telemetry": 5},
        {"boot": True, "telemetry": 5},
        {"boot": 2, "telemetry": 5},
        7,
        "x",
    ],
    ids=["none", "empty", "boot 0", "a truth", "its own boot", "a number", "a word"],
)
async def test_a_boot_event_that_closes_no_earlier_boot_books_nothing(center: Center, closes: object) -> None:
    async with running(center.ingest.run):
        send(center, ("event", event(1, "boot", boot=2, data={"closes": closes})))
        await settle()
    assert center.store.tables.gaps == []
    assert center.store.tables.positions == {StreamKey("rack-1", 2, Stream.EVENT): 1}


# ---- the time of a record (MQTT-4) ----------------------------------------------------------------------------------


async def test_a_record_of_a_device_without_a_clock_gets_the_time_that_its_uptime_tells(
    center: Center,
) -> None:
    center.clock.skew_ms += 100_000
    await center.hear("telemetry", telemetry(100, ts_ms=None))
    async with running(center.ingest.run):
        send(center, *(telemetry(seq, ts_ms=None) for seq in range(1, 101)))
        await settle()
    assert stored_seconds(center) == list(range(1, 101))


async def test_records_without_a_clock_of_a_boot_never_heard_live_keep_their_distances(
    center: Center,
) -> None:
    """They must not fall on the same instant: raw rows have the time in their key."""
    center.clock.skew_ms += 500_000
    async with running(center.ingest.run):
        send(center, *(telemetry(seq, ts_ms=None) for seq in range(1, 61)))
        await settle()
    assert stored_seconds(center) == list(range(441, 501))


@pytest.mark.parametrize(
    "ts_ms", [0, 978_307_200_000, START_MS + 10 * 86_400_000], ids=["1970", "2001", "in ten days"]
)
async def test_an_absurd_clock_of_a_device_is_not_believed(center: Center, ts_ms: int) -> None:
    center.clock.skew_ms += 5_000
    async with running(center.ingest.run):
        send(center, telemetry(1, ts_ms=ts_ms))
        await settle()
    assert stored_seconds(center) == [5]


async def test_late_records_keep_the_time_at_which_they_were_measured(center: Center) -> None:
    center.clock.skew_ms += 30 * 86_400_000
    async with running(center.ingest.run):
        send(center, telemetry(1))
        await settle()
    assert stored_seconds(center) == [1]
