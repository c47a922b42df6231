"""What waits for one open page: every event, and of each PDU only the latest."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BEHIND_MAX = 2_000
"""Events, alarms and commands that may wait for a client; beyond it begins anew with a snapshot."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a client is to be sent next.

    Attributes:
        text: a JSON array of messages; empty where some were dropped.
        ping: whether a ping is among them.
        dropped: how many messages were dropped before; a snapshot makes up for them.
    """

    text: str
    ping: bool = False
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What has changed since the batch before, as JSON.

    Attributes:
        told: messages of which each counts.
        pdus: messages of PDUs by kind and PDU: a newer one makes up for an older one.
        text: the frame that holds all of them.
    """

    told: tuple[str, ...]
    pdus: Mapping[tuple[str, str], str]
    text: str
    ping: bool = False


class Client:
    """One open page, and what waits for it."""

    def __init__(self) -> None:
        self._told: deque[str] = deque()
        self._pdus: dict[tuple[str, str], str] = {}
        self._batches = 0
        self._text = ""
        self._ping = False
        self._dropped = 0
        self._wake = asyncio.Event()

    def put(self, batch: Batch) -> None:
        """Let a batch wait; of each PDU only the latest does. Beyond `BEHIND_MAX` all is dropped and counted."""
        self._wake.set()
        self._ping = self._ping or batch.ping
        if self._dropped:
            self._dropped += len(batch.told)
            return
        self._batches += 1
        self._text = batch.text
        self._told.extend(batch.told)
        for key, text in batch.pdus.items():
            self._pdus.pop(key, None)  # the order counts: readings come after the state that they belong to
            self._pdus[key] = text
        if len(self._told) > BEHIND_MAX:
            self._dropped = len(self._told)
            self._empty()

    async def get(self) -> Frame:
        """Return what waits, as one frame, as soon as anything does."""
        await self._wake.wait()
        self._wake.clear()
        # a client that keeps up is sent the very text of all others
        text = self._text if self._batches == 1 else frame([*self._told, *self._pdus.values()])
        taken = Frame("", self._ping, self._dropped) if self._dropped else Frame(text, self._ping)
        self._empty()
        self._ping, self._dropped = False, 0
        return taken

    def _empty(self) -> None:
        self._told.clear()
        self._pdus.clear()
        self._batches, self._text = 0, ""


def frame(messages: Iterable[str]) -> str:
    """Return a JSON array of what is JSON already."""
    return f"[{','.join(messages)}]"
