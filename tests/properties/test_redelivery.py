"""However often and in whatever order records come, they are kept as if each had come once, in order (MQTT-12).

A small model of a device (MQTT-15) sends, hears acks and sends again; hypothesis decides what the network, the broker,
the database and the control center do meanwhile: copies, other orders, batches of any size, commits that fail before or
after they were written, absences that take the records connection down, restarts. The last tests take away one
safeguard each and show that the property then fails: it can see what it is there to see.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fakes import builders
from tests.fakes.builders import START_MS, down, planner, running, up
from tests.fakes.clock import FakeClock, settle
from tests.fakes.link import FakeBroker
from tests.fakes.store import FakeStore

from loadcenter.protocol import topics
from loadcenter.protocol.session import StreamKey
from loadcenter.services.ingest import Ingest, IngestConfig
from loadcenter.services.ports import IngestBatch, LinkState, StoreUnavailableError

DAY_MS = 86_400_000
PDUS = ("rack-1", "rack-2")


@dataclass(frozen=True)
class Record:
    """One record as it lies in the outbox of a device."""

    pdu_id: str
    leaf: str
    boot: int
    first: int
    seq: int
    payload: bytes

    @property
    def topic(self) -> str:
        return up(self.pdu_id, self.leaf)


@dataclass(frozen=True)
class Life:
    """One start of the devices: what they record until they restart, and how much telemetry each restart loses."""

    records: tuple[Record, ...]


@dataclass(frozen=True)
class Round:
    """Some records reach the broker, in batches; then the devices hear what is stored.

    `picks` choose, by number, among everything the devices have recorded in this life; `sizes` cut it into batches.
    """

    picks: tuple[int, ...]
    sizes: tuple[int, ...]
    restart: bool


@dataclass(frozen=True)
class Story:
    lives: tuple[Life, ...]
    rounds: tuple[tuple[Round, ...], ...]
    faults: tuple[str, ...]


# ---- what devices record ----------------------------------------------------------------------------------------


@st.composite
def streams(draw: st.DrawFn, pdu_id: str, boot: int, lost: int) -> list[Record]:
    """Return the records of one start of a device: telemetry single, thinned and gaps, and events."""
    records = []
    seq = 0
    has_clock = draw(st.booleans())
    for kind, span in draw(
        st.lists(st.tuples(st.sampled_from("sstg"), st.integers(1, 4)), min_size=1, max_size=8)
    ):
        length = 1 if kind == "s" else span
        first, seq = seq + 1, seq + length
        records.append(
            Record(pdu_id, "telemetry", boot, first, seq, _telemetry(kind, boot, first, seq, has_clock))
        )
    last_before = draw(st.integers(0, 1)) and lost
    codes = ["boot"] if boot > 1 else []
    codes += draw(st.lists(st.sampled_from(["switched", "trip", "gap"]), max_size=5))
    for number, code in enumerate(codes, 1):
        data: dict[str, Any] = (
            {"closes": {"boot": boot - 1, "telemetry": last_before}} if code == "boot" else {}
        )
        body = (
            builders.gap(number, first=number, count=1, boot=boot)
            if code == "gap"
            else builders.event(number, code, boot=boot, data=data, ts_ms=_ts(boot, number))
        )
        records.append(Record(pdu_id, "event", boot, number, number, body))
    return records


def _ts(boot: int, seq: int) -> int:
    return START_MS + boot * 3_600_000 + seq * 1000


def _telemetry(kind: str, boot: int, first: int, seq: int, has_clock: bool) -> bytes:
    ts_ms = _ts(boot, seq) if has_clock else None
    if kind == "g":
        return builders.gap(seq, first=first, count=seq - first + 1, boot=boot, ts_ms=ts_ms)
    out = [builders.outlet(n, p_mw=1000 * seq + n, e_mwh=100_000 * boot + 10 * seq) for n in (1, 2)]
    return builders.telemetry(seq, first=first, boot=boot, ts_ms=ts_ms, out=out)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    pdus = PDUS[: draw(st.integers(1, 2))]
    lives, rounds, last = [], [], dict.fromkeys(pdus, 0)
    for boot in range(1, draw(st.integers(1, 2)) + 1):
        records: list[Record] = []
        for pdu_id in pdus:
            lost = last[pdu_id] + draw(st.integers(0, 3))
            records += draw(streams(pdu_id, boot, lost))
            last[pdu_id] = max(one.seq for one in records if one.leaf == "telemetry" and one.pdu_id == pdu_id)
        lives.append(Life(tuple(records)))
        number = st.integers(0, len(records) - 1)
        copies = st.lists(number, max_size=3 * len(records))
        sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4)
        one_round = st.builds(Round, copies.map(tuple), sizes.map(tuple), st.booleans())
        rounds.append(tuple(draw(st.lists(one_round, max_size=4))))
    fault = st.sampled_from(["", "", "", "before", "after", "long"])
    return Story(tuple(lives), tuple(rounds), tuple(draw(st.lists(fault, max_size=12))))


# ---- where they are kept ------------------------------------------------------------------------------------------


class FaultyStore(FakeStore):
    """Fails as the story says: before anything is written, after all of it was, or for 20 tries on end."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.tries_left = 0

    async def commit(self, batch: IngestBatch) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "long":
            self.tries_left = 20
        await self.ping()
        if fault == "before":
            raise StoreUnavailableError("the connection was lost")
        await super().commit(batch)
        if fault == "after":
            raise StoreUnavailableError("the connection was lost, and nobody knows whether it was written")

    async def ping(self) -> None:
        if self.tries_left:
            self.tries_left -= 1
            raise StoreUnavailableError("the database is away")


