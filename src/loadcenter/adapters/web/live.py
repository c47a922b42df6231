"""The live WebSocket: a snapshot, then what changes, encoded once for all clients.

Each client has a bounded queue that drops its oldest messages; it is told how many and gets a new snapshot, so a slow
browser costs itself freshness and the server nothing.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator

from loadcenter.adapters.web import shapes
from loadcenter.adapters.web.models import ServerState
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.services.announce import (
    AlarmChanged,
    Announcement,
    Announcer,
    CommandChanged,
    EventAdded,
    PduChanged,
    ServerChanged,
)

QUEUE_MAX = 256
"""Messages a client may be behind before it loses the oldest."""

PING_S = 5.0
PING_START = '{"type":"ping"'
_FLUSH_S = 0.2
"""Readings of a PDU that come within this time are sent as one message."""


class Client:
    """One open page."""

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._dropped = 0

    def put(self, text: str) -> None:
        """Queue a message; when the queue is full the oldest is dropped and counted."""
        if len(self._queue) >= QUEUE_MAX:
            self._queue.popleft()
            self._dropped += 1
        self._queue.append(text)
        self._wake.set()

    async def get(self) -> tuple[str, int]:
        """Return the next message, and how many were dropped before it."""
        while not self._queue:
            self._wake.clear()
            await self._wake.wait()
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._queue.clear()
            return "", dropped
        return self._queue.popleft(), 0


class Hub:
    """Turns announcements into messages for all clients."""

    def __init__(self, announcer: Announcer, built: Shapes) -> None:
        self._shapes = built
        self._clients: set[Client] = set()
        self._changed: set[str] = set()
        self._urgent = asyncio.Event()
        self.server = ServerState(broker="ok", database="ok")
        announcer.listen(self._listen)

    @property
    def clients(self) -> int:
        """Number of open pages."""
        return len(self._clients)

    @contextlib.asynccontextmanager
    async def join(self) -> AsyncIterator[Client]:
        """Yield a new client that hears everything until the block is left."""
        client = Client()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def snapshot(self) -> str:
        """Return everything a page needs to begin with."""
        pdus = [self._shapes.pdu(pdu_id).model_dump(mode="json") for pdu_id in self._shapes.fleet.twins()]
        alarms = [shapes.alarm(row).model_dump(mode="json") for row in self._shapes.alarming.open_alarms()]
        return json.dumps(
            {
                "type": "snapshot",
                "pdus": pdus,
                "alarms": alarms,
                "last_event_id": self._shapes.news.last_id,
                "server_ms": self._shapes.clock.now_ms(),
                "server": self.server.model_dump(),
            },
            separators=(",", ":"),
        )

    async def run(self) -> None:
        """Send changed PDUs, urgent changes at once and readings gathered, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), _FLUSH_S)
            self._urgent.clear()
            changed, self._changed = self._changed, set()
            if self._clients:
                for pdu_id in changed:
                    self._send("pdu", self._shapes.pdu(pdu_id).model_dump_json())

    async def run_pings(self) -> None:
        """Send a ping every few seconds, so that a page knows that the line is alive; until cancelled."""
        while True:
            await asyncio.sleep(PING_S)
            self._broadcast(f'{PING_START},"server_ms":{self._shapes.clock.now_ms()}}}')

    def _listen(self, announcement: Announcement) -> None:
        match announcement:
            case PduChanged(pdu_id, urgent):
                self._changed.add(pdu_id)
                if urgent:
                    self._urgent.set()
            case EventAdded(stored):
                self._send("event", shapes.event(stored, self._shapes.news.ids()).model_dump_json())
            case AlarmChanged(row):
                self._send("alarm", shapes.alarm(row).model_dump_json())
            case CommandChanged(row):
                self._send("command", self._shapes.command(row).model_dump_json())
            case ServerChanged(broker, database):
                self.server = ServerState(
                    broker="away" if broker else "ok", database="away" if database else "ok"
                )
                self._send("server", self.server.model_dump_json())

    def _send(self, kind: str, body: str) -> None:
        if self._clients:
            self._broadcast(f'{{"type":"{kind}","{kind}":{body}}}')

    def _broadcast(self, text: str) -> None:
        for client in self._clients:
            client.put(text)
