"""The other end of a device under test: takes and acknowledges records as MQTT-12 and MQTT-14 say, gives orders.

It is scripted by a test, imports nothing of loadcenter and checks all that it hears against spec/schema.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import paho.mqtt.client as mqtt
from tests.conformance.witness import Checker

STREAMS = ("telemetry", "event")


@dataclass(frozen=True)
class Said:
    """One message of the device; `retained` when it was said before the desk was there."""

    leaf: str
    body: dict[str, Any]
    retained: bool


class Desk:
    """Hears one device while it is entered.

    Attributes:
        said: all that was heard, in order.
        acks: whether records are acknowledged; off by a test that wants to see what happens then.
        wrong: messages that break the schemas.
        patience_s: how long a message is waited for.
    """

    def __init__(
        self, address: tuple[str, int], login: tuple[str, str], pdu_id: str, root: str = "loadcenter"
    ):
        self.said: list[Said] = []
        self.wrong: list[str] = []
        self.acks = True
        self.patience_s = 20.0
        self._positions: dict[tuple[int, str], int] = defaultdict(int)
        self._address = address
        self._base = f"{root}/v1/{pdu_id}/"
        self._checker = Checker()
        self._heard = threading.Condition()
        self._subscribed = threading.Event()
        # A session of its own, so that it misses nothing when the broker was away.
        name = f"desk-{id(self)}"
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.username_pw_set(*login)
        self._client.on_connect = lambda client, *_: client.subscribe(self._base + "up/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect(*self._address)
        self._client.loop_start()
        assert self._subscribed.wait(10), "the desk could not subscribe"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    # -- hearing

    def wait(self, what: str, wanted: Callable[[Said], bool], since: int = 0) -> Said:
        """Return the first message from number `since` on that is wanted; fail naming `what` if none comes."""
        found: list[Said] = []

        def look() -> bool:
            found[:] = [said for said in self.said[since:] if wanted(said)][:1]
            return bool(found)

        with self._heard:
            ok = self._heard.wait_for(look, self.patience_s)
            heard = [(said.leaf, said.body) for said in self.said[-6:]]
        assert ok, f"waited {self.patience_s} s in vain for {what}; last heard: {heard}"
        return found[0]

    def wait_for(self, what: str, leaf: str, since: int = 0, **fields: object) -> Said:
        """Return the first message on `up/<leaf>` whose fields have these values."""
        return self.wait(
            what,
            lambda said: said.leaf == leaf and all(said.body.get(k) == v for k, v in fields.items()),
            since,
        )

    def wait_record(self, stream: str, seq: int, since: int = 0) -> Said:
        """Return the first record of `stream` numbered `seq` or more."""
        return self.wait(
            f"{stream} {seq}", lambda said: said.leaf == stream and said.body["seq"] >= seq, since
        )

    def wait_position(self, boot: int, stream: str, seq: int) -> None:
        """Return when all up to `seq` has been taken."""
        with self._heard:
            reached = self._heard.wait_for(lambda: self._positions[boot, stream] >= seq, self.patience_s)
            assert reached, f"position of {stream} stays at {self._positions[boot, stream]}, below {seq}"

    def position(self, boot: int, stream: str) -> int:
        """Return up to which number all was taken."""
        with self._heard:
            return self._positions[boot, stream]

    def mark(self) -> int:
        """Return how many messages were heard so far."""
        with self._heard:
            return len(self.said)

    def online(self) -> dict[str, Any]:
        """Return the state reported at the device's latest connect, once it is online."""
        self.wait_for("status online", "status", status="online")
        return self.latest("state")

    def latest(self, leaf: str) -> dict[str, Any]:
        """Return what was said last on a leaf."""
        with self._heard:
            return [said.body for said in self.said if said.leaf == leaf][-1]

    # -- telling

    def tell(self, leaf: str, body: dict[str, Any] | None, *, qos: int = 1, retain: bool = False) -> None:
        """Publish on `down/<leaf>` and return when the broker has it; None clears a retained message."""
        payload = b"" if body is None else json.dumps({"v": 1, **body}).encode()
        self._client.publish(self._base + "down/" + leaf, payload, qos, retain).wait_for_publish(10)

    def set_positions(self, boot: int, **positions: int) -> None:
        """Put the positions of a boot to these numbers (a database restored from backup) and tell the device."""
        with self._heard:
            self._positions.update({(boot, stream): seq for stream, seq in positions.items()})
            self.acks = True
        self._tell_positions(boot)

    # -- inside

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        leaf = message.topic.removeprefix(self._base + "up/")
        error = self._checker.error(f"up/{leaf}", message.payload, retained=message.retain)
        body = json.loads(message.payload)
        with self._heard:
            self.said.append(Said(leaf, body, message.retain))
            if error is not None:
                self.wrong.append(f"{leaf}: {error}: {message.payload!r}")
            acks = self.acks and leaf in STREAMS
            if acks:
                self._take(body["boot"], leaf, body.get("from", body["seq"]), body["seq"])
            self._heard.notify_all()
        if acks:
            self._tell_positions(body["boot"])

    def _take(self, boot: int, stream: str, first: int, seq: int) -> None:
        if first <= self._positions[boot, stream] + 1 <= seq:
            self._positions[boot, stream] = seq

    def _tell_positions(self, boot: int) -> None:
        ack = {"v": 1, "boot": boot, **{stream: self._positions[boot, stream] for stream in STREAMS}}
        self._client.publish(self._base + "down/ack", json.dumps(ack), qos=0)
