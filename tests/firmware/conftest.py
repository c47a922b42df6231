"""Programs that the suites run in the emulator, each built once in a session, and units that run them."""

import functools
import subprocess
from pathlib import Path

import pytest
from tests.firmware.contacts import never_both
from tests.firmware.rig import Program, Rig

from loadcenter.adapters.emulator import Board, Emulator

HERE = Path(__file__).parent


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
def programs(tools):
    """Return the firmware by the name of its build, as `Program.built` takes it."""
    return functools.cache(Program.built)


@pytest.fixture
def power(programs):
    """Return a maker of units, which have power but no mains yet.

    Whatever a test is about: in no run may both sources ever be connected to each other.
    """
    made: list[Rig] = []

    def make(build: str = "uno", *defines: str, suffix: str = "", seed: int = 1) -> Rig:
        rig = Rig(programs(build, *defines, suffix=suffix), seed=seed)
        made.append(rig)
        return rig

    yield make
    overlapped = [rig for rig in made if not never_both(rig)]
    for rig in made:
        rig.close()
    assert not overlapped, "both sources were connected to each other"


@pytest.fixture
def rig(power) -> Rig:
    """Return a unit that stands on MAIN with every outlet closed and a load of 2 A on each."""
    made = power()
    made.load_all(2.0)
    made.start_all()
    return made
