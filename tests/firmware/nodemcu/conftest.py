"""The UNO's own link code, for the suites of the gateway."""

import shutil

import pytest
from tests.firmware.line import Line, library
from tests.firmware.nodemcu.down_rig import Rig


@pytest.fixture(scope="session")
def shim():
    """Return the host build; skip where there is no compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt install g++")
    return library()


@pytest.fixture
def joined(shim):
    """Return gateway and UNO that know each other."""
    rig = Rig(Line(shim))
    rig.run(1500)
    return rig
