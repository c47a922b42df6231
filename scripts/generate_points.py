"""Write `points.hpp` and `points.cpp` of firmware/uno/core from spec/; with `--check`, fail if they differ.

Settings come from `points.toml`: a struct with one member each, and a table in flash with range and default. The
numbers of the serial line come from `codes.toml` and `serial.toml`.
"""

import sys
import tomllib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
CORE = ROOT / "firmware" / "uno" / "core"
ORIGIN = "// Generated from spec/ by scripts/generate_points.py: change it there.\n// clang-format off\n"
SOURCES = ("main", "backup")
SPOKEN_EVENTS = ("boot", "settings_applied")
SPOKEN_RESULTS = (
    "ok",
    "other_boot",
    "repeated",
    "malformed",
    "no_such_outlet",
    "not_confirmed",
    "superseded",
)
SPOKEN_CAUSES = ("restore",)

KEYWORDS = frozenset({"protected"})
"""Names of points that C++ keeps for itself: their members end in an underscore."""

WATT_MW = 1000
"""Settings in mW go over the line, and are kept, in whole watts: 16 bits hold them (SER-40)."""

Point = Mapping[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Write or compare; return the exit status."""
    files = {CORE / "points.hpp": header(), CORE / "points.cpp": tables()}
    if "--check" not in arguments:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return 0
    behind = [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    if behind:
        print(
            f"{', '.join(behind)}: not what spec/ says; run python scripts/generate_points.py",
            file=sys.stderr,
        )
    return int(bool(behind))


def read(name: str) -> dict[str, Any]:
    """Return a TOML file of spec/."""
    return tomllib.loads((SPEC / name).read_text(encoding="utf-8"))


def settings(per: str) -> list[Point]:
    """Return the settings of the PDU or of an outlet, in the order of the spec."""
    return [
        point for point in read("points.toml")["point"] if point["access"] == "rw" and point["per"] == per
    ]


def camel(word: str) -> str:
    """Return `isolate_first` as `IsolateFirst`."""
    return "".join(part.capitalize() for part in word.split("_"))


def member(point: Point) -> str:
    """Return the name of the member that holds a setting."""
    name = str(point["id"])
    if point["unit"] == "mW":
        return name.removesuffix("_mw") + "_w"
    return f"{name}_" if name in KEYWORDS else name


def enum(point: Point) -> str:
    """Return the name of the type of a choice."""
    return "Source" if tuple(point["choices"]) == SOURCES else camel(point["id"])


def size(point: Point) -> int:
    """Return how many bytes a value takes: the fewest that hold its range."""
    if "choices" in point:
        return 1
    return next(width for width in (1, 2) if limits(point)[1] < 256**width)


def type_of(point: Point) -> str:
    """Return the C++ type of a value."""
    if "choices" in point:
        return enum(point)
    return "bool" if point["unit"] == "bool" else f"uint{8 * size(point)}_t"


def limits(point: Point) -> tuple[int, int, int]:
    """Return (low, high, default) as the line tells them; a choice counts from 0.

    Raises:
        ValueError: a power is not a whole number of watts.
    """
    if "choices" in point:
        return 0, len(point["choices"]) - 1, point["choices"].index(point["default"])
    low, high = point["range"]
    scale = WATT_MW if point["unit"] == "mW" else 1
    if any(number % scale for number in (low, high, point["default"])):
        raise ValueError(f"{point['id']}: range and default must be whole watts")
    return low // scale, high // scale, int(point["default"]) // scale


def layout() -> int:
    """Return a number that changes whenever the bytes of the settings, or what is valid in them, do."""
    rows = [(p["id"], p["per"], size(p), *limits(p)) for p in (*settings("pdu"), *settings("outlet"))]
    return zlib.crc32(repr(rows).encode()) & 0xFFFF


def budget_most() -> int:
    """Return the highest current that a source's budget may be set to, in mA."""
    ids = ("budget_main_ma", "budget_backup_ma")
    return max(int(point["range"][1]) for point in settings("pdu") if point["id"] in ids)


def header() -> str:
    """Return the text of points.hpp."""
    every = [*settings("pdu"), *settings("outlet")]
    choices = [point for point in every if "choices" in point and enum(point) != "Source"]
    stored = {per: sum(size(point) for point in settings(per)) for per in ("pdu", "outlet")}
    return f"""// The settings of a PDU and the numbers of the serial line.
{ORIGIN}#pragma once

#include <stdint.h>

#include "ports.hpp"
#include "types.hpp"

namespace loadcenter {{

{"".join(map(enumeration, choices))}
// Packed, so that they lie in memory as they are kept (settings.cpp); an AVR has no padding anyway.
#pragma pack(push, 1)
struct OutletSettings {{
{members(settings("outlet"))}}};

struct Settings {{
  uint32_t version;  // 0 is the factory's
{members(settings("pdu"))}  OutletSettings outlet[kOutlets];
}};
#pragma pack(pop)

// One row of the table of settings, in flash.
struct SettingRow {{
  uint8_t size;       // bytes: 1 or 2
  uint16_t low;
  uint16_t high;
  uint16_t factory;   // the default
}};

constexpr uint8_t kPduSettings = {len(settings("pdu"))};
constexpr uint8_t kOutletSettings = {len(settings("outlet"))};
constexpr uint8_t kPduSettingsBytes = {stored["pdu"]};     // as they are stored
constexpr uint8_t kOutletSettingsBytes = {stored["outlet"]};  // likewise, of one outlet
constexpr uint16_t kSettingsLayout = {layout()};  // differs where stored settings cannot be read
constexpr int32_t kBudgetMostMa = {budget_most()};  // highest budget of a source that is taken

extern const SettingRow kPduRows[kPduSettings];
extern const SettingRow kOutletRows[kOutletSettings];

// Numbers of what the serial line says by itself.
namespace code {{
{"".join(constants("event", SPOKEN_EVENTS))}{"".join(constants("result", SPOKEN_RESULTS))}{"".join(constants("cause", SPOKEN_CAUSES))}}}  // namespace code

// What a command asks for (MQTT-40).
enum class Verb : uint8_t {{
{"".join(f"  k{camel(name)} = {number},{chr(10)}" for name, number in verbs())}}};

// Most numbers that an event tells.
constexpr uint8_t kEventNumbersMax = {max(len(event["data"]) for event in read("serial.toml")["event"])};

}}  // namespace loadcenter
"""


def tables() -> str:
    """Return the text of points.cpp."""
    return f"""{ORIGIN}#include "points.hpp"

namespace loadcenter {{

const SettingRow kPduRows[kPduSettings] LOADCENTER_FLASH = {{
{"".join(row(point) for point in settings("pdu"))}}};

const SettingRow kOutletRows[kOutletSettings] LOADCENTER_FLASH = {{
{"".join(row(point) for point in settings("outlet"))}}};

}}  // namespace loadcenter
"""


def constants(category: str, names: Sequence[str]) -> list[str]:
    """Return a constant for each of the named codes."""
    numbers = {
        code["name"]: code["number"] for code in read("codes.toml")["code"] if code["category"] == category
    }
    return [f"constexpr uint8_t k{category.capitalize()}{camel(name)} = {numbers[name]};\n" for name in names]


def enumeration(point: Point) -> str:
    """Return the type of a choice."""
    names = ", ".join(f"k{camel(choice)}" for choice in point["choices"])
    return f"enum class {enum(point)} : uint8_t {{ {names} }};\n"


def members(points: Iterable[Point]) -> str:
    """Return the members of a struct, each with its unit and range."""
    return "".join(f"  {type_of(p)} {member(p)};  // {extent(p)}\n" for p in points)


def extent(point: Point) -> str:
    """Return what a value may be, in words."""
    if "choices" in point or point["unit"] == "bool":
        return str(point["name"])
    low, high, _ = limits(point)
    unit = "W" if point["unit"] == "mW" else point["unit"]
    return f"{low} to {high}" if unit == "1" else f"{low} to {high} {unit}"


def row(point: Point) -> str:
    """Return one row of the table of settings."""
    low, high, factory = limits(point)
    return f"  {{{size(point)}, {low}, {high}, {factory}}},\n"


def verbs() -> list[tuple[str, int]]:
    """Return name and number of each command."""
    return [(verb["name"], verb["number"]) for verb in read("serial.toml")["command"]]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
