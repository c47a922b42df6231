"""`loadcenter sim firmware` as a person or a gateway uses it: the real program, over TCP or a pseudo-terminal."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scripts import firmware
from tests.firmware.line import code
from tests.firmware.named import Frame, LineReader, encode

BOUND_S = 60.0
"""The unit answers in a second of its own time; a busy machine may take many."""


@pytest.fixture(scope="module")
def elf(tools) -> Path:
    """Return the program of the first board that can be built, as the command itself chooses."""
    refusals = []
    for name in ("uno", "mega"):
        try:
            return firmware.build(firmware.BUILDS[name])
        except firmware.BuildError as error:
            refusals.append(str(error))
    pytest.fail("\n".join(refusals))


@dataclass
class Running:
    """A bridge in a process of its own, and what it has printed."""

    process: subprocess.Popen[bytes]
    printed: str = ""

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def see(self, pattern: str) -> re.Match[str]:
        """Return the first place in what it has printed that matches, waited for."""
        assert self.process.stdout is not None
        end = time.monotonic() + BOUND_S
        while not (found := re.search(pattern, self.printed)):
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.printed}"
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                assert data, f"it ended:\n{self.printed}"
                self.printed += data.decode()
        return found

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=BOUND_S)
        self.printed += rest.decode()
        return self.process.returncode


@dataclass
class Gateway:
    """The other side of the line, by any descriptor."""

    descriptor: int
    frames: list[Frame] = field(default_factory=list)
    reader: LineReader = field(default_factory=LineReader)

    def send(self, kind: str, seq: int, **fields: int | str) -> None:
        os.write(self.descriptor, encode(kind, seq, self.session, fields))

    def until(self, true: Callable[[], Any]) -> Any:
        """Return `true()` as soon as it is true, taking frames meanwhile."""
        end = time.monotonic() + BOUND_S
        while not (found := true()):
            assert time.monotonic() < end, self.frames[-3:]
            if select.select([self.descriptor], [], [], 0.1)[0]:
                self.take(os.read(self.descriptor, 4096))
        return found

    def take(self, data: bytes) -> None:
        """Keep the frames, and acknowledge events: the next one comes only then (SER-20)."""
        for frame in self.reader.take(data):
            self.frames.append(frame)
            if frame.type == "E":
                os.write(self.descriptor, encode("A", frame.seq, frame.session))

    def last(self, kind: str) -> Frame | None:
        return next((one for one in reversed(self.frames) if one.type == kind), None)

    @property
    def session(self) -> int:
        hello = self.last("H")
        return hello.session if hello else 0

    def answer(self, seq: int, status: str) -> Frame | None:
        answers = (one for one in self.frames if one.type == "R" and one.seq == seq)
        return next((one for one in answers if one.fields["status"] == status), None)

    def told(self, name: str) -> dict[str, str] | None:
        number = str(code("event", name))
        return next(
            (one.fields for one in self.frames if one.type == "E" and one.fields["code"] == number), None
        )


@pytest.fixture
def bridge(elf) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str | Path) -> Running:
        command = [sys.executable, "-m", "loadcenter", "sim", "firmware", "--elf", str(elf)]
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(Running(process))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()
        for pipe in (one.process.stdin, one.process.stdout):
            if pipe:
                pipe.close()


def connect(running: Running) -> socket.socket:
    found = running.see(r"serial line at ([\d.]+):(\d+)")
    return socket.create_connection((found[1], int(found[2])))


def children(process: int) -> list[str]:
    return (Path("/proc") / str(process) / "task" / str(process) / "children").read_text().split()


def test_a_gateway_talks_to_the_real_firmware_over_tcp(bridge):
    running = bridge("--tcp", "0")
    with connect(running) as line:
        gateway = Gateway(line.fileno())
        running.see("pin  isolator on")
        gateway.send("Q", 1)
        hello = gateway.until(lambda: gateway.last("H"))
        assert hello.fields["outlets"] in {"4", "8"}
        assert gateway.until(lambda: gateway.last("T")).fields["active"] == "main"

        running.see("pin  outlet_2 on")
        gateway.send("C", 2, do="switch", out=2, on=0)
        assert gateway.until(lambda: gateway.answer(2, "confirmed"))
        running.see("pin  outlet_2 off")

        running.type("main off")
        transfer = gateway.until(lambda: gateway.told("transfer"))
        assert transfer["src"] == "backup"
        running.see("the bus is on backup")

    assert children(running.process.pid) == []
    assert running.end(signal.SIGTERM) == 0
    assert re.search(r"ended at \d+\.\d s, \d+\.\d s behind the clock in all", running.printed)


def test_a_client_may_come_again_and_a_second_one_is_sent_away(bridge):
    running = bridge()
    with connect(running) as line:
        running.see("is connected")
        with connect(running) as second:
            running.see("refused .*: one client at a time")
            assert second.recv(1) == b""
        line.sendall(b"half a fra")
    running.see("the client has gone")
    with connect(running) as line:
        gateway = Gateway(line.fileno())
        gateway.send("Q", 1)
        gateway.send("Q", 2)  # the first one follows half a line, and is thrown away with it
        assert gateway.until(lambda: gateway.last("H"))
    assert running.end(signal.SIGINT) == 0


def test_a_program_that_wants_a_serial_port_opens_the_pseudo_terminal(bridge):
    running = bridge("--pty")
    path = running.see(r"serial line at (/dev/\S+);")[1]
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        gateway = Gateway(descriptor)
        gateway.send("Q", 1)
        assert gateway.until(lambda: gateway.last("T"))
    finally:
        os.close(descriptor)
    assert running.end(signal.SIGTERM) == 0


def test_orders_of_the_keyboard_change_what_is_plugged_in_and_its_end_ends_nothing(bridge):
    running = bridge()
    running.see("pin  outlet_2 on")
    running.type("load 1 600")
    running.type("frob")
    running.see("'frob' is no order")
    while not 550 < shown_w(running, outlet=1) < 650:
        assert shown_w(running, outlet=1) < 650
    assert running.process.stdin is not None
    running.process.stdin.close()
    running.process.stdin = None
    running.see("pin  outlet_4 on")
    assert running.end(signal.SIGTERM) == 0


def shown_w(running: Running, outlet: int) -> float:
    """Return the power that `show` shows of an outlet."""
    running.printed = ""
    running.type("show")
    return float(running.see(rf"outlet {outlet} \w+ +[\d.]+ A +([\d.]+) W")[1])


def test_the_eeprom_is_kept_from_one_run_to_the_next(bridge, tmp_path):
    kept = tmp_path / "eeprom"
    assert [count_of_starts(bridge("--eeprom", kept)) for _ in range(2)] == ["1", "2"]


def count_of_starts(running: Running) -> str:
    """Return what the unit says of its starts, once it has had the time to note this one; it has ended then."""
    with connect(running) as line:
        gateway = Gateway(line.fileno())
        running.see("pin  outlet_4 on")
        gateway.send("Q", 1)
        hello = gateway.until(lambda: gateway.last("H"))
    running.type("quit")
    assert running.process.wait(BOUND_S) == 0
    return hello.fields["resets"]
