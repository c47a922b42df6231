"""Retention: what is kept how long, tier by tier. Old rows are forgotten a little at a time, while records come in."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from loadcenter.domain.rollups import Tier
from loadcenter.services.ports import Clock, Store, StoreUnavailableError

_log = logging.getLogger(__name__)

INTERVAL_MS: Final = 3_600_000
PAUSE_MS: Final = 100
"""Rest between two portions: records coming in take their turn."""
AWAY_MS: Final = 60_000
DAY_MS: Final = 86_400_000
TIERS: Final = {Tier.MINUTE: "1m", Tier.QUARTER: "15m", Tier.HOUR: "1h", Tier.DAY: "1d"}


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long rows are kept, in days; 0 is for ever.

    Attributes:
        raw_days: readings as devices sent them (default 14).
        minute_days: rollups of a minute (400); `quarter_days` of 15 minutes (1826, five years).
        hour_days: rollups of an hour (for ever); `day_days` of a local day (for ever).
    """

    raw_days: int = 14
    minute_days: int = 400
    quarter_days: int = 1_826
    hour_days: int = 0
    day_days: int = 0

    def days_of(self, tier: Tier) -> int:
        """Return how long rollups of a tier are kept."""
        match tier:
            case Tier.MINUTE:
                return self.minute_days
            case Tier.QUARTER:
                return self.quarter_days
            case Tier.HOUR:
                return self.hour_days
            case Tier.DAY:
                return self.day_days


class Retention:
    """Forgets what is older than it shall be kept. The rollups of a forgotten reading stay as long as their own tier."""

    def __init__(self, store: Store, clock: Clock, keeping: Keeping) -> None:
        self._store = store
        self._clock = clock
        self._keeping = keeping
        self.forgotten: dict[str, int] = {}
        """Rows forgotten since start, by tier (`raw`, `1m`, `15m`, `1h`, `1d`), for `/metrics`."""

    async def run(self) -> None:
        """Prepare the coming days and forget old rows once an hour, until cancelled."""
        waits = False
        while True:
            try:
                await self.forget()
            except StoreUnavailableError as error:
                _log.log(
                    logging.DEBUG if waits else logging.INFO, "retention is tried again later: %s", error
                )
                waits = True
                await self._clock.sleep_ms(AWAY_MS)
            else:
                waits = False
                await self._clock.sleep_ms(INTERVAL_MS)

    async def forget(self) -> None:
        """Prepare the coming days and forget everything that is too old now.

        Raises:
            StoreUnavailableError: the database is away; what was not forgotten is the next time.
        """
        now_ms = self._clock.now_ms()
        await self._store.prepare_days(now_ms)
        if self._keeping.raw_days:
            before_ms = now_ms - self._keeping.raw_days * DAY_MS
            await self._portions("raw", partial(self._store.forget_raw, before_ms))
        for tier, name in TIERS.items():
            if days := self._keeping.days_of(tier):
                await self._portions(name, partial(self._store.forget_rollups, tier, now_ms - days * DAY_MS))

    async def _portions(self, name: str, forget: Callable[[], Awaitable[int]]) -> None:
        whole = 0
        while rows := await forget():
            whole += rows
            self.forgotten[name] = self.forgotten.get(name, 0) + rows
            await self._clock.sleep_ms(PAUSE_MS)
        if whole:
            _log.info("retention: about %d rows of %s are forgotten", whole, name)
