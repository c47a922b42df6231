"""Packets of MQTT 3.1.1, as bytes: those that a link writes, and a reader of those that a broker writes.

Nothing here touches a socket. Sections of the standard (OASIS, 29 October 2014) are named where a number comes from.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from loadcenter.adapters.mqtt.options import LinkOptions

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 9, 11, 13
"""Kinds of packets that a broker sends to a client of QoS 0 and 1 (2.2.1)."""
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
PACKET_IDS: Final = 65_535
"""Packet ids are 1 to this (2.3.1)."""

_LEVEL: Final = 4
"""Protocol level of 3.1.1 (3.1.2.2)."""
_LENGTH_BYTES_MOST: Final = 4
_TOPICS_KEPT: Final = 65_536
_NO_TEXT: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for a topic that is not UTF-8: a topic of nobody."""


class ProtocolError(Exception):
    """The broker has sent what MQTT 3.1.1 does not allow, so what follows cannot be read."""


class Packet(NamedTuple):
    """A packet that came in: its kind and what follows the length."""

    kind: int
    body: bytes

    @property
    def packet_id(self) -> int:
        """Return the packet id that the body of PUBACK, SUBACK and UNSUBACK begins with."""
        return int.from_bytes(self.body[:2], "big")


class Publication(NamedTuple):
    """A PUBLISH that came in; `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    retained: bool
    packet_id: int


class PacketReader:
    """Cuts the stream of a connection into packets; what is not whole yet waits for the rest."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._topics: dict[bytes, str] = {}

    def feed(self, data: bytes) -> None:
        """Take more bytes of the stream."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def next(self) -> Publication | Packet | None:
        """Return the next packet, None until all of one is there.

        Raises:
            ProtocolError: the stream cannot be read on.
        """
        data, at = self._data, self._at
        if len(data) < at + 2:
            return None
        length = data[at + 1]
        begin = at + 2
        if length >= 0x80:  # noqa: PLR2004 - the bit says that more of the length follows (2.2.3)
            found = _length(data, at + 1)
            if found is None:
                return None
            length, begin = found
        end = begin + length
        if end > len(data):
            return None
        self._at = end
        kind = data[at] >> 4
        if kind == PUBLISH:
            return self._publication(data, data[at], begin, end)
        return Packet(kind, data[begin:end])

    def _publication(self, data: bytes, header: int, begin: int, end: int) -> Publication:
        topic_ends = begin + 2 + (data[begin] << 8 | data[begin + 1]) if begin + 2 <= end else end + 1
        qos = header >> 1 & 3
        payload_begins = topic_ends + 2 if qos else topic_ends
        if payload_begins > end or qos > 1:
            raise ProtocolError("the broker sent a PUBLISH that is not one of QoS 0 or 1")
        packet_id = data[topic_ends] << 8 | data[topic_ends + 1] if qos else 0
        topic = self._topic(data[begin + 2 : topic_ends])
        return Publication(topic, data[payload_begins:end], bool(header & 1), packet_id)

    def _topic(self, raw: bytes) -> str:
        """Return a topic as text; the same few thousand come again and again."""
        topic = self._topics.get(raw)
        if topic is None:
            try:
                topic = raw.decode()
            except UnicodeDecodeError:
                topic = _NO_TEXT
            if len(self._topics) >= _TOPICS_KEPT:
                self._topics.clear()
            self._topics[raw] = topic
        return topic


def connect(options: LinkOptions, username: str, password: str) -> bytes:
    """Return the CONNECT of a link (3.1); no user name means none is sent."""
    flags = 0 if options.persistent else 0x02
    payload = _field(options.client_id.encode())
    if will := options.will:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += _field(will.topic.encode()) + _field(will.payload)
    if username:
        flags |= 0xC0
        payload += _field(username.encode()) + _field(password.encode())
    head = _field(b"MQTT") + bytes((_LEVEL, flags)) + options.keepalive_s.to_bytes(2, "big")
    return _packet(0x10, head + payload)


def subscribe(packet_id: int, subscriptions: Sequence[tuple[str, int]]) -> bytes:
    """Return a SUBSCRIBE to filters with their QoS (3.8)."""
    body = b"".join(_field(pattern.encode()) + bytes((qos,)) for pattern, qos in subscriptions)
    return _packet(0x82, packet_id.to_bytes(2, "big") + body)


def unsubscribe(packet_id: int, patterns: Sequence[str]) -> bytes:
    """Return an UNSUBSCRIBE from filters (3.10)."""
    body = b"".join(_field(pattern.encode()) for pattern in patterns)
    return _packet(0xA2, packet_id.to_bytes(2, "big") + body)


def publish(topic: str, payload: bytes, packet_id: int, *, retain: bool) -> bytes:
    """Return a PUBLISH (3.3), at QoS 1 where it has a packet id.

    Raises:
        ValueError: the topic is empty, has wildcards, or is too long.
    """
    raw = topic.encode()
    if not raw or b"+" in raw or b"#" in raw or len(raw) > 0xFFFF:  # noqa: PLR2004 - two bytes of length (1.5.3)
        raise ValueError(f"'{topic[:100]}' is no topic to publish on: it is empty, too long, or a filter")
    number = packet_id.to_bytes(2, "big") if packet_id else b""
    head = 0x30 | (0x02 if packet_id else 0) | (0x01 if retain else 0)
    return _packet(head, len(raw).to_bytes(2, "big") + raw + number + payload)


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """Return a PUBACK for each delivery (3.4)."""
    return b"".join([b"\x40\x02" + number.to_bytes(2, "big") for number in packet_ids])


def _field(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def _packet(header: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray()
    while length >= 0x80:  # noqa: PLR2004 - seven bits to a byte (2.2.3)
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes((header,)) + bytes(encoded) + body


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the length that is written from `at` on and where it ends, None where it is not whole yet."""
    length = 0
    for number in range(_LENGTH_BYTES_MOST):
        if at + number >= len(data):
            return None
        length |= (data[at + number] & 0x7F) << (7 * number)
        if data[at + number] < 0x80:  # noqa: PLR2004
            return length, at + number + 1
    raise ProtocolError("the broker sent a packet whose length cannot be read")
