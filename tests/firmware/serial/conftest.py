"""The core as a library of this machine, and a PDU at the other end of a serial line."""

import shutil

import pytest
from tests.firmware.line import Line, library


@pytest.fixture(scope="session")
def shim():
    """Return the host build; skip where there is no compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt install g++")
    return library()


@pytest.fixture
def line(shim):
    """Return a PDU with a blank EEPROM, which has just started."""
    return Line(shim)