def kept(store: FakeStore) -> dict[str, Any]:
    """Return everything that was stored, in a form that does not tell the order of arrival."""
    while store.fold_now():
        pass
    tables = store.tables
    return {
        "outlets": tables.outlets,
        "sources": tables.sources,
        "rollups": tables.rollups[60],
        "events": {(e.pdu_id, e.boot, e.seq): replace(e, id=0) for e in tables.events},
        "events in all": len(tables.events),
        "gaps": sorted(map(str, tables.gaps)),
        "quarantine": len(tables.quarantine),
        "positions": tables.positions,
    }


# ---- the run ----------------------------------------------------------------------------------------------------------


@dataclass
class Bench:
    """Devices, broker, control center and database of one run."""

    store: FakeStore
    make_ingest: Callable[..., Ingest] = Ingest
    broker: FakeBroker = field(default_factory=FakeBroker)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START_MS + DAY_MS))

    def __post_init__(self) -> None:
        self.link = self.broker.link(
            "records", (up("+", "telemetry"), 1), (up("+", "event"), 1), persistent=True, inbox_limit=10_000
        )
        self.link.open()

    async def restart(self) -> Ingest:
        """Return a control center that has just been started: it remembers nothing, and connects anew."""
        if self.link.state is LinkState.PAUSED:
            await self.link.resume()
        else:
            self.broker.sever("records")
        known = planner(uptime_origin=lambda _pdu, boot: START_MS + boot * 3_600_000)
        # real time does not pass here, so nothing is waited for
        config = IngestConfig(linger_ms=0)
        return self.make_ingest(
            self.link, self.store, self.clock, known, _nothing, lambda _read: None, config
        )

    async def deliver(self, records: list[Record], sizes: tuple[int, ...]) -> None:
        at = 0
        for turn in range(len(records)):
            size = sizes[turn % len(sizes)]
            for one in records[at : at + size]:
                self.broker.publish(one.topic, one.payload)
            await self.clock.advance(1_000)
            at += size
            if at >= len(records):
                return

    def acknowledged(self, record: Record) -> bool:
        """Return whether a device knows that its record is stored: every ack of its boot says how far."""
        acks = [json.loads(one) for one in self.broker.payloads(down(record.pdu_id, topics.Down.ACK))]
        return any(ack["boot"] == record.boot and ack[record.leaf] >= record.seq for ack in acks)


async def _nothing() -> None:
    """Nobody wants to hear of new events here."""


async def in_order(story: Story) -> FakeStore:
    """Return the database after each record was delivered once, in order, with nothing failing."""
    bench = Bench(FakeStore())
    ingest = await bench.restart()
    async with running(ingest.run):
        for life in story.lives:
            for one in life.records:
                bench.broker.publish(one.topic, one.payload)
            await settle()
    return bench.store


async def disturbed(story: Story, bench: Bench) -> None:
    """Run the story, and let the devices send again until they know that everything is stored."""
    if isinstance(bench.store, FaultyStore):
        bench.store.faults = list(story.faults)
    ingest = await bench.restart()
    for life, rounds in zip(story.lives, story.rounds, strict=True):
        for one in rounds:
            if one.restart:
                ingest = await bench.restart()
            async with running(ingest.run, ingest.run_acks):
                await bench.deliver([life.records[pick] for pick in one.picks], one.sizes)
        ingest = await bench.restart()
        async with running(ingest.run, ingest.run_acks):
            for _ in range(40):
                held = [one for one in life.records if not bench.acknowledged(one)]
                if not held:
                    break
                await bench.deliver(held, (len(held),))
                await bench.clock.advance(5_000)
            assert not held, f"never acknowledged: {held}"
            await bench.clock.advance(30_000)


def check(story: Story, make_store: Callable[[], FakeStore]) -> None:
    async def compare() -> tuple[FakeStore, FakeStore]:
        bench = Bench(make_store())
        await disturbed(story, bench)
        return bench.store, await in_order(story)

    found, wanted = asyncio.run(compare())
    assert kept(found) == kept(wanted)


