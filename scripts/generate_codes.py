"""Write `src/loadcenter/protocol/codes.py` from `spec/codes.toml`; with `--check`, fail if they differ."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "spec" / "codes.toml"
TARGET = ROOT / "src" / "loadcenter" / "protocol" / "codes.py"

HEAD = '''"""Every code of the contract with its meaning. Generated from `spec/codes.toml` by `scripts/generate_codes.py`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One word of the contract: number on the serial line, meaning, and what a person can do."""

    number: int
    meaning: str
    remedy: str
    severity: str = ""


CODES: dict[str, dict[str, Code]] = {
'''


def render() -> str:
    """Return the text of the module."""
    rows: dict[str, list[str]] = {}
    for code in tomllib.loads(SOURCE.read_text(encoding="utf-8"))["code"]:
        severity = f', "{code["severity"]}"' if "severity" in code else ""
        line = f'"{code["name"]}": Code({code["number"]}, "{code["meaning"]}", "{code["remedy"]}"{severity}),'
        rows.setdefault(code["category"], []).append(f"        {line}\n")
    body = "".join(f'    "{category}": {{\n{"".join(lines)}    }},\n' for category, lines in rows.items())
    return f"{HEAD}{body}}}\n"


def main() -> int:
    """Write or compare; return the exit status."""
    text = render()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(
        f"{TARGET.name} is not what spec/codes.toml says: run python scripts/generate_codes.py",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
