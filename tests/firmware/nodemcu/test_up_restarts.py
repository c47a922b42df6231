"""The gateway in MicroPython is killed again and again, and its broker too: no event is lost, each boot is closed."""

import json
from pathlib import Path

import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer
from tests.conformance.desk import Desk
from tests.firmware.nodemcu import up_process
from tests.firmware.nodemcu.up_process import HEAP_KB, PASSWORD, PDU

KILLS, ENDLESS, RECORDS = 3, 100_000, 60


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return up_process.image(tmp_path_factory.mktemp("image"))


def switch(desk: Desk, boot: int) -> None:
    """Switch an outlet and wait for the answer: its event is in flash before that."""
    order = {
        "id": f"of-{boot}",
        "boot": boot,
        "n": 1,
        "exp_up_ms": 10**9,
        "do": "switch",
        "out": 2,
        "on": False,
    }
    desk.tell("command", order)
    desk.wait_for("the answer", "result", id=f"of-{boot}", status="confirmed")


def test_events_and_closings_survive_kills(image, tmp_path):
    """MQTT-15, MQTT-16: with acks and without, and with the broker killed in between."""
    program, env = up_process.micropython(HEAP_KB, image)
    with (
        MosquittoServer(tmp_path / "broker", {PDU: PASSWORD}) as broker,
        Desk(("127.0.0.1", broker.port), (CENTER, CENTER_PASSWORD), PDU) as desk,
    ):
        for boot in range(1, KILLS + 1):
            desk.acks = boot % 2 == 1
            with up_process.start(program, env, broker.port, PASSWORD, ENDLESS, tmp_path / "ring") as process:
                try:
                    desk.wait_for("its birth", "birth", boot=boot)
                    switch(desk, boot)
                    if boot == 1:
                        broker.kill()
                        broker.start()
                        desk.wait_for("online again", "status", since=desk.mark(), status="online")
                finally:
                    process.kill()
                    process.communicate()
        desk.acks = True
        with up_process.start(program, env, broker.port, PASSWORD, RECORDS, tmp_path / "ring") as process:
            try:
                desk.wait_for("its birth", "birth", boot=KILLS + 1)
                switch(desk, KILLS + 1)
                output, _ = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == 0, output
        assert json.loads(output.splitlines()[-1])["unwritten"] == 0
        events = {(one.body["boot"], one.body["seq"]): one.body for one in desk.said if one.leaf == "event"}
        assert desk.wrong == []
        for boot in range(1, KILLS + 2):
            switched = [
                body["seq"] for body in events.values() if body["boot"] == boot and body["code"] == "switched"
            ]
            assert len(switched) == 1
            assert desk.position(boot, "event") >= switched[0]
        for boot in range(2, KILLS + 2):
            closes = events[boot, 1]["data"]["closes"]
            assert closes["boot"] == boot - 1
            assert closes["telemetry"] >= desk.position(boot - 1, "telemetry")
