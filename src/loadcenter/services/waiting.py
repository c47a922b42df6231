"""What has been read and waits to be stored: bounded, in order, between one task that puts and one that takes."""

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """A queue whose reader takes many at once; who puts waits for room before it fetches more."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[T] = deque()
        self._wanted = 1
        self._enough = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, items: Iterable[T]) -> None:
        """Add what was fetched; it may exceed the limit once, and then there is no room until it is taken."""
        self._items.extend(items)
        self._tell()

    async def room(self) -> None:
        """Return once fewer than the limit wait."""
        await self._room.wait()

    async def take(self, most: int, linger_ms: int) -> list[T]:
        """Return 1 to `most`, oldest first: without limit for the first, then for `linger_ms` until `most` are there."""
        while True:
            await self._until(1)
            if linger_ms and len(self._items) < most:
                try:
                    async with asyncio.timeout(linger_ms / 1000):
                        await self._until(most)
                except TimeoutError:
                    self._wanted = 1
            if self._items:  # they may have been cleared meanwhile
                taken = list(islice(self._items, most))
                for _ in taken:
                    self._items.popleft()
                self._tell()
                return taken

    def clear(self) -> None:
        """Forget all that wait."""
        self._items.clear()
        self._tell()

    async def _until(self, wanted: int) -> None:
        self._wanted = wanted
        self._tell()
        await self._enough.wait()

    def _tell(self) -> None:
        if len(self._items) >= self._wanted:
            self._enough.set()
        else:
            self._enough.clear()
        if len(self._items) < self._limit:
            self._room.set()
        else:
            self._room.clear()
