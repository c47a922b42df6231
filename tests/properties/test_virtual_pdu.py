"""A virtual PDU against a wire that loses, repeats and delays, and a control center that comes and goes."""

import json
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulator.wire import LOADS, Wire

from loadcenter.domain.topology import Source
from loadcenter.protocol.session import Ahead, Duplicate, Stream, StreamKey, Taken, judge
from loadcenter.simulator.gateway import Limits
from loadcenter.simulator.loads import CATALOG
from loadcenter.simulator.mains import UNDISTURBED, Disturbance
from loadcenter.simulator.pdu import PduSpec, VirtualPdu

SPEC = PduSpec("rack-1", [CATALOG[name](n) for n, name in enumerate(LOADS)], limits=Limits(outbox=40))

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(1, 60)),
        st.tuples(st.just("cut"), st.integers(1, 60)),
        st.tuples(st.just("deaf"), st.integers(1, 60)),
        st.tuples(st.just("gateway"), st.none()),
        st.tuples(st.just("power"), st.none()),
        st.tuples(st.just("break"), st.booleans()),
        st.tuples(st.just("garbage"), st.binary(max_size=20)),
    ),
    max_size=12,
)


class Server:
    """Takes records as MQTT-12 says, over a wire that a test makes bad."""

    def __init__(self, seed, spec=SPEC):
        self.rng = random.Random(seed)
        self.positions = {}
        self.taken = {}
        self.now_ms = 0
        self.pdu = VirtualPdu(spec, seed, 0)

    def run(self, seconds, *, hears=True, network=True):
        for _ in range(seconds):
            self.now_ms += 1000
            if not network and self.pdu.is_connected:
                self.pdu.disconnected(self.now_ms)
            outgoing = self.pdu.advance(self.now_ms)
            if network and not self.pdu.is_connected:
                outgoing += self.pdu.connected(self.now_ms)
            while outgoing:
                touched = self.take(outgoing) if hears else set()
                outgoing = [message for boot in touched for message in self.acknowledge(boot)]

    def take(self, outgoing):
        """Take records, some twice and some in the wrong order, and return the boots to acknowledge."""
        messages = [one for one in outgoing for _ in range(self.rng.choice([1, 1, 1, 2]))]
        if self.rng.random() < 0.3:
            self.rng.shuffle(messages)
        touched = set()
        for message in messages:
            leaf, body = message.topic.rsplit("/", 1)[1], json.loads(message.payload)
            if leaf in ("telemetry", "event"):
                self.judge(StreamKey("rack-1", body["boot"], Stream(leaf)), body)
                touched.add(body["boot"])
        return touched

    def judge(self, key, body):
        first = body.get("from", body["seq"])
        match judge(self.positions.get(key, 0), first, body["seq"]):
            case Taken(start, seq):
                self.positions[key] = seq
                gap = body.get("gap")
                self.taken.setdefault(key, []).append((start, seq, None if gap is None else gap["reason"]))
            case Duplicate() | Ahead():
                pass

    def acknowledge(self, boot):
        positions = {
            stream.value: self.positions.get(StreamKey("rack-1", boot, stream), 0) for stream in Stream
        }
        payload = json.dumps({"v": 1, "boot": boot, **positions}).encode()
        return self.pdu.receive("loadcenter/v1/rack-1/down/ack", payload, False, self.now_ms)


def play(server, steps):
    for name, value in steps:
        match name:
            case "run":
                server.run(value)
            case "cut":
                server.run(value, network=False)
            case "deaf":
                server.run(value, hears=False)
            case "gateway":
                server.pdu.reboot_gateway(server.now_ms)
            case "power":
                server.pdu.power_cycle(server.now_ms)
            case "break":
                supply = server.pdu.plant.supplies[Source.MAIN]
                supply.disturb(Disturbance(0) if value else UNDISTURBED, server.now_ms)
                server.pdu.plant.touch()
            case "garbage":
                for leaf in ("command", "ack", "time", "desired", "else"):
                    server.pdu.receive(f"loadcenter/v1/rack-1/down/{leaf}", value, False, server.now_ms)
    server.run(120)  # a wire that shuffles may undo several rounds of sending again


