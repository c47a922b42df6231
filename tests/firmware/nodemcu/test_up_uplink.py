"""The gateway's end of MQTT, in virtual time against a broker in memory (spec/mqtt.md)."""

import asyncio
import itertools
import json

import pytest
from tests.firmware.nodemcu.up_rig import SAMPLE, Broker, Center, World, play


def course(body):
    """Run the coroutine function of a test in virtual time."""

    def test(tmp_path):
        play(lambda: body(tmp_path))

    test.__name__, test.__doc__ = body.__name__, body.__doc__
    return test


async def connected(folder, **options) -> tuple[World, Center]:
    world = World(folder, **options)
    center = Center(world.broker)
    await world.until(lambda: world.uplink.connected)
    await asyncio.sleep(0.1)
    return world, center


@course
async def test_says_birth_then_state_then_online_then_the_records(tmp_path):
    """MQTT-16, MQTT-25, MQTT-26, MQTT-30, MQTT-60."""
    world, center = await connected(tmp_path)
    world.sample(3)
    await world.until(lambda: center.positions[1, "telemetry"] == 3)
    leaves = [leaf for _, leaf, _, _ in world.broker.said]
    assert leaves == ["birth", "state", "status", "event", *["telemetry"] * 3]
    assert [retained for _, _, _, retained in world.broker.said] == [True] * 3 + [False] * 4
    assert world.broker.login[3:] == [b"pdu-1", b"secret"] or world.broker.login[-2:] == [b"pdu-1", b"secret"]
    assert b'{"v":1,"status":"offline"}' in world.broker.login
    await asyncio.sleep(0.1)
    assert world.boxes.held == (0, 0)


@course
async def test_does_not_connect_before_the_unit_has_said_hello(tmp_path):
    """MQTT-26: a birth that says nothing is none."""
    world = World(tmp_path)
    world.unit.ready = False
    await asyncio.sleep(30)
    assert world.broker.opened == []
    world.unit.ready = True
    await world.until(lambda: world.uplink.connected)


@course
async def test_says_the_state_at_each_change_and_not_else(tmp_path):
    """MQTT-31."""
    world, _ = await connected(tmp_path)
    await asyncio.sleep(60)
    world.unit.touch()
    world.unit.touch()
    await asyncio.sleep(60)
    assert [state["settings"] for state in world.broker.heard("state")] == [0, 2]


@course
async def test_sends_again_after_three_intervals_with_jitter(tmp_path):
    """MQTT-15."""
    world, center = await connected(tmp_path)
    await world.until(lambda: center.positions[1, "event"] == 1)
    center.acks = False
    world.sample()
    await asyncio.sleep(120)
    times = [at for at, leaf, _, _ in world.broker.said if leaf == "telemetry"]
    pauses = [round(later - sooner, 3) for sooner, later in itertools.pairwise(times)]
    assert len(pauses) > 10
    assert all(6 <= pause <= 9.1 for pause in pauses)
    assert len(set(pauses)) > 1


@course
async def test_a_record_that_is_never_taken_becomes_a_gap_after_three_tries(tmp_path):
    """MQTT-19: an unreadable envelope moves nothing."""
    world, center = await connected(tmp_path)
    await world.until(lambda: center.positions[1, "event"] == 1)
    book, center.book = center.book, lambda stream, fields: "gap" in fields and book(stream, fields)
    world.sample()
    await world.until(lambda: center.positions[1, "telemetry"] == 1)
    assert center.booked[1, "telemetry"] == [(1, 1, "refused")]
    assert len(world.broker.heard("telemetry")) == 4


@course
async def test_an_ack_below_what_is_held_is_answered_by_a_gap(tmp_path):
    """MQTT-18."""
    world, center = await connected(tmp_path)
    world.sample(5)
    await world.until(lambda: center.positions[1, "telemetry"] == 5)
    center.positions[1, "telemetry"] = 2
    center.tell(1)
    world.sample()
    await world.until(lambda: center.positions[1, "telemetry"] == 6)
    assert center.booked[1, "telemetry"][-2:] == [(3, 5, "not_held"), (6, 6, "record")]


