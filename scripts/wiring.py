"""Draws the wiring of each board and writes its table of pins, both from board.h.

    scripts/wiring.py            writes docs/build-it/wiring-*.svg, and the tables in docs/build-it/uno.md
    scripts/wiring.py --check    writes nothing; ends with 1 if one of them is not current

board.h is C++: host/board_facts.cpp prints it, which takes a compiler.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import firmware
from wiring_drawing import draw
from wiring_gateway import draw_gateway

PAGE = firmware.ROOT / "docs" / "build-it" / "uno.md"
BOARDS = {"uno": "Arduino UNO", "mega": "Arduino Mega 2560"}
TABLE = "<!-- pins of {}: written by scripts/wiring.py -->"
END = "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Pin:
    """One connection of the board.

    Attributes:
        signal: its name in board.json, or that of a channel.
        label: as the board prints it.
        chip: port and bit, or the channel of the ADC.
        to: where it goes.
    """

    signal: str
    label: str
    chip: str
    to: str


def facts_of(name: str) -> dict[str, Any]:
    """Return board.h with the macros of a build.

    Raises:
        firmware.BuildError: there is no compiler.
    """
    source = firmware.UNO / "host" / "board_facts.cpp"
    defines = [f"-D{macro}" for macro in firmware.BUILDS[name].defines]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "board_facts"
        command = ["g++", "-std=c++11", *defines, str(source), "-o", str(program)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise firmware.BuildError("g++ is missing: apt install g++") from None
        except subprocess.CalledProcessError as error:
            raise firmware.BuildError(f"board.h is not understood:\n{error.stderr}") from error
        printed = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    facts: dict[str, Any] = json.loads(printed)
    return facts


def pins_of(facts: dict[str, Any]) -> list[Pin]:
    """Return every pin that is connected: relays, inputs, the serial line."""
    return [*_digital(facts), *_analog(facts), *_serial()]


def _digital(facts: dict[str, Any]) -> Iterator[Pin]:
    relays = {"changeover": "driver of the changeover K1", "isolator": "driver of the isolator K2"}
    relays |= {f"outlet_{n}": f"driver of the outlet relay K{n + 2}" for n in range(1, facts["outlets"] + 1)}
    for signal, to in [*relays.items(), ("live", "optocoupler of the bus, pulls to ground while it is live")]:
        pin = facts[signal]
        yield Pin(signal, f"D{pin['arduino']}", f"P{pin['port']}{pin['bit']}", to)


def _analog(facts: dict[str, Any]) -> Iterator[Pin]:
    first = facts["first_current_channel"]
    for outlet in range(1, facts["outlets"] + 1):
        channel = first + outlet - 1
        yield Pin(f"current_{outlet}", f"A{channel}", f"ADC{channel}", f"ACS712-20A of outlet {outlet}")
    for source in ("main", "backup"):
        channel = facts[f"{source}_channel"]
        yield Pin(f"{source}_voltage", f"A{channel}", f"ADC{channel}", f"ZMPT101B of {source.upper()}")


def _serial() -> Iterator[Pin]:
    # The first serial port of both chips, which board.h does not choose.
    yield Pin("rx", "D0", "RXD0", "gateway's TX, through the level shifter")
    yield Pin("tx", "D1", "TXD0", "gateway's RX, through the level shifter")


def table(pins: Sequence[Pin]) -> str:
    """Return the pins as a table of Markdown."""
    rows = [f"| {pin.label} | {pin.chip} | `{pin.signal}` | {pin.to} |" for pin in pins]
    return "\n".join(["| pin | chip | signal | goes to |", "|---|---|---|---|", *rows])


def written() -> dict[Path, str]:
    """Return the content that each file should have.

    Raises:
        firmware.BuildError: board.h cannot be read here.
        ValueError: the page has no place for a table, or a pin of the gateway is not found.
    """
    page = PAGE.read_text(encoding="utf-8")
    files = {}
    for name, title in BOARDS.items():
        facts = facts_of(name)
        pins = pins_of(facts)
        files[PAGE.parent / f"wiring-{name}.svg"] = draw(
            title, facts, {pin.signal: pin.label for pin in pins}
        )
        page = _with_table(page, TABLE.format(name), table(pins))
    files[PAGE] = page
    files[PAGE.parent / "wiring-nodemcu.svg"] = draw_gateway()
    return files


def _with_table(page: str, begin: str, rows: str) -> str:
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE} has no place for a table: put '{begin}' and '{END}' there")
    return pattern.sub(lambda _: f"{begin}\n{rows}\n{END}", page)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the command line: 0, or 1 where a file is not current or cannot be made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, say what is not current")
    chosen = parser.parse_args(arguments)
    try:
        files = written()
    except (firmware.BuildError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    stale = [
        path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if chosen.check:
            print(f"{path.relative_to(firmware.ROOT)} is not current: run scripts/wiring.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
    return 1 if chosen.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
