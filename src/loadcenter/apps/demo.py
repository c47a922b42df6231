"""Joins the simulated rack to the broker: one MQTT connection and one set of credentials for each simulated PDU.

The simulator itself does no input or output; what a real device's Wi-Fi does is done here. A cut network ends the
connection as a broker sees it: the will is published, then nothing comes through.
"""

import asyncio
import logging
from collections.abc import Sequence

from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.link import PahoLink
from loadcenter.adapters.mqtt.options import LinkOptions, Will
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.protocol import topics
from loadcenter.services.ports import LinkDownError, LinkState
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.pdu import VirtualPdu
from loadcenter.simulator.rack import Rack

_log = logging.getLogger(__name__)

TICK_MS = 50
"""How often the simulation catches up with the clock; its own step is finer."""

OUTBOX_MAX = 500
"""Messages that may wait for the broker; past that the newest are given up, as a full radio would."""


class SimulatedDevice:
    """One simulated PDU, connected to a broker."""

    def __init__(self, pdu: VirtualPdu, rack: Rack, address: BrokerAddress, root: str) -> None:
        self._pdu = pdu
        self._rack = rack
        self._clock = SystemClock()
        will = pdu.will
        options = LinkOptions(
            client_id=pdu.pdu_id,
            subscriptions=((topics.down(root, pdu.pdu_id, "#"), 1),),
            when_full=WhenFull.STOP_READING,
            will=Will(will.topic, will.payload, will.qos, will.retain),
        )
        self._link = PahoLink(address, options)
        self._generation = 0
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue(OUTBOX_MAX)

    async def run(self) -> None:
        """Run until cancelled."""
        async with self._link, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._advance(), name=f"{self._pdu.pdu_id} time")
            tasks.create_task(self._receive(), name=f"{self._pdu.pdu_id} in")
            tasks.create_task(self._publish(), name=f"{self._pdu.pdu_id} out")

    async def _advance(self) -> None:
        while True:
            await self._follow_link()
            self._queue(self._pdu.advance(self._clock.now_ms()))
            await self._clock.sleep_ms(TICK_MS)

    async def _follow_link(self) -> None:
        """Tell the PDU of its network, and the network of what the demo's panel cut."""
        up = self._link.state is LinkState.UP
        if self._rack.network_up(self._pdu.pdu_id):
            if self._link.state is LinkState.PAUSED:
                await self._link.resume()
            elif up and self._link.generation != self._generation:
                self._generation = self._link.generation
                self._queue(self._pdu.connected(self._clock.now_ms()))
            elif not up and self._generation:
                self._lose()
        elif up:
            await self._send(self._pdu.will)
            await self._link.pause()
            self._lose()

    def _lose(self) -> None:
        self._generation = 0
        while not self._outbox.empty():
            self._outbox.get_nowait()  # the PDU keeps its records and sends them again
        self._pdu.disconnected(self._clock.now_ms())

    async def _receive(self) -> None:
        while True:
            for message in await self._link.receive(100, 0):
                if message.token is not None:
                    self._link.ack([message.token])
                now_ms = self._clock.now_ms()
                self._queue(self._pdu.receive(message.topic, message.payload, message.retained, now_ms))

    def _queue(self, messages: Sequence[Outgoing]) -> None:
        for message in messages if self._generation else ():
            if self._outbox.full():
                return  # the broker is slower than the PDU, which sends its records again
            self._outbox.put_nowait(message)

    async def _publish(self) -> None:
        while True:
            await self._send(await self._outbox.get())

    async def _send(self, message: Outgoing) -> None:
        try:
            await self._link.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        except LinkDownError as error:
            _log.debug("%s: %s", self._pdu.pdu_id, error)  # the PDU notices, and sends its records again
