"""The gateway's upper half in virtual time: a loop that jumps, a broker in memory, and a control center on it."""

import asyncio
import json
import random
import selectors
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.firmware.nodemcu.modules import load

STREAMS = ("telemetry", "event")
SAMPLE = (False, True, (230120, 50010, 0), (229800, 49990, 0), ((True, 1904, 437900, 90211345, 0),) * 4)
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PING = 1, 3, 4, 8, 12


class _Jumping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        if timeout is None:
            raise AssertionError("the loop waits for ever: a test waits for what cannot come")
        self.now += timeout
        return super().select(0)


def play(course: Callable[[], Awaitable[None]]) -> None:
    """Run a course in virtual time."""
    selector = _Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    try:
        loop.run_until_complete(asyncio.wait_for(course(), 100_000))
    finally:
        # A task that is cancelled may cancel one more.
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()


def uptime() -> int:
    return round(asyncio.get_running_loop().time() * 1000)


class Writer:
    """What the client writes goes to the broker at once."""

    def __init__(self, broker: "Broker") -> None:
        self.broker = broker
        self.closed = False

    def write(self, data: bytes) -> None:
        if self.closed:
            raise ConnectionResetError("closed")
        self.broker.take(data)

    async def drain(self) -> None:
        if self.broker.stuck:
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    def close(self) -> None:
        self.closed = True


class Broker:
    """MQTT 3.1.1 in memory, for one client, which checks the form of all that it hears.

    Attributes:
        said: (time in s, leaf, fields, retained) of every message of the client.
        away: it cannot be reached.
        silent: it hears and says nothing, as behind a cable that was pulled.
        stuck: what the client writes does not drain.
        refusal: code of CONNACK.
        mute: it sends no PUBACK.
    """

    def __init__(self) -> None:
        self.said: list[tuple[float, str, dict[str, Any], bool]] = []
        self.away = self.silent = self.stuck = self.mute = False
        self.refusal = 0
        self.opened: list[float] = []
        self.pings = 0
        self.acknowledged: list[int] = []
        self.login: list[bytes] = []
        self.on_publish: Callable[[str, dict[str, Any]], None] = lambda _leaf, _body: None
        self.reader: asyncio.StreamReader | None = None
        self._left = b""

    async def open(self):
        self.opened.append(asyncio.get_running_loop().time())
        if self.away:
            raise OSError("no route to host")
        self.reader, self._left = asyncio.StreamReader(), b""
        return self.reader, Writer(self)

    def cut(self) -> None:
        assert self.reader is not None
        self.reader.feed_eof()

    def feed(self, data: bytes) -> None:
        if self.reader is not None and not self.silent and not self.reader.at_eof():
            self.reader.feed_data(data)

    def tell(self, leaf: str, body: dict[str, Any] | bytes, qos: int = 0, retain: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps({"v": 1, **body}).encode()
        topic = b"loadcenter/v1/pdu-1/down/" + leaf.encode()
        rest = len(topic).to_bytes(2, "big") + topic + (b"\x00\x07" if qos else b"") + payload
        self.feed(bytes([0x30 | qos << 1 | retain]) + _length(len(rest)) + rest)

    def take(self, data: bytes) -> None:
        if self.silent:
            return
        self._left += data
        while (packet := self._next()) is not None:
            self._answer(*packet)

    def _next(self):
        if len(self._left) < 2:
            return None
        size, at = self._left[1] & 0x7F, 2
        if self._left[1] & 0x80:
            size, at = size | self._left[2] << 7, 3
        if len(self._left) < at + size:
            return None
        kind, body = self._left[0], self._left[at : at + size]
        self._left = self._left[at + size :]
        return kind, body

    def _answer(self, kind: int, body: bytes) -> None:
        match kind >> 4:
            case 1:
                assert body.startswith(b"\x00\x04MQTT\x04\xee")
                self.login = _texts(body[10:])
                self.feed(bytes([0x20, 2, 0, self.refusal]))
            case 3:
                size = int.from_bytes(body[:2], "big")
                leaf = body[2 : 2 + size].decode().removeprefix("loadcenter/v1/pdu-1/up/")
                fields = json.loads(body[4 + size :])
                self.said.append((asyncio.get_running_loop().time(), leaf, fields, bool(kind & 1)))
                if not self.mute:
                    self.feed(b"\x40\x02" + body[2 + size : 4 + size])
                self.on_publish(leaf, fields)
            case 4:
                self.acknowledged.append(int.from_bytes(body, "big"))
            case 8:
                assert _texts(body[2:-1]) == [b"loadcenter/v1/pdu-1/down/#"]
                self.feed(b"\x90\x03" + body[:2] + b"\x01")
            case 12:
                self.pings += 1
                self.feed(b"\xd0\x00")
            case _:
                raise AssertionError(f"a packet of kind {kind:#x}")

    def heard(self, leaf: str) -> list[dict[str, Any]]:
        return [fields for _, name, fields, _ in self.said if name == leaf]


def _length(size: int) -> bytes:
    return bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80]) + _length(size >> 7)


