"""A device that says whatever a test wants, byte by byte, and hears what is said to it."""

import json
import threading
import time
from typing import Any, Self

import paho.mqtt.client as mqtt

from loadcenter.adapters.mqtt.url import BrokerAddress

BOUND_S = 20.0


class WireDevice:
    """A plain MQTT client with the credentials of a device."""

    def __init__(self, pdu_id: str, address: BrokerAddress, root: str = "loadcenter") -> None:
        self.pdu_id = pdu_id
        self.acks: dict[int, dict[str, Any]] = {}
        self.commands: list[bytes] = []
        self._taken: set[int] = set()
        self._root = root
        self._address = address
        self._changed = threading.Condition()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"wire-{pdu_id}")
        self._client.username_pw_set(address.username, address.password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{root}/v1/{pdu_id}/down/#", qos=1)
        self._client.on_publish = lambda _c, _u, mid, *_: self._taken.add(mid)
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect(self._address.host, self._address.port)
        self._client.loop_start()
        self.wait_for(self._client.is_connected)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(
        self, leaf: str, body: dict[str, Any] | bytes, *, qos: int = 1, retain: bool = False, pdu_id: str = ""
    ) -> None:
        """Publish on `leaf` of a device, by default this one's own; at QoS 1 return when the broker has taken it."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = self._client.publish(f"{self._root}/v1/{pdu_id or self.pdu_id}/{leaf}", payload, qos, retain)
        if qos:
            self.wait_for(lambda: said.mid in self._taken)

    def wait_for(self, condition: Any) -> Any:
        """Return the first true value of `condition()`."""
        end = time.monotonic() + BOUND_S
        with self._changed:
            while not (value := condition()):
                left = end - time.monotonic()
                assert left > 0, f"the condition did not come true; acks {self.acks}"
                self._changed.wait(min(left, 0.05))
        return value

    def wait_ack(self, boot: int, telemetry: int, event: int) -> None:
        """Return once the control center has told these positions of a boot."""
        self.wait_for(
            lambda: (one := self.acks.get(boot)) and (one["telemetry"], one["event"]) == (telemetry, event)
        )

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        leaf = message.topic.rsplit("/", 1)[1]
        with self._changed:
            if leaf == "ack":
                body = json.loads(message.payload)
                self.acks[body["boot"]] = body
            elif leaf == "command":
                self.commands.append(message.payload)
            self._changed.notify_all()
