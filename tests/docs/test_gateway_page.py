"""docs/build-it/nodemcu.md says what the gateway's own files say: lamp codes, reasons, names, sizes."""

import re
from pathlib import Path

from tests.firmware.nodemcu.modules import load

from loadcenter.apps.cli.updating import REASONS
from loadcenter.apps.gateway_build import LOADER, PROGRAMS
from loadcenter.apps.gateway_flashing import SETUP_FILE, first_steps
from loadcenter.protocol.updating import RefusalCode

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "build-it" / "nodemcu.md").read_text(encoding="utf-8")
COUNTS = {0: "dark", 1: "once", 2: "twice", 3: "three times"}


def test_every_code_of_the_lamp_is_explained():
    led = load("led")
    section = PAGE.split("## The lamp")[1].split("\n## ")[0]
    for code, lit in led.CODES.items():
        length = {led.SHORT_S: ", short", led.LONG_S: ", long"}[lit[0]] if lit else ""
        assert f"| {COUNTS[len(lit)]}{length} |" in section, code


def test_every_reason_of_a_refused_update_is_explained_here_and_by_the_command():
    told = {
        RefusalCode.MALFORMED
    }  # by the command alone: it takes a program that does not follow the contract
    assert set(RefusalCode) == set(REASONS)
    assert [code for code in set(RefusalCode) - told if f"| `{code}` |" not in PAGE] == []


def test_the_steps_before_the_first_copy_are_those_that_the_command_prints():
    commands = [line.strip() for line in first_steps("/dev/ttyUSB0") if line.startswith("  ")]
    assert commands
    assert [command for command in commands if command not in PAGE] == []


def test_it_names_what_no_update_replaces():
    named = re.search(r"The loader \((.*?)\)", PAGE)
    assert named is not None
    assert re.findall(r"`(.*?)`", named[1]) == [*PROGRAMS, *LOADER]


def test_it_tells_the_address_and_the_files_of_the_board():
    assert f"http://{load('portal').ADDRESS}" in PAGE
    assert f"`{SETUP_FILE}`" in PAGE
