"""Write the tables of topics, points and codes into docs/protocol.md from spec/, or check that they are up to date.

    python scripts/spec_tables.py            writes them
    python scripts/spec_tables.py --check    exits 1 and says so if a table differs from spec/

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`; everything else is left alone.
"""

import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
DOCUMENT = ROOT / "docs" / "protocol.md"
TABLE = re.compile(r"(<!-- table: (?P<name>[a-z_]+) -->\n)(?P<body>.*?)(<!-- end of table -->)", re.DOTALL)
CATEGORIES = ("event", "cause", "trip", "result", "gap", "refusal")


def tables() -> dict[str, str]:
    """Return every table by name, as Markdown."""
    points = read("points.toml")["point"]
    codes = read("codes.toml")["code"]
    return {
        "topics": topics(),
        "readings": readings([point for point in points if point["access"] == "r"]),
        "settings": settings([point for point in points if point["access"] == "rw"]),
        **{name: code_table([code for code in codes if code["category"] == name]) for name in CATEGORIES},
    }


def read(name: str) -> dict[str, Any]:
    """Return a TOML file of spec/."""
    return tomllib.loads((SPEC / name).read_text(encoding="utf-8"))


def topics() -> str:
    """Return the table of leaves as it stands in mqtt.md."""
    lines = (SPEC / "mqtt.md").read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| leaf |"))
    length = next(number for number, line in enumerate(lines[first:]) if not line.startswith("|"))
    return "\n".join(lines[first : first + length]) + "\n"


def readings(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of measured values."""
    rows = [(f"`{p['id']}`", p["per"], p["name"], p["unit"], extent(p)) for p in points]
    return table(("key", "of each", "what", "unit", "range"), rows)


def settings(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of settable values."""
    rows = [
        (f"`{p['id']}`", p["per"], p["name"], p["unit"], extent(p), f"`{word(p['default'])}`", p["reason"])
        for p in points
    ]
    return table(("key", "of each", "what", "unit", "range", "default", "why"), rows)


def extent(point: Mapping[str, Any]) -> str:
    """Return the range of a point in words."""
    if "choices" in point:
        return ", ".join(f"`{choice}`" for choice in point["choices"])
    if point["unit"] == "bool":
        return "`true`, `false`"
    low, high = point["range"]
    return f"{low:,} to {high:,}"


def word(value: object) -> str:
    """Return a value as JSON would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def code_table(codes: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of one category of codes."""
    severity = ("severity",) if any("severity" in code for code in codes) else ()
    rows = [
        (
            str(code["number"]),
            f"`{code['name']}`",
            *(code[key] for key in severity),
            code["meaning"],
            code["remedy"],
        )
        for code in codes
    ]
    return table(("number", "name", *severity, "meaning", "what to do"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def fill(text: str) -> str:
    """Return the document with all its tables as spec/ has them.

    Raises:
        SystemExit: the document misses a table, or asks for one that does not exist.
    """
    known = tables()
    asked = [match["name"] for match in TABLE.finditer(text)]
    if sorted(asked) != sorted(known):
        sys.exit(f"{DOCUMENT.name} must hold each of these tables once: {', '.join(known)}; it has {asked}")
    return TABLE.sub(lambda match: match[1] + known[match["name"]] + match[4], text)


def main(arguments: Sequence[str]) -> int:
    """Write or check; return the exit code."""
    text = DOCUMENT.read_text(encoding="utf-8")
    filled = fill(text)
    if "--check" in arguments:
        if filled != text:
            print("docs/protocol.md is behind spec/: run python scripts/spec_tables.py", file=sys.stderr)
        return int(filled != text)
    DOCUMENT.write_text(filled, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
