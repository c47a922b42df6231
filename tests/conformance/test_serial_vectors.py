"""The golden frames of spec/vectors against the codec of the control center's side.

SER-2, SER-3, SER-4, SER-5, SER-6. The gateway and the UNO read the same file in tests/firmware.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadcenter.protocol.frames import GATEWAY_LINE_MAX, Frame, LineReader, encode

FOLDER = Path(__file__).resolve().parents[2] / "spec" / "vectors"
VECTORS = [
    json.loads(line)
    for name in ("serial.jsonl", "serial-up.jsonl")
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()
]
NUMBERS = st.integers(0, 0xFFFF)
FRAMES = st.builds(
    Frame,
    st.sampled_from("ACEHQRSTX"),
    NUMBERS,
    NUMBERS,
    st.lists(st.none() | st.integers(-(2**31), 2**48 - 1), max_size=8).map(tuple),
)


def read(data: bytes, at_once: int, line_max: int = GATEWAY_LINE_MAX) -> tuple[list[Frame], int]:
    reader = LineReader(line_max)
    frames = [frame for at in range(0, len(data), at_once) for frame in reader.take(data[at : at + at_once])]
    return frames, reader.thrown


@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_bytes_are_read_as_the_vector_says(vector, at_once):
    frames, thrown = read(vector["bytes"].encode("latin-1"), at_once)
    assert frames == [Frame(**{**frame, "numbers": tuple(frame["numbers"])}) for frame in vector["frames"]]
    assert thrown == vector["thrown"]


@settings(deadline=None)
@given(FRAMES, st.integers(1, 50))
def test_what_is_written_is_read_again(frame, at_once):
    line = encode(frame.type, frame.seq, frame.session, frame.numbers)
    assert read(line, at_once) == ([frame], 0)


@settings(deadline=None)
@given(st.binary(max_size=120), FRAMES)
def test_a_frame_behind_any_garbage_is_read(garbage, frame):
    """SER-5."""
    line = encode(frame.type, frame.seq, frame.session, frame.numbers)
    frames, _ = read(garbage + b"\n" + line, 16)
    assert frames[-1:] == [frame]
