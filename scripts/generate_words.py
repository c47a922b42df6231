"""Write `firmware/nodemcu/gateway/words.py` from `spec/`; with `--check`, fail if they differ.

The gateway turns the numbers of the serial line into the words of MQTT and back: what it needs of `serial.toml`,
`points.toml`, `codes.toml` and `decision.toml` stands there in as little memory as it takes.
"""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
TARGET = ROOT / "firmware" / "nodemcu" / "gateway" / "words.py"
LISTS = ("source", "grade", "reset_cause", "shed_reason", "self_test", "transfer_result")
KINDS = ("pdu", "source", "outlet")
LINE = 110
"""The formatter joins what fits into as much."""

HEAD = '''"""Words of the contract by their numbers. Generated from spec/ by scripts/generate_words.py."""

# A table of words is one text: a list of them would take four times the memory.
'''

FOOT = '''

def word(table: str, number: int | None) -> str:
    """Return the word of `number` in a table, "" where there is none."""
    words = table.split(" ")
    found = words[number] if number is not None and 0 <= number < len(words) else "-"
    return "" if found == "-" else found


def place(table: str, name: str) -> int:
    """Return the number of a word, -1 where it has none."""
    words = table.split(" ")
    return words.index(name) if name in words else -1
'''


def render() -> str:
    """Return the text of the module."""
    serial, codes = read("serial.toml"), read("codes.toml")["code"]
    parts = [
        constant("SERIAL_VERSION", str(serial["version"])),
        *(
            text(f"{category.upper()}S", by_number(codes, category))
            for category in ("event", "cause", "trip", "result")
        ),
        text("STATUSES", [word or "-" for word in serial["words"]["status"]]),
        *(text(f"WORDS_{name.upper()}", serial["words"][name]) for name in LISTS),
        hello(serial["hello"]["numbers"]),
        telemetry(serial["telemetry"]),
        events(serial["event"], codes),
        commands(serial["command"]),
        settings(serial["setting"]),
        rungs(read("decision.toml")["rung"]),
    ]
    return f"{HEAD}\n{''.join(parts)}{FOOT}"


def read(name: str) -> dict[str, Any]:
    """Return a TOML file of spec/."""
    return tomllib.loads((SPEC / name).read_text(encoding="utf-8"))


def constant(name: str, value: str) -> str:
    """Return a line that sets a name."""
    return f"{name} = {value}\n"


def text(name: str, words: Sequence[str]) -> str:
    """Return a table of words as one text, in lines that fit."""
    whole = constant(name, f'"{" ".join(words)}"')
    if len(whole) <= LINE:
        return whole
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > LINE - 8:
            lines.append("")
        lines[-1] += f"{word} "
    lines[-1] = lines[-1][:-1]
    return f"{name} = (\n" + "".join(f'    "{line}"\n' for line in lines) + ")\n"


def by_number(codes: list[dict[str, Any]], category: str) -> list[str]:
    """Return the names of a category at the places of their numbers, `-` where there is none."""
    names = {code["number"]: code["name"] for code in codes if code["category"] == category}
    return [names.get(number, "-") for number in range(max(names) + 1)]


def hello(names: list[str]) -> str:
    """Return the table of what an H tells."""
    return text("HELLO", names)


def telemetry(rows: list[dict[str, Any]]) -> str:
    """Return what a T tells of each kind, and where that begins."""
    keys = {kind: [row["key"] for row in rows if row["per"] == kind] for kind in KINDS}
    return "".join(text(f"TELEMETRY_{kind.upper()}", keys[kind]) for kind in KINDS)


def events(rows: list[dict[str, Any]], codes: list[dict[str, Any]]) -> str:
    """Return the data of each event by its name."""
    told = {row["name"]: " ".join(row["data"]) for row in rows if row["data"]}
    names = [code["name"] for code in codes if code["category"] == "event" and code["name"] in told]
    lines = [f'    "{name}": "{told[name]}",\n' for name in names]
    return "EVENT_DATA = {\n" + "".join(lines) + "}\n"


def commands(rows: list[dict[str, Any]]) -> str:
    """Return number and fields of each command."""
    lines = [f'    "{row["name"]}": ({row["number"]}, "{" ".join(row["fields"])}"),\n' for row in rows]
    return "COMMANDS = {\n" + "".join(lines) + "}\n"


def settings(numbers: Mapping[str, int]) -> str:
    """Return the settings as `name low high divisor default`, or `name choice,choice`, in the order of their numbers."""
    points = [point for point in read("points.toml")["point"] if point["kind"] == "setting"]
    parts = [constant(f"SETTING_{name.upper()}", str(number)) for name, number in numbers.items()]
    for kind in ("pdu", "outlet"):
        lines = [f'    "{setting(point)}",\n' for point in points if point["per"] == kind]
        parts.append(f"SETTINGS_{kind.upper()} = (\n" + "".join(lines) + ")\n")
    return "".join(parts)


def setting(point: Mapping[str, Any]) -> str:
    """Return one setting; a truth value is a choice of two words that no text matches."""
    if "choices" in point:
        return f"{point['id']} {','.join(point['choices'])}"
    if point["unit"] == "bool":
        return f"{point['id']} bool"
    low, high = point["range"]
    divisor = 1000 if point["unit"] == "mW" else 1  # powers go over the line in whole watts
    return f"{point['id']} {low} {high} {divisor} {point['default']}"


def rungs(rows: list[dict[str, Any]]) -> str:
    """Return the ladder as `name way limit dwell_ms` a rung, the most urgent first."""
    lines = [f'    "{row["name"]} {row["way"]} {row["limit"]} {row["dwell_ms"]}",\n' for row in rows]
    return "RUNGS = (\n" + "".join(lines) + ")\n"


def main() -> int:
    """Write or compare; return the exit status."""
    rendered = render()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(rendered, encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == rendered:
        return 0
    print(f"{TARGET.name} is not what spec/ says: run python scripts/generate_words.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
