"""The golden vectors of spec/vectors against the schemas and the code; the gateway runs its half in tests/firmware."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loadcenter.domain.commands import CYCLE_OFF_MS_DEFAULT, Do, Order
from loadcenter.domain.settings import PduConfig, SettingsError, apply_settings
from loadcenter.domain.topology import Source
from loadcenter.protocol import messages, updating
from loadcenter.protocol.session import Ahead, Duplicate, Taken, judge
from loadcenter.protocol.topics import Down, TopicError, parse_up
from loadcenter.simulator.inbox import read_command

ROOT = Path(__file__).resolve().parents[2]
DECODERS = {
    "up/birth": messages.decode_birth,
    "up/status": messages.decode_status,
    "up/state": messages.decode_state,
    "up/telemetry": messages.decode_telemetry,
    "up/event": messages.decode_event,
    "up/result": messages.decode_result,
    "up/updating": updating.decode_updating,
}
NOT_FOR_SCHEMAS = ("unreadable", "too_large")


def vectors(name: str) -> list[Any]:
    lines = (ROOT / "spec" / "vectors" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    return [json.loads(line) for line in lines]


def by_name(name: str) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in vectors(name)]


def payload(vector: dict[str, Any]) -> bytes:
    text = vector["text"] if "text" in vector else json.dumps(vector["payload"], separators=(",", ":"))
    return text.encode()


def validator(leaf: str) -> Draft202012Validator:
    schema = ROOT / "spec" / "schema" / "v1" / f"{leaf}.json"
    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


# ---- messages


@pytest.mark.parametrize(
    "vector", [v for v in by_name("messages") if v.values[0]["verdict"] not in NOT_FOR_SCHEMAS]
)
def test_schemas_judge_messages(vector):
    valid = validator(vector["leaf"].partition("/")[2]).is_valid(vector["payload"])
    assert valid == (vector.get("schema", vector["verdict"]) == "accepted")


@pytest.mark.parametrize("vector", [v for v in by_name("messages") if v.values[0]["leaf"] in DECODERS])
def test_the_server_judges_messages(vector):
    """MQTT-19: with the reason of codes.toml."""
    decode = partial(DECODERS[vector["leaf"]], payload(vector))
    if vector["verdict"] == "accepted":
        decode()
    else:
        with pytest.raises(messages.Refused) as refused:
            decode()
        assert refused.value.reason == vector["verdict"]


def test_every_refusal_of_a_payload_has_a_vector():
    verdicts = {vector["verdict"] for vector in vectors("messages")}
    about_payloads = set(messages.Refusal) - {messages.Refusal.UNKNOWN_PDU, messages.Refusal.FOREIGN_TOPIC}
    assert about_payloads <= verdicts


def test_every_payload_has_good_and_bad_vectors():
    good = {vector["leaf"] for vector in vectors("messages") if vector["verdict"] == "accepted"}
    bad = {vector["leaf"] for vector in vectors("messages") if vector["verdict"] != "accepted"}
    schemas = {path.stem for path in (ROOT / "spec" / "schema" / "v1").glob("*.json")}
    assert {leaf.partition("/")[2] for leaf in good} == schemas
    assert bad == good


@pytest.mark.parametrize("vector", [v for v in by_name("messages") if v.values[0]["leaf"] == "down/desired"])
def test_a_device_judges_settings(vector):
    """MQTT-50: by the check that the simulated PDU and the control center share."""
    taken = apply_settings(PduConfig(), vector["payload"])
    assert isinstance(taken, SettingsError) == (vector["verdict"] == "settings_refused")


@pytest.mark.parametrize("vector", [v for v in by_name("messages") if v.values[0]["leaf"] == "down/command"])
def test_a_device_judges_the_form_of_commands(vector):
    """MQTT-40: as the simulated PDU reads them."""
    unreadable = read_command(payload(vector)).order is None
    assert unreadable == (vector["verdict"] == "malformed")


ORDERS = [
    Order(Do.SWITCH, 2, on=False, by="ada"),
    Order(Do.CYCLE, 1, off_ms=CYCLE_OFF_MS_DEFAULT),
    Order(Do.RESET_TRIP, 48),
    Order(Do.LOCK, 1, on=True),
    Order(Do.TRANSFER, source=Source.BACKUP),
    Order(Do.CLEAR_LOCKOUT),
]
SAID_BY_THE_SERVER = {
    "ack": [messages.encode_ack(7, 0, 2**53 - 1)],
    "time": [messages.encode_time(1_767_225_600_000)],
    "desired": [messages.encode_desired(1, {"pdu": {}, "out": []})],
    "update": [
        updating.Offer("rack-1", 1_767_225_600_000, "0.5.0-1a2b3c4d", b"image").encode(bytes(32)),
        updating.Offer("rack-1", 1, "1", bytes(600)).encode_piece(0),
        updating.Offer("rack-1", 1, "1", bytes(600)).encode_piece(512),
    ],
    "command": [messages.encode_command(o, command_id="01J9", boot=7, n=1, exp_up_ms=9000) for o in ORDERS],
}


@pytest.mark.parametrize("leaf", Down)
def test_what_the_server_says_fits_the_schemas(leaf):
    """MQTT-3, MQTT-14, MQTT-40, MQTT-50, MQTT-55, MQTT-70."""
    assert len(ORDERS) == len(Do)
    for said in SAID_BY_THE_SERVER[leaf]:
        validator(leaf).validate(json.loads(said))


# ---- streams


@pytest.mark.parametrize("vector", by_name("streams"))
def test_positions_of_streams(vector):
    """MQTT-12, MQTT-13."""
    position = vector["start"]
    for record in vector["records"]:
        verdict = judge(position, record["from"], record["seq"])
        match verdict:
            case Taken(first, seq):
                assert (record["verdict"], record["taken"]) == ("taken", [first, seq])
                position = seq
            case Duplicate():
                assert record["verdict"] == "duplicate"
            case Ahead(told):
                assert (record["verdict"], record["position"]) == ("ahead", told)
        assert position == record["position"]


# ---- topics


@pytest.mark.parametrize("vector", vectors("topics"), ids=lambda vector: vector["topic"] or "empty")
def test_topics(vector):
    """MQTT-1."""
    root = vector.get("root", "loadcenter")
    if "refusal" in vector:
        with pytest.raises(TopicError):
            parse_up(root, vector["topic"])
    else:
        topic = parse_up(root, vector["topic"])
        assert (topic.pdu_id, topic.leaf) == (vector["pdu_id"], vector["leaf"])
