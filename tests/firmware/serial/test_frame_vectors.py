"""Gateway and UNO read the golden frames alike: MicroPython, CPython, and the firmware's C++ on this machine.

SER-2, SER-3, SER-4, SER-5, SER-6.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
GATEWAY = HERE.parents[1] / "firmware" / "nodemcu" / "gateway"
FILE = HERE.parents[1] / "spec" / "vectors" / "serial.jsonl"
FILE_UP = FILE.with_name("serial-up.jsonl")
VECTORS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
INTERPRETERS = {
    "micropython": (
        [str(Path(sys.executable).with_name("micropython"))],
        {"MICROPYPATH": f"{GATEWAY}:.frozen"},
    ),
    "cpython": ([sys.executable], {"PYTHONPATH": str(GATEWAY)}),
}


@pytest.mark.parametrize("file", [FILE, FILE_UP], ids=["down", "up"])
@pytest.mark.parametrize(("program", "environment"), INTERPRETERS.values(), ids=INTERPRETERS)
def test_the_gateway_reads_the_frames(program, environment, file):
    command = [*program, str(HERE / "frame_vectors.py"), str(file)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == {
        "tried": 3 * len(file.read_text(encoding="utf-8").splitlines()),
        "wrong": [],
    }


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_uno_reads_the_frames(shim, vector):
    data = vector["bytes"].encode("latin-1")
    text = ctypes.create_string_buffer(4096)
    thrown = shim.frames_read(data, len(data), text)
    frames = []
    for line in text.value.decode("ascii").splitlines():
        kind, *numbers = line.split(" ")
        seq, session, *rest = map(int, numbers)
        frames.append({"type": kind, "seq": seq, "session": session, "numbers": rest})
    assert (frames, thrown) == (vector["frames"], vector["thrown"])
