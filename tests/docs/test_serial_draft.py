"""The examples of the serial draft keep its own rules."""

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[2] / "spec" / "serial.md").read_text(encoding="utf-8")
LINE = re.compile(
    r"^(?P<body>(?P<type>[A-Z]) \d+ \d+(?: [a-z_]+(?:\.\w+)?=\S+)*) \*(?P<crc>[0-9A-F]{4})$", re.MULTILINE
)


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def examples() -> list[str]:
    return [
        line
        for block in re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]


def test_the_checksum_is_the_one_that_is_named():
    """SER-4."""
    assert crc16(b"123456789") == 0x29B1


def test_every_example_is_a_frame_with_the_right_checksum():
    """SER-2, SER-3, SER-4."""
    assert examples()
    for line in examples():
        frame = LINE.match(line)
        assert frame, line
        assert int(frame["crc"], 16) == crc16(frame["body"].encode()), line
        assert len(line) < 255


def test_every_type_of_an_example_is_in_the_table():
    types = set(re.findall(r"^\| `([A-Z])` \|", TEXT, re.MULTILINE))
    assert {line[0] for line in examples()} <= types


def test_rule_ids_are_unique_and_in_order():
    numbers = [int(number) for number in re.findall(r"^- \*\*SER-(\d+)\*\*", TEXT, re.MULTILINE)]
    assert numbers == sorted(set(numbers))