@course
async def test_a_half_open_link_is_found_and_made_anew(tmp_path):
    """MQTT-61: nothing else comes of it."""
    world, center = await connected(tmp_path)
    world.broker.silent = True
    since = asyncio.get_running_loop().time()
    await world.until(lambda: world.uplink.reason)
    assert asyncio.get_running_loop().time() - since <= 24
    assert world.uplink.reason == "the broker is silent"
    world.broker.silent = False
    world.sample()
    await world.until(lambda: center.positions[1, "telemetry"] == 1)
    assert (world.uplink.connects, world.uplink.drops) == (2, 1)


@course
async def test_a_link_that_takes_nothing_is_made_anew(tmp_path):
    """A receiver with a full window: what is written stays where it is."""
    world, center = await connected(tmp_path)
    world.broker.stuck = True
    world.sample()
    await world.until(lambda: world.uplink.drops == 1)
    world.broker.stuck = False
    await world.until(lambda: center.positions[1, "telemetry"] == 1)


@course
async def test_a_broker_that_acknowledges_nothing_is_left(tmp_path):
    """It still answers pings."""
    world, _ = await connected(tmp_path)
    world.broker.mute = True
    world.sample()
    await world.until(lambda: world.uplink.reason)
    assert (world.uplink.reason, world.uplink.drops) == ("the broker acknowledges nothing", 1)


@course
async def test_keeps_an_idle_connection_alive(tmp_path):
    """Fewer pings than would be needed twice."""
    world, _ = await connected(tmp_path)
    await asyncio.sleep(600)
    assert (world.uplink.connects, world.uplink.drops) == (1, 0)
    assert 40 <= world.broker.pings <= 100


@course
async def test_waits_longer_and_longer_with_jitter(tmp_path):
    """From 1 to 60 s."""
    broker = Broker()
    broker.away = True
    world = World(tmp_path, broker)
    await asyncio.sleep(3000)
    pauses = [later - sooner for sooner, later in itertools.pairwise(broker.opened)]
    assert 1 <= pauses[0] <= 3.5
    assert all(1 <= pause <= 62 for pause in pauses)
    assert sum(pauses[8:]) / len(pauses[8:]) > 20
    assert world.uplink.reason == "no route to host"


@course
async def test_says_why_it_is_not_let_in(tmp_path):
    """With a wrong password."""
    broker = Broker()
    broker.refusal = 4
    world = World(tmp_path, broker)
    await world.until(lambda: world.uplink.reason)
    assert world.uplink.reason == "the broker refuses the connection: user or password"


@course
async def test_a_packet_that_is_too_long_is_thrown_away_and_the_next_one_is_read(tmp_path):
    """Memory is bounded."""
    world, _ = await connected(tmp_path)
    world.broker.tell("desired", b"x" * 3000, qos=1)
    world.broker.tell("desired", b"short", qos=1)
    await world.until(lambda: world.unit.settings)
    assert world.unit.settings == [b"short"]
    world.broker.cut()
    await world.until(lambda: world.uplink.drops)
    assert world.uplink.skipped == 1


@course
async def test_hands_on_what_comes_down_and_acknowledges_it(tmp_path):
    """MQTT-2, MQTT-42: an empty payload is no message, the retain flag of a command is told."""
    world, _ = await connected(tmp_path)
    world.broker.tell("command", b"one", qos=1)
    world.broker.tell("command", b"two", qos=1, retain=True)
    world.broker.tell("command", b"", qos=1)
    world.broker.tell("desired", b"", retain=True)
    world.broker.tell("desired", b"settings", retain=True)
    world.broker.tell("hearsay", b"?")
    await world.until(lambda: world.unit.settings)
    assert world.unit.commands == [(b"one", False), (b"two", True)]
    assert world.unit.settings == [b"settings"]
    await world.until(lambda: len(world.broker.acknowledged) == 3)


