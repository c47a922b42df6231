"""The packets of the load generators."""

import pytest
from bench import packets
from bench.packets import Reader, published


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16_383, 16_384, 100_000])
def test_a_publish_comes_through_whatever_its_length(size: int) -> None:
    [packet] = Reader().feed(packets.publish("a/b", bytes(size), 7))
    assert published(packet) == packets.Published("a/b", bytes(size), 7)


def test_packets_are_found_in_a_stream_cut_anywhere() -> None:
    sent = packets.publish("t", b"one", 1) + packets.puback(2) + packets.publish("t", b"x" * 300)
    for step in (1, 2, 3, 50):
        reader = Reader()
        found = [one for at in range(0, len(sent), step) for one in reader.feed(sent[at : at + step])]
        assert [one.kind for one in found] == [packets.PUBLISH, packets.PUBACK, packets.PUBLISH]
        assert published(found[2]).packet_id == 0


def test_a_stream_that_is_no_mqtt_is_refused() -> None:
    with pytest.raises(ValueError, match="no MQTT"):
        list(Reader().feed(b"\x30\xff\xff\xff\xff\xff"))
