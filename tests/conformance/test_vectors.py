"""The golden vectors of spec/vectors against the schemas, the server's protocol code and the gateway's."""

import importlib.util
import json
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loadcenter.protocol import messages
from loadcenter.protocol.session import Ahead, Duplicate, Taken, judge
from loadcenter.protocol.topics import TopicError, parse_up

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = ROOT / "firmware" / "nodemcu" / "gateway"
DECODERS = {
    "up/birth": messages.decode_birth,
    "up/status": messages.decode_status,
    "up/state": messages.decode_state,
    "up/telemetry": messages.decode_telemetry,
    "up/event": messages.decode_event,
    "up/result": messages.decode_result,
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


def gateway(module: str) -> ModuleType:
    """Return a module of the gateway; its folder is no package, as on the device."""
    spec = importlib.util.spec_from_file_location(f"gateway_{module}", GATEWAY / f"{module}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


# ---- messages


@pytest.mark.parametrize(
    "vector", [v for v in by_name("messages") if v.values[0]["verdict"] not in NOT_FOR_SCHEMAS]
)
def test_schemas_judge_messages(vector):
    schema = ROOT / "spec" / "schema" / "v1" / (vector["leaf"].partition("/")[2] + ".json")
    valid = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).is_valid(vector["payload"])
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


# ---- the device's side


@pytest.mark.parametrize("vector", by_name("commands"))
def test_the_gateway_judges_commands(vector):
    """MQTT-41, MQTT-42, MQTT-45."""
    orders = gateway("orders").Orders(vector["boot"])
    for step in vector["steps"]:
        code = orders.judge(step["order"], step["up_ms"], retained=step["retained"])
        assert code == step["code"], step


@pytest.mark.parametrize("vector", by_name("outbox"))
def test_the_gateway_keeps_records(vector):
    """MQTT-14, MQTT-15, MQTT-17, MQTT-18."""
    outbox = gateway("outbox").Outbox(7, vector["capacity"], str)
    for step in vector["steps"]:
        for _ in range(step.get("add", 0)):
            outbox.add(1000, '"code":"switched"')
        if "ack" in step:
            outbox.ack(step["ack"], 2000)
        records = [json.loads(outbox.payload(held)) for held in outbox.held()]
        spans = [
            [r.get("from", r["seq"]), r["seq"], *([r["gap"]["reason"]] if "gap" in r else [])]
            for r in records
        ]
        assert spans == step["held"], step
