"""Telemetry in bounded memory: thinned, then a gap, and short enough on the wire; beside the simulated device."""

import json
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.witness import Checker
from tests.firmware.nodemcu.modules import load

from loadcenter.simulator.encode import encode_record
from loadcenter.simulator.outbox import Outbox as SimulatedOutbox

samples, outbox_module, boxes_module = load("samples"), load("outbox"), load("boxes")
Clock = load("clock").Clock
CHECKER = Checker()

READING = st.none() | st.integers(0, 400_000)
SOURCE = st.tuples(READING, st.none() | st.integers(0, 80_000), st.integers(0, 2))
OUTLET = st.tuples(
    st.booleans(),
    st.none() | st.integers(0, 100_000),
    st.none() | st.integers(0, 40_000_000),
    st.none() | st.integers(0, 2**48 - 1),
    st.integers(0, 2),
)


def sample(powers: list[int | None], energy: int = 0) -> tuple[Any, ...]:
    outlets = tuple((True, None if p is None else p // 230, p, energy, 0) for p in powers)
    return (False, True, (230_000, 50_000, 0), (None, None, 2), outlets)


def body(one: tuple[Any, ...]) -> dict[str, Any]:
    """Return a sample as the simulated device holds it."""
    backup, live, main, other, outlets = one
    return {
        "active": "backup" if backup else "main",
        "live": live,
        "src": {"main": {"v_mv": main[0], "f_mhz": main[1]}, "backup": {"v_mv": other[0], "f_mhz": other[1]}},
        "out": [
            {"n": n, "on": on, "i_ma": i, "p_mw": p, "e_mwh": e}
            for n, (on, i, p, e, _) in enumerate(outlets, 1)
        ],
    }


def sent(record: bytes, head: int = 60) -> dict[str, Any]:
    return json.loads("{" + samples.fields(record, head) + "}")


@given(st.booleans(), st.booleans(), SOURCE, SOURCE, st.lists(OUTLET, min_size=1, max_size=8))
def test_a_sample_comes_out_as_it_went_in(backup, live, main, other, outlets):
    """MQTT-20, MQTT-22."""
    fields = sent(samples.pack(7, 7000, (backup, live, main, other, outlets), 20_000, -61))
    word = {0: None, 1: "stale", 2: "invalid"}
    assert fields["active"] == ("backup" if backup else "main")
    assert fields["live"] is live
    for name, (volts, hertz, q) in (("main", main), ("backup", other)):
        source = fields["src"][name]
        assert (source["v_mv"], source["f_mhz"], source.get("q")) == (volts, hertz, word[q])
    for n, (outlet, (on, i_ma, p_mw, e_mwh, q)) in enumerate(zip(fields["out"], outlets, strict=True), 1):
        assert (outlet["n"], outlet["on"], outlet.get("q")) == (n, on, word[q])
        assert (outlet["i_ma"], outlet["p_mw"], outlet["e_mwh"]) == (i_ma, p_mw, e_mwh)


@given(
    st.lists(
        st.lists(st.none() | st.integers(0, 40_000_000), min_size=2, max_size=2), min_size=2, max_size=10
    )
)
def test_thinning_keeps_averages_and_extremes(powers):
    """MQTT-11: of what is known; twice thinned as well as once."""
    records = [samples.pack(n, n * 1000, sample(one, n), 1, 1) for n, one in enumerate(powers, 1)]
    fields = sent(samples.merge(records))
    assert (fields.get("from", len(powers)), fields["seq"] if "seq" in fields else len(powers)) == (
        1,
        len(powers),
    )
    assert "samples" not in fields
    for at in (0, 1):
        known = [one[at] for one in powers if one[at] is not None]
        outlet = fields["out"][at]
        assert outlet["e_mwh"] == len(powers)
        assert outlet["p_min_mw"] == (min(known) if known else None)
        assert outlet["p_max_mw"] == (max(known) if known else None)
        assert (
            outlet["p_mw"] == pytest.approx(sum(known) / len(known), abs=0.6)
            if known
            else outlet["p_mw"] is None
        )


def test_an_outlet_less_or_more_does_not_stop_thinning():
    """Another UNO at the same gateway."""
    records = [samples.pack(n, n, sample([1000] * count), 0, 0) for n, count in enumerate((2, 4, 4), 1)]
    assert [outlet["p_mw"] for outlet in sent(samples.merge(records))["out"]] == [1000] * 4
    assert [outlet["p_mw"] for outlet in sent(samples.merge(records[::-1]))["out"]] == [1000] * 2


def test_the_largest_telemetry_of_four_outlets_is_below_512_bytes(tmp_path):
    """MQTT-2: 10 kW on each outlet; extremes go where they matter least."""
    clock = Clock(lambda: 10**9)
    clock.offset_ms = 10**12
    boxes = boxes_module.Boxes(str(tmp_path), clock, lambda n: n // 2, window=600, capacity=4)
    boxes._doubted_ms = None
    boxes._telemetry.seq = 10**8
    outlet = (True, 99_999, 9_999_999, 10**10, 0)
    off = (False, 0, 0, 10**8, 0)
    for n in range(9):
        outlets = (outlet, (True, 99_999, 9_999_999 - n, 10**10, 0), off, off)
        boxes.add_telemetry(
            (True, False, (399_999, 79_999, 0), (399_999, 79_999, 2), outlets), heap=99_999, rssi=-100
        )
    payloads = []
    while (record := boxes.next()) is not None:
        payloads += [record[1]] if record[0] == "telemetry" else []
        boxes._telemetry.window = 600
    assert len(payloads) > 2
    assert max(map(len, payloads)) <= 511
    for payload in payloads:
        assert CHECKER.error("up/telemetry", payload, retained=False) is None
    thinned = next(
        json.loads(payload) for payload in payloads if b'"samples"' in payload or b'"p_max_mw"' in payload
    )
    assert [one["n"] for one in thinned["out"] if "p_min_mw" in one] == [2]


@pytest.mark.parametrize(("coarsest", "kept"), [(3600, 6000), (200, 1000)])
def test_telemetry_without_an_end_stays_in_few_records(monkeypatch, coarsest, kept):
    """MQTT-17: hours without a broker are thinned, what is older is one gap, and every number is told."""
    monkeypatch.setattr(samples, "SAMPLES_MAX", coarsest)
    telemetry = samples.Telemetry(1, 16)
    for n in range(1, 6001):
        telemetry.add(samples.pack(n, n * 1000, sample([1000]), 0, 0))
        assert len(telemetry.held) <= 16
    spans = [telemetry.span(at) for at in range(len(telemetry.held))]
    assert [first for first, _ in spans] == [1, *[last + 1 for _, last in spans[:-1]]]
    assert spans[-1] == (6000, 6000)
    gaps = [telemetry.count(at) for at, item in enumerate(telemetry.held) if isinstance(item, tuple)]
    assert sum(gaps) == telemetry.lost
    assert gaps == [telemetry.count(0)][: len(gaps)]
    assert sum(telemetry.count(at) for at in range(len(spans))) == 6000
    assert 6000 - telemetry.lost >= kept


def test_what_is_on_its_way_is_left_as_it_was_sent():
    """It may be stored already."""
    telemetry = samples.Telemetry(1, 16)
    for n in range(1, 9):
        telemetry.add(samples.pack(n, n, sample([1]), 0, 0))
        assert telemetry.take(0, lambda n: 0) is not None
    before = telemetry.held[:8]
    for n in range(9, 60):
        telemetry.add(samples.pack(n, n, sample([1]), 0, 0))
    assert telemetry.held[:8] == before
    assert len(telemetry.held) <= 16


class Server:
    """Positions and spans of one stream, as MQTT-12 and MQTT-13 take them; energy in mWs."""

    def __init__(self) -> None:
        self.position = 0
        self.gaps = 0
        self.samples = 0
        self.energy = 0.0

    def take(self, record: dict[str, Any]) -> None:
        first, seq = record.get("from", record["seq"]), record["seq"]
        if not first <= self.position + 1 <= seq:
            return
        share = (seq - self.position) / (seq + 1 - first)
        self.position = seq
        if "gap" in record:
            self.gaps += round((record["gap"]["count"] or 0) * share)
            return
        count = record.get("samples", seq + 1 - first)
        self.samples += round(count * share)
        self.energy += count * share * record["out"][0]["p_mw"]


@pytest.mark.parametrize("seed", range(12))
def test_the_same_course_brings_the_server_what_the_simulated_device_brings(seed):
    """Samples, acks, lost acks, cuts and restored databases: positions, losses and energy are equal in the end."""
    chance = random.Random(seed)
    ours, theirs = samples.Telemetry(1, 600, 50), SimulatedOutbox(1, 600, random.Random(1))
    servers = Server(), Server()
    up_ms, given, energy = 0, 0, 0
    online = True

    def exchange() -> None:
        while (at := ours.take(up_ms, lambda n: n // 2)) is not None:
            item = ours.held[at]
            fields = outbox_module.gap_fields(item) if isinstance(item, tuple) else samples.fields(item, 60)
            servers[0].take({"seq": ours.span(at)[1], **json.loads("{" + fields + "}")})
        for record in theirs.pull(up_ms):
            servers[1].take(json.loads(encode_record(record, 1, None)))

    def ack() -> None:
        ours.ack(servers[0].position, up_ms)
        theirs.ack(servers[1].position, up_ms)

    for _ in range(chance.choice((200, 900, 3000))):
        up_ms += 1000
        given += 1
        power = chance.randrange(1_000_000)
        energy += power
        ours.add(samples.pack(given, up_ms, sample([power], given), 0, 0))
        theirs.add(body(sample([power], given)), up_ms, 1)
        if chance.random() < 0.01:
            online = not online
            ours.rewind()
            theirs.rewind()
        if online:
            exchange()
            if chance.random() < 0.4:
                ack()
    for _ in range(200):
        up_ms += 9000
        exchange()
        ack()
    for server in servers:
        assert server.position == given
        assert server.samples + server.gaps == given
    assert (servers[0].gaps, servers[0].samples) == (servers[1].gaps, servers[1].samples)
    assert servers[0].energy == pytest.approx(servers[1].energy, rel=0.02)
    if not servers[0].gaps:
        assert servers[0].energy == pytest.approx(energy, rel=0.02)
    assert (len(ours.held), len(theirs.records)) == (0, 0)


def test_restored_databases_bring_the_same_gaps_as_the_simulated_device():
    """MQTT-18."""
    ours, theirs = samples.Telemetry(1, 100), SimulatedOutbox(1, 100, random.Random(1))
    for n in range(1, 61):
        ours.add(samples.pack(n, n, sample([1]), 0, 0))
        theirs.add(body(sample([1])), n, 1)
    for position in (40, 10, 30, 0, 60, 55):
        ours.ack(position, 100)
        theirs.ack(position, 100)
        held = [(ours.span(at), isinstance(ours.held[at], tuple)) for at in range(len(ours.held))]
        assert held == [((record.first, record.seq), record.is_gap) for record in theirs.records]


def test_a_record_is_as_small_as_its_module_says():
    """With extremes and all; the module's docstring tells the number."""
    record = samples.pack(1, 1, sample([1] * 4), 0, 0)
    assert len(record) == struct.calcsize(samples.HEAD) + 4 * struct.calcsize(samples.OUTLET)
    assert f"{len(record)} bytes" in samples.__doc__
