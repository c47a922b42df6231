"""The simulated PDU does all that a device must, over a real broker and ten times as fast as real time."""

import threading
import time
from collections.abc import Iterator, Sequence

import paho.mqtt.client as mqtt
import pytest
from tests.brokers import MosquittoServer
from tests.conformance.conftest import HOST, PASSWORD, PDU
from tests.conformance.device_contract import DeviceContract

from loadcenter.simulator.gateway import Limits
from loadcenter.simulator.loads import Heater
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.pdu import PduSpec, VirtualPdu

SPEED = 10
TICK_S = 0.02


class Bridge:
    """Carries messages between a virtual PDU and a broker, and lets its time pass."""

    pdu_id = PDU
    outbox = 12

    def __init__(self, port: int) -> None:
        loads = (Heater(60), Heater(120), Heater(0), Heater(0))
        self._spec = PduSpec(PDU, loads, limits=Limits(outbox=self.outbox, ack_interval_ms=2000))
        self._port = port
        self._born = time.monotonic()
        self._flash: bytes | None = None
        self._power = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        with self._lock:
            self._pdu = VirtualPdu(self._spec, 1, self._now_ms(), self._flash)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=PDU)
        self._client.username_pw_set(PDU, PASSWORD)
        will = self._pdu.will
        self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.connect(HOST, self._port)
        self._client.loop_start()
        self._power.set()
        self._ticking = threading.Thread(target=self._tick)
        self._ticking.start()

    def kill(self) -> None:
        if not self._power.is_set():
            return
        self._power.clear()
        self._ticking.join()
        with self._lock:
            self._flash = self._pdu.saved()
        self._client.on_disconnect = None
        link = self._client.socket()
        if link is not None:
            link.close()  # no goodbye: the broker shall say the will
        self._client.loop_stop()

    def _now_ms(self) -> int:
        return int((time.monotonic() - self._born) * 1000 * SPEED)

    def _tick(self) -> None:
        while self._power.is_set():
            with self._lock:
                self._publish(self._pdu.advance(self._now_ms()))
            time.sleep(TICK_S)

    def _publish(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self._client.publish(message.topic, message.payload, message.qos, message.retain)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(self._pdu.subscription, qos=1)
        with self._lock:
            self._publish(self._pdu.connected(self._now_ms()))

    def _on_disconnect(self, *_: object) -> None:
        with self._lock:
            self._pdu.disconnected(self._now_ms())

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            answer = self._pdu.receive(message.topic, message.payload, message.retain, self._now_ms())
            self._publish(answer)


@pytest.fixture
def device(broker: MosquittoServer) -> Iterator[Bridge]:
    bridge = Bridge(broker.port)
    yield bridge
    bridge.kill()


class TestVirtualPdu(DeviceContract):
    pass