@course
async def test_an_ack_that_is_retained_or_broken_changes_nothing(tmp_path):
    """MQTT-2, MQTT-3."""
    world, center = await connected(tmp_path)
    await world.until(lambda: center.positions[1, "event"] == 1)
    center.acks = False
    world.sample(2)
    await asyncio.sleep(1)
    stored = {"boot": 1, "telemetry": 2, "event": 1}
    world.broker.tell("ack", stored, retain=True)
    for broken in (b"", b"{", b"[]", b'{"v":1}', b"\xff\xfe"):
        world.broker.tell("ack", broken)
    for wrong in (
        {**stored, "telemetry": -1},
        {**stored, "v": 2},
        {**stored, "event": True},
        {**stored, "boot": None},
    ):
        world.broker.tell("ack", wrong)
    await asyncio.sleep(1)
    assert world.boxes.held == (2, 0)
    assert world.boxes.malformed == 8
    world.broker.tell("ack", stored)
    await asyncio.sleep(1)
    assert world.boxes.held == (0, 0)


@course
async def test_takes_the_time_of_day_and_leaves_the_uptime_alone(tmp_path):
    """MQTT-4, MQTT-55."""
    world, center = await connected(tmp_path)
    world.sample()
    await world.until(lambda: center.positions[1, "telemetry"] == 1)
    for wrong in (b"no", b'{"v":2,"ts_ms":5}', b'{"v":1,"ts_ms":-5}', b'{"v":1,"ts_ms":"now"}'):
        world.broker.tell("time", wrong)
    world.broker.tell("time", {"ts_ms": 1_767_225_600_000})
    await asyncio.sleep(0.1)
    world.sample()
    await world.until(lambda: center.positions[1, "telemetry"] == 2)
    first, second = world.broker.heard("telemetry")
    assert "ts_ms" not in first
    assert 0 <= second["ts_ms"] - 1_767_225_600_000 <= 200
    assert 0 <= second["up_ms"] - first["up_ms"] < 1000
    assert world.uplink.malformed == 4


@course
async def test_an_answer_that_a_cut_has_lost_is_said_again(tmp_path):
    """MQTT-43."""
    world, _ = await connected(tmp_path)
    world.broker.mute = True
    world.unit.answers.append({"id": "one", "n": 1, "status": "confirmed", "code": "ok"})
    world.unit.changed.set()
    await asyncio.sleep(0.5)
    world.broker.cut()
    world.broker.mute = False
    await world.until(lambda: len(world.broker.heard("result")) == 2)
    await world.until(lambda: world.uplink.connected)
    assert {answer["id"] for answer in world.broker.heard("result")} == {"one"}


@course
async def test_a_boot_whose_number_was_used_before_takes_one_that_is_free(tmp_path):
    """MQTT-14, MQTT-16: the flash was erased, and the ack at birth shows more than was ever sent."""
    world = World(tmp_path)
    center = Center(world.broker)
    for boot in (1, 2, 3):
        center.positions.update({(boot, "event"): 30, (boot, "telemetry"): 5000})
    world.sample(3)
    await world.until(lambda: center.positions[4, "telemetry"] == 3)
    assert center.booked == {
        (4, "event"): [(1, 1, "record")],
        (4, "telemetry"): [(n, n, "record") for n in (1, 2, 3)],
    }
    assert [birth["boot"] for birth in world.broker.heard("birth")] == [1, 2, 4]
    world.task.cancel()
    again = World(tmp_path, world.broker)
    assert again.boxes.boot == 5
    await again.until(lambda: center.positions[5, "event"] == 1)
    assert world.broker.heard("event")[-1]["data"]["closes"] == {"boot": 4, "telemetry": 32}