ONE = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@ONE
@given(stories())
def test_records_delivered_in_any_way_are_kept_as_if_delivered_once_in_order(story: Story) -> None:
    check(story, FaultyStore)


# ---- a device that thins what it holds ------------------------------------------------------------------------------


@dataclass
class ThinningDevice:
    """Telemetry of one start; what is not acknowledged may be thinned or given up as a gap (MQTT-17).

    Attributes:
        held: (first, seq, is it a gap) in order.
        versions: every payload that was ever sent, as a broker may deliver it again.
    """

    held: list[tuple[int, int, bool]]
    versions: list[bytes] = field(default_factory=list)

    def send(self) -> None:
        for first, seq, is_gap in self.held:
            self.versions.append(_telemetry("g" if is_gap else "t", 1, first, seq, has_clock=True))

    def join(self, at: int, *, give_up: bool) -> None:
        """Make one record of two that follow each other; one with a gap in it can only be a gap."""
        if at + 1 < len(self.held):
            (first, _, one), (_, seq, other) = self.held[at], self.held.pop(at + 1)
            self.held[at] = first, seq, give_up or one or other

    def hear(self, position: int) -> None:
        self.held = [one for one in self.held if one[1] > position]


acts = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 20), st.booleans()),
        st.tuples(st.just("deliver"), st.lists(st.integers(0, 10_000), max_size=12), st.booleans()),
    ),
    max_size=12,
)


async def thinned(samples: int, todo: list[tuple[str, Any, bool]]) -> FakeStore:
    bench = Bench(FakeStore())
    device = ThinningDevice([(seq, seq, False) for seq in range(1, samples + 1)])
    ingest = await bench.restart()
    async with running(ingest.run):
        device.send()
        for act, what, flag in [*todo, ("all", [], True)]:
            if act == "join":
                device.join(what, give_up=flag)
                continue
            device.send()
            picks = what if act == "deliver" else range(len(device.versions))
            for pick in picks:
                bench.broker.publish(up("rack-1", "telemetry"), device.versions[pick % len(device.versions)])
            await settle()
            if flag:
                device.hear(max(bench.store.tables.positions.values(), default=0))
    assert device.held == []
    return bench.store


@settings(ONE, max_examples=100)
@given(st.integers(1, 20), acts)
def test_however_a_device_thins_what_it_holds_each_sample_is_counted_once(
    samples: int, todo: list[tuple[str, Any, bool]]
) -> None:
    store = asyncio.run(thinned(samples, todo))
    while store.fold_now():
        pass
    tables = store.tables
    covered_ms = sum(rollup.covered_ms for key, rollup in tables.rollups[60].items() if key.channel == 1)
    given_up = sum(gap.count or 0 for gap in tables.gaps)
    assert covered_ms // 1000 + given_up == samples


# ---- without a safeguard the property fails ------------------------------------------------------------------------------


class ForgetsPositions(FaultyStore):
    """Ablation: rows are written, positions are not; what a restarted control center believes is 0."""

    async def commit(self, batch: IngestBatch) -> None:
        await super().commit(replace(batch, positions=()))

    async def positions(self, pdu_id: str) -> dict[StreamKey, int]:
        return {}


class AcknowledgesBeforeCommit(FaultyStore):
    """Ablation: ingest is told that the batch is stored, whatever becomes of it."""

    async def commit(self, batch: IngestBatch) -> None:
        try:
            await super().commit(batch)
        except StoreUnavailableError:
            return


class PositionsOutsideTheTransaction(FaultyStore):
    """Ablation: positions are written by themselves, after the rows; a failure may fall in between."""

    async def commit(self, batch: IngestBatch) -> None:
        await super().commit(replace(batch, positions=()))
        self.tables.positions.update({move.key: move.after for move in batch.positions})


@pytest.mark.parametrize(
    "ablation", [ForgetsPositions, AcknowledgesBeforeCommit, PositionsOutsideTheTransaction]
)
def test_without_that_safeguard_records_are_lost_or_doubled(ablation: type[FakeStore]) -> None:
    @settings(
        ONE,
        max_examples=300,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    @given(stories())
    def ablated(story: Story) -> None:
        check(story, ablation)

    with pytest.raises(AssertionError):
        ablated()


def test_the_model_itself_finds_nothing_wrong_in_order() -> None:
    """An undisturbed story is kept as it was recorded: the comparison above is not one of two empty tables."""
    record = Record("rack-1", "telemetry", 1, 1, 1, _telemetry("s", 1, 1, 1, has_clock=True))
    store = asyncio.run(in_order(Story((Life((record,)),), ((),), ())))
    assert len(store.tables.outlets) == 2
