"""Watches broker and database: says when one has gone, and picks up what must be done when it is back."""

import logging

from loadcenter.domain.readings import Telemetry
from loadcenter.services.announce import Announcer, ServerChanged
from loadcenter.services.feed import Feed
from loadcenter.services.fleet import Fleet
from loadcenter.services.ingest import Ingest
from loadcenter.services.ports import Clock, Link, LinkDownError, LinkState, Store, StoreUnavailableError
from loadcenter.services.today import Shown, Today
from loadcenter.services.tuning import Tuning

_log = logging.getLogger(__name__)

WATCH_MS = 500
TODAY_MS = 2_000
TODAY_AT_ONCE = 500
"""PDUs whose energy of today is read together."""
PING_MS = 5_000
"""How often it is tried whether the database can be written: with no device sending, nobody else would notice."""


class Watch:
    """Keeps an eye on both connections to the broker and on the database."""

    def __init__(
        self,
        records: Link,
        control: Link,
        store: Store,
        clock: Clock,
        fleet: Fleet,
        tuning: Tuning,
        ingest: Ingest,
        today: Today,
        announcer: Announcer,
        feed: Feed,
    ) -> None:
        self._records = records
        self._control = control
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._tuning = tuning
        self._ingest = ingest
        self._today = today
        self._announcer = announcer
        self._feed = feed
        self._said: ServerChanged | None = None
        self._not_writable = ""
        self._generation = 0

    def checks(self) -> dict[str, str]:
        """Return what keeps broker and database from use, "" where all is well."""
        return {"broker": self._broker(), "database": self._ingest.database_away or self._not_writable}

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_ms(WATCH_MS)

    async def run_today(self) -> None:
        """Follow the energy of today, until cancelled; by itself, for a database that hangs holds it up."""
        while True:
            await self._refresh_today()
            await self._clock.sleep_ms(TODAY_MS)

    async def run_pings(self) -> None:
        """Try every few seconds whether the database can be written, until cancelled."""
        while True:
            await self.ping()
            await self._clock.sleep_ms(PING_MS)

    async def ping(self) -> None:
        """Try whether the database can be written."""
        try:
            await self._store.ping()
        except StoreUnavailableError as error:
            if not self._not_writable:
                _log.warning("the database cannot be written: %s", error)
            self._not_writable = str(error)
        else:
            self._not_writable = ""

    async def look(self) -> None:
        """Note what has changed since the last look."""
        checks = self.checks()
        state = ServerChanged(checks["broker"], checks["database"])
        if state != self._said:
            self._said = state
            self._announcer.announce(state)
        await self._feed.look(stalled=self._ingest.stalled)
        if self._control.state is not LinkState.UP:
            self._fleet.lost_link()
        elif self._control.generation != self._generation:
            await self._greet(self._control.generation)

    def _broker(self) -> str:
        if self._control.state is not LinkState.UP:
            return self._control.last_error or "the broker is not connected yet"
        # the records connection is down on purpose while the database is away: that is said there
        if self._records.state is LinkState.CONNECTING:
            return self._records.last_error or "the broker is not connected yet"
        return ""

    async def _greet(self, generation: int) -> None:
        """Publish all desired settings again: a broker that lost its store would not have them."""
        try:
            for pdu_id in list(self._fleet.twins()):
                await self._tuning.publish(pdu_id)
        except LinkDownError as error:
            _log.warning("settings are published again when the broker is back: %s", error)
            return
        self._generation = generation

    async def _refresh_today(self) -> None:
        due = [
            (pdu_id, twin.readings)
            for pdu_id, twin in self._fleet.twins().items()
            if twin.readings is not None and self._today.due(pdu_id)
        ]
        try:
            for at in range(0, len(due), TODAY_AT_ONCE):
                await self._today.refresh(
                    {pdu_id: _shown(one) for pdu_id, one in due[at : at + TODAY_AT_ONCE]}
                )
        except StoreUnavailableError as error:
            _log.debug("energy of today waits for the database: %s", error)


def _shown(readings: Telemetry) -> Shown:
    return Shown({one.outlet: one.energy_mwh for one in readings.outlets}, readings.ts_ms)
