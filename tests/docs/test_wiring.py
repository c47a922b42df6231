"""docs/build-it: the drawings and tables are those of board.h, and every pin in them is where board.h has it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from loadcenter.apps.firmware_builds import BoardName
from loadcenter.apps.flashing import CHIPS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "build-it"
PAGE = (FOLDER / "uno.md").read_text(encoding="utf-8")
MACROS = {"uno": (), "mega": ("-DLOADCENTER_MEGA",)}


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt install g++")


@pytest.fixture(scope="module", params=MACROS)
def board(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def facts(board, tmp_path_factory) -> dict[str, Any]:
    """Return board.h, printed by its own program."""
    program = tmp_path_factory.mktemp(board) / "facts"
    source = ROOT / "firmware" / "uno" / "host" / "board_facts.cpp"
    subprocess.run(["g++", *MACROS[board], str(source), "-o", str(program)], check=True)
    return json.loads(subprocess.run([str(program)], check=True, capture_output=True).stdout)


def drawn(board: str) -> dict[str, set[str]]:
    """Return every label that a drawing gives a signal, wherever it stands."""
    found: dict[str, set[str]] = {}
    for element in ET.parse(FOLDER / f"wiring-{board}.svg").iter():
        if (signal := element.get("data-signal")) is not None:
            (text,) = (child.text for child in element if child.tag.endswith("text"))
            assert text == element.get("data-pin")
            found.setdefault(signal, set()).add(text)
    return found


def expected(facts: dict[str, Any]) -> dict[str, set[str]]:
    outlets = range(1, facts["outlets"] + 1)
    relays = ["changeover", "isolator", "live", *(f"outlet_{n}" for n in outlets)]
    pins = {name: f"D{facts[name]['arduino']}" for name in relays}
    pins |= {f"current_{n}": f"A{facts['first_current_channel'] + n - 1}" for n in outlets}
    pins |= {f"{source}_voltage": f"A{facts[f'{source}_channel']}" for source in ("main", "backup")}
    return {name: {label} for name, label in {**pins, "rx": "D0", "tx": "D1"}.items()}


def test_the_drawings_and_tables_are_current():
    command = [sys.executable, str(ROOT / "scripts" / "wiring.py"), "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_every_signal_is_drawn_at_the_pin_of_board_h(board, facts):
    assert drawn(board) == expected(facts)


def test_the_table_names_the_pins_of_board_h(board, facts):
    section = PAGE.split(f"<!-- pins of {board}:")[1].split("<!-- end -->")[0]
    rows = {
        signal: {label}
        for label, signal in re.findall(r"^\| (\w+) \| \w+ \| `(\w+)` \|", section, re.MULTILINE)
    }
    assert rows == expected(facts)


def test_no_pin_is_used_twice(facts):
    labels = [label for (label,) in expected(facts).values()]
    assert len(set(labels)) == len(labels)


def test_the_page_names_the_fuses_that_are_written():
    for fuse in CHIPS[BoardName.UNO].fuses:
        assert re.search(rf"^\| `{fuse.name}` \|[^|]*\| 0x{fuse.value:02X} \|", PAGE, re.MULTILINE)


def test_the_page_shows_the_command_lines_of_avrdude_that_the_program_runs():
    for board, path in (("uno", "arduino"), ("mega", "wiring")):
        chip = CHIPS[BoardName(board)]
        assert chip.loader == path
        wanted = f"avrdude -p {chip.part} -c {chip.loader} -b {chip.baud} -P /dev/ttyACM0 -D -U flash:w:build/firmware/{board}/"
        assert wanted in PAGE


def test_the_page_begins_with_what_is_dangerous():
    assert PAGE.splitlines()[2].startswith("**First read [safety.md](../safety.md)")
    assert "overload protection, not short-circuit protection" in PAGE.split("\n## ")[0]
