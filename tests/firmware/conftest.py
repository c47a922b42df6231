"""Programs that the suites run in the emulator, each built once in a session."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.firmware.line import Line
from tests.firmware.line import library as library_of_line

from loadcenter.adapters.emulator import Board, Emulator, EmulatorUnavailableError
from loadcenter.adapters.emulator.build import library

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tools() -> None:
    """Skip where the emulator or a compiler for AVR is missing; scripts/system-packages.sh names the packages."""
    if shutil.which("avr-g++") is None:
        pytest.skip("avr-g++ is missing: apt install gcc-avr avr-libc binutils-avr")
    try:
        library()
    except EmulatorUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def probe(tools, tmp_path_factory) -> Path:
    """Return the small program that shows what the emulator does."""
    elf = tmp_path_factory.mktemp("probe") / "probe.elf"
    command = ["avr-gcc", "-mmcu=atmega328p", "-DF_CPU=16000000UL", "-Os", "-std=gnu11", "-Wall", "-Werror"]
    subprocess.run([*command, str(HERE / "probe.c"), "-o", str(elf)], check=True)
    return elf


@pytest.fixture
def unit(probe):
    """Return an emulator that runs the small program; its mains are on and its start is over."""
    with Emulator(probe, Board()) as emulator:
        emulator.mains()
        emulator.run(0.02)
        assert emulator.output() == b"R0001"
        yield emulator


@pytest.fixture(scope="session")
def shim():
    """Return the core as a library of this machine; skip where there is no compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt install g++")
    return library_of_line()


@pytest.fixture
def line(shim):
    """Return a PDU with a blank EEPROM at the other end of a serial line."""
    return Line(shim)
