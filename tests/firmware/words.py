"""Words of the serial line by their numbers, as spec/codes.toml and spec/serial.toml give them (SER-13)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.firmware.named import Frame

SPEC = Path(__file__).resolve().parents[2] / "spec"


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((SPEC / name).read_text(encoding="utf-8"))


CODES = {(row["category"], row["number"]): row["name"] for row in _read("codes.toml")["code"]}
SERIAL = _read("serial.toml")
DATA = {row["name"]: row["data"] for row in SERIAL["event"]}


def name_of(frame: Frame) -> str:
    """Return the name of the event in an `E` frame."""
    return CODES.get(("event", int(frame.fields["code"])), "unknown")


def event(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of an event with `code` and `cause` as words, and its data by name."""
    told = dict(fields)
    told["code"] = CODES["event", int(fields["code"])]
    if fields.get("cause", "0") != "0":
        told["cause"] = CODES["cause", int(fields["cause"])]
    values = told.pop("data", "").split(",")
    for key, value in zip(DATA.get(told["code"], []), values, strict=False):
        name, _, words = key.partition(":")
        told[name] = _word(words, value)
    return told


def result(fields: Mapping[str, str]) -> str:
    """Return what an `R` frame says: its status, or the word of the refusal."""
    if fields["status"] != "rejected":
        return fields["status"]
    return CODES["result", int(fields["code"])]


def _word(words: str, value: str) -> str:
    if not words or value in {"", "-"}:
        return value
    if words == "trip":
        return CODES["trip", int(value)]
    return str(SERIAL["words"][words][int(value)])
