"""Running work on the database: one writer, readers beside it, each bounded in time and its errors translated."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.engine import Engines
from loadcenter.adapters.storage.errors import DRIVER_ERRORS, collided, timed_out, translate

ATTEMPTS: Final = 3
"""How often a transaction runs that another one made impossible (deadlock, lock wait)."""
CLOSE_TIMEOUT_S: Final = 5
"""How long closing waits for work that was given up."""
LAST_WORD_S: Final = 0.05
"""A driver's thread needs some microseconds to tell that it has ended."""

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Bounds of the store.

    Attributes:
        write_timeout_s: a write that takes longer is given up, default 5, range 0.1 to 60. It includes the wait for
            its turn.
        read_timeout_s: likewise for a read, default 30, range 0.1 to 600.
        quarantine_most: newest payloads kept in quarantine, default 10,000, range 1 to 1,000,000.
    """

    write_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    quarantine_most: int = 10_000

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: one is out of range.
        """
        for name, value, low, high in (
            ("write_timeout_s", self.write_timeout_s, 0.1, 60),
            ("read_timeout_s", self.read_timeout_s, 0.1, 600),
            ("quarantine_most", self.quarantine_most, 1, 1_000_000),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: give {low} to {high}")


class Database:
    """Runs units of work. A connection that failed or was given up is thrown away, and the next work opens one."""

    def __init__(self, engines: Engines, settings: StoreSettings) -> None:
        self._engines = engines
        self._settings = settings
        self._turn = asyncio.Lock()
        self._given_up: set[asyncio.Task[Any]] = set()

    async def prepare(self, migrate: Callable[[Connection], None]) -> None:
        """Run `migrate` on the writer's connection, without a bound: changing a large table takes its time.

        Raises:
            StoreUnavailableError: the database cannot be reached.
        """
        try:
            async with self._engines.writer.begin() as connection:
                await connection.run_sync(migrate)
        except DRIVER_ERRORS as error:
            # Whoever cannot open the database ends, but the driver's thread still has its end to tell the event loop.
            await asyncio.sleep(LAST_WORD_S)
            raise translate(error, self._engines.place) from error

    async def read(self, work: Work[T]) -> T:
        """Return what `work` reads in one transaction.

        Raises:
            StoreUnavailableError: the database cannot be read within the bound.
        """
        return await self._bounded(self._read(work), self._settings.read_timeout_s)

    async def write(self, work: Work[T], bound_s: float | None = None) -> T:
        """Return what `work` returns, after COMMIT of all it wrote; on any error nothing of it was kept.

        Its bound is that of the settings unless `bound_s` is another.

        One exception: where the bound ends a COMMIT on its way, it may still happen. Whoever tries again must be able
        to see that; the stream positions are compared for this reason.

        Raises:
            StoreUnavailableError: the database cannot be written within the bound.
            StoreDataError: it refused a value.
        """
        return await self._bounded(self._write(work), bound_s or self._settings.write_timeout_s)

    async def close(self) -> None:
        """Close all connections; work that was given up has a last moment to end."""
        if self._given_up:
            await asyncio.wait(self._given_up, timeout=CLOSE_TIMEOUT_S)
        await self._engines.close()

    async def _read(self, work: Work[T]) -> T:
        async with self._engines.reader.begin() as connection:
            return await work(connection)

    async def _write(self, work: Work[T]) -> T:
        async with self._turn:
            for _ in range(ATTEMPTS - 1):
                try:
                    return await self._once(work)
                except DBAPIError as error:
                    if not collided(error):
                        raise
            return await self._once(work)

    async def _once(self, work: Work[T]) -> T:
        async with self._engines.writer.begin() as connection:
            return await work(connection)

    async def _bounded(self, running: Coroutine[Any, Any, T], bound_s: float) -> T:
        """Return what `running` returns, or leave it behind after the bound.

        It is a task of its own because cancelling it is not enough: SQLite's thread cannot be interrupted while the
        disk stalls, and closing its connection waits for it. A write that is left behind keeps its turn until then,
        so the next ones are told that the database is away.
        """
        task = asyncio.create_task(running, name="database")
        try:
            await asyncio.wait({task}, timeout=bound_s)
        finally:
            if not task.done():
                self._give_up(task)
        if not task.done():
            raise timed_out(self._engines.place, bound_s)
        try:
            return task.result()
        except DRIVER_ERRORS as error:
            raise translate(error, self._engines.place) from error

    def _give_up(self, task: asyncio.Task[Any]) -> None:
        self._given_up.add(task)
        task.add_done_callback(self._ended)
        task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Forget a task; nobody asks any more how it ended, so its error is looked at here."""
        self._given_up.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("work that was given up at the database %s ended: %s", self._engines.place, error)
