import asyncio

import pytest

from loadcenter.adapters.mqtt.inbox import Inbox, WhenFull
from loadcenter.services.ports import DeliveryToken, LinkDownError, Message


def sure(number: int) -> Message:
    return Message("t", str(number).encode(), token=DeliveryToken(1, number))


def loose(number: int) -> Message:
    return Message("t", str(number).encode())


def numbers(messages: list[Message]) -> list[int]:
    return [int(message.payload) for message in messages]


async def test_messages_come_out_in_the_order_they_went_in():
    inbox = Inbox(10, WhenFull.STOP_READING)
    for number in range(5):
        inbox.put(sure(number))
    assert numbers(await inbox.receive(3, 0)) == [0, 1, 2]
    assert numbers(await inbox.receive(10, 0)) == [3, 4]


async def test_an_inbox_that_stops_reading_is_full_at_its_limit_and_drops_nothing():
    inbox = Inbox(3, WhenFull.STOP_READING)
    for number in range(2):
        inbox.put(loose(number))
    assert not inbox.full
    inbox.put(loose(2))
    assert inbox.full
    inbox.put(loose(3))
    assert (len(inbox), inbox.dropped) == (4, 0)


async def test_an_inbox_that_drops_keeps_the_newest_of_qos_0_and_all_of_qos_1():
    inbox = Inbox(4, WhenFull.DROP_OLDEST)
    inbox.put(sure(100))
    for number in range(10):
        inbox.put(loose(number))
    inbox.put(sure(101))
    assert numbers(await inbox.receive(10, 0)) == [100, 8, 9, 101]
    assert inbox.dropped == 8
    assert not inbox.full


async def test_an_inbox_that_drops_is_full_when_only_messages_of_qos_1_are_left():
    inbox = Inbox(2, WhenFull.DROP_OLDEST)
    inbox.put(loose(0))
    inbox.put(sure(1))
    assert not inbox.full
    inbox.put(sure(2))
    assert inbox.full
    inbox.put(loose(3))
    assert numbers(await inbox.receive(10, 0)) == [1, 2]
    assert inbox.dropped == 2


async def test_what_was_taken_is_not_dropped_later():
    inbox = Inbox(2, WhenFull.DROP_OLDEST)
    for number in range(2):
        inbox.put(loose(number))
    assert numbers(await inbox.receive(1, 0)) == [0]
    inbox.put(loose(2))
    inbox.put(loose(3))
    assert numbers(await inbox.receive(9, 0)) == [2, 3]
    assert inbox.dropped == 1


async def test_the_first_message_is_waited_for():
    inbox = Inbox(2, WhenFull.STOP_READING)
    receiving = asyncio.create_task(inbox.receive(1, 0))
    await asyncio.sleep(0)
    assert not receiving.done()
    inbox.put(sure(1))
    assert numbers(await receiving) == [1]


async def test_lingering_ends_when_the_inbox_is_full_though_more_was_asked_for():
    inbox = Inbox(2, WhenFull.STOP_READING)
    receiving = asyncio.create_task(inbox.receive(100, 3_600_000))
    inbox.put(sure(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not receiving.done()
    inbox.put(sure(2))
    assert numbers(await receiving) == [1, 2]


async def test_lingering_ends_when_its_time_is_up():
    inbox = Inbox(5, WhenFull.STOP_READING)
    inbox.put(sure(1))
    assert numbers(await inbox.receive(5, 1)) == [1]


async def test_an_inbox_emptied_while_lingering_waits_for_a_message_again():
    inbox = Inbox(5, WhenFull.STOP_READING)
    inbox.put(sure(1))
    receiving = asyncio.create_task(inbox.receive(2, 3_600_000))
    await asyncio.sleep(0)
    inbox.clear()
    inbox.put(sure(2))
    inbox.put(sure(3))
    assert numbers(await receiving) == [2, 3]


async def test_a_closed_inbox_ends_what_waits_and_gives_nothing_more():
    inbox = Inbox(5, WhenFull.STOP_READING)
    receiving = asyncio.create_task(inbox.receive(2, 0))
    await asyncio.sleep(0)
    inbox.close()
    with pytest.raises(LinkDownError):
        await receiving
    with pytest.raises(LinkDownError):
        await inbox.receive(1, 0)


def test_an_inbox_holds_at_least_one():
    with pytest.raises(ValueError, match="at least one"):
        Inbox(0, WhenFull.STOP_READING)
