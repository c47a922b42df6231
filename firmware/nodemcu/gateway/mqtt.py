"""A small MQTT 3.1.1 client on asyncio: a will, QoS 1 both ways, one subscription, keep-alive.

It runs under MicroPython and CPython. One task owns it, and one QoS 1 message is in flight at a time: that saves
locks, events and their memory. What a connection loses is sent again by the outbox, which waits for the control
center and not for the broker.
"""

import asyncio

CONNACK, PUBLISH, PUBACK = 0x20, 0x30, 0x40
REFUSALS = ("", "protocol version", "client id", "broker not ready", "user or password", "not authorised")


class MqttError(OSError):
    """The connection cannot be made or is gone; the message says why. Make a new client and connect again."""


class Client:
    """One connection.

    Args:
        address: host and port of the broker.
        login: user name, which is the client id too, and password.
        will: topic and payload that the broker publishes, retained, when the connection breaks.
        on_message: called with (leaf, payload, retained) for each message, while `publish` or `poll` is awaited.
        clock: milliseconds that only go forward.
        keep_alive_s: longest silence; the broker gives up after one and a half of it.
        longest: an incoming message of more bytes is skipped and counted in `skipped`.
    """

    def __init__(
        self,
        address: tuple,
        login: tuple,
        will: tuple,
        on_message: object,
        clock: object,
        keep_alive_s: int = 10,
        longest: int = 1024,
    ) -> None:
        self.skipped = 0
        self._address = address
        self._login = login
        self._will = will
        self._on_message = on_message
        self._clock = clock
        self._keep_alive_s = keep_alive_s
        self._longest = longest
        self._packet_id = 0
        self._sent_ms = self._heard_ms = clock()

    async def connect(self) -> None:
        """Return when the broker has let us in.

        Raises:
            MqttError: it has not.
        """
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        # 0xEC: user name, password, will retained at QoS 1, clean session
        head = b"\x00\x04MQTT\x04\xec" + self._keep_alive_s.to_bytes(2, "big")
        name, password = self._login
        topic, payload = self._will
        await self._send(0x10, head, _text(name), _text(topic), _text(payload), _text(name), _text(password))
        kind, body = await self._receive(self._keep_alive_s)
        if kind != CONNACK or body[1]:
            why = REFUSALS[body[1]] if kind == CONNACK and body[1] < len(REFUSALS) else "no CONNACK"
            raise MqttError("the broker refuses the connection: " + why)

    async def subscribe(self, topic: str) -> None:
        """Ask for `topic` at QoS 1."""
        await self._send(0x82, self._next_id(), _text(topic), b"\x01")

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Return when the broker has taken the message at QoS 1. That is not storage: see MQTT-14.

        Raises:
            MqttError: the connection broke; whether the broker has it is unknown.
        """
        packet_id = self._next_id()
        await self._send(0x33 if retain else 0x32, _text(topic), packet_id, payload)
        while await self._take(self._keep_alive_s) != packet_id:
            pass

    async def poll(self, timeout_s: float) -> None:
        """Take one message if it comes within the time, and keep the connection alive.

        Raises:
            MqttError: the connection broke, or the broker is silent.
        """
        await self._take(timeout_s)
        quiet_ms = self._clock() - max(self._sent_ms, self._heard_ms - self._keep_alive_s * 250)
        if quiet_ms > self._keep_alive_s * 500:
            await self._send(0xC0)

    def close(self) -> None:
        """Let go of the socket without a goodbye, so that the will is published."""
        self._writer.close()

    async def _take(self, timeout_s: float) -> bytes:
        """Take one packet; return the id if it is a PUBACK."""
        try:
            kind, body = await self._receive(timeout_s)
        except asyncio.TimeoutError:
            if self._clock() - self._heard_ms > self._keep_alive_s * 1500:
                raise MqttError("the broker is silent") from None
            return b""
        self._heard_ms = self._clock()
        if kind & 0xF0 == PUBLISH and body is not None:
            await self._deliver(kind, body)
        return body if kind == PUBACK else b""

    async def _deliver(self, kind: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        start = end + 2 if kind & 0x06 else end
        self._on_message(body[2:end].decode().rsplit("/", 1)[1], body[start:], bool(kind & 1))
        if kind & 0x06:
            await self._send(PUBACK, body[end:start])

    def _next_id(self) -> bytes:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return self._packet_id.to_bytes(2, "big")

    async def _send(self, kind: int, *parts: bytes) -> None:
        size = sum(len(part) for part in parts)
        head = bytes((kind, size & 0x7F | 0x80, size >> 7)) if size >> 7 else bytes((kind, size))
        self._writer.write(head + b"".join(parts))  # in one piece: small ones wait for each other's TCP ack
        await self._writer.drain()
        self._sent_ms = self._clock()

    async def _receive(self, timeout_s: float) -> tuple:
        """Return the kind and body of the next packet; the body is None if it was too long."""
        try:
            # Only the first byte may time out: a cut within a packet would lose the place in the stream.
            first = await asyncio.wait_for(self._reader.readexactly(1), timeout_s)
            size = shift = 0
            digit = 0x80
            while digit & 0x80:
                digit = (await self._reader.readexactly(1))[0]
                size |= (digit & 0x7F) << shift
                shift += 7
            if size <= self._longest:
                return first[0], await self._reader.readexactly(size)
            self.skipped += 1
            while size:
                size -= len(await self._reader.readexactly(min(size, 128)))
        except EOFError:
            raise MqttError("the broker has closed the connection") from None
        return first[0], None


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data
