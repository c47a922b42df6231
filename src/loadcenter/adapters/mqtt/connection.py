"""One connection to the broker, from CONNECT to its end, with paho driven by the event loop.

paho has no thread here: the loop watches the socket and calls `loop_read`, `loop_write` and `loop_misc`, so that not
reading is as simple as not watching, and back-pressure reaches the broker through TCP. Only name look-up, TCP connect
and TLS handshake, which paho does blocking, run in a thread.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from loadcenter.adapters.mqtt.advice import (
    ConnectionEndedError,
    ConnectRefusedError,
    SubscribeRefusedError,
)
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.tls import client_context
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import LinkDownError

_PACKETS_PER_TURN = 100
"""Packets read before other tasks have their turn."""
_TICK_S = 1.0
"""How often paho looks at its keep-alive; well under the shortest one allowed."""
_GOODBYE_S = 1.0
"""Longest wait for queued PUBACKs and DISCONNECT to be written at a close."""

Deliver = Callable[[str, bytes, bool, int], bool]
"""Takes topic, payload, retain flag and packet id (0 at QoS 0); returns whether there is room for more."""


class Connection:
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
        self._client = self._make_client()
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self._reading = False
        self._tick: asyncio.TimerHandle | None = None
        self._answer: asyncio.Future[list[int]] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._published: dict[int, asyncio.Future[None]] = {}
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
        await self._connect()
        async with asyncio.timeout(self._options.connect_timeout_s):
            await self._answer
            await self._subscribe()

    async def ended(self) -> str:
        """Return why the connection ended, once it has."""
        return await asyncio.shield(self._ended)

    async def ended_within(self, duration_s: float) -> bool:
        """Return whether the connection ends within `duration_s`."""
        done, _ = await asyncio.wait({self._ended}, timeout=duration_s)
        return bool(done)

    async def close(self) -> None:
        """Write what is queued, then DISCONNECT, and close the socket. The broker publishes no will."""
        if self._socket is not None and not self._ended.done():
            self._client.disconnect()
            await self.ended_within(_GOODBYE_S)
        self.drop()

    def drop(self) -> None:
        """Close the socket without a word. The broker publishes the will."""
        sock = self._client.socket()
        self._detach()
        self._client.on_socket_close = None
        if sock is not None:
            sock.close()
        self._end("closed")

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Return when the broker has taken the message (QoS 1) or the socket has (QoS 0).

        Raises:
            LinkDownError: the connection ended before, or the time was up; at QoS 1 the broker may have it or not.
        """
        if self._ended.done():
            raise LinkDownError(f"cannot publish on '{topic}': {self._ended.result()}")
        mid = self._client.publish(topic, payload, qos, retain).mid
        done = self._published[mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(self._options.publish_timeout_s):
                await done
        except TimeoutError as error:
            raise LinkDownError(
                f"{self._address} did not take a message on '{topic}' within {self._options.publish_timeout_s:g} s: "
                "see the broker's log"
            ) from error
        finally:
            self._published.pop(mid, None)

    def ack(self, mid: int) -> None:
        """Send the PUBACK of a delivery, once: the broker may use the packet id again after it."""
        if mid in self._unacked and not self._ended.done():
            self._unacked.remove(mid)
            self._client.ack(mid, 1)

    def read_on(self) -> None:
        """Read again after there was no room."""
        if self._socket is not None and not self._reading:
            self._reading = True
            self._loop.add_reader(self._socket, self._readable)
            # TLS may hold decrypted bytes, of which the loop cannot know.
            self._loop.call_soon(self._readable)

    # -- connecting

    def _make_client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._options.client_id,
            clean_session=not self._options.persistent,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = self._options.connect_timeout_s
        client.max_inflight_messages_set(0)
        if self._address.username:
            client.username_pw_set(self._address.username, self._address.password)
        if will := self._options.will:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_written
        return client

    async def _connect(self) -> None:
        connecting = self._loop.run_in_executor(None, self._connect_blocking)
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(self._abandon)
            raise
        self._attach()

    def _connect_blocking(self) -> None:
        address = self._address
        if not address.tls:
            self._client.connect(address.host, address.port, self._options.keepalive_s)
            return
        context = client_context(address)
        self._client.tls_set_context(context)
        # paho's word for "does not compare the name"; whether certificates count is up to the context.
        self._client.tls_insecure_set(address.insecure or address.pinned)
        try:
            self._client.connect(address.host, address.port, self._options.keepalive_s)
        except OSError:
            context.close_socket()
            raise

    def _abandon(self, connecting: asyncio.Future[None]) -> None:
        # Asking for the exception also tells asyncio that nobody else will.
        if not connecting.cancelled() and connecting.exception() is None:
            self.drop()

    def _attach(self) -> None:
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            raise ConnectionEndedError
        # PUBACKs and publishes are small: with Nagle's algorithm each would wait for the peer's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._poll.register(sock, select.POLLIN)
        self._reading = True
        self._loop.add_reader(sock, self._readable)
        self._loop.add_writer(sock, self._writable)
        self._tick = self._loop.call_later(_TICK_S, self._ticked)

    async def _subscribe(self) -> None:
        if not self._options.subscriptions:
            return
        self._answer = self._loop.create_future()
        self._client.subscribe(list(self._options.subscriptions))
        granted = await self._answer
        for (pattern, _), code in zip(self._options.subscriptions, granted, strict=True):
            if code >= 0x80:  # noqa: PLR2004
                raise SubscribeRefusedError(pattern)

    # -- the socket, as the loop sees it

    def _readable(self) -> None:
        for _ in range(_PACKETS_PER_TURN):
            if not self._reading or self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if not self._more_to_read():
                return
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            self._loop.call_soon(self._readable)

    def _more_to_read(self) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(self._socket is not None and self._poll.poll(0))

    def _writable(self) -> None:
        self._client.loop_write()

    def _ticked(self) -> None:
        self._client.loop_misc()
        if not self._ended.done():
            self._tick = self._loop.call_later(_TICK_S, self._ticked)

    def _detach(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._poll.unregister(self._socket)
            self._socket = None
        self._reading = False

    def _end(self, reason: str) -> None:
        if self._ended.done():
            return
        self._ended.set_result(reason)
        if not self._answer.done():
            self._answer.set_exception(ConnectionEndedError())
            self._answer.exception()
        for done in self._published.values():
            if not done.done():
                done.set_exception(LinkDownError(f"the connection ended while publishing: {reason}"))

    # -- what paho calls, always in the loop's thread unless said otherwise

    def _on_connect(self, _c: paho.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        if self._answer.done():
            return
        if reason.is_failure:
            self._answer.set_exception(ConnectRefusedError(reason.value))
        else:
            self._accepted()
            self._answer.set_result([])

    def _on_subscribe(self, _c: paho.Client, _u: Any, _mid: int, codes: list[ReasonCode], _p: Any) -> None:
        if not self._answer.done():
            self._answer.set_result([code.value for code in codes])

    def _on_message(self, _c: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        mid = message.mid if message.qos else 0
        if mid and mid in self._unacked:
            self.repeats += 1
            return
        if mid:
            self._unacked.add(mid)
        if not self._deliver(_topic_of(message), bytes(message.payload), message.retain, mid):
            self._stop_reading()

    def _stop_reading(self) -> None:
        if self._socket is not None and self._reading:
            self._reading = False
            self._loop.remove_reader(self._socket)

    def _on_publish(self, _c: paho.Client, _u: Any, mid: int, _r: Any, _p: Any) -> None:
        done = self._published.get(mid)
        if done is not None and not done.done():
            done.set_result(None)

    def _on_disconnect(self, _c: paho.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        # paho names every end of a socket like this; the name would only puzzle.
        unnamed = reason.getName() == "Unspecified error"
        self._end("the broker closed it, or the network failed" if unnamed else str(reason))

    def _on_socket_close(self, _c: paho.Client, _u: Any, _s: Any) -> None:
        self._detach()

    def _on_want_write(self, _c: paho.Client, _u: Any, _s: Any) -> None:
        # While connecting this runs in the thread, where the loop must not be touched: `_attach` watches later.
        if self._socket is not None:
            self._loop.add_writer(self._socket, self._writable)

    def _on_written(self, _c: paho.Client, _u: Any, _s: Any) -> None:
        if self._socket is not None:
            self._loop.remove_writer(self._socket)


def _topic_of(message: paho.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        # An exception in a callback would leave paho in the middle of a packet; this is a topic of nobody.
        return "\N{REPLACEMENT CHARACTER}"
