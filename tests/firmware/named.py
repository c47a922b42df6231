"""Frames with the names of spec/, for tests that say what they mean: on the line there are numbers alone (SER-13)."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from loadcenter.protocol import frames as raw

SPEC = Path(__file__).resolve().parents[2] / "spec"
OUTLET_NUMBERS = 100
NO_SETTING = 99
NO_VERB = 99
BEGIN, END = 0, 255
HALF = 1 << 24
WATT_MW = 1000


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((SPEC / name).read_text(encoding="utf-8"))


SERIAL = _read("serial.toml")
SOURCES = ("main", "backup")
STATUS = SERIAL["words"]["status"]
VERBS = {row["name"]: row["number"] for row in SERIAL["command"]}
THIRD = {"switch": "on", "cycle": "off_ms", "lock": "on", "transfer": "src", "energy": "e_mwh"}
POINTS = [point for point in _read("points.toml")["point"] if point["access"] == "rw"]


def _numbered() -> Iterator[tuple[str, tuple[int, Mapping[str, Any]]]]:
    for per, first in (("pdu", 1), ("outlet", OUTLET_NUMBERS + 1)):
        points = (point for point in POINTS if point["per"] == per)
        for number, point in enumerate(points, first):
            yield point["id"], (number, point)


SETTINGS = dict(_numbered())


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose numbers have their names, and words where spec/ has words; values are text."""

    type: str
    seq: int
    session: int
    fields: dict[str, str]


class LineReader:
    """Reads what the UNO says."""

    def __init__(self) -> None:
        self._reader = raw.LineReader()

    @property
    def thrown(self) -> int:
        """Lines that were no frame."""
        return self._reader.thrown

    def take(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes."""
        return [named(frame) for frame in self._reader.take(data)]


def named(frame: raw.Frame) -> Frame:
    """Return a frame of the UNO with its names."""
    texts = ["-" if number is None else str(number) for number in frame.numbers]
    return Frame(frame.type, frame.seq, frame.session, _fields(frame.type, texts))


def _fields(kind: str, texts: list[str]) -> dict[str, str]:
    match kind:
        case "H":
            return dict(zip(SERIAL["hello"]["numbers"], texts, strict=True))
        case "T":
            return _telemetry(texts)
        case "E":
            return _event(texts)
        case "R":
            status, code = texts
            return {"status": STATUS[int(status)], "code": code}
        case _:
            return {}


def _telemetry(texts: list[str]) -> dict[str, str]:
    rows = {
        per: [row["key"] for row in SERIAL["telemetry"] if row["per"] == per]
        for per in ("pdu", "source", "outlet")
    }
    fixed = [*rows["pdu"], *(f"{key}.{source}" for source in SOURCES for key in rows["source"])]
    outlets = (len(texts) - len(fixed)) // len(rows["outlet"])
    names = [*fixed, *(f"{key}.{outlet}" for outlet in range(1, outlets + 1) for key in rows["outlet"])]
    fields = dict(zip(names, texts, strict=True))
    for name, words in (
        ("active", SOURCES),
        *((f"grade.{source}", SERIAL["words"]["grade"]) for source in SOURCES),
    ):
        if fields[name] != "-":
            fields[name] = words[int(fields[name])]
    return fields


def _event(texts: list[str]) -> dict[str, str]:
    up_ms, code, outlet, source, cause, because, *data = texts
    fields = {"up_ms": up_ms, "code": code, "out": outlet, "src": source, "cause": cause, "because": because}
    told = {name: value for name, value in fields.items() if name in {"up_ms", "code"} or value != "0"}
    if "src" in told:
        told["src"] = SOURCES[int(source) - 1]
    return told | ({"data": ",".join(data)} if data else {})


def encode(kind: str, seq: int, session: int, fields: Mapping[str, Any] | None = None) -> bytes:
    """Return a line of the gateway; numbers that `fields` leaves out end it."""
    return raw.encode(kind, seq, session, numbers(kind, fields or {}))


def numbers(kind: str, fields: Mapping[str, Any]) -> list[int]:
    """Return the numbers of a frame of the gateway."""
    match kind:
        case "C":
            return _command(fields)
        case "S":
            return _setting(fields)
        case "X" if "out" in fields:
            return [int(fields["out"])]
        case _:
            return []


def _command(fields: Mapping[str, Any]) -> list[int]:
    do = fields.get("do")
    if do is None:
        return []
    third = fields.get(THIRD.get(do, ""))
    if third in SOURCES:
        third = SOURCES.index(third)
    outlet = 0 if do == "transfer" else fields.get("out")
    values = [VERBS.get(do, NO_VERB), outlet, third]
    if do == "energy":
        values[2:] = [int(fields["e_mwh"]) % HALF, int(fields["e_mwh"]) // HALF]
    values = list(takewhile(lambda value: value is not None, values))
    return [int(value) for value in values] + ([7] * 5 if "mood" in fields else [])


def _setting(fields: Mapping[str, Any]) -> list[int]:
    (name, value) = next((name, value) for name, value in fields.items() if name != "version")
    version = int(fields["version"])
    if name in {"begin", "end"}:
        return [version, BEGIN if name == "begin" else END]
    key, _, outlet = name.partition(".")
    number, point = SETTINGS.get(key, (NO_SETTING, {}))
    if value in point.get("choices", ()):
        value = point["choices"].index(value)
    if point.get("unit") == "mW":
        value = int(value) // WATT_MW
    return [version, number, int(outlet or 0), int(value)]
