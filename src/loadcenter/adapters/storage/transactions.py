"""Running work on the database: one writer, readers beside it, each bounded in time and its errors translated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.engine import Engines
from loadcenter.adapters.storage.errors import DRIVER_ERRORS, collided, timed_out, translate

ATTEMPTS: Final = 3
"""How often a transaction runs that another one made impossible (deadlock, lock wait)."""

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]


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

    async def prepare(self, migrate: Callable[[Connection], None]) -> None:
        """Run `migrate` on the writer's connection, without a bound: changing a large table takes its time.

        Raises:
            StoreUnavailableError: the database cannot be reached.
        """
        try:
            async with self._engines.writer.begin() as connection:
                await connection.run_sync(migrate)
        except DRIVER_ERRORS as error:
            raise translate(error, self._engines.place) from error

    async def read(self, work: Work[T]) -> T:
        """Return what `work` reads in one transaction.

        Raises:
            StoreUnavailableError: the database cannot be read within the bound.
        """
        async with self._bounded(self._settings.read_timeout_s), self._engines.reader.begin() as connection:
            return await work(connection)

    async def write(self, work: Work[T]) -> T:
        """Return what `work` returns, after COMMIT of all it wrote; on any error nothing of it was kept.

        One exception: where the bound ends a COMMIT on its way, it may still happen. Whoever tries again must be able
        to see that; the stream positions are compared for this reason.

        Raises:
            StoreUnavailableError: the database cannot be written within the bound.
            StoreDataError: it refused a value.
        """
        async with self._bounded(self._settings.write_timeout_s), self._turn:
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

    @asynccontextmanager
    async def _bounded(self, bound_s: float) -> AsyncIterator[None]:
        bound = asyncio.timeout(bound_s)
        try:
            async with bound:
                yield
        except DRIVER_ERRORS as error:
            if bound.expired():
                raise timed_out(self._engines.place, bound_s) from error
            raise translate(error, self._engines.place) from error
