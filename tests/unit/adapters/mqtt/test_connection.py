import pytest

from loadcenter.adapters.mqtt.connection import Connection
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerAddress

Delivery = tuple[str, bytes, bool, int]


class Wire:
    """A transport that remembers what was written."""

    def __init__(self) -> None:
        self.written = b""
        self.paused = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def delivered() -> list[Delivery]:
    return []


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def room() -> list[bool]:
    """Whether there is room after each delivery; True when the list is at its end."""
    return []


@pytest.fixture
async def connection(delivered: list[Delivery], wire: Wire, room: list[bool]):
    def deliver(*delivery: object) -> bool:
        delivered.append(delivery)
        return room.pop(0) if room else True

    options = LinkOptions(client_id="c")
    made = Connection(BrokerAddress("localhost", 1883), options, lambda: None, deliver)
    made.connection_made(wire)
    yield made
    made.drop()


def publication(packet_id: int, qos: int = 1, topic: bytes = b"t") -> bytes:
    number = packet_id.to_bytes(2, "big") if qos else b""
    body = len(topic).to_bytes(2, "big") + topic + number + b"x"
    return bytes((0x30 | qos << 1, len(body))) + body


async def written(connection: Connection, wire: Wire) -> bytes:
    """Return what left in this turn."""
    connection._flush()
    said, wire.written = wire.written, b""
    return said


async def test_a_delivery_that_the_broker_repeats_is_passed_on_once(connection, delivered):
    connection.data_received(publication(7) + publication(7))
    assert delivered == [("t", b"x", False, 7)]
    assert connection.repeats == 1


async def test_a_packet_id_used_again_after_its_ack_is_a_new_delivery(connection, delivered, wire):
    connection.data_received(publication(7))
    connection.ack([7])
    connection.ack([7])
    connection.data_received(publication(7))
    assert await written(connection, wire) == b"\x40\x02\x00\x07"
    assert len(delivered) == 2


async def test_acks_of_one_turn_leave_together_in_their_order(connection, wire):
    connection.data_received(publication(1) + publication(2) + publication(3))
    connection.ack([3, 1])
    connection.ack([2])
    assert await written(connection, wire) == b"\x40\x02\x00\x03\x40\x02\x00\x01\x40\x02\x00\x02"


async def test_messages_of_qos_0_have_no_packet_id(connection, delivered):
    connection.data_received(publication(7, qos=0) * 2)
    assert [packet_id for *_, packet_id in delivered] == [0, 0]


async def test_a_topic_that_is_no_text_is_delivered_under_a_mark(connection, delivered):
    connection.data_received(publication(7, topic=b"loadcenter/\xff"))
    assert delivered[0][0] == "\N{REPLACEMENT CHARACTER}"


async def test_what_there_is_no_room_for_waits_until_it_is_read_on(connection, delivered, wire, room):
    room += [True, False, False]
    connection.data_received(publication(1) + publication(2) + publication(3) + publication(4)[:3])
    assert [packet_id for *_, packet_id in delivered] == [1, 2]
    assert wire.paused
    connection.read_on()
    connection._take_packets()
    assert [packet_id for *_, packet_id in delivered] == [1, 2, 3]
    connection.read_on()
    connection.data_received(publication(4)[3:])
    assert [packet_id for *_, packet_id in delivered] == [1, 2, 3, 4]
    assert not wire.paused


@pytest.mark.parametrize(
    "nonsense",
    [b"\x36\x06\x00\x01t\x00\x07x", b"\x32\x03\x00\x01t", b"\x30\xff\xff\xff\xff\x7f", b"\x50\x00"],
)
async def test_a_broker_that_does_not_speak_the_protocol_is_left(connection, wire, nonsense):
    connection.data_received(nonsense)
    assert "the broker sent a" in await connection.ended()
    assert wire.aborted
