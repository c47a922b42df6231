"""The witness passes what fits the schemas, catches what does not, and notices silence."""

import json
import threading

import paho.mqtt.client as mqtt
import pytest
from tests.brokers import CENTER, CENTER_PASSWORD
from tests.conformance.conftest import HOST, PDU
from tests.conformance.witness import Checker, Witness

ONLINE = {"v": 1, "status": "online"}
ACK = {"v": 1, "boot": 1, "telemetry": 4, "event": 2}


@pytest.fixture
def witness(broker):
    with Witness(HOST, broker.port, CENTER, CENTER_PASSWORD) as entered:
        yield entered


@pytest.fixture
def say(broker):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.username_pw_set(CENTER, CENTER_PASSWORD)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect(HOST, broker.port)
    client.loop_start()
    assert connected.wait(10)

    def publish(leaf: str, payload: bytes) -> None:
        client.publish(f"loadcenter/v1/{PDU}/{leaf}", payload, qos=1).wait_for_publish(10)

    yield publish
    client.disconnect()
    client.loop_stop()


def test_is_content_with_messages_of_the_contract(witness, say):
    say("up/status", json.dumps(ONLINE).encode())
    say("down/ack", json.dumps(ACK).encode())
    assert witness.wait_for("up/status", "down/ack")
    witness.assert_clean(expect_leaves={"up/status", "down/ack"})


def test_ignores_the_empty_payload_that_clears_a_retained_message(witness, say):
    """MQTT-2."""
    say("up/status", b"")
    say("down/ack", json.dumps(ACK).encode())
    assert witness.wait_for("down/ack")
    assert witness.counts == {"down/ack": 1}


def test_shows_the_message_that_breaks_the_contract(witness, say):
    say("down/ack", json.dumps(ACK | {"telemetry": -1}).encode())
    assert witness.wait_for("down/ack")
    with pytest.raises(AssertionError, match=r"down/ack: \$\.telemetry: -1 is less than"):
        witness.assert_clean(expect_leaves={"down/ack"})


def test_silence_where_a_message_was_expected_is_a_failure(witness, say):
    say("down/ack", json.dumps(ACK).encode())
    assert witness.wait_for("down/ack")
    with pytest.raises(AssertionError, match="no message was seen on up/event"):
        witness.assert_clean(expect_leaves={"down/ack", "up/event"})


@pytest.mark.parametrize(
    ("leaf", "payload", "retained", "error"),
    [
        ("up/gossip", b"{}", False, "no topic"),
        ("down/status", b'{"v": 1, "status": "online"}', False, "no topic"),
        ("up/status", b"{", False, "not JSON"),
        ("down/command", b"{}", True, "must not be retained"),
        ("up/state", b" " * 4097, False, "4097 bytes"),
        ("up/state", b"[]", False, "not of type"),
    ],
)
def test_says_what_is_wrong(leaf, payload, retained, error):
    assert error in (Checker().error(leaf, payload, retained=retained) or "")
