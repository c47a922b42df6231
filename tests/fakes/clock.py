"""A clock that moves only when told to."""

import asyncio
import heapq
import itertools

_START_MS = 1_800_000_000_000


class FakeClock:
    """Virtual time (`ports.Clock`): `advance` wakes sleepers in the order of their times.

    Attributes:
        skew_ms: what `now_ms` is ahead of the virtual time; change it to make the wall clock step.
    """

    def __init__(self, now_ms: int = _START_MS, monotonic_ms: int = 0) -> None:
        self._monotonic_ms = monotonic_ms
        self.skew_ms = now_ms - monotonic_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        return self._monotonic_ms + self.skew_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    @property
    def sleepers(self) -> int:
        """How many tasks sleep now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep_ms(self, duration_ms: int) -> None:
        if duration_ms <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic_ms + duration_ms, next(self._order), future))
        await future

    async def advance(self, duration_ms: int) -> None:
        """Move on by `duration_ms`; each sleeper runs (and may sleep again) at its own time on the way."""
        end_ms = self._monotonic_ms + duration_ms
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_ms:
            due_ms, _, future = heapq.heappop(self._sleepers)
            self._monotonic_ms = max(self._monotonic_ms, due_ms)
            if not future.done():
                future.set_result(None)
                await settle()
        self._monotonic_ms = end_ms
        await settle()


async def settle(turns: int = 50) -> None:
    """Let all tasks that can run do so: tasks that answer each other need several turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
