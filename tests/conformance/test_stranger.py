"""A device written from spec/mqtt.md alone does all that a device must: the spec is enough."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.brokers import MosquittoServer
from tests.conformance.conftest import PASSWORD, PDU
from tests.conformance.device_contract import DeviceContract

PROGRAM = Path(__file__).with_name("stranger.py")


class StrangerProcess:
    """The stranger as a process, hurried: a sample each 0.1 s, sent again after 0.5 s."""

    pdu_id = PDU
    outbox = 12

    def __init__(self, broker: MosquittoServer, flash: Path, program: Path = PROGRAM) -> None:
        options = {"port": broker.port, "user": PDU, "password": PASSWORD, "flash": flash}
        options |= {"outbox": self.outbox, "period-s": 0.1, "resend-s": 0.5}
        self._command = [
            sys.executable,
            str(program),
            *[f"--{name}={value}" for name, value in options.items()],
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


@pytest.fixture
def device(broker: MosquittoServer, tmp_path: Path) -> Iterator[StrangerProcess]:
    stranger = StrangerProcess(broker, tmp_path / "flash.json")
    yield stranger
    stranger.kill()


class TestStranger(DeviceContract):
    pass


BREAKS = {
    "no will": ("client.will_set(", "(lambda *_, **__: None)(", "test_is_offline_when_its_power_is_cut"),
    "a hole in the numbers": (
        "seq[stream] += 1",
        "seq[stream] += 2",
        "test_numbers_records_from_1_without_holes",
    ),
    "never sends again": (
        'time.monotonic() >= when["resend"]',
        "False",
        "test_sends_again_what_is_not_acknowledged",
    ),
    "deaf to acks": ('("ack", "command",', '("command",', "test_does_not_send_again_what_is_acknowledged"),
    "drops in silence": (
        '= [gap("overflow"',
        '= [] and [gap("overflow"',
        "test_announces_what_it_could_not_keep",
    ),
    "forgets its events": ('{"event": WAS["event"]', '{"event": []', "test_events_outlive_the_power"),
    "acts on copies": ('order["n"] <= state["n"]', "False", "test_a_copy_of_a_command_switches_nothing"),
    "acts on retained": ("message.retain and", "False and", "test_never_carries_out_a_retained_command"),
    "takes any limit": ("100 <= out", "0 <= out", "test_refuses_settings_out_of_range_as_a_whole"),
}


@pytest.mark.parametrize(("right", "wrong", "seen_by"), BREAKS.values(), ids=BREAKS)
def test_a_device_that_breaks_a_rule_is_caught(broker, desk, device, tmp_path, right, wrong, seen_by):
    source = PROGRAM.read_text(encoding="utf-8")
    assert source.count(right) == 1
    broken = tmp_path / "broken.py"
    broken.write_text(source.replace(right, wrong))
    desk.patience_s = 2
    mutant = StrangerProcess(broker, tmp_path / "flash-of-the-mutant.json", broken)
    try:
        with pytest.raises(AssertionError):
            getattr(DeviceContract(), seen_by)(mutant, desk)
    finally:
        mutant.kill()


def test_the_stranger_knows_nothing_of_this_project():
    imports = {
        alias.name.partition(".")[0]
        for node in ast.walk(ast.parse(PROGRAM.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imports - set(sys.stdlib_module_names) == {"paho"}
    assert "import_module" not in PROGRAM.read_text(encoding="utf-8")


def test_the_stranger_is_short():
    code = [
        line for line in PROGRAM.read_text(encoding="utf-8").splitlines() if line and "import " not in line
    ]
    assert len(code) < 100
