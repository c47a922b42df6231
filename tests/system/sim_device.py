"""The simulated PDU on a real broker: live, or in virtual time as fast as the broker takes it."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Self

from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.options import LinkOptions, Will
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.protocol.topics import Down
from loadcenter.services.ports import LinkState
from loadcenter.simulator.encode import encode
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.pdu import VirtualPdu

TICK_S = 0.02


class SimDevice:
    """Runs a virtual PDU on a broker in a thread of its own.

    Args:
        pdu: the device; it lives in `now_ms` of its own.
        address: the broker, as this device.
        now_ms: returns the device's time.
        own_clock: set the device's clock from `now_ms` and ignore the control center's time, for replays of the past.
    """

    def __init__(
        self, pdu: VirtualPdu, address: BrokerAddress, now_ms: Callable[[], int], *, own_clock: bool = False
    ) -> None:
        self.pdu = pdu
        self._now_ms = now_ms
        self._own_clock = own_clock
        will = pdu.will
        options = LinkOptions(
            client_id=pdu.pdu_id,
            subscriptions=((pdu.subscription, 1),),
            when_full=WhenFull.STOP_READING,
            will=Will(will.topic, will.payload, will.qos, will.retain),
        )
        self._link = MqttLink(address, options)
        self._generation = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=pdu.pdu_id)
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    async def _run(self) -> None:
        async with self._link, asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(self._receive())
            while not self._stop.is_set():
                await self._send(self._advance())
                await asyncio.sleep(TICK_S)
            receiving.cancel()

    def _advance(self) -> list[Outgoing]:
        with self.lock:
            if self._link.state is not LinkState.UP:
                if self.pdu.is_connected:
                    self.pdu.disconnected(self._now_ms())
                return []
            if self._link.generation == self._generation and self.pdu.is_connected:
                return self.pdu.advance(self._now_ms())
            self._generation = self._link.generation
            out = self.pdu.connected(self._now_ms())
            if self._own_clock:
                topic = self.pdu.subscription.replace("#", Down.TIME)
                out += self.pdu.receive(
                    topic, encode({"v": 1, "ts_ms": self._now_ms()}), False, self._now_ms()
                )
            return out

    async def _receive(self) -> None:
        while True:
            for message in await self._link.receive(100, 0):
                if message.token is not None:
                    self._link.ack([message.token])
                if self._own_clock and message.topic.endswith(f"/{Down.TIME}"):
                    continue
                with self.lock:
                    out = self.pdu.receive(message.topic, message.payload, message.retained, self._now_ms())
                await self._send(out)

    async def _send(self, messages: list[Outgoing]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for one in messages:
                tasks.create_task(self._link.publish(one.topic, one.payload, qos=one.qos, retain=one.retain))


class VirtualTime:
    """A clock that is told how far it may run, and runs there in steps that the broker can follow."""

    def __init__(self, start_ms: int, end_ms: int, step_ms: int) -> None:
        self._ms = start_ms
        self._end_ms = end_ms
        self._step_ms = step_ms

    def __call__(self) -> int:
        return self._ms

    def step(self) -> bool:
        """Go on; return False at the end."""
        self._ms = min(self._end_ms, self._ms + self._step_ms)
        return self._ms < self._end_ms


def real_time() -> Callable[[], int]:
    """Return UTC in ms that never steps."""
    offset_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000
    return lambda: time.monotonic_ns() // 1_000_000 + offset_ms
