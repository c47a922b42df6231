"""The gateway's program for a computer says what is wrong with its command line."""

import subprocess
import sys

import pytest
from tests.firmware.nodemcu.modules import NODEMCU

LINE = ["--serial", "tcp:127.0.0.1:1", "--folder", "records"]
BROKER = ["--broker", "mqtt://pdu-1:secret@127.0.0.1:1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (LINE, "--broker is missing"),
        ([*LINE, *BROKER, "--sreial", "x"], "--sreial: known are --serial"),
        ([*LINE, *BROKER, "--ca"], "--ca: known are"),
        ([*LINE, "--broker", "http://pdu-1:secret@here"], "--broker must be mqtt://USER:PASSWORD@HOST:PORT"),
        ([*LINE, "--broker", "mqtt://here:1883"], "--broker must be mqtt://USER"),
        ([*LINE, "--broker", "mqtts://pdu-1:secret@here"], "mqtts needs --ca"),
        ([*BROKER, "--folder", "records", "--serial", "/dev/ttyUSB0"], "--serial must be tcp:HOST:PORT"),
    ],
)
def test_a_wrong_command_line_says_what_would_be_right(tmp_path, arguments, said):
    done = subprocess.run(
        [sys.executable, str(NODEMCU / "host.py"), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stdout