@course
async def test_a_first_start_that_hears_no_ack_sends_after_three_intervals_nevertheless(tmp_path):
    """A control center that is away must not make it wait for ever."""
    world = World(tmp_path)
    center = Center(world.broker)
    center.acks = center.at_birth = False
    world.sample(3)
    await world.until(lambda: world.uplink.connected)
    await asyncio.sleep(4)
    assert world.broker.heard("telemetry") == []
    assert {event["seq"] for event in world.broker.heard("event")} == {1}
    await world.until(lambda: len(world.broker.heard("telemetry")) == 3, 5)


@course
async def test_a_restart_sends_the_events_of_before_first_and_closes_the_old_boot(tmp_path):
    """MQTT-15, MQTT-16."""
    world, center = await connected(tmp_path)
    world.sample(3)
    await world.until(lambda: center.positions[1, "telemetry"] == 3)
    center.acks = False
    world.boxes.add_event({"code": "switched", "out": 2, "cause": "person_off"}, unit=(77, 5))
    await asyncio.sleep(1)
    world.task.cancel()
    center.acks = True
    again = World(tmp_path, world.broker)
    since = len(world.broker.said)
    assert again.boxes.unit == (77, 5)
    again.sample()
    await again.until(lambda: center.positions[2, "telemetry"] == 1)
    said = [
        (leaf, fields["boot"], fields["seq"])
        for _, leaf, fields, _ in world.broker.said[since:]
        if "seq" in fields
    ]
    assert said == [("event", 1, 2), ("event", 2, 1), ("telemetry", 2, 1)]
    boot = world.broker.heard("event")[-1]
    assert boot["code"] == "boot"
    assert boot["data"]["closes"]["boot"] == 1
    assert 3 <= boot["data"]["closes"]["telemetry"] <= 3 + 32


@course
async def test_an_orderly_restart_tells_exactly_what_was_given_out(tmp_path):
    """MQTT-16."""
    world, center = await connected(tmp_path)
    world.sample(3)
    await world.until(lambda: center.positions[1, "telemetry"] == 3)
    world.boxes.close()
    world.task.cancel()
    again = World(tmp_path, world.broker)
    await again.until(lambda: center.positions[2, "event"] == 1)
    assert world.broker.heard("event")[-1]["data"]["closes"] == {"boot": 1, "telemetry": 3}


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 5, 8, 13, 21, 34])
def test_a_stream_that_ends_anywhere_or_is_garbage_is_only_a_drop(tmp_path, kept):
    """Whatever a broker says, the gateway comes back."""

    async def body():
        world, center = await connected(tmp_path)
        garbage = bytes(range(256))[255 - kept :: -7] + b"\x32\x05\x00\x09"
        world.broker.feed(garbage[:kept])
        world.broker.cut()
        await world.until(lambda: world.uplink.drops == 1)
        world.sample()
        await world.until(lambda: center.positions[1, "telemetry"] == 1)

    play(body)


@course
async def test_nothing_is_lost_or_doubled_by_cuts(tmp_path):
    """MQTT-12, MQTT-15: 40 cuts at any moment, and every number is booked once, in order."""
    world, center = await connected(tmp_path, capacity=600)
    for n in range(400):
        world.sample()
        if n % 10 == 3:
            world.boxes.add_event({"code": "switched", "out": 1, "data": {"x": n}})
        if n % 10 == 7:
            world.broker.cut()
        await asyncio.sleep(0.3 + n % 7 / 10)
    await world.until(
        lambda: center.positions[1, "telemetry"] == 400 and center.positions[1, "event"] == 41, 600
    )
    for stream in ("telemetry", "event"):
        spans = center.booked[1, stream]
        assert [first for first, _, _ in spans] == [1, *[last + 1 for _, last, _ in spans[:-1]]]
        assert {kind for _, _, kind in spans} == {"record"}


def test_a_sample_has_the_form_of_the_contract():
    """What the tests above send stands for what translate gives."""
    assert json.loads(json.dumps(SAMPLE))[0] is False
