"""A small MQTT 3.1.1 client on asyncio streams: a will, QoS 1 both ways, one subscription, keep-alive.

It runs under MicroPython and CPython. One task sends and another one reads; one QoS 1 message is in flight at a time.
That saves locks and memory. What a connection loses is sent again by the outbox, which waits for the control center
and not for the broker.
"""

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PING = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90, 0xC0
REFUSALS = ("", "protocol version", "client id", "broker not ready", "user or password", "not authorised")
REFUSED = 0x80  # in a SUBACK
PIECE = 128  # bytes of an overlong packet that are thrown away at a time
LENGTH_DIGITS = 4  # of 7 bits each, by MQTT 3.1.1
QOS = 0x06


class MqttError(OSError):
    """The connection cannot be made or is gone; the message says why. Make a new client and connect again."""


class Client:
    """One connection. `connect`, `subscribe`, `publish` and `tend` are awaited by one task, `listen` by another.

    Args:
        streams: (reader, writer) of asyncio.
        clock: milliseconds that only go forward.
        keep_alive_s: longest silence; the broker gives up after one and a half of it, and so does `silent`.
        longest: an incoming packet with more bytes behind its length is thrown away, and counted.

    Attributes:
        skipped: overlong packets that were thrown away.
        wake: set for the sending task whenever something has come in.
    """

    def __init__(self, streams: tuple, clock: object, wake: object, keep_alive_s: int, longest: int) -> None:
        self.skipped = 0
        self.wake = wake
        self._reader, self._writer = streams
        self._clock = clock
        self._patience_ms = keep_alive_s * 1000
        self._longest = longest
        self._packet_id = 0
        self._answered = b""  # id of the newest PUBACK or SUBACK
        self._owed = []  # ids of messages that we have to acknowledge
        self._broken = ""
        self._sent_ms = self._heard_ms = self._asked_ms = clock()

    async def connect(self, login: tuple, will: tuple) -> None:
        """Return when the broker has let us in; call it before `listen`.

        Args:
            login: user name, which is the client id too, and password.
            will: topic and payload that the broker publishes, retained, when the connection breaks.

        Raises:
            MqttError: it has not let us in, or the connection broke.
        """
        # 0xEE: user name, password, will retained at QoS 1, clean session
        head = b"\x00\x04MQTT\x04\xee" + (self._patience_ms // 1000).to_bytes(2, "big")
        name, password = login
        await self._send(
            CONNECT, head, _text(name), _text(will[0]), _text(will[1]), _text(name), _text(password)
        )
        try:
            kind, body = await self._receive()
        except EOFError:
            raise MqttError("the broker closed the connection before CONNACK") from None
        if kind != CONNACK or body is None or len(body) != len(b"FC") or body[1]:
            code = body[1] if kind == CONNACK and body else 0
            why = REFUSALS[code] if 0 < code < len(REFUSALS) else "no CONNACK"
            raise MqttError("the broker refuses the connection: " + why)

    async def subscribe(self, topic: str) -> None:
        """Return when the broker has taken the subscription to `topic` at QoS 1.

        Raises:
            MqttError: it refuses, or the connection broke.
        """
        packet_id = self._next_id()
        await self._send(SUBSCRIBE, packet_id, _text(topic), b"\x01")
        await self._answer(packet_id)

    async def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Return when the broker has taken the message at QoS 1. That is not storage: see MQTT-14.

        Raises:
            MqttError: the connection broke; whether the broker has it is unknown.
        """
        packet_id = self._next_id()
        await self._send(0x33 if retain else 0x32, _text(topic), packet_id, payload)
        await self._answer(packet_id)

    async def tend(self) -> None:
        """Send the acknowledgements and the ping that are due.

        Raises:
            MqttError: the connection broke.
        """
        if self._broken:
            raise MqttError(self._broken)
        while self._owed:
            await self._send(PUBACK, self._owed.pop(0))
        now = self._clock()
        quiet_ms = now - min(self._sent_ms, max(self._heard_ms, self._asked_ms))
        if quiet_ms >= self._patience_ms // 2:
            self._asked_ms = now
            await self._send(PING)

    def silent(self) -> bool:
        """Return whether the broker has said nothing, or taken nothing, for one and a half of the keep-alive."""
        return self._clock() - min(self._sent_ms, self._heard_ms) > self._patience_ms * 3 // 2

    def close(self) -> None:
        """Let go of the socket without a goodbye, so that the will is published."""
        self._writer.close()
        if hasattr(self._writer, "s"):
            self._writer.s.close()  # MicroPython leaves this to `wait_closed`, for which there is no time here

    async def listen(self, on_message: object) -> None:
        """Read until the connection breaks, which the sending task is told; raises nothing.

        Args:
            on_message: called with (topic, payload, retained) for each message; it must not wait.
        """
        try:
            while True:
                kind, body = await self._receive()
                if body is not None:
                    self._take(kind, body, on_message)
                self.wake.set()
        except EOFError:
            self._broken = "the broker closed the connection"
        except OSError as error:
            self._broken = str(error) or "the connection broke"
        self.wake.set()

    def _take(self, kind: int, body: bytes, on_message: object) -> None:
        if kind & 0xF0 == PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            start = end + 2 if kind & QOS else end
            if len(body) < start:
                raise MqttError("the broker sent a message that ends in its topic")
            if kind & QOS:
                self._owed.append(body[end:start])
            on_message(body[2:end], body[start:], bool(kind & 1))
        elif kind == SUBACK and body[2:3] == bytes((REFUSED,)):
            raise MqttError("the broker refuses the subscription: look at the rights of this user")
        elif kind in (PUBACK, SUBACK):
            self._answered = body[:2]

    async def _answer(self, packet_id: bytes) -> None:
        begun = self._clock()
        while self._answered != packet_id:
            await self.tend()
            await self.wake.wait()
            self.wake.clear()
            if self._clock() - begun > 2 * self._patience_ms:
                raise MqttError("the broker acknowledges nothing")
        self.wake.set()  # it was cleared here, and what else it stood for is still to be done

    def _next_id(self) -> bytes:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return self._packet_id.to_bytes(2, "big")

    async def _send(self, kind: int, *parts: bytes) -> None:
        size = sum([len(part) for part in parts])
        head = bytes((kind, size & 0x7F | 0x80, size >> 7)) if size >> 7 else bytes((kind, size))
        self._writer.write(head + b"".join(parts))  # in one piece: small ones wait for each other's TCP ack
        await self._writer.drain()
        self._sent_ms = self._clock()

    async def _receive(self) -> tuple:
        """Return the kind and body of the next packet; the body is None if it was too long."""
        kind = (await self._reader.readexactly(1))[0]
        size = shift = 0
        digit = 0x80
        while digit & 0x80:
            if shift == 7 * LENGTH_DIGITS:
                raise MqttError("the broker sent a length that is none")
            digit = (await self._reader.readexactly(1))[0]
            size |= (digit & 0x7F) << shift
            shift += 7
        if size <= self._longest:
            body = await self._reader.readexactly(size) if size else b""
        else:
            body = None
            self.skipped += 1
            while size:
                size -= len(await self._reader.readexactly(min(size, PIECE)))
        self._heard_ms = self._clock()
        return kind, body


def _text(text: str) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(2, "big") + data
