"""An independent subscriber that checks every message on a broker against spec/schema.

It imports nothing of loadcenter, so what it accepts was agreed on paper, not in code. A test wraps what it does in
`with Witness(...) as witness:` and ends with `witness.assert_clean(...)`.
"""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from jsonschema_rs import validator_for

SCHEMAS = Path(__file__).resolve().parents[2] / "spec" / "schema" / "v1"
UP = ("birth", "status", "state", "telemetry", "event", "result", "updating")
DOWN = ("command", "desired", "ack", "time", "update")
LEAVES = frozenset({f"up/{name}" for name in UP} | {f"down/{name}" for name in DOWN})
RETAINED = {"up/birth", "up/status", "up/state", "down/desired"}
MAX_BYTES = 4096


def _schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Failure:
    """A message that breaks the contract, with the reason."""

    topic: str
    payload: bytes
    error: str


class Checker:
    """Checks one message at a time, without a broker."""

    def __init__(self) -> None:
        self._validators = {leaf: validator_for(_schema(leaf.partition("/")[2])) for leaf in LEAVES}

    def error(self, leaf: str, payload: bytes, *, retained: bool = False) -> str | None:
        """Return why a payload on `up/...` or `down/...` breaks the contract, None if it does not."""
        validator = self._validators.get(leaf)
        if validator is None:
            return f"'{leaf}' is no topic of the contract"
        if retained and leaf not in RETAINED:
            return f"'{leaf}' must not be retained"
        if len(payload) > MAX_BYTES:
            return f"{len(payload)} bytes, at most {MAX_BYTES} are allowed (MQTT-2)"
        try:
            body = json.loads(payload)
        except ValueError as error:
            return f"not JSON: {error}"
        wrong = next(validator.iter_errors(body), None)
        if wrong is None:
            return None
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in wrong.instance_path)
        return f"${where}: {wrong.message}"


class Witness:
    """Subscribes to everything under `<root>/v1/` while it is entered.

    Attributes:
        counts: messages seen per leaf, such as `up/telemetry`.
        failures: those that break the contract.
    """

    def __init__(self, host: str, port: int, username: str, password: str, root: str = "loadcenter") -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self._address = (host, port)
        self._prefix = f"{root}/v1/"
        self._checker = Checker()
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(username, password)
        self._client.on_connect = lambda client, *_: client.subscribe(self._prefix + "#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect(*self._address)
        self._client.loop_start()
        assert self._subscribed.wait(10), "the witness could not subscribe: wrong address, user or ACL?"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, *leaves: str, timeout_s: float = 10) -> bool:
        """Return whether a message was seen on each of `leaves` within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: all(self.counts[leaf] for leaf in leaves), timeout_s)

    def assert_clean(self, expect_leaves: set[str] | frozenset[str]) -> None:
        """Fail if a message broke the contract, or if none was seen on a leaf that was expected to speak."""
        with self._changed:
            shown = [f"{f.topic}: {f.error}\n  {f.payload[:400]!r}" for f in self.failures[:10]]
            assert not self.failures, f"{len(self.failures)} messages break the contract:\n" + "\n".join(
                shown
            )
            silent = sorted(leaf for leaf in expect_leaves if not self.counts[leaf])
            assert not silent, f"no message was seen on {', '.join(silent)}; seen: {dict(self.counts)}"

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if not message.payload:  # clears a retained message (MQTT-2)
            return
        leaf = message.topic.removeprefix(self._prefix).partition("/")[2]
        error = self._checker.error(leaf, message.payload, retained=message.retain)
        with self._changed:
            self.counts[leaf] += 1
            if error is not None:
                self.failures.append(Failure(message.topic, message.payload, error))
            self._changed.notify_all()
