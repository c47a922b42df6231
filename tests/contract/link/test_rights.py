"""What a device may read and write (MQTT-1), on the embedded broker and on Mosquitto with the shipped access list."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.link.rigs import MosquittoRig, NatsRig, RealRig, until, up

from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.options import Will
from loadcenter.protocol import topics
from loadcenter.services.ports import LinkState

DEVICES = {"rack-1": "password-1", "rack-2": "password-2"}
ROOT = topics.DEFAULT_ROOT
UP = [topics.up(ROOT, pdu_id, leaf) for pdu_id in DEVICES for leaf in topics.Up]
DOWN = [topics.down(ROOT, pdu_id, leaf) for pdu_id in DEVICES for leaf in topics.Down]
ODD = [
    ROOT,
    f"{ROOT}/v1",
    f"{ROOT}/v1/rack-1",
    "other/v1/rack-1/up/event",
    "$SYS/broker/load",
]
ODD += ["$MQTT/sub/x", "$JS/API/INFO", f"{ROOT}/v2/rack-1/up/event", f"{ROOT}/v1/rack-11/up/event"]
SNOOPING = [
    "#",
    "+/#",
    "+/+/+/+/+",
    f"{ROOT}/#",
    f"{ROOT}/v1/+/down/#",
    f"{ROOT}/v1/+/up/#",
    f"{ROOT}/v1/rack-2/#",
]
SNOOPING += [f"{ROOT}/v1/rack-1/up/#", "$SYS/#", "$MQTT/#", "$MQTT/sub/#", "$JS/#", "$share/g/#"]


@pytest.fixture(params=["nats", "mosquitto"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path):
    make = NatsRig if request.param == "nats" else MosquittoRig
    made: RealRig = make(tmp_path / "broker", DEVICES)
    await made.start()
    yield made
    await made.stop()


def device(rig: RealRig, pdu_id: str, *subscriptions: tuple[str, int], **options: object) -> MqttLink:
    return rig.link(
        options.pop("client_id", pdu_id), *subscriptions, username=pdu_id, password=DEVICES[pdu_id], **options
    )


async def until_marker(link: MqttLink, marker: bytes) -> list[str]:
    """Return the topics of everything that comes before the marker."""
    heard: list[str] = []
    async with asyncio.timeout(15):
        while True:
            for message in await link.receive(100, 0):
                link.ack([message.token] if message.token else [])
                if message.payload == marker:
                    return heard
                heard.append(message.topic)


async def test_a_device_writes_its_own_topics_and_no_others(rig):
    async with (
        rig.link("center", (f"{ROOT}/v1/#", 1)) as center,
        device(rig, "rack-2", (f"{ROOT}/v1/rack-2/down/#", 1)) as other,
        device(rig, "rack-1") as writer,
    ):
        await up(center, other, writer)
        for qos in (0, 1):
            for topic in UP + DOWN + ODD:
                await writer.publish(topic, b"x", qos=qos)
        await writer.publish(f"{ROOT}/v1/rack-1/up/event", b"marker")
        own = [topic for topic in UP if "/rack-1/" in topic]
        assert sorted(await until_marker(center, b"marker")) == sorted(own * 2)
        await center.publish(f"{ROOT}/v1/rack-2/down/command", b"marker")
        assert await until_marker(other, b"marker") == []


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_device_reads_its_own_topics_and_no_others(rig, qos):
    own_filter = f"{ROOT}/v1/rack-1/down/#"
    async with rig.link("center") as center:
        await up(center)
        # Retained messages reach a snoop at the moment of its subscription.
        for topic in UP + DOWN:
            await center.publish(topic, b"stored", retain=True)
        for pattern in SNOOPING:
            async with device(rig, "rack-1", (pattern, qos), (own_filter, 1)) as snoop:
                await until(lambda link=snoop: link.state is LinkState.UP or link.last_error != "")
                own = {topic for topic in DOWN if "/rack-1/" in topic}
                if snoop.state is LinkState.UP:
                    for topic in UP + DOWN:
                        await center.publish(topic, b"live")
                    await center.publish(f"{ROOT}/v1/rack-1/down/command", b"marker")
                    assert set(await until_marker(snoop, b"marker")) == own, pattern
                else:
                    assert f"subscribe to '{pattern}'" in snoop.last_error
                    assert {message.topic for message in snoop._inbox._waiting.values()} <= own, pattern


async def test_a_device_gets_everything_that_is_meant_for_it(rig):
    async with (
        rig.link("center") as center,
        device(rig, "rack-1", (f"{ROOT}/v1/rack-1/down/#", 1)) as listener,
    ):
        await up(center, listener)
        for topic in DOWN:
            await center.publish(topic, b"x")
        await center.publish(f"{ROOT}/v1/rack-1/down/time", b"marker")
        assert await until_marker(listener, b"marker") == [topic for topic in DOWN if "/rack-1/" in topic]


async def test_what_a_device_may_not_retain_is_not_retained(rig):
    desired = f"{ROOT}/v1/rack-2/down/desired"
    async with device(rig, "rack-1") as writer:
        await up(writer)
        await writer.publish(desired, b"forged", retain=True)
    async with (
        rig.link("center") as center,
        device(rig, "rack-2", (f"{ROOT}/v1/rack-2/down/#", 1)) as victim,
    ):
        await up(center, victim)
        await center.publish(desired, b"marker")
        assert await until_marker(victim, b"marker") == []


async def test_the_will_of_a_device_reaches_only_its_own_topics(rig):
    async with rig.link("center", (f"{ROOT}/v1/#", 1)) as center:
        await up(center)
        for topic in (f"{ROOT}/v1/rack-2/up/status", f"{ROOT}/v1/rack-1/up/status"):
            async with device(rig, "rack-1", will=Will(topic, topic.encode(), 1, retain=True)) as dying:
                await until(lambda link=dying: link.state is LinkState.UP or link.last_error != "")
                if dying.state is LinkState.UP:
                    await rig.sever(dying)
        assert await until_marker(center, f"{ROOT}/v1/rack-1/up/status".encode()) == []


async def test_taking_over_the_session_of_another_device_gives_none_of_its_messages(rig):
    own_filter = (f"{ROOT}/v1/rack-2/down/#", 1)
    async with device(rig, "rack-2", own_filter, persistent=True, client_id="session") as victim:
        await up(victim)
    async with rig.link("center") as center:
        await up(center)
        await center.publish(f"{ROOT}/v1/rack-2/down/command", b"secret")
        thief_filter = (f"{ROOT}/v1/rack-1/down/#", 1)
        async with device(rig, "rack-1", thief_filter, persistent=True, client_id="session") as thief:
            await up(thief)
            await center.publish(f"{ROOT}/v1/rack-2/down/command", b"secret")
            await center.publish(f"{ROOT}/v1/rack-1/down/command", b"marker")
            assert await until_marker(thief, b"marker") == []


@pytest.mark.parametrize(
    ("username", "password"), [("rack-1", "password-2"), ("nobody", "password-1"), ("", "")]
)
async def test_nobody_gets_in_without_their_own_password(rig, username, password):
    async with rig.link("intruder", username=username, password=password) as intruder:
        await until(lambda: intruder.last_error != "")
        assert "check user name and password" in intruder.last_error


async def test_a_message_far_over_the_limit_reaches_nobody_and_harms_no_other(rig):
    async with (
        rig.link("center", (f"{ROOT}/v1/#", 1)) as center,
        device(rig, "rack-1") as flooder,
        device(rig, "rack-2") as other,
    ):
        await up(center, flooder, other)
        sending = asyncio.create_task(flooder.publish(f"{ROOT}/v1/rack-1/up/event", bytes(2**20)))
        await asyncio.wait({sending})
        await other.publish(f"{ROOT}/v1/rack-2/up/event", b"marker")
        assert await until_marker(center, b"marker") == []
        assert center.generation == other.generation == 1
        if (error := sending.exception()) is not None:
            assert "ended" in str(error)
