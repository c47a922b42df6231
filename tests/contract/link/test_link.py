"""What every `Link` does, on the broker in memory, on the embedded one and on Mosquitto."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.link.rigs import AnyLink, FakeRig, MosquittoRig, NatsRig, Rig, until, up

from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.options import Will
from loadcenter.services.ports import LinkDownError, LinkState

EVENTS = "loadcenter/v1/rack-1/up/event"
STATUS = "loadcenter/v1/rack-1/up/status"
ALL = "loadcenter/v1/+/up/#"


@pytest.fixture(params=["fake", "nats", "mosquitto"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path):
    match request.param:
        case "fake":
            made: Rig = FakeRig()
        case "nats":
            made = NatsRig(tmp_path / "broker")
        case "mosquitto":
            made = MosquittoRig(tmp_path / "broker")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def publisher(rig: Rig):
    async with rig.link("publisher") as link:
        await up(link)
        yield link


async def send(publisher: AnyLink, *payloads: int, qos: int = 1) -> None:
    for payload in payloads:
        await publisher.publish(EVENTS, str(payload).encode(), qos=qos)


async def take(link: AnyLink, count: int) -> list[int]:
    """Receive and acknowledge `count` messages."""
    taken: list[int] = []
    async with asyncio.timeout(15):
        while len(taken) < count:
            messages = await link.receive(count - len(taken), 0)
            taken += [int(message.payload) for message in messages]
            link.ack([message.token for message in messages if message.token])
    return taken


async def acks_have_arrived(link: AnyLink) -> None:
    """PUBACKs have no answer; they arrive before a later publish, which has."""
    await link.publish("loadcenter/v1/rack-1/down/time", b"{}")


async def test_messages_come_in_order_and_at_most_as_many_as_asked_for(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
        await send(publisher, *range(20))
        assert await take(link, 20) == list(range(20))
        await send(publisher, *range(5))
        await until(lambda: len(link._inbox) == 5)
        assert [message.payload for message in await link.receive(3, 10)] == [b"0", b"1", b"2"]


async def test_lingering_ends_when_enough_has_come(rig, publisher):
    async with rig.link("records", (ALL, 1)) as link:
        await up(link)
        receiving = asyncio.create_task(link.receive(1, 3_600_000))
        await send(publisher, 1)
        async with asyncio.timeout(15):
            assert [message.payload for message in await receiving] == [b"1"]


async def test_only_messages_of_qos_1_have_a_token(rig, publisher):
    async with rig.link("records", (ALL, 1)) as link:
        await up(link)
        await publisher.publish(EVENTS, b"loose", qos=0)
        await publisher.publish(EVENTS, b"sure", qos=1)
        await until(lambda: len(link._inbox) == 2)
        tokens = {message.payload: message.token for message in await link.receive(2, 10)}
        assert tokens[b"loose"] is None
        assert tokens[b"sure"] is not None
        assert tokens[b"sure"].generation == link.generation == 1


async def test_a_persistent_session_keeps_messages_while_the_client_is_away(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
    await send(publisher, *range(50))
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        assert await take(link, 50) == list(range(50))


async def test_a_clean_session_keeps_nothing(rig, publisher):
    async with rig.link("control", (ALL, 1)) as link:
        await up(link)
    await send(publisher, 1)
    async with rig.link("control", (ALL, 1)) as link:
        await up(link)
        await send(publisher, 2)
        assert await take(link, 1) == [2]


async def test_unacknowledged_messages_come_again_and_acknowledged_ones_do_not(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
        await send(publisher, *range(10))
        await until(lambda: len(link._inbox) == 10)
        messages = await link.receive(10, 0)
        link.ack([message.token for message in messages[:4] if message.token])
        await acks_have_arrived(link)
        await rig.sever(link)
        await up(link)
        await send(publisher, 10)
        assert sorted(await take(link, 7)) == [4, 5, 6, 7, 8, 9, 10]


async def test_a_token_of_an_earlier_connection_is_ignored(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
        await send(publisher, 1)
        (old,) = await link.receive(1, 0)
        await rig.sever(link)
        (again,) = await link.receive(1, 0)
        assert old.token is not None
        assert again.token is not None
        assert again.token.generation > old.token.generation
        link.ack([old.token])
        await acks_have_arrived(link)
        await rig.sever(link)
        assert await take(link, 1) == [1]


async def test_a_pause_gives_the_broker_back_what_was_not_acknowledged(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
        await send(publisher, *range(5))
        await until(lambda: len(link._inbox) == 5)
        await link.receive(2, 0)
        await link.pause()
        assert link.state is LinkState.PAUSED
        assert len(link._inbox) == 0
        await send(publisher, 5)
        await link.resume()
        assert await link.wait_up() == 2
        assert sorted(await take(link, 6)) == [0, 1, 2, 3, 4, 5]


async def test_a_paused_link_stays_down_when_the_broker_comes_back(rig):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
        await link.pause()
        await rig.stop()
        await rig.start()
        assert (link.state, link.generation) == (LinkState.PAUSED, 1)
        with pytest.raises(LinkDownError, match="paused"):
            await link.publish(EVENTS, b"1")


async def test_a_full_inbox_stops_reading_and_nothing_is_lost(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True, inbox_limit=10) as link:
        await up(link)
        await send(publisher, *range(200))
        await until(lambda: len(link._inbox) == 10)
        # The publisher's last PUBACK came after all was on its way; the inbox has not grown.
        await send(publisher, *range(200, 300))
        assert len(link._inbox) == 10
        assert await take(link, 300) == list(range(300))
        assert link.dropped == 0


async def test_a_link_for_the_live_page_drops_the_oldest_of_qos_0_and_counts_them(rig, publisher):
    async with rig.link("live", (ALL, 1), inbox_limit=5, when_full=WhenFull.DROP_OLDEST) as link:
        await up(link)
        await send(publisher, 100)
        await send(publisher, *range(20), qos=0)
        await until(lambda: link.dropped == 16)
        assert await take(link, 5) == [100, 16, 17, 18, 19]


async def test_a_subscription_may_be_left_and_taken_up_again(rig, publisher):
    async with rig.link("control", (STATUS, 1), (EVENTS, 1)) as link:
        await up(link)
        await send(publisher, 1)
        assert await take(link, 1) == [1]
        await link.unsubscribe(EVENTS)
        await send(publisher, 2)
        await publisher.publish(STATUS, b"3")
        assert await take(link, 1) == [3]
        await rig.sever(link)
        await up(link)
        await send(publisher, 4)
        await link.subscribe(EVENTS, 1)
        await send(publisher, 5)
        assert await take(link, 1) == [5]
        await rig.sever(link)
        await up(link)
        await send(publisher, 6)
        assert await take(link, 1) == [6]


async def test_subscriptions_of_a_link_that_is_down_are_made_when_it_comes_back(rig, publisher):
    async with rig.link("control", (STATUS, 1)) as link:
        await up(link)
        await link.pause()
        await link.subscribe(EVENTS, 1)
        await link.unsubscribe(STATUS)
        await link.resume()
        await up(link)
        await publisher.publish(STATUS, b"1")
        await send(publisher, 2)
        assert await take(link, 1) == [2]


async def test_a_retained_message_says_so_and_a_live_one_does_not(rig, publisher):
    await publisher.publish(STATUS, b"1", retain=True)
    async with rig.link("control", (ALL, 1)) as link:
        await up(link)
        (stored,) = await link.receive(1, 0)
        assert (stored.topic, stored.payload, stored.retained) == (STATUS, b"1", True)
        await publisher.publish(STATUS, b"2", retain=True)
        (live,) = await link.receive(1, 0)
        assert (live.payload, live.retained) == (b"2", False)


async def test_an_empty_retained_message_removes_the_stored_one(rig, publisher):
    await publisher.publish(STATUS, b"1", retain=True)
    await publisher.publish(STATUS, b"", retain=True)
    async with rig.link("control", (ALL, 1)) as link:
        await up(link)
        await send(publisher, 2)
        assert await take(link, 1) == [2]


async def test_the_will_is_published_when_the_connection_breaks_and_not_after_a_goodbye(rig):
    async with rig.link("watcher", (ALL, 1)) as watcher:
        await up(watcher)
        async with rig.link("device", will=Will(STATUS, b"2", 1, retain=True)) as device:
            await up(device)
        async with rig.link("device", will=Will(STATUS, b"3", 1, retain=True)) as device:
            await up(device)
            await rig.sever(device)
            assert await take(watcher, 1) == [3]


async def test_publishing_while_the_broker_is_away_raises_and_queues_nothing(rig):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        await up(link)
        await rig.stop()
        await until(lambda: link.state is LinkState.CONNECTING)
        with pytest.raises(LinkDownError, match="cannot publish"):
            await link.publish(EVENTS, b"1")
        await rig.start()
        await up(link)
        await send(link, 2)
        assert await take(link, 1) == [2]


async def test_a_link_comes_back_by_itself_with_a_new_generation(rig, publisher):
    async with rig.link("records", (ALL, 1), persistent=True) as link:
        assert await link.wait_up() == 1
        await rig.stop()
        await until(lambda: link.state is LinkState.CONNECTING and "start it" in link.last_error)
        await rig.start()
        assert await link.wait_up() == 2
        assert link.last_error == ""
        await up(publisher)
        await send(publisher, 1)
        assert await take(link, 1) == [1]


async def test_a_broker_that_starts_later_is_found(rig):
    await rig.stop()
    async with rig.link("records", (ALL, 1)) as link:
        await until(lambda: link.last_error != "")
        assert (link.state, link.generation) == (LinkState.CONNECTING, 0)
        await rig.start()
        assert await link.wait_up() == 1


async def test_a_wrong_password_is_explained(rig):
    async with rig.link("records", (ALL, 1), password="wrong") as link:
        await until(lambda: link.last_error != "")
        assert "check user name and password" in link.last_error
        assert link.state is LinkState.CONNECTING


async def test_a_closed_link_ends_what_waits_for_it(rig):
    async with rig.link("records", (ALL, 1)) as link:
        await up(link)
        receiving = asyncio.create_task(link.receive(1, 0))
        await asyncio.sleep(0)
    with pytest.raises(LinkDownError):
        await receiving
    with pytest.raises(LinkDownError):
        await up(link)
    assert link.state is LinkState.CLOSED