def _texts(data: bytes) -> list[bytes]:
    texts = []
    while data:
        size = int.from_bytes(data[:2], "big")
        texts.append(data[2 : 2 + size])
        data = data[2 + size :]
    return texts


class Center:
    """Takes records as MQTT-12 says and acknowledges them at once, while `acks`; books every number it was told of."""

    def __init__(self, broker: Broker) -> None:
        self.positions: dict[tuple[int, str], int] = defaultdict(int)
        self.booked: dict[tuple[int, str], list[tuple[int, int, str]]] = defaultdict(list)
        self.acks = True
        self.at_birth = True
        self._broker = broker
        broker.on_publish = self._hear

    def _hear(self, leaf: str, fields: dict[str, Any]) -> None:
        if leaf in STREAMS:
            self.book(leaf, fields)
            if self.acks:
                self.tell(fields["boot"])
        elif leaf == "birth" and self.at_birth:
            self.tell(fields["boot"])

    def book(self, stream: str, fields: dict[str, Any]) -> None:
        key = fields["boot"], stream
        first, seq = fields.get("from", fields["seq"]), fields["seq"]
        position = self.positions[key]
        if self.acks and first <= position + 1 <= seq:
            kind = fields["gap"]["reason"] if "gap" in fields else "record"
            self.booked[key].append((position + 1, seq, kind))
            self.positions[key] = seq

    def tell(self, boot: int) -> None:
        self._broker.tell("ack", {"boot": boot, **{name: self.positions[boot, name] for name in STREAMS}})


class Unit:
    """A device of four outlets that was made up."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.state_version = 0
        self.ready = True
        self.commands: list[tuple[bytes, bool]] = []
        self.settings: list[bytes] = []
        self.answers: list[dict[str, Any]] = []

    def birth(self):
        return {"model": "made up", "outlets": 4} if self.ready else None

    def state(self):
        return {"settings": self.state_version}

    def results(self):
        return self.answers.pop(0) if self.answers else None

    def command(self, payload, retained):
        self.commands.append((payload, retained))

    def desired(self, payload):
        self.settings.append(payload)

    def touch(self):
        self.state_version += 1
        self.changed.set()


class World:
    """One start of the gateway's upper half against a broker in memory. Make it inside `play`."""

    def __init__(self, folder: Path, broker: Broker | None = None, **options: Any) -> None:
        self.broker = broker or Broker()
        self.unit = Unit()
        chance = random.Random(1).randrange
        self.clock = load("clock").Clock(uptime)
        self.boxes = load("boxes").Boxes(str(folder), self.clock, chance, **options)
        config = {"user": "pdu-1", "password": "secret", "longest": 512}
        self.uplink = load("uplink").Uplink(
            config, self.broker.open, self.boxes, self.unit, self.clock, chance
        )
        self.task = asyncio.ensure_future(self.uplink.run())

    def sample(self, count: int = 1) -> None:
        for _ in range(count):
            self.boxes.add_telemetry(SAMPLE)

    async def until(self, what: Callable[[], object], bound_s: float = 200) -> None:
        """Return when `what` is true; fail when it is not within so many virtual seconds."""
        end = asyncio.get_running_loop().time() + bound_s
        while not what():
            assert asyncio.get_running_loop().time() < end, "waited in vain"
            assert not self.task.done(), self.task
            await asyncio.sleep(0.05)
