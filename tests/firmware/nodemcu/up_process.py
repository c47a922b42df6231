"""The whole gateway as a process, with a UNO that was made up, against a broker and a control center."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer
from tests.conformance.desk import Desk
from tests.firmware.nodemcu.images import compiled
from tests.firmware.nodemcu.modules import GATEWAY

HERE = Path(__file__).parent
PROGRAM, START = HERE / "up_host.py", HERE / "up_start.py"
PDU, PASSWORD = "pdu-1", "of the gateway"
HEAP_KB = 104


def image(folder: Path) -> Path:
    """Return a ROMFS with the bytecode of the gateway and of the program."""
    source = compiled(folder / "mpy", *GATEWAY.glob("*.py"), PROGRAM)
    path = folder / "gateway.romfs"
    command = [sys.executable, "-m", "mpremote", "romfs", "--no-mpy", "-o", str(path), "build", str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def micropython(heap_kb: int, image: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment that run it with so much heap beside the image."""
    program = str(Path(sys.executable).with_name("micropython"))
    heap = heap_kb * 1024 + image.stat().st_size
    return [program, "-X", f"heapsize={heap}", str(START), str(image)], {"MICROPYPATH": ".frozen"}


def cpython() -> tuple[list[str], dict[str, str]]:
    return [sys.executable, str(PROGRAM)], {"PYTHONPATH": str(GATEWAY)}


def start(program: list[str], env: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*program, *map(str, arguments)],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(folder: Path, how: tuple[list[str], dict[str, str]], records: int) -> dict[str, Any]:
    """Let it publish so many records through Mosquitto; return what it reports."""
    with MosquittoServer(folder / "broker", {PDU: PASSWORD}) as broker:
        return run_at(broker.port, folder, how, records)


def run_at(port: int, folder: Path, how: tuple[list[str], dict[str, str]], records: int) -> dict[str, Any]:
    """Let it publish so many records and carry out one command; return what it reports when all has arrived."""
    with (
        Desk(("127.0.0.1", port), (CENTER, CENTER_PASSWORD), PDU) as desk,
        start(*how, port, PASSWORD, records, folder / "ring") as process,
    ):
        try:
            _command(desk)
            output, _ = process.communicate(timeout=60 + records // 20)
        finally:
            process.kill()
        assert process.returncode == 0, output
        assert desk.position(1, "telemetry") >= records
        assert desk.wrong == []
    report: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert (report["switchings"], report["lost"], report["unwritten"]) == (1, 0, 0)
    return report


def _command(desk: Desk) -> None:
    desk.online()
    order = {"id": "one", "boot": 1, "n": 1, "exp_up_ms": 10**9, "do": "switch", "out": 2, "on": False}
    desk.tell("command", order)
    desk.wait_for("the answer", "result", id="one", status="confirmed")
    desk.tell("command", order)
    desk.wait_for("the refusal of the copy", "result", id="one", status="rejected", code="repeated")


def heap(report: dict[str, Any], image: Path) -> dict[str, int]:
    """Return what it reports of its heap, without the image, which stands for flash."""
    return {name: value - image.stat().st_size for name, value in report.items() if name.startswith("heap_")}
