"""The live WebSocket: a snapshot, then frames of what has changed, each encoded once for all clients.

Changes are gathered for some milliseconds and sent as one frame, so that the cost of a page grows with time and not with
the number of PDUs. A page that takes its frames slowly gets the latest of each PDU when it is ready, and nothing in
between: a slow browser costs itself freshness and the server a bounded amount of memory.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import assert_never

from pydantic import BaseModel

from loadcenter.adapters.web import shapes
from loadcenter.adapters.web.live_client import Batch, Client, Frame, frame
from loadcenter.adapters.web.models import ServerState
from loadcenter.adapters.web.readings import readings_json
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.domain.events import EventCode
from loadcenter.services.announce import (
    AlarmChanged,
    Announcement,
    Announcer,
    CommandChanged,
    EventAdded,
    PduChanged,
    ServerChanged,
)
from loadcenter.services.ports import StoredEvent

PING_S = 5.0
GATHER_S = 0.05
"""Least time between two frames, while only readings change: half of what a page may be late."""

URGENT_GAP_S = 0.01
"""The same where a state has changed: when a whole fleet loses its source, that is hundreds of changes at once."""

_ENCODED_AT_ONCE = 100
"""PDUs that are encoded, some 5 ms, before others have their turn."""


class Hub:
    """Turns announcements into frames for all clients."""

    def __init__(self, announcer: Announcer, built: Shapes) -> None:
        self._shapes = built
        self._clients: set[Client] = set()
        self._told: list[str] = []
        self._read: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._ping = False
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._snapshot = ""
        self._snapshots = 0
        self._snapshot_turn = asyncio.Lock()
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
            if not self._clients:
                self._snapshot = ""

    async def snapshot(self) -> str:
        """Return a frame with everything a page needs to begin with, as of now or later."""
        return frame([await self._latest_snapshot()])

    async def whole(self, taken: Frame) -> str:
        """Return the text to send for a frame: for one that lost messages, how many, and a snapshot."""
        if not taken.dropped:
            return taken.text
        dropped = f'{{"type":"dropped","count":{taken.dropped}}}'
        return frame([dropped, await self._latest_snapshot()])

    async def _latest_snapshot(self) -> str:
        """Return a snapshot that was begun after the call.

        Pages that ask at the same time, as all do after a restart, share one. Who has joined before hears of everything
        that changes while it is made.
        """
        wanted = self._snapshots + 1
        async with self._snapshot_turn:
            if self._snapshots < wanted:
                self._snapshots += 1
                self._snapshot = await self._make_snapshot()
            return self._snapshot

    async def _make_snapshot(self) -> str:
        pdus = [text async for _, text in _in_turns(list(self._shapes.fleet.twins()), self._whole)]
        alarms = [shapes.alarm(row).model_dump_json() for row in self._shapes.alarming.open_alarms()]
        parts = {
            "type": '"snapshot"',
            "pdus": frame(pdus),
            "alarms": frame(alarms),
            "last_event_id": str(self._shapes.news.last_id),
            "server_ms": str(self._shapes.clock.now_ms()),
            "server": self.server.model_dump_json(),
        }
        return "{" + ",".join(f'"{key}":{text}' for key, text in parts.items()) + "}"

    async def run(self) -> None:
        """Send what has changed: at once after a pause, else gathered; until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            await self.flush()
            sent_s = loop.time()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), GATHER_S)
            await asyncio.sleep(URGENT_GAP_S - (loop.time() - sent_s))

    async def flush(self) -> None:
        """Give every client a batch of what has changed since the last."""
        self._wake.clear()
        self._urgent.clear()
        changed, self._changed = self._changed, {}
        read, self._read = self._read, {}
        if not self._clients:
            self._told.clear()
            return
        only_read = [pdu_id for pdu_id in read if pdu_id not in changed]
        pdus = {
            **{("pdu", one): _message("pdu", text) async for one, text in _in_turns(changed, self._whole)},
            **{
                ("readings", one): _message("readings", text)
                async for one, text in _in_turns(only_read, self._readings)
            },
        }
        told, self._told = self._told, []
        ping, self._ping = self._ping, False
        if told or pdus:
            batch = Batch(tuple(told), pdus, frame([*told, *pdus.values()]), ping)
            for client in self._clients:
                client.put(batch)

    async def run_pings(self) -> None:
        """Send a ping every few seconds, so that a page knows that the line is alive; until cancelled."""
        while True:
            await asyncio.sleep(PING_S)
            self._ping = True
            self._tell(f'{{"type":"ping","server_ms":{self._shapes.clock.now_ms()}}}')

    def _whole(self, pdu_id: str) -> str:
        return self._shapes.pdu(pdu_id).model_dump_json()

    def _readings(self, pdu_id: str) -> str:
        return readings_json(self._shapes, pdu_id)

    def _listen(self, announcement: Announcement) -> None:
        match announcement:
            case PduChanged(pdu_id, urgent):
                self._note(pdu_id, urgent=urgent)
            case EventAdded(stored):
                self._send("event", shapes.event(stored, self._shapes.news.ids()))
                if stored.code == EventCode.TRIP:
                    self._note(stored.pdu_id, urgent=True)  # its numbers belong to why an outlet is off
            case AlarmChanged(row):
                self._send("alarm", shapes.alarm(row))
            case CommandChanged(row):
                self._send("command", self._shapes.command(row))
            case ServerChanged(broker, database):
                self.server = ServerState(
                    broker="away" if broker else "ok", database="away" if database else "ok"
                )
                self._send("server", self.server)
            case _:
                assert_never(announcement)

    def _note(self, pdu_id: str, *, urgent: bool) -> None:
        if urgent:
            self._changed[pdu_id] = None
            self._urgent.set()
        else:
            self._read[pdu_id] = None
        self._wake.set()

    def _send(self, kind: str, body: BaseModel) -> None:
        if self._clients:
            self._tell(_message(kind, body.model_dump_json()))

    def _tell(self, text: str) -> None:
        if self._clients:
            self._told.append(text)
            self._urgent.set()
            self._wake.set()


def events_frame(stored: list[StoredEvent]) -> str:
    """Return a frame of events, with the causes that stand in the same list linked."""
    return frame(_message("event", one.model_dump_json()) for one in shapes.events(stored))


def _message(kind: str, body: str) -> str:
    return f'{{"type":"{kind}","{kind}":{body}}}'


async def _in_turns(pdu_ids: Iterable[str], encode: Callable[[str], str]) -> AsyncIterator[tuple[str, str]]:
    """Yield each PDU with its JSON; others have their turn in between."""
    for number, pdu_id in enumerate(pdu_ids, 1):
        yield pdu_id, encode(pdu_id)
        if number % _ENCODED_AT_ONCE == 0:
            await asyncio.sleep(0)
