import asyncio

import pytest

from loadcenter.services.waiting import Waiting


@pytest.fixture
def waiting() -> Waiting[int]:
    return Waiting(3)


async def test_what_was_put_is_taken_in_order_and_at_most_as_much_as_asked_for(waiting) -> None:
    waiting.put(range(5))
    assert await waiting.take(2, 0) == [0, 1]
    assert await waiting.take(9, 0) == [2, 3, 4]


async def test_a_taker_waits_for_the_first(waiting) -> None:
    taking = asyncio.create_task(waiting.take(2, 0))
    await asyncio.sleep(0)
    assert not taking.done()
    waiting.put([7])
    assert await taking == [7]


async def test_lingering_ends_when_enough_has_come(waiting) -> None:
    waiting.put([1])
    taking = asyncio.create_task(waiting.take(2, 3_600_000))
    await asyncio.sleep(0)
    waiting.put([2, 3])
    async with asyncio.timeout(15):
        assert await taking == [1, 2]


async def test_lingering_takes_what_is_there_at_its_end(waiting) -> None:
    waiting.put([1])
    assert await waiting.take(2, 1) == [1]
    waiting.put([2])
    assert await waiting.take(1, 0) == [2]


async def test_there_is_room_again_when_enough_was_taken(waiting) -> None:
    waiting.put(range(4))
    making_room = asyncio.create_task(waiting.room())
    await waiting.take(1, 0)
    await asyncio.sleep(0)
    assert not making_room.done()
    await waiting.take(1, 0)
    async with asyncio.timeout(15):
        await making_room


async def test_what_is_cleared_is_not_taken_and_leaves_room(waiting) -> None:
    waiting.put(range(4))
    waiting.clear()
    await waiting.room()
    waiting.put([9])
    assert len(waiting) == 1
    assert await waiting.take(5, 0) == [9]
