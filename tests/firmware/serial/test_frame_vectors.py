"""The UNO reads the golden frames as the others do: the firmware's C++ on this machine.

SER-2, SER-3, SER-4, SER-5, SER-6.
"""

import ctypes
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
FILE = HERE.parents[1] / "spec" / "vectors" / "serial.jsonl"
VECTORS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


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
