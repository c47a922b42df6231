"""One connection to the broker, from CONNECT to its end.

It reads no further than its owner has room for: what was read already waits here, the rest at the broker, which feels it
through TCP. What is written within one turn of the event loop leaves together.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import cast

from loadcenter.adapters.mqtt import packets
from loadcenter.adapters.mqtt.advice import (
    ConnectionEndedError,
    ConnectRefusedError,
    SubscribeRefusedError,
)
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.packets import Packet, PacketReader, Publication
from loadcenter.adapters.mqtt.tls import client_context
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import LinkDownError

_TICK_S = 1.0
"""How often it is looked whether the line was silent too long; well under the shortest keep-alive allowed."""
_GOODBYE_S = 1.0
"""Longest wait for what is queued, and DISCONNECT, to be written at a close."""
_REFUSED_FROM = 0x80
"""Codes of SUBACK from here on refuse (3.9.3)."""

Deliver = Callable[[str, bytes, bool, int], bool]
"""Takes topic, payload, retain flag and packet id (0 at QoS 0); returns whether there is room for more."""


class Connection(asyncio.Protocol):
    """A single connection; it never reconnects. `accepted` is called at a good CONNACK, before any delivery.

    Attributes:
        repeats: deliveries that the broker repeated though the first one is still in the caller's hands; NATS does so
            when one is not acknowledged within its `ack_wait`. They are not delivered again.
    """

    def __init__(
        self, address: BrokerAddress, options: LinkOptions, accepted: Callable[[], None], deliver: Deliver
    ) -> None:
        self.repeats = 0
        self._accepted = accepted
        self._address = address
        self._options = options
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = PacketReader()
        self._reading = True
        self._queued: list[bytes] = []
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._tick: asyncio.TimerHandle | None = None
        self._heard_s = self._said_s = self._loop.time()
        self._pinged_s: float | None = None
        self._connack: asyncio.Future[bytes] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._last_id = 0
        self._unacked: set[int] = set()

    async def open(self) -> None:
        """Return once CONNACK and all SUBACKs are good.

        Raises:
            OSError: the network, TLS, or a time-out.
            CaFileError: the CA file holds no certificate.
            ConnectRefusedError: CONNACK says no.
            SubscribeRefusedError: a SUBACK says no.
            ConnectionEndedError: the broker hung up.
        """
        async with asyncio.timeout(self._options.connect_timeout_s):
            await self._connect()
        async with asyncio.timeout(self._options.connect_timeout_s):
            self._write(packets.connect(self._options, self._address.username, self._address.password))
            answer = await self._connack
            if code := answer[1]:
                raise ConnectRefusedError(code)
            await self.subscribe(self._options.subscriptions)

    async def ended(self) -> str:
        """Return why the connection ended, once it has."""
        return await asyncio.shield(self._ended)

    async def ended_within(self, duration_s: float) -> bool:
        """Return whether the connection ends within `duration_s`."""
        done, _ = await asyncio.wait({self._ended}, timeout=duration_s)
        return bool(done)

    async def close(self) -> None:
        """Write what is queued, then DISCONNECT, and close the socket. The broker publishes no will."""
        if self._transport is not None and not self._ended.done():
            self._write(packets.DISCONNECT)
            self._flush()
            self._transport.close()
            await self.ended_within(_GOODBYE_S)
        self.drop()

    def drop(self) -> None:
        """Close the socket without a word. The broker publishes the will."""
        if self._transport is not None:
            self._transport.abort()
        self._end("closed")

    async def subscribe(self, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Return once the broker has granted (filter, QoS) pairs.

        Raises:
            SubscribeRefusedError: it refuses one.
            ConnectionEndedError: the connection ended before.
        """
        if not subscriptions:
            return
        granted = await self._ask(lambda number: packets.subscribe(number, subscriptions))
        for (pattern, _), code in zip(subscriptions, granted, strict=True):
            if code >= _REFUSED_FROM:
                raise SubscribeRefusedError(pattern)

    async def unsubscribe(self, patterns: Sequence[str]) -> None:
        """Return once the broker sends nothing more for these filters.

        Raises:
            ConnectionEndedError: the connection ended before.
        """
        await self._ask(lambda number: packets.unsubscribe(number, patterns))

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Return when the broker has taken the message (QoS 1) or it is on its way to the socket (QoS 0).

        Raises:
            LinkDownError: the connection ended before, or the time was up; at QoS 1 the broker may have it or not.
        """
        if self._ended.done():
            raise LinkDownError(f"cannot publish on '{topic}': {self._ended.result()}")
        if not qos and self._may_write.is_set():
            self._write(packets.publish(topic, payload, 0, retain=retain))
            return
        try:
            async with asyncio.timeout(self._options.publish_timeout_s):
                await self._may_write.wait()
                if qos:
                    await self._ask(lambda number: packets.publish(topic, payload, number, retain=retain))
                else:
                    self._write(packets.publish(topic, payload, 0, retain=retain))
        except ConnectionEndedError as error:
            raise LinkDownError(f"the connection ended while publishing: {self._ended.result()}") from error
        except TimeoutError as error:
            raise LinkDownError(
                f"{self._address} did not take a message on '{topic}' within {self._options.publish_timeout_s:g} s: "
                "see the broker's log"
            ) from error

    def ack(self, packet_ids: Sequence[int]) -> None:
        """Send the PUBACKs of deliveries, each once: the broker may use the packet id again after it."""
        if self._ended.done():
            return
        due = [number for number in packet_ids if number in self._unacked]
        self._unacked.difference_update(due)
        if due:
            self._write(packets.pubacks(due))

    def read_on(self) -> None:
        """Read again after there was no room."""
        if not self._reading and not self._ended.done():
            self._reading = True
            self._loop.call_soon(self._take_packets)

    # -- what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note that the socket, and TLS over it, stand."""
        self._transport = cast("asyncio.Transport", transport)
        self._tick = self._loop.call_later(_TICK_S, self._ticked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self._end(f"the network failed: {exc}" if exc else "the broker closed it, or the network failed")

    def data_received(self, data: bytes) -> None:
        """Take what has come in."""
        self._heard_s = self._loop.time()
        self._reader.feed(data)
        self._take_packets()

    def pause_writing(self) -> None:
        """Wait with further messages: the socket takes no more for now."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._may_write.set()

    # -- connecting

    async def _connect(self) -> None:
        address = self._address
        context = None
        if address.tls:
            context = await self._loop.run_in_executor(None, client_context, address)
        sock = await self._socket()
        try:
            await self._loop.create_connection(
                lambda: self, sock=sock, ssl=context, server_hostname=address.host if context else None
            )
        except BaseException:
            sock.close()
            raise

    async def _socket(self) -> socket.socket:
        """Return a socket that is connected to the first of the host's addresses that answers."""
        found = await self._loop.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_STREAM)
        why: OSError = ConnectionRefusedError()
        for family, kind, protocol, _, where in found:
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            try:
                await self._loop.sock_connect(sock, where)
            except OSError as error:
                sock.close()
                why = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise why

    # -- packets

    def _take_packets(self) -> None:
        """Take packets that are here as long as there is room, and let the transport read on or wait."""
        try:
            while self._reading and (packet := self._reader.next()) is not None:
                if isinstance(packet, Publication):
                    self._take_publication(packet)
                else:
                    self._take_answer(packet)
        except packets.ProtocolError as error:
            self._end(str(error))
        if self._transport is None or self._transport.is_closing():
            return
        if self._ended.done():
            self._transport.abort()
        elif self._reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _take_publication(self, said: Publication) -> None:
        number = said.packet_id
        if number:
            if number in self._unacked:
                self.repeats += 1
                return
            self._unacked.add(number)
        if not self._deliver(said.topic, said.payload, said.retained, number):
            self._reading = False

    def _take_answer(self, packet: Packet) -> None:
        match packet.kind:
            case packets.CONNACK if len(packet.body) == 2:  # noqa: PLR2004 - session present, code (3.2)
                if not packet.body[1]:
                    self._accepted()
                if not self._connack.done():
                    self._connack.set_result(packet.body)
            case packets.PUBACK | packets.SUBACK | packets.UNSUBACK:
                answer = self._answers.get(packet.packet_id)
                if answer is not None and not answer.done():
                    answer.set_result(packet.body[2:])
            case packets.PINGRESP:
                self._pinged_s = None
            case _:
                raise packets.ProtocolError(f"the broker sent a packet of kind {packet.kind}")

    async def _ask(self, packet: Callable[[int], bytes]) -> bytes:
        """Send a packet that is answered under its packet id; return what follows the id in the answer.

        Raises:
            ConnectionEndedError: the connection ended before.
        """
        if self._ended.done():
            raise ConnectionEndedError
        number = self._free_id()
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._answers[number] = answer
        try:
            self._write(packet(number))
            return await answer
        finally:
            del self._answers[number]

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % packets.PACKET_IDS + 1
            if self._last_id not in self._answers:
                return self._last_id

    def _write(self, packet: bytes) -> None:
        if not self._queued:
            self._loop.call_soon(self._flush)
        self._queued.append(packet)

    def _flush(self) -> None:
        if self._queued and self._transport is not None and not self._transport.is_closing():
            self._said_s = self._loop.time()
            self._transport.write(b"".join(self._queued))
        self._queued.clear()

    # -- keep-alive and end

    def _ticked(self) -> None:
        """Ping a line on which nothing was said or heard for a keep-alive; give up one that does not answer."""
        now_s, most_s = self._loop.time(), self._options.keepalive_s
        if self._pinged_s is not None and now_s - self._pinged_s >= most_s:
            self._end("the broker does not answer")
            if self._transport is not None:
                self._transport.abort()
            return
        if self._pinged_s is None and now_s - min(self._said_s, self._heard_s) >= most_s:
            self._pinged_s = now_s
            self._write(packets.PINGREQ)
        self._tick = self._loop.call_later(_TICK_S, self._ticked)

    def _end(self, reason: str) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if self._ended.done():
            return
        self._ended.set_result(reason)
        self._reading = False
        self._may_write.set()
        for answer in (self._connack, *self._answers.values()):
            if not answer.done():
                answer.set_exception(ConnectionEndedError())
                answer.exception()
