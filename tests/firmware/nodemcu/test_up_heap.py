"""The whole gateway keeps within the memory of an ESP8266, for as long as it runs.

There its bytecode stays in flash; here the image of it, a ROMFS, lies in a block of its own on top of the bound. Words
of the Unix port are twice as long as those of the ESP8266, and some 20 KB of the bound are names that a build for the
board has in flash too. The UNO that is made up takes 6 KB more.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer
from tests.conformance.desk import Desk
from tests.firmware.nodemcu.images import compiled
from tests.firmware.nodemcu.modules import GATEWAY

HERE = Path(__file__).parent
PROGRAM, START = HERE / "up_host.py", HERE / "up_start.py"
RECORDS = int(os.environ.get("COUNT", "2000"))
PDU, PASSWORD = "pdu-1", "of the gateway"
HEAP_KB, TOO_SMALL_KB = 104, 80


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoServer]:
    with MosquittoServer(tmp_path / "broker", {PDU: PASSWORD}) as running:
        yield running


@pytest.fixture
def desk(broker: MosquittoServer) -> Iterator[Desk]:
    with Desk(("127.0.0.1", broker.port), (CENTER, CENTER_PASSWORD), PDU) as entered:
        yield entered
    assert entered.wrong == []


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ROMFS with the bytecode of the gateway and of the program."""
    folder = tmp_path_factory.mktemp("image")
    source = compiled(folder / "mpy", *GATEWAY.glob("*.py"), PROGRAM)
    path = folder / "gateway.romfs"
    command = [sys.executable, "-m", "mpremote", "romfs", "--no-mpy", "-o", str(path), "build", str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def micropython(heap_kb: int, image: Path) -> tuple[list[str], dict[str, str]]:
    program = str(Path(sys.executable).with_name("micropython"))
    heap = heap_kb * 1024 + image.stat().st_size
    command = [program, "-X", f"heapsize={heap}", str(START), str(image)]
    return command, {"MICROPYPATH": ".frozen"}


def run(desk: Desk | None, program: list[str], env: dict[str, str], *arguments: object) -> tuple[int, str]:
    """Run the gateway to its end, and give it one command on its way."""
    process = subprocess.Popen(
        [*program, *map(str, arguments)],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        if desk is not None:
            desk.online()
            order = {
                "id": "one",
                "boot": 1,
                "n": 1,
                "exp_up_ms": 10**9,
                "do": "switch",
                "out": 2,
                "on": False,
            }
            desk.tell("command", order)
            desk.wait_for("the answer", "result", id="one", status="confirmed")
            desk.tell("command", order)
            desk.wait_for("the refusal of the copy", "result", id="one", status="rejected", code="repeated")
        output, _ = process.communicate(timeout=60 + RECORDS // 20)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, output


def check(code: int, output: str, desk: Desk, records: int) -> dict[str, int]:
    """Check that all arrived, and return what the program reports."""
    assert code == 0, output
    assert desk.position(1, "telemetry") >= records
    report = json.loads(output.splitlines()[-1])
    assert (report["switchings"], report["lost"], report["unwritten"]) == (1, 0, 0)
    return report


def test_keeps_within_the_heap_of_an_esp8266(broker, desk, image, tmp_path):
    """F6 and F13 of the gateway: COUNT=100000 asks for more records."""
    program, env = micropython(HEAP_KB, image)
    code, output = run(desk, program, env, broker.port, PASSWORD, RECORDS, tmp_path / "ring")
    report = check(code, output, desk, RECORDS)
    for name in ("heap_loaded", "heap_peak", "heap_first_half", "heap_second_half"):
        report[name] -= image.stat().st_size
    logging.getLogger(__name__).info("heap: %s", report)
    assert 0 < report["heap_peak"] < HEAP_KB * 1024
    # At the quietest moments of each half: not one byte a record is kept.
    assert report["heap_second_half"] <= report["heap_first_half"] + 1000


def test_a_heap_that_is_too_small_is_noticed(broker, image, tmp_path):
    program, env = micropython(TOO_SMALL_KB, image)
    code, output = run(None, program, env, broker.port, PASSWORD, RECORDS, tmp_path / "ring")
    assert code != 0
    assert "MemoryError" in output


def test_the_gateway_runs_under_cpython_too(broker, desk, tmp_path):
    env = {"PYTHONPATH": str(GATEWAY)}
    code, output = run(
        desk, [sys.executable, str(PROGRAM)], env, broker.port, PASSWORD, 200, tmp_path / "ring"
    )
    check(code, output, desk, 200)
