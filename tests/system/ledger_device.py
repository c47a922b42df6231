"""A device that keeps a ledger of everything it has given out: the reference of the durability tests.

It follows spec/mqtt.md (streams, outbox, acks, re-sending, gap after a restored database) with nothing of the product
but the MQTT link, in a thread of its own.
"""

import asyncio
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.options import LinkOptions, Will
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import LinkDownError, LinkState

OUTLETS = (1, 2)
WINDOW = 500
RESEND_S = 1.0
START_MS = 1_790_000_000_000


@dataclass
class Sent:
    """One stream of the ledger: payload fields by number, what is stored and when that moved, what was sent."""

    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    stored: int = 0
    sent: int = 0
    oldest: int = 1
    progress_s: float = 0.0

    def rewind(self) -> None:
        """Send everything again that is not stored."""
        self.progress_s = time.monotonic()
        self.sent = self.stored


class LedgerDevice:
    """Publishes records as fast as asked and sends each until it is acknowledged end to end."""

    def __init__(self, pdu_id: str, address: BrokerAddress, seed: int, root: str = "loadcenter") -> None:
        self.pdu_id = pdu_id
        self._topic = f"{root}/v1/{pdu_id}"
        self._chance = random.Random(seed)
        will = Will(f"{self._topic}/up/status", b'{"v":1,"status":"offline"}', 1, retain=True)
        options = LinkOptions(
            client_id=pdu_id,
            subscriptions=((f"{self._topic}/down/#", 1),),
            when_full=WhenFull.STOP_READING,
            will=will,
            publish_timeout_s=2.0,
            backoff_max_s=0.5,
        )
        self._link = MqttLink(address, options)
        self.streams = {"telemetry": Sent(), "event": Sent()}
        self.commands: list[dict[str, Any]] = []
        self._on = dict.fromkeys(OUTLETS, True)
        self._energy = dict.fromkeys(OUTLETS, 0)
        self._lock = threading.Lock()
        self._rate = 0.0
        self._stop = threading.Event()
        self._generation = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=pdu_id)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    # -- what tests ask

    def produce(self, rate: float) -> None:
        """Give out so many records a second from now on; 0 stops."""
        self._rate = rate

    def give_out(self, count: int) -> None:
        """Give out so many telemetry records at once."""
        with self._lock:
            for _ in range(count):
                self._sample()

    def poison(self) -> int:
        """Give out one telemetry record that cannot be understood, with a readable envelope; return its number."""
        with self._lock:
            number = len(self.streams["telemetry"].records) + 1
            self.streams["telemetry"].records[number] = {
                "active": "main",
                "live": True,
                "src": "poison",
                "out": [],
            }
            return number

    @property
    def unacknowledged(self) -> int:
        """Records given out and not acknowledged end to end."""
        with self._lock:
            return sum(len(one.records) - one.stored for one in self.streams.values())

    @property
    def stored(self) -> int:
        """Telemetry records acknowledged end to end."""
        return self.streams["telemetry"].stored

    def forget_stored(self) -> None:
        """Hold only what is not acknowledged, as a device with little memory does."""
        with self._lock:
            for one in self.streams.values():
                one.oldest = one.stored + 1

    # -- the device

    async def _run(self) -> None:
        async with self._link, asyncio.TaskGroup() as tasks:
            work = [
                tasks.create_task(self._receive()),
                tasks.create_task(self._produce()),
                tasks.create_task(self._send_all()),
            ]
            await asyncio.to_thread(self._stop.wait)
            for task in work:
                task.cancel()

    async def _produce(self) -> None:
        owed = 0.0
        while True:
            await asyncio.sleep(0.01)
            owed += self._rate * 0.01
            with self._lock:
                for _ in range(int(owed)):
                    self._sample()
            owed -= int(owed)

    def _sample(self) -> None:
        telemetry = self.streams["telemetry"]
        number = len(telemetry.records) + 1
        out = []
        for n in OUTLETS:
            power = self._chance.randrange(10_000, 900_000) if self._on[n] else 0
            self._energy[n] += power // 3600
            current = power * 1000 // 230_000
            out.append({"n": n, "on": self._on[n], "i_ma": current, "p_mw": power, "e_mwh": self._energy[n]})
        source = {"v_mv": 230_000, "f_mhz": 50_000}
        telemetry.records[number] = {
            "active": "main",
            "live": True,
            "src": {"main": source, "backup": source},
            "out": out,
        }
        if number % 50 == 0:
            events = self.streams["event"]
            events.records[len(events.records) + 1] = {"code": "source_restored", "src": "main"}

    async def _send_all(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            if self._link.state is not LinkState.UP:
                continue
            try:
                if self._generation != self._link.generation:
                    await self._greet()
                    self._generation = self._link.generation
                await self._send_window()
            except LinkDownError:
                self._rewind()

    async def _greet(self) -> None:
        self._rewind()
        birth = {
            "min_v": 1,
            "max_v": 1,
            "model": "ledger",
            "fw": "1",
            "outlets": len(OUTLETS),
            "nominal": {"v_mv": 230_000, "f_mhz": 50_000},
            "ratings": {"outlet_ma": 4000, "total_ma": 8000},
            "period_ms": 1000,
        }
        await self._publish("birth", self._stamp(birth), retain=True)
        await self._report()
        await self._publish("status", {"v": 1, "status": "online"}, retain=True)

    async def _report(self) -> None:
        state = {
            "active": "main",
            "live": True,
            "isolator": "closed",
            "src": {"main": "good", "backup": "good"},
            "out": [{"n": n, "on": on, "cause": "restore"} for n, on in self._on.items()],
            "settings": 0,
            "n": self.commands[-1]["n"] if self.commands else 0,
        }
        await self._publish("state", self._stamp(state), retain=True)

    async def _send_window(self) -> None:
        for stream, one in self.streams.items():
            if time.monotonic() - one.progress_s > RESEND_S:
                one.rewind()
            with self._lock:
                last = min(len(one.records), one.stored + WINDOW)
                batch = [
                    (number, one.records[number]) for number in range(max(one.sent + 1, one.oldest), last + 1)
                ]
                gap = (one.stored + 1, one.oldest - 1) if one.stored + 1 < one.oldest else None
            if gap is not None and one.sent < gap[1]:
                body = {
                    "from": gap[0],
                    "seq": gap[1],
                    "gap": {"reason": "not_held", "count": gap[1] - gap[0] + 1},
                }
                await self._publish(stream, self._stamp(body))
                one.sent = gap[1]
            for number, fields in batch:
                if number <= one.stored:
                    continue
                body = {"seq": number, "ts_ms": START_MS + number * 1000, **fields}
                await self._publish(stream, self._stamp(body))
                one.sent = max(one.sent, number)

    def _rewind(self) -> None:
        for one in self.streams.values():
            one.rewind()

    async def _publish(self, leaf: str, body: dict[str, Any], *, retain: bool = False) -> None:
        await self._link.publish(f"{self._topic}/up/{leaf}", json.dumps(body).encode(), qos=1, retain=retain)

    @staticmethod
    def _stamp(body: dict[str, Any]) -> dict[str, Any]:
        return {"v": 1, "boot": 1, "up_ms": int(time.monotonic() * 1000), **body}

    async def _receive(self) -> None:
        while True:
            for message in await self._link.receive(100, 0):
                if message.token is not None:
                    self._link.ack([message.token])
                leaf, body = message.topic.rsplit("/", 1)[1], json.loads(message.payload)
                if leaf == "ack" and body["boot"] == 1:
                    self._take_ack(body)
                elif leaf == "command":
                    await self._obey(body)

    def _take_ack(self, body: dict[str, Any]) -> None:
        with self._lock:
            for stream, one in self.streams.items():
                if body[stream] > one.stored:
                    one.progress_s = time.monotonic()
                elif body[stream] < one.stored:
                    one.sent = body[stream]  # a restored database: begin again from there
                one.stored = body[stream]
                one.sent = max(one.sent, one.stored)

    async def _obey(self, order: dict[str, Any]) -> None:
        self.commands.append(order)
        if order["do"] == "switch":
            self._on[order["out"]] = order["on"]
        answer = {"id": order["id"], "n": order["n"], "status": "confirmed", "code": "ok"}
        await self._report()
        await self._publish("result", self._stamp(answer))
