"""The gateway passes the device's half of the golden vectors, under MicroPython and under CPython.

MQTT-14, MQTT-15, MQTT-17, MQTT-18 (outbox) and MQTT-41, MQTT-42, MQTT-45 (commands).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GATEWAY = HERE.parents[2] / "firmware" / "nodemcu" / "gateway"
VECTORS = HERE.parents[2] / "spec" / "vectors"
INTERPRETERS = {
    "micropython": (
        [str(Path(sys.executable).with_name("micropython"))],
        {"MICROPYPATH": f"{GATEWAY}:.frozen"},
    ),
    "cpython": ([sys.executable], {"PYTHONPATH": str(GATEWAY)}),
}


def steps() -> int:
    texts = [(VECTORS / f"{name}.jsonl").read_text(encoding="utf-8") for name in ("commands", "outbox")]
    return sum(len(json.loads(line)["steps"]) for text in texts for line in text.splitlines())


@pytest.mark.parametrize(("program", "environment"), INTERPRETERS.values(), ids=INTERPRETERS)
def test_the_gateway_passes_the_vectors(program, environment):
    command = [*program, str(HERE / "gateway_vectors.py"), str(VECTORS)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == {"tried": steps(), "wrong": []}
