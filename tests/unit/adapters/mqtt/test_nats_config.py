import json
from pathlib import Path

import pytest

from loadcenter.adapters.mqtt.nats_config import EmbeddedOptions, render
from loadcenter.domain.topology import TopologyError

HASH = "$2b$10$" + "a" * 53
OPTIONS = EmbeddedOptions(folder=Path("/data/broker"))


def test_a_device_may_publish_its_up_and_subscribe_its_down():
    users = json.loads(render(OPTIONS, 1883, HASH, {"rack-1": HASH}))["authorization"]["users"]
    assert [user["user"] for user in users] == ["control_center", "rack-1"]
    assert users[1]["permissions"] == {
        "publish": {"allow": ["loadcenter.v1.rack-1.up.>"]},
        "subscribe": {"allow": ["loadcenter.v1.rack-1.down", "loadcenter.v1.rack-1.down.>", "$MQTT.sub.>"]},
    }
    assert all(user["allowed_connection_types"] == ["MQTT"] for user in users)


def test_what_the_defaults_would_get_wrong_is_set():
    config = json.loads(render(OPTIONS, 1883, HASH, {}))
    assert config["server_name"]
    assert config["host"] == "127.0.0.1"
    assert config["jetstream"]["sync_interval"] == "always"
    assert config["mqtt"] == {"host": "127.0.0.1", "port": 1883, "ack_wait": "5s", "max_ack_pending": 10_000}


def test_a_certificate_means_tls():
    options = EmbeddedOptions(folder=Path("/d"), certificate=(Path("/c.pem"), Path("/k.pem")))
    assert json.loads(render(options, 1, HASH, {}))["mqtt"]["tls"] == {
        "cert_file": "/c.pem",
        "key_file": "/k.pem",
    }


@pytest.mark.parametrize("root", ["", "a.b", "a/b", "*", "a b", "$SYS", "x" * 33])
def test_a_root_that_would_mean_something_else_as_a_subject_is_refused(root):
    with pytest.raises(ValueError, match="topic root"):
        render(EmbeddedOptions(folder=Path("/d"), root=root), 1, HASH, {})


@pytest.mark.parametrize("pdu_id", ["control_center", "*", ">", "a.b", "A", "", "x" * 33])
def test_a_device_that_would_have_other_rights_is_refused(pdu_id):
    with pytest.raises(TopologyError):
        render(OPTIONS, 1, HASH, {pdu_id: HASH})


@pytest.mark.parametrize("password_hash", ["", "plain", HASH + "x", "$1$" + "a" * 57])
def test_a_hash_that_is_not_bcrypt_would_be_a_plain_password_and_is_refused(password_hash):
    with pytest.raises(ValueError, match="not bcrypt"):
        render(OPTIONS, 1, HASH, {"rack-1": password_hash})
