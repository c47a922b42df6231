"""The gateway reads the golden lines as the UNO and the control center do, under MicroPython and under CPython.

SER-2, SER-3, SER-4, SER-5, SER-6.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.firmware.nodemcu.modules import GATEWAY

HERE = Path(__file__).parent
VECTORS = HERE.parents[2] / "spec" / "vectors"
INTERPRETERS = {
    "micropython": (
        str(Path(sys.executable).with_name("micropython")),
        {"MICROPYPATH": f"{GATEWAY}:.frozen"},
    ),
    "cpython": (sys.executable, {"PYTHONPATH": str(GATEWAY)}),
}


@pytest.mark.parametrize(("program", "environment"), INTERPRETERS.values(), ids=INTERPRETERS)
def test_the_golden_lines_are_read_as_they_are_meant(program, environment):
    done = subprocess.run(
        [program, str(HERE / "down_vectors.py"), str(VECTORS)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [(VECTORS / f"{name}.jsonl").read_text().splitlines() for name in ("serial", "serial-up")]
    assert json.loads(done.stdout) == {"tried": sum(map(len, lines)), "wrong": []}
