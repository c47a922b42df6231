"""The other end of a virtual PDU's wire: checks every message against spec/schema, and keeps what was said."""

import json
from functools import cache
from pathlib import Path

import jsonschema

from loadcenter.protocol import messages
from loadcenter.protocol.topics import RETAINED, Up
from loadcenter.simulator.loads import CATALOG
from loadcenter.simulator.pdu import PduSpec, VirtualPdu

SCHEMAS = Path(__file__).resolve().parents[3] / "spec" / "schema" / "v1"
DECODERS = {
    "birth": messages.decode_birth,
    "status": messages.decode_status,
    "state": messages.decode_state,
    "telemetry": messages.decode_telemetry,
    "event": messages.decode_event,
    "result": messages.decode_result,
}
LOADS = ("router", "nas", "server", "monitor")


@cache
def schema(leaf):
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{leaf}.json").read_text(encoding="utf-8")))


class Wire:
    """A virtual PDU with a control center that answers as far as a test lets it."""

    def __init__(self, spec=None, seed=1, *, now_ms=0, saved=None, connect=True):
        self.spec = spec or PduSpec("rack-1", [CATALOG[name](n) for n, name in enumerate(LOADS)])
        self.pdu = VirtualPdu(self.spec, seed, now_ms, saved)
        self.now_ms = now_ms
        self.said = []
        self.n = 0
        if connect:
            self.connect()

    def keep(self, outgoing):
        for message in outgoing:
            leaf = message.topic.removeprefix(f"loadcenter/v1/{self.spec.pdu_id}/up/")
            body = json.loads(message.payload)
            schema(leaf).validate(body)
            DECODERS[leaf](message.payload)
            assert message.retain is (Up(leaf) in RETAINED)
            assert message.qos == 1
            assert len(message.payload) <= 4096
            if leaf == "telemetry":
                assert len(message.payload) < 512
            self.said.append((leaf, body))
        return [json.loads(message.payload) for message in outgoing]

    def connect(self):
        return self.keep(self.pdu.connected(self.now_ms))

    def run(self, duration_ms, tick_ms=100):
        for _ in range(duration_ms // tick_ms):
            self.now_ms += tick_ms
            self.keep(self.pdu.advance(self.now_ms))
        return self

    def tell(self, leaf, body, *, retained=False):
        payload = body if isinstance(body, bytes) else json.dumps({"v": 1, **body}).encode()
        return self.keep(
            self.pdu.receive(f"loadcenter/v1/{self.spec.pdu_id}/down/{leaf}", payload, retained, self.now_ms)
        )

    def order(self, do, /, *, retained=False, **fields):
        self.n += 1
        body = {
            "id": f"c{self.n}",
            "boot": self.pdu.boot,
            "n": self.n,
            "exp_up_ms": 10**9,
            "do": do,
            **fields,
        }
        self.tell("command", body, retained=retained)
        return body["id"]

    def ack(self, telemetry=0, event=0, boot=None):
        return self.tell(
            "ack", {"boot": self.pdu.boot if boot is None else boot, "telemetry": telemetry, "event": event}
        )

    def of(self, leaf):
        return [body for name, body in self.said if name == leaf]

    def codes(self):
        return [event.get("code", "gap") for event in self.of("event")]

    def seqs(self, leaf):
        return [body["seq"] for body in self.of(leaf)]

    def answers(self, command_id):
        return [f"{one['status']} {one['code']}" for one in self.of("result") if one["id"] == command_id]
