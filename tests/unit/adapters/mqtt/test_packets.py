import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.adapters.mqtt import packets
from loadcenter.adapters.mqtt.options import LinkOptions, Will
from loadcenter.adapters.mqtt.packets import Packet, PacketReader, ProtocolError, Publication

CONNECT = bytes.fromhex("10 0d 00 04 4d 51 54 54 04 02 00 1e 00 01 63")


def read(data: bytes, cuts: list[int]) -> list[Publication | Packet]:
    """Return the packets in `data`, which comes in pieces of these sizes."""
    reader, found, at = PacketReader(), [], 0
    for size in (*cuts, len(data)):
        reader.feed(data[at : at + size])
        at += size
        while (packet := reader.next()) is not None:
            found.append(packet)
    return found


def test_a_connect_is_written_as_the_standard_says():
    assert packets.connect(LinkOptions(client_id="c"), "", "") == CONNECT


def test_will_user_and_session_stand_in_the_flags_of_a_connect():
    options = LinkOptions(client_id="c", persistent=True, will=Will("t", b"w", 1, retain=True))
    packet = packets.connect(options, "ü", "p")
    assert packet[9] == 0x80 | 0x40 | 0x20 | 0x08 | 0x04
    assert packet.endswith(b"\x00\x01t\x00\x01w\x00\x02\xc3\xbc\x00\x01p")


def test_filters_are_subscribed_to_with_their_qos_and_left_without():
    assert packets.subscribe(258, [("a/+", 1), ("b", 0)]) == b"\x82\x0c\x01\x02\x00\x03a/+\x01\x00\x01b\x00"
    assert packets.unsubscribe(1, ["b"]) == b"\xa2\x05\x00\x01\x00\x01b"


@given(
    messages=st.lists(
        st.tuples(
            st.text(min_size=1, max_size=20).filter(lambda text: not set("+#") & set(text)),
            st.binary(max_size=20_000),
            st.integers(0, packets.PACKET_IDS),
            st.booleans(),
        ),
        max_size=5,
    ),
    cuts=st.lists(st.integers(0, 300), max_size=30),
)
def test_what_is_published_is_read_however_the_stream_is_cut(messages, cuts):
    stream = b"".join(
        packets.publish(topic, payload, packet_id, retain=retain)
        for topic, payload, packet_id, retain in messages
    )
    expected = [Publication(topic, payload, retain, number) for topic, payload, number, retain in messages]
    assert read(stream, cuts) == expected


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(0, 20), max_size=10))
def test_garbage_is_read_or_refused_and_nothing_else(data, cuts):
    with contextlib.suppress(ProtocolError):
        assert sum(
            len(one.payload if isinstance(one, Publication) else one.body) for one in read(data, cuts)
        ) < len(data)


def test_answers_carry_the_packet_id_that_they_answer():
    assert read(b"\x90\x04\x01\x02\x01\x80\xd0\x00", []) == [
        Packet(packets.SUBACK, b"\x01\x02\x01\x80"),
        Packet(packets.PINGRESP, b""),
    ]
    assert Packet(packets.SUBACK, b"\x01\x02\x01\x80").packet_id == 258


@pytest.mark.parametrize("topic", ["", "a/+/b", "#", "t" * 65_536])
def test_nothing_is_published_on_what_is_no_topic(topic):
    with pytest.raises(ValueError, match="no topic to publish on"):
        packets.publish(topic, b"", 0, retain=False)
