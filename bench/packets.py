"""MQTT 3.1.1 packets, as far as a device or a load generator needs them; nothing here touches a socket.

A library would cost more per message than the server that is measured beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
PINGREQ = bytes((0xC0, 0))
DISCONNECT = bytes((0xE0, 0))
PACKET_IDS = 65_535


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet that came in: kind, flags and what follows the length."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH; `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    packet_id: int


def connect(
    client_id: str,
    username: str,
    password: str,
    *,
    keep_alive_s: int = 60,
    will: tuple[str, bytes] | None = None,
    clean: bool = True,
) -> bytes:
    """Return a CONNECT; a will is retained, at QoS 1."""
    flags = 0xC0 | (0x02 if clean else 0) | (0x2C if will else 0)
    body = _text("MQTT") + bytes((4, flags)) + keep_alive_s.to_bytes(2, "big") + _text(client_id)
    if will:
        body += _text(will[0]) + len(will[1]).to_bytes(2, "big") + will[1]
    return _packet(0x10, body + _text(username) + _text(password))


def subscribe(packet_id: int, topic: str, qos: int = 1) -> bytes:
    """Return a SUBSCRIBE to one topic filter."""
    return _packet(0x82, packet_id.to_bytes(2, "big") + _text(topic) + bytes((qos,)))


def publish(topic: str, payload: bytes, packet_id: int = 0, *, retain: bool = False) -> bytes:
    """Return a PUBLISH, at QoS 1 where it has a packet id."""
    number = packet_id.to_bytes(2, "big") if packet_id else b""
    return _packet(0x30 | (0x02 if packet_id else 0) | retain, _text(topic) + number + payload)


def puback(packet_id: int) -> bytes:
    """Return a PUBACK."""
    return bytes((0x40, 2)) + packet_id.to_bytes(2, "big")


def published(packet: Packet) -> Published:
    """Return what a PUBLISH says."""
    body = packet.body
    end = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:end].decode()
    if not packet.flags & 0x06:
        return Published(topic, body[end:], 0)
    return Published(topic, body[end + 2 :], int.from_bytes(body[end : end + 2], "big"))


class Reader:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that are complete now."""
        data = self._rest + data
        at = 0
        while (found := _header(data, at)) is not None:
            start, length = found
            yield Packet(data[at] >> 4, data[at] & 0x0F, data[start : start + length])
            at = start + length
        self._rest = data[at:]


def _header(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at `at` begins and how long it is; None while it is not complete."""
    length = 0
    for n in range(4):
        if at + n + 2 > len(data):
            return None
        byte = data[at + n + 1]
        length |= (byte & 0x7F) << (7 * n)
        if not byte & 0x80:
            start = at + n + 2
            return (start, length) if start + length <= len(data) else None
    raise ValueError("the stream is no MQTT: a length has more than four bytes")


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(first: int, body: bytes) -> bytes:
    length, header = len(body), bytearray((first,))
    while True:
        length, digit = length >> 7, length & 0x7F
        header.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(header) + body
