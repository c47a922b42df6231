import paho.mqtt.client as paho
import pytest

from loadcenter.adapters.mqtt.connection import Connection
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerAddress

Delivery = tuple[str, bytes, bool, int]


@pytest.fixture
def delivered() -> list[Delivery]:
    return []


@pytest.fixture
async def connection(delivered: list[Delivery]) -> Connection:
    def deliver(*delivery: object) -> bool:
        delivered.append(delivery)
        return True

    options = LinkOptions(client_id="c")
    return Connection(BrokerAddress("localhost", 1883), options, lambda: None, deliver)


def message(mid: int, qos: int = 1, topic: bytes = b"t") -> paho.MQTTMessage:
    made = paho.MQTTMessage(mid, topic)
    made.payload, made.qos = b"x", qos
    return made


async def test_a_delivery_that_the_broker_repeats_is_passed_on_once(connection, delivered):
    connection._on_message(None, None, message(7))
    connection._on_message(None, None, message(7))
    assert delivered == [("t", b"x", False, 7)]
    assert connection.repeats == 1


async def test_a_packet_id_used_again_after_its_ack_is_a_new_delivery(connection, delivered, monkeypatch):
    sent = []
    monkeypatch.setattr(connection._client, "ack", lambda mid, qos: sent.append((mid, qos)))
    connection._on_message(None, None, message(7))
    connection.ack(7)
    connection.ack(7)
    connection._on_message(None, None, message(7))
    assert sent == [(7, 1)]
    assert len(delivered) == 2


async def test_messages_of_qos_0_have_no_packet_id(connection, delivered):
    connection._on_message(None, None, message(7, qos=0))
    connection._on_message(None, None, message(7, qos=0))
    assert [mid for *_, mid in delivered] == [0, 0]


async def test_a_topic_that_is_no_text_is_delivered_under_a_mark(connection, delivered):
    connection._on_message(None, None, message(7, topic=b"loadcenter/\xff"))
    assert delivered[0][0] == "\N{REPLACEMENT CHARACTER}"
