"""The serial contract keeps its own rules, and says what code and data say."""

import re
import tomllib
from pathlib import Path

from loadcenter import __version__
from loadcenter.domain.commands import Do
from loadcenter.protocol.frames import GATEWAY_LINE_MAX, UNO_LINE_MAX, decode

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "spec" / "serial.md").read_text(encoding="utf-8")
SERIAL = tomllib.loads((ROOT / "spec" / "serial.toml").read_text(encoding="utf-8"))
CORE = ROOT / "firmware" / "uno" / "core"
SHOWN_ELSEWHERE = {
    "SER-1": "firmware/uno/avr/uart.cpp sets the rate",
    "SER-23": "the gateway's own half: MQTT-41",
    "SER-24": "nothing in core/link.cpp moves a relay; MQTT-61",
}
"""Rules that no test needs to cite, and what shows them instead."""
LINE = re.compile(
    r"^(?P<body>(?P<type>[A-Z]) \d+ \d+(?: (?:-|-?\d+))*) \*(?P<crc>[0-9A-F]{4})$", re.MULTILINE
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
        assert decode(line.encode()).type == frame["type"]
        from_gateway = frame["type"] in "QCSX"
        assert len(line) <= (UNO_LINE_MAX if from_gateway else GATEWAY_LINE_MAX)


def test_every_type_of_an_example_is_in_the_table():
    types = set(re.findall(r"^\| `([A-Z])` \|", TEXT, re.MULTILINE))
    assert {line[0] for line in examples()} <= types


def test_rule_ids_are_unique_and_in_order():
    numbers = [int(number) for number in re.findall(r"^- \*\*SER-(\d+)\*\*", TEXT, re.MULTILINE)]
    assert numbers == sorted(set(numbers))


def test_every_rule_is_cited_by_a_test_and_only_rules_that_exist_are():
    texts = [
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)
    ]
    cited = {rule for text in texts for rule in re.findall(r"SER-\d+", text)}
    rules = set(re.findall(r"^- \*\*(SER-\d+)\*\*", TEXT, re.MULTILINE))
    assert rules - cited - set(SHOWN_ELSEWHERE) == set()
    assert cited | set(SHOWN_ELSEWHERE) <= rules


def test_commands_are_those_of_the_other_contract_and_the_return_of_the_energy():
    names = [row["name"] for row in SERIAL["command"]]
    assert names == [*Do, "energy"]
    numbers = [row["number"] for row in SERIAL["command"]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_events_and_words_are_those_of_the_codes():
    codes = tomllib.loads((ROOT / "spec" / "codes.toml").read_text(encoding="utf-8"))["code"]
    events = {row["name"] for row in codes if row["category"] == "event"}
    told = [row["name"] for row in SERIAL["event"]]
    assert len(told) == len(set(told))
    own = {"settings_refused", "command_refused", "link_lost", "link_found"}
    assert events - set(told) == own, "told by the gateway alone"
    lists = {key.split(":")[1] for row in SERIAL["event"] for key in row["data"] if ":" in key}
    assert lists <= {*SERIAL["words"], "trip"}
    most = max(len(row["data"]) for row in SERIAL["event"])
    assert f"kEventNumbersMax = {most};" in (CORE / "points.hpp").read_text(encoding="utf-8")


def test_lengths_of_lines_are_those_of_the_code():
    """SER-2."""
    assert f"at most {UNO_LINE_MAX} bytes" in TEXT
    assert f"at most {GATEWAY_LINE_MAX:,}" in TEXT
    gateway = (ROOT / "firmware" / "nodemcu" / "gateway" / "frames.py").read_text(encoding="utf-8")
    assert f"LINE_MAX = {GATEWAY_LINE_MAX} " in gateway


def test_the_firmware_has_the_version_of_the_package():
    major, minor, patch = (int(part) for part in __version__.split("."))
    number = 10_000 * major + 100 * minor + patch
    assert f"kFirmware = {number};" in (CORE / "identity.hpp").read_text(encoding="utf-8")
