"""New events as they are stored: announced in order, with the id that the database gave them."""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeAlias

from loadcenter.domain.events import Detail, EventCode
from loadcenter.services.announce import Announcer, EventAdded
from loadcenter.services.ports import EventFilter, Store, StoredEvent, StoreUnavailableError

_log = logging.getLogger(__name__)

_AT_ONCE = 500
_TRIPS_READ = 200
_IDS_KEPT = 2_000

EventName: TypeAlias = tuple[str, int, int]
"""(pdu, boot, seq): what a device calls its event."""


class News:
    """Reads what was stored since the last look, and remembers what each outlet last tripped at."""

    def __init__(self, store: Store, announcer: Announcer) -> None:
        self._store = store
        self._announcer = announcer
        self._last_id = 0
        self._trips: dict[tuple[str, int], Mapping[str, Detail]] = {}
        self._ids: OrderedDict[EventName, int] = OrderedDict()

    @property
    def last_id(self) -> int:
        """Id of the newest event that was announced or stood there at start; 0 before any."""
        return self._last_id

    async def load(self) -> None:
        """Begin after the newest event; read the last trips.

        Raises:
            StoreUnavailableError: the database is away.
        """
        newest = await self._store.events(EventFilter(limit=1))
        self._last_id = newest[0].id if newest else 0
        trips = await self._store.events(EventFilter(codes=(EventCode.TRIP.value,), limit=_TRIPS_READ))
        for event in reversed(trips):
            self._note_trip(event)

    async def look(self) -> None:
        """Announce what was stored since the last look; while the database is away, nothing (the next look does)."""
        try:
            while found := await self._store.events(EventFilter(after_id=self._last_id, limit=_AT_ONCE)):
                for event in found:
                    self._last_id = event.id
                    self._note_trip(event)
                    self._note_id(event)
                    self._announcer.announce(EventAdded(event))
        except StoreUnavailableError as error:
            _log.debug("new events are announced when the database is back: %s", error)

    def ids(self) -> Mapping[EventName, int]:
        """Return the ids of the latest events of devices by (pdu, boot, seq), to link a cause to its effect."""
        return self._ids

    def trip_numbers(self, pdu_id: str, outlet: int) -> Mapping[str, Detail]:
        """Return the numbers of an outlet's last trip, empty if none is known."""
        return self._trips.get((pdu_id, outlet), {})

    def _note_id(self, event: StoredEvent) -> None:
        self._ids[event.pdu_id, event.boot, event.seq] = event.id
        if len(self._ids) > _IDS_KEPT:
            self._ids.popitem(last=False)

    def _note_trip(self, event: StoredEvent) -> None:
        if event.code == EventCode.TRIP and event.outlet is not None:
            self._trips[event.pdu_id, event.outlet] = event.data
