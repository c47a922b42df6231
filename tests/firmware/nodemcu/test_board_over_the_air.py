"""An update over the air as a whole: control center, broker, and a gateway under MicroPython that is started again.

The gateway is the Unix port with its bytecode in memory, where words are twice as long as on an ESP8266 and bytecode
does not stay in flash; its heap is bounded accordingly.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from tests.brokers import free_port
from tests.firmware.nodemcu.images import compiled, image_of
from tests.firmware.nodemcu.modules import BOARD, GATEWAY
from tests.system.centers import ServedCenter
from tests.system.command_line import run

HERE = Path(__file__).parent
MICROPYTHON = str(Path(sys.executable).with_name("micropython"))
HEAP = "160k"
BOUND_S = 60.0
MQTT_PORT = free_port()
MODULES = ("boxes", "clock", "journal", "mqtt", "outbox", "payloads", "ring", "samples", "update", "uplink")
ENDED = ("confirmed", "rolled_back", "refused")
SLOW_TRIAL = "import update\nupdate.TRIAL_MS = 200\n"


@pytest.fixture(scope="module")
def center(tmp_path_factory) -> Iterator[ServedCenter]:
    pytest.importorskip("mpremote")
    with ServedCenter(tmp_path_factory.mktemp("center"), {"mqtt_port": MQTT_PORT}) as running:
        yield running


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory) -> Path:
    gateway = [GATEWAY / f"{name}.py" for name in MODULES]
    sources = [*gateway, BOARD / "romfs.py", BOARD / "slots.py", HERE / "ota_start.py"]
    return compiled(tmp_path_factory.mktemp("ota") / "mpy", *sources)


def image(bytecode: Path, folder: Path, start: str) -> bytes:
    """Return an image of the gateway with a program of its own to begin with."""
    files = {f"{name}.mpy": (bytecode / f"{name}.mpy").read_bytes() for name in ("ota_start", *MODULES)}
    return image_of(folder, {**files, "start.py": start.encode()})


class Gateway:
    """A board: a process that is started again whenever it ends, until the block does."""

    def __init__(self, bytecode: Path, home: Path, device: dict[str, str], program: bytes) -> None:
        self.home = home
        self.home.mkdir()
        (home / "image-0").write_bytes(program)
        self._command = [
            MICROPYTHON,
            "-X",
            f"heapsize={HEAP}",
            str(HERE / "ota_host.py"),
            str(home),
            str(MQTT_PORT),
        ]
        self._command += [device["password"], device["update_key"]]
        self._environment = {**os.environ, "MICROPYPATH": f"{bytecode}:.frozen"}
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.starts = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        while self._thread.is_alive():
            self.cut()
            self._thread.join(0.05)

    def cut(self) -> None:
        """Take the power away for a moment."""
        if self._process is not None:
            self._process.kill()

    @property
    def log(self) -> str:
        return (self.home / "log").read_text()

    def _run(self) -> None:
        with (self.home / "log").open("ab") as log:
            while not self._ending.is_set():
                self.starts += 1
                self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
                self._process.wait()


class Desk:
    """What a person at the control center does with one PDU."""

    def __init__(self, center: ServedCenter) -> None:
        self.taken: list[int] = []
        self._center = center

    def register(self) -> dict[str, str]:
        answer = self._center.http.post("/api/v1/devices", json={"id": "pdu-1", "replace": True})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def offer(self, version: str, program: bytes) -> None:
        images = self._center.folder / "data" / "images"
        images.mkdir(exist_ok=True)
        name = hashlib.sha256(program).hexdigest()
        (images / name).write_bytes(program)
        answer = self._center.http.post(
            "/api/v1/devices/pdu-1/update", json={"version": version, "image": name}
        )
        assert answer.status_code == 202, answer.text

    def progress(self) -> dict[str, Any]:
        progress = self._center.get("/devices/pdu-1/update")
        self.taken.append(progress["taken"])
        return progress

    def boot(self) -> int | None:
        return self._center.get("/pdus/pdu-1")["boot"]

    def wait(self, gateway: Gateway, what: str, met) -> None:
        deadline = time.monotonic() + BOUND_S
        while not met():
            assert time.monotonic() < deadline, f"{what}: {self.progress()}\n{gateway.log}"
            time.sleep(0.01)

    def end(self, gateway: Gateway) -> dict[str, Any]:
        """Return how the update ended."""
        self.wait(gateway, "an end", lambda: self.progress()["stage"] in ENDED)
        return self.progress()


@pytest.fixture
def desk(center) -> Desk:
    return Desk(center)


@pytest.fixture
def first(bytecode, tmp_path) -> bytes:
    return image(bytecode, tmp_path / "first", "from ota_start import main\n")


@pytest.fixture
def second(bytecode, tmp_path) -> bytes:
    return image(bytecode, tmp_path / "second", "# another\nfrom ota_start import main\n")


@pytest.fixture
def gateway(bytecode, tmp_path, desk, first) -> Iterator[Gateway]:
    with Gateway(bytecode, tmp_path / "home", desk.register(), first) as running:
        yield running


def slots(gateway: Gateway) -> dict[str, Any]:
    return json.loads((gateway.home / "slots.json").read_text())


def test_a_new_version_is_taken_through_cuts_at_any_piece_and_confirmed(gateway, desk, second):
    """MQTT-70, MQTT-73 to MQTT-77: what was stored before a cut is not asked for again, and `boot` rises."""
    desk.wait(gateway, "a birth", lambda: desk.boot() is not None)
    desk.offer("2.0.0", second)
    pieces = -(-len(second) // 512)
    for part in (1, pieces // 3, pieces * 2 // 3, pieces - 1):
        desk.wait(gateway, "a piece", lambda least=part * 512: desk.progress()["taken"] >= least)
        gateway.cut()
    boot = desk.boot()
    assert desk.end(gateway)["stage"] == "confirmed"
    assert desk.taken == sorted(desk.taken)
    state = slots(gateway)
    assert (state["versions"][state["run"]], state["trial"]) == ("2.0.0", None)
    assert (gateway.home / f"image-{state['run']}").read_bytes() == second
    assert gateway.log.splitlines()[-1] == "runs 2.0.0"
    assert desk.boot() > boot


@pytest.mark.parametrize(
    "start",
    [
        "raise ValueError('broken')\n",
        f"{SLOW_TRIAL}import ota_start\nota_start.Uplink.run = ota_start.Uplink.idle\n",
    ],
    ids=["ends at once", "never reaches the broker"],
)
def test_a_version_that_does_not_come_up_is_given_up_and_the_old_one_says_so(
    gateway, desk, bytecode, tmp_path, start
):
    """MQTT-75."""
    desk.wait(gateway, "a birth", lambda: desk.boot() is not None)
    idle = "async def idle(self):\n    import asyncio\n    await asyncio.sleep(1000)\nimport ota_start\nota_start.Uplink.idle = idle\n"
    bad = image(bytecode, tmp_path / "bad", f"{idle}{start}from ota_start import main\n")
    desk.offer("9.9.9", bad)
    assert desk.end(gateway)["stage"] == "rolled_back"
    lines = [line for line in gateway.log.splitlines() if line.startswith("runs")]
    assert lines == ["runs the first", *["runs 9.9.9"] * 3, "runs the first"]
    assert slots(gateway)["run"] == 0


def test_an_offer_that_another_key_has_signed_is_refused(bytecode, desk, center, tmp_path, first, second):
    """MQTT-72: the device knows another key than the control center. Said by the command line."""
    device = desk.register() | {"update_key": "00" * 32}
    (tmp_path / "new").write_bytes(second)
    with Gateway(bytecode, tmp_path / "home", device, first) as gateway:
        desk.wait(gateway, "a birth", lambda: desk.boot() is not None)
        ended = run("device", "update", "pdu-1", "--image", tmp_path / "new", "--config", center.config_path)
        assert ended.code == 1
        assert "bad_signature): the offer is not signed with its key" in " ".join(ended.err.split())
        assert not (gateway.home / "image-1").exists()


def test_the_command_line_follows_an_update_to_its_end(gateway, desk, center, tmp_path, second):
    (tmp_path / "new").write_bytes(second)
    ended = run(
        "device", "update", "pdu-1", "--image", tmp_path / "new", "--config", center.config_path, "--json"
    )
    assert ended.code == 0, ended.err
    assert (ended.json()["stage"], ended.json()["taken"]) == ("confirmed", len(second))
    assert desk.progress()["version"] in gateway.log
