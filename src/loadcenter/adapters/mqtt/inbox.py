"""Messages that have come in and wait to be taken: bounded, in order."""

import asyncio
from collections import OrderedDict, deque
from enum import StrEnum

from loadcenter.services.ports import LinkDownError, Message


class WhenFull(StrEnum):
    """What becomes of the next message when the inbox is full."""

    STOP_READING = "stop_reading"
    """Nothing is dropped: the link reads no further until there is room."""
    DROP_OLDEST = "drop_oldest"
    """The oldest message of QoS 0 goes, and is counted. One of QoS 1 is never dropped."""


class Inbox:
    """A queue of at most `limit` messages between a connection and one consumer.

    The connection puts and looks at `full` before it reads on; the consumer receives.

    Attributes:
        dropped: messages of QoS 0 that were dropped since the start.
    """

    def __init__(self, limit: int, when_full: WhenFull) -> None:
        if limit < 1:
            raise ValueError(f"an inbox holds at least one message, not {limit}")
        self.dropped = 0
        self._limit = limit
        self._when_full = when_full
        self._waiting: OrderedDict[int, Message] = OrderedDict()
        self._droppable: deque[int] = deque()
        self._arrivals = 0
        self._wanted = 1
        self._enough = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether the next message would exceed the limit and nothing may be dropped for it."""
        return len(self._waiting) - len(self._droppable) >= self._limit

    def put(self, message: Message) -> None:
        """Add a message; an inbox that drops may drop an older one, or this one, to keep its limit."""
        self._arrivals += 1
        self._waiting[self._arrivals] = message
        if self._when_full is WhenFull.DROP_OLDEST and message.token is None:
            self._droppable.append(self._arrivals)
        while len(self._waiting) > self._limit and self._droppable:
            del self._waiting[self._droppable.popleft()]
            self.dropped += 1
        self._tell()

    def clear(self) -> None:
        """Forget all waiting messages."""
        self._waiting.clear()
        self._droppable.clear()
        self._tell()

    def close(self) -> None:
        """Forget all waiting messages and end a waiting `receive`, and any later one."""
        self._closed = True
        self.clear()

    async def receive(self, most: int, linger_ms: int) -> list[Message]:
        """Return 1..`most` messages, oldest first.

        Waits without limit for the first, then at most `linger_ms` until `most` are there or the inbox is full.

        Raises:
            LinkDownError: the inbox is closed.
        """
        while True:
            await self._until(1)
            if linger_ms > 0 and len(self._waiting) < min(most, self._limit):
                await self._linger(min(most, self._limit), linger_ms)
            # A reconnect may have emptied the inbox meanwhile: then the wait for the first begins again.
            if taken := self._take(most):
                return taken

    async def _until(self, wanted: int) -> None:
        self._wanted = wanted
        self._tell()
        await self._enough.wait()
        if self._closed:
            raise LinkDownError("the link is closed")

    async def _linger(self, wanted: int, linger_ms: int) -> None:
        try:
            async with asyncio.timeout(linger_ms / 1000):
                await self._until(wanted)
        except TimeoutError:
            return

    def _take(self, most: int) -> list[Message]:
        taken = [self._waiting.popitem(last=False) for _ in range(min(most, len(self._waiting)))]
        while self._droppable and taken and self._droppable[0] <= taken[-1][0]:
            self._droppable.popleft()
        return [message for _, message in taken]

    def _tell(self) -> None:
        if self._closed or len(self._waiting) >= self._wanted:
            self._enough.set()
        else:
            self._enough.clear()
