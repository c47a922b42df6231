"""The golden frames of spec/vectors/serial.jsonl against the codec of the control center's side.

SER-2, SER-3, SER-4, SER-5, SER-6. The gateway and the UNO read the same file in tests/firmware.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.protocol.frames import Frame, LineReader, encode

FILE = Path(__file__).resolve().parents[2] / "spec" / "vectors" / "serial.jsonl"
VECTORS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z0-9]{1,6})?", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)
NUMBERS = st.integers(0, 0xFFFF)
FRAMES = st.builds(
    Frame, st.sampled_from("ACEHQRSTX"), NUMBERS, NUMBERS, st.dictionaries(KEYS, VALUES, max_size=4)
)


def read(data: bytes, at_once: int, line_max: int = 64) -> tuple[list[Frame], int]:
    reader = LineReader(line_max)
    frames = [frame for at in range(0, len(data), at_once) for frame in reader.take(data[at : at + at_once])]
    return frames, reader.thrown


@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_bytes_are_read_as_the_vector_says(vector, at_once):
    frames, thrown = read(vector["bytes"].encode("latin-1"), at_once)
    assert frames == [Frame(**frame) for frame in vector["frames"]]
    assert thrown == vector["thrown"]


@given(FRAMES, st.integers(1, 50))
def test_what_is_written_is_read_again(frame, at_once):
    line = encode(frame.type, frame.seq, frame.session, frame.fields)
    assert read(line, at_once, line_max=200) == ([frame], 0)


@given(st.binary(max_size=120), FRAMES)
def test_a_frame_behind_any_garbage_is_read(garbage, frame):
    """SER-5."""
    line = encode(frame.type, frame.seq, frame.session, frame.fields)
    frames, _ = read(garbage + b"\n" + line, 16, line_max=200)
    assert frames[-1:] == [frame]