@settings(deadline=None, max_examples=25)
@given(STEPS, st.integers(0, 99))
def test_every_record_of_the_last_boot_arrives_once_or_as_an_announced_gap(steps, seed):
    server = Server(seed)
    play(server, steps)
    boot = server.pdu.boot
    gateway = server.pdu._gateway
    for stream, outbox in ((Stream.TELEMETRY, gateway.telemetry), (Stream.EVENT, gateway.events)):
        spans = server.taken[StreamKey("rack-1", boot, stream)]
        assert [start for start, _, _ in spans] == [1] + [seq + 1 for _, seq, _ in spans[:-1]]
        assert spans[-1][1] == outbox.next_seq - 1
        assert {reason for _, _, reason in spans} <= {None, "overflow"}
        assert outbox.records == []


@settings(deadline=None, max_examples=25)
@given(STEPS, st.integers(0, 99))
def test_no_event_of_any_boot_is_lost(steps, seed):
    server = Server(seed)
    play(server, steps)
    for boot in range(1, server.pdu.boot + 1):
        spans = server.taken[StreamKey("rack-1", boot, Stream.EVENT)]
        assert all(reason is None and start == seq for start, seq, reason in spans)
        assert [seq for _, seq, _ in spans] == list(range(1, len(spans) + 1))


@settings(deadline=None, max_examples=30)
@given(STEPS, st.integers(0, 99))
def test_memory_stays_bounded(steps, seed):
    server = Server(seed)
    play(server, [*steps[:6], ("cut", 90), ("deaf", 60)])
    gateway = server.pdu._gateway
    assert len(gateway.telemetry.records) <= 40
    assert len(gateway.events.records) <= 256
    assert len(gateway._seqs) <= 512


@settings(deadline=None, max_examples=30)
@given(STEPS, st.integers(0, 99))
def test_two_source_relays_with_a_dead_time_never_close_both(steps, seed):
    server = Server(seed, replace(SPEC, dead_ms=10))
    play(server, [*steps, ("break", True)])
    assert server.pdu.plant.changeover.violations == 0


def test_without_dead_time_the_same_course_reports_violations():
    violations = 0
    for seed in range(8):
        server = Server(seed, replace(SPEC, dead_ms=0))
        play(server, [("run", 5), ("break", True)])
        violations += server.pdu.plant.changeover.violations
    assert violations > 0


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["command", "ack", "time", "desired"]),
    st.booleans(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "v",
                        "id",
                        "boot",
                        "n",
                        "exp_up_ms",
                        "do",
                        "out",
                        "on",
                        "pdu",
                        "version",
                        "ts_ms",
                        "telemetry",
                        "event",
                        "limit_ma",
                        "off_ms",
                        "src",
                    ]
                ),
                inner | st.sampled_from([1, "switch", "main", 2**70, -1]),
                max_size=8,
            )
        ),
    ),
)
def test_whatever_it_is_sent_no_relay_moves(leaf, retained, body):
    wire = Wire().run(3000, 1000)
    before = wire.pdu.state.drives
    wire.tell(leaf, json.dumps(body).encode(), retained=retained)
    wire.run(1000, 1000)
    switched = wire.pdu.state.drives != before
    assert not switched or any(one["status"] == "accepted" for one in wire.of("result"))


def records(outgoing):
    return {one.payload for one in outgoing if one.topic.endswith(("telemetry", "event"))}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 600), max_size=30), st.integers(0, 9))
def test_how_time_is_cut_into_calls_changes_nothing(ticks, seed):
    whole, cut = VirtualPdu(SPEC, seed, 0), VirtualPdu(SPEC, seed, 0)
    first = whole.connected(0) + whole.advance(sum(ticks) // 20 * 20)
    second, now_ms = cut.connected(0), 0
    for tick in ticks:
        now_ms += tick
        second += cut.advance(now_ms // 20 * 20)
    assert records(first) == records(second)
