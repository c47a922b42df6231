"""Write the tables of the decision layer, for Python and C++, from spec/decision.toml and spec/codes.toml.

    python scripts/generate_tables.py            writes them
    python scripts/generate_tables.py --check    exits 1 and says so if a file differs from spec/

The curve `ni` becomes integers: the rate `((M^alpha) - 1) / k * 2^17` at 16 steps in each of four octaves of
M = I / Is. The others are exact in integers without a table.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / "src" / "loadcenter" / "domain" / "tables.py"
CPP = ROOT / "firmware" / "uno" / "core" / "tables.hpp"
MULTIPLES = [2**octave * (1 + step / 16) for octave in range(4) for step in range(16)] + [16.0]
ENUMS = {"event": "EventCode", "cause": "Cause", "trip": "Trip", "result": "Result"}

CPP_HEAD = """// Tables of the decision layer.
// Generated from spec/ by scripts/generate_tables.py: change it there.
// clang-format off
#pragma once

#include <stdint.h>

#include "ports.hpp"

namespace loadcenter {
"""


def main() -> int:
    """Write or compare; return the exit status."""
    decision = read("decision.toml")
    files = {PYTHON: python(decision), CPP: cpp(decision, read("codes.toml")["code"])}
    if "--check" not in sys.argv[1:]:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return 0
    behind = [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    if behind:
        print(f"{', '.join(behind)}: behind spec/; run python scripts/generate_tables.py", file=sys.stderr)
    return 1 if behind else 0


def read(name: str) -> dict[str, Any]:
    """Return a TOML file of spec/."""
    return tomllib.loads((ROOT / "spec" / name).read_text(encoding="utf-8"))


def rates(curve: dict[str, float]) -> list[int]:
    """Return the rate of a curve at each of `MULTIPLES`, per second and times 2^17: 16 bits hold it."""
    return [round((multiple ** curve["alpha"] - 1) / curve["k"] * 2**17) for multiple in MULTIPLES]


def python(decision: dict[str, Any]) -> str:
    """Return the module for the domain."""
    transfer = decision["transfer"]
    rungs = [
        f'    ("{rung["name"]}", "{rung["way"]}", {rung["limit"]}, {rung["dwell_ms"]}, {rung.get("half", False)}),\n'
        for rung in decision["rung"]
    ]
    rows = [f"    {tuple(row)!r},\n".replace("'", '"') for row in transfer["rows"]]
    lasts = [f'    "{mode}": {lasts},\n' for mode, lasts in transfer["lasts_ms"].items()]
    curve = [f"    {rate},\n" for rate in rates(decision["curve"]["ni"])]
    return (
        '"""Tables of the decision layer. Generated from `spec/decision.toml` by `scripts/generate_tables.py`."""\n\n'
        "from collections.abc import Mapping\n\n"
        "RUNGS: tuple[tuple[str, str, int, int, bool], ...] = (\n"
        + "".join(rungs)
        + ')\n"""Name, way, limit, dwell in ms, and whether half cycles are compared."""\n\n'
        + "TRANSFER_ROWS: tuple[tuple[str, str, str, str], ...] = (\n"
        + "".join(rows)
        + ')\n"""Mode, trigger, next mode, effect."""\n\n'
        + "TRANSFER_LASTS_MS: Mapping[str, int] = {\n"
        + "".join(lasts)
        + "}\n\n"
        + "NI_RATES: tuple[int, ...] = (\n"
        + "".join(curve)
        + ')\n"""Progress per second, times 2^17, at 16 steps in each octave of I / Is from 1 to 16."""\n\n'
        + "CONSTANTS: Mapping[str, int] = {\n"
        + "".join(f'    "{name}": {value},\n' for name, value in decision["constant"].items())
        + '}\n"""Every number that the firmware decides by; a test holds the domain to them."""\n'
    )


def cpp(decision: dict[str, Any], codes: list[dict[str, Any]]) -> str:
    """Return the header for the firmware."""
    parts = [CPP_HEAD]
    for category, name in ENUMS.items():
        members = [(code["name"], code["number"]) for code in codes if code["category"] == category]
        if category in ("cause", "trip"):
            members.insert(0, ("none", 0))
        parts.append(enum(name, members))
    transfer = decision["transfer"]
    for name, words in (
        ("Mode", transfer["modes"]),
        ("Trigger", transfer["triggers"]),
        ("Effect", transfer["effects"]),
        ("Way", ["lost", "under", "over", "frequency"]),
        ("Rung", [rung["name"] for rung in decision["rung"]]),
    ):
        parts.append(enum(name, [(word, number) for number, word in enumerate(words)]))
    parts += [ladder(decision["rung"]), transfer_table(transfer), curves(decision["curve"])]
    parts.append(
        "".join(
            f"constexpr int32_t k{camel(name)} = {value};\n" for name, value in decision["constant"].items()
        )
    )
    return "\n".join(parts) + "\n}  // namespace loadcenter\n"


def ladder(rungs: list[dict[str, Any]]) -> str:
    """Return the ladder as C++."""
    rows = [
        f"    {{Way::k{camel(rung['way'])}, {str(rung.get('half', False)).lower()}, {rung['limit']}, "
        f"{rung['dwell_ms']}}},  // {rung['name']}\n"
        for rung in rungs
    ]
    return (
        "struct RungRow {\n  Way way;\n  bool half;\n  uint16_t limit;     // permille of nominal; mHz for a frequency\n"
        "  uint16_t dwell_ms;\n};\n"
        f"constexpr uint8_t kRungs = {len(rungs)};\n"
        "static constexpr RungRow kLadder[kRungs] LOADCENTER_FLASH = {\n" + "".join(rows) + "};\n\n"
        "inline RungRow rung_row(uint8_t rung) {\n  const RungRow& row = kLadder[rung];\n"
        "  return {static_cast<Way>(flash_u8(&row.way)), flash_u8(&row.half) != 0, flash_u16(&row.limit), "
        "flash_u16(&row.dwell_ms)};\n}\n"
    )


def transfer_table(transfer: dict[str, Any]) -> str:
    """Return the transfer table as C++: a row for each mode and trigger, in flash."""
    rows = [
        f"    {{Mode::k{camel(mode)}, Trigger::k{camel(trigger)}, Mode::k{camel(after)}, Effect::k{camel(effect)}}},\n"
        for mode, trigger, after, effect in transfer["rows"]
    ]
    closed = " || ".join(f"mode == Mode::k{camel(mode)}" for mode in transfer["isolator_closed"])
    lasts = "".join(
        f"    case Mode::k{camel(mode)}: return {lasts};\n" for mode, lasts in transfer["lasts_ms"].items()
    )
    return (
        "struct TransferRow {\n  Mode mode;\n  Trigger trigger;\n  Mode next;\n  Effect effect;\n};\n"
        f"constexpr uint8_t kTransferRows = {len(transfer['rows'])};\n"
        "static const TransferRow kTransferTable[kTransferRows] LOADCENTER_FLASH = {\n"
        + "".join(rows)
        + "};\n\n"
        f"constexpr bool isolator_closed_in(Mode mode) {{ return {closed}; }}\n\n"
        "// How long a mode lasts; 0 for one that does not end by itself.\n"
        f"inline uint8_t lasts_ms(Mode mode) {{\n  switch (mode) {{\n{lasts}    default: return 0;\n  }}\n}}\n"
    )


def curves(table: dict[str, dict[str, float]]) -> str:
    """Return the rates of the curve that needs a table as C++, in flash."""
    return (
        f"constexpr uint8_t kCurveSteps = {len(MULTIPLES)};\n"
        "static const uint16_t kNiRates[kCurveSteps] LOADCENTER_FLASH = {\n"
        + wrapped(rates(table["ni"]), 4)
        + "};\n"
    )


def enum(name: str, members: list[tuple[str, int]]) -> str:
    """Return an enumeration as C++."""
    body = "".join(f"  k{camel(word)} = {number},\n" for word, number in members)
    return f"enum class {name} : uint8_t {{\n{body}}};\n"


def camel(word: str) -> str:
    """Return a name of spec/ as C++ writes it."""
    return "".join(part.capitalize() for part in word.split("_"))


def wrapped(numbers: list[int], indent: int) -> str:
    """Return numbers, ten a line."""
    lines = [numbers[at : at + 10] for at in range(0, len(numbers), 10)]
    return "".join(" " * indent + ", ".join(map(str, line)) + ",\n" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
