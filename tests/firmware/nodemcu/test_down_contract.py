"""The gateway's program in MicroPython with a bounded heap, the real firmware behind it, a real broker in front of it.

Every message is held against spec/schema (`Desk`). With CONTRACT=whole in the environment the whole contract suite is
run, each test with a UNO fresh from the factory: it takes four minutes, because the UNO lives in real time.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.brokers import MosquittoServer
from tests.conformance.conftest import PASSWORD, PDU, broker, desk, late_desk
from tests.conformance.desk import Desk
from tests.conformance.device_contract import DeviceContract, order, outlets_on
from tests.firmware.nodemcu.host_process import Gateway, Uno, compiled, micropython

__all__ = ["broker", "desk", "late_desk"]
RECORDS = 8


class Whole:
    """UNO and gateway. Cutting the power cuts that of the gateway: the UNO has its own supply."""

    pdu_id = PDU
    outbox = RECORDS

    def __init__(self, uno: Uno, gateway: Gateway) -> None:
        self.uno, self.gateway = uno, gateway

    def start(self) -> None:
        self.gateway.start()

    def kill(self) -> None:
        self.gateway.kill()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, str]]:
    return micropython(compiled(tmp_path_factory.mktemp("mpy")))


@pytest.fixture
def device(program, programs, broker: MosquittoServer, tmp_path: Path) -> Iterator[Whole]:
    uno = Uno(programs("uno").elf, tmp_path)
    try:
        place = f"mqtt://{PDU}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{broker.port}"
        options = {"serial": f"tcp:127.0.0.1:{uno.port}", "broker": place}
        options |= {"records": str(RECORDS), "ack-interval": "0.5"}
        whole = Whole(uno, Gateway(program, tmp_path, options))
        yield whole
        whole.kill()
    finally:
        uno.end()


def test_from_the_relay_to_the_broker_and_back(device: Whole, desk: Desk) -> None:
    """MQTT-26, MQTT-31, MQTT-42, MQTT-43, MQTT-45, MQTT-50, MQTT-61."""
    device.start()
    assert desk.online()["settings"] == 0
    desk.wait_record("telemetry", 2)
    boot = desk.latest("state")["boot"]

    desk.tell("command", order(boot, 1, 2, on=False))
    desk.wait_for("the answer", "result", status="confirmed", n=1)
    assert outlets_on(desk.latest("state")) == {1: True, 2: False, 3: True, 4: True}
    device.uno.see("pin  outlet_2 off")
    told = desk.wait_for("its event", "event", code="switched", cause="person_off").body
    assert (told["out"], told["data"]["by"]) == (2, "ada")

    desk.tell("desired", {"version": 3, "pdu": {}, "out": [{"n": 1, "limit_ma": 2000}]}, retain=True)
    state = desk.wait_for("the version in force", "state", settings=3).body
    assert state["out"][0]["limit_ma"] == 2000

    device.kill()
    since = desk.mark()
    desk.tell("command", order(boot + 1, 1, 3, on=False), retain=True)
    device.start()
    desk.wait_for("the refusal", "event", since, code="command_refused")
    desk.wait(
        "a sample of the next boot",
        lambda said: said.leaf == "telemetry" and said.body["boot"] == boot + 1 and "heap_b" in said.body,
        since,
    )
    assert outlets_on(desk.latest("state"))[3]
    assert "outlet_3 off" not in device.uno.log
    assert "died" not in device.gateway.log


if os.environ.get("CONTRACT") == "whole":

    class TestGateway(DeviceContract):
        pass
