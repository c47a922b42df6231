"""The gateway's end of MQTT: connects, says birth, state and records, and hands on what comes down.

It runs under MicroPython and CPython.
"""

import asyncio
import gc
import json

from clock import NEWEST_MS
from mqtt import Client, MqttError
from payloads import is_whole, read

CONNECT_MS = 30_000  # longest time from opening a socket to `status`
BACKOFF_MS, BACKOFF_DOUBLINGS = 1000, 6
BACKOFF_MAX_MS = 59_000  # on top of the first second
OFFLINE, ONLINE = '{"v":1,"status":"offline"}', b'{"v":1,"status":"online"}'

# What is kept for long finds the lowest hole only after a collection: without one the heap of an ESP8266 crumbles.
_collect = gc.collect if hasattr(gc, "mem_free") else (lambda: None)


class Uplink:
    """Keeps a connection to the broker, for ever.

    Args:
        config: dict with `user`, `password` and, if not the default, `root` ("loadcenter"), `keep_alive_s` (15) and
            `longest` (2048: bytes of the longest packet that is taken).
        open_stream: coroutine function that returns (reader, writer) of asyncio, over TLS or plain; raises OSError.
        boxes: `boxes.Boxes`.
        device: what is said below.
        clock: `clock.Clock`: uptime, and the time of day when known; it is set from `down/time`.
        rng: function (n) -> a random number 0..n-1, such as `random.randrange`.
        update: `update.Update`, None where the program is not updated this way.

    Attributes:
        connected: whether the broker has let us in and `status` is online.
        connects, drops: how many connections came that far, and how many of those ended.
        reason: why the last connection ended or could not be made, "" before.
        skipped: packets that were too long and were thrown away.
        malformed: times of day that could not be read.

    The device must offer, and none of it may wait:
        changed: asyncio.Event, set when a state or a result waits (the uplink clears it).
        state_version: a number that changes with each change of what `state` returns.
        birth() -> dict | None: fields of MQTT-25 without the envelope `v boot up_ms ts_ms`; None while the UNO has
            not said hello, and then no connection is made.
        state() -> dict | None: fields of MQTT-30 without the envelope; None while they cannot be known.
        results() -> dict | None: the next answer `id n status code data` (MQTT-43), without the envelope; each once.
        command(payload: bytes, retained: bool): `down/command`; never empty.
        desired(payload: bytes): `down/desired`; never empty.
    """

    def __init__(
        self,
        config: dict,
        open_stream: object,
        boxes: object,
        device: object,
        clock: object,
        rng: object,
        update: object = None,
    ) -> None:
        self.connected = False
        self.connects = self.drops = self.skipped = self.malformed = 0
        self.reason = ""
        self._login = (config["user"], config["password"])
        self._base = "%s/v1/%s/" % (config.get("root", "loadcenter"), config["user"])
        self._limits = (config.get("keep_alive_s", 15), config.get("longest", 2048))
        self._open_stream = open_stream
        self._boxes = boxes
        self._device = device
        self._clock = clock
        self._rng = rng
        self._update = update
        self._client = None
        self._failures = 0
        self._said_version = None
        self._result = None  # taken from the device, and not yet by the broker
        boxes.changed = self._wake = device.changed

    async def run(self) -> None:
        """Connect, and again after 1 to 60 s with jitter, until cancelled. Raises nothing that a link can cause."""
        while True:
            if self._device.birth() is None:
                await asyncio.sleep(1)
                continue
            self.reason = await self._supervise()
            span_ms = min(BACKOFF_MAX_MS, BACKOFF_MS << min(self._failures, BACKOFF_DOUBLINGS))
            self._failures += 1
            await asyncio.sleep((BACKOFF_MS + self._rng(span_ms)) / 1000)

    async def _supervise(self) -> str:
        """Keep one connection until it ends; return why."""
        self._client = None
        began_ms = self._clock.uptime()
        session = asyncio.create_task(self._session())
        cut = ""
        try:
            while not session.done() and not cut:
                await asyncio.sleep(1)
                self._wake.set()  # what is due by time: pings, repetitions
                if session.done():
                    break
                if self._client and self._client.silent():
                    cut = "the broker is silent"
                if not self.connected and self._clock.uptime() - began_ms > CONNECT_MS:
                    cut = "no connection within %d s" % (CONNECT_MS // 1000)
        finally:
            if not session.done():
                session.cancel()
        return cut or await session  # one that was cut is over before the next one begins

    async def _session(self) -> str:
        try:
            client = self._client = Client(
                await self._open_stream(), self._clock.uptime, self._wake, *self._limits
            )
        except OSError as error:
            return str(error) or "cannot open a connection"
        listener = None
        try:
            await client.connect(self._login, (self._base + "up/status", OFFLINE))
            listener = asyncio.create_task(client.listen(self._hear))
            await self._introduce(client)
            while True:
                await self._pump(client)
                await self._wake.wait()
                self._wake.clear()
        except OSError as error:
            return str(error) or "the connection broke"
        finally:
            self.drops += self.connected
            self.connected = False
            self.skipped += client.skipped
            if listener:
                listener.cancel()
            client.close()

    async def _introduce(self, client: Client) -> None:
        """Say birth, state and status in the order of MQTT-26 and MQTT-60."""
        await client.subscribe(self._base + "down/#")
        self._boxes.rewind()
        await self._say(client, "birth", self._device.birth() or {}, retain=True)
        await self._say_state(client)
        await client.publish(self._base + "up/status", ONLINE, retain=True)
        self.connected = True
        self.connects += 1
        self._failures = 0
        if self._update:
            self._update.online()

    async def _pump(self, client: Client) -> None:
        """Say all that is to be said now, what people wait for first."""
        more = True
        while more:
            _collect()
            await client.tend()
            if self._device.state_version != self._said_version:
                await self._say_state(client)
            else:
                more = (
                    await self._say_result(client)
                    or await self._say_record(client)
                    or await self._say_update(client)
                )

    async def _say_state(self, client: Client) -> None:
        version, state = self._device.state_version, self._device.state()
        if state:
            await self._say(client, "state", state, retain=True)
        self._said_version = version

    async def _say_result(self, client: Client) -> bool:
        self._result = self._result or self._device.results()
        if self._result is None:
            return False
        await self._say(client, "result", self._result)
        self._result = None
        return True

    async def _say_record(self, client: Client) -> bool:
        record = self._boxes.next()
        if record is None:
            return False
        await client.publish(self._base + "up/" + record[0], record[1])
        return True

    async def _say_update(self, client: Client) -> bool:
        fields = self._update.due() if self._update else None
        if fields is None:
            return False
        await self._say(client, "updating", fields)
        self._update.said(fields)
        return True

    async def _say(self, client: Client, leaf: str, fields: dict, retain: bool = False) -> None:
        up_ms = self._clock.uptime()
        stamp = {"v": 1, "boot": self._boxes.boot, "up_ms": up_ms}
        if self._clock.offset_ms is not None:
            stamp["ts_ms"] = self._clock.at(up_ms)
        stamp.update(fields)
        payload = json.dumps(stamp, separators=(",", ":")).encode()
        await client.publish(self._base + "up/" + leaf, payload, retain)

    def _hear(self, topic: bytes, payload: bytes, retained: bool) -> None:
        """Hand on a message; an empty one is none (MQTT-2), and what is never retained is not taken if it is."""
        leaf = topic.rsplit(b"/", 1)[-1]
        if not payload:
            return
        if leaf == b"command":
            self._device.command(payload, retained)
        elif leaf == b"desired":
            self._device.desired(payload)
        elif leaf == b"update" and self._update:
            self._update.take(payload, retained)
        elif leaf == b"ack" and not retained:
            if self._boxes.ack(payload):
                raise MqttError("the number of this boot was used before, there is a new one")
        elif leaf == b"time" and not retained:
            self._set_time(payload)

    def _set_time(self, payload: bytes) -> None:
        said = read(payload)
        if said.get("v") == 1 and is_whole(said.get("ts_ms"), 1, NEWEST_MS):
            self._clock.set(said["ts_ms"])
        else:
            self.malformed += 1
