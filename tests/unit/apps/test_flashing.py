"""apps/flashing.py and the command over it, with an avrdude that writes nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadcenter.apps import flashing
from loadcenter.apps.cli import flash as command
from loadcenter.apps.cli.main import app
from loadcenter.apps.firmware_builds import BoardName
from loadcenter.apps.flashing import FlashError, Plan, found_port, run

HEX = Path("loadcenter.hex")


@pytest.fixture
def ran(monkeypatch) -> list[list[str]]:
    """Return the command lines that would have been run."""
    lines: list[list[str]] = []
    monkeypatch.setattr(command, "run", lines.extend)
    return lines


@pytest.fixture
def program(tmp_path) -> Path:
    path = tmp_path / "loadcenter.hex"
    path.touch()
    return path


def call(*arguments):
    return CliRunner().invoke(app, ["flash", *map(str, arguments)])


def test_the_boot_loader_of_an_uno_is_spoken_to_as_the_ide_does():
    (line,) = Plan(BoardName.UNO, HEX, port="/dev/ttyACM0").commands()
    wanted = "avrdude -p atmega328p -c arduino -b 115200 -P /dev/ttyACM0 -D -U flash:w:loadcenter.hex:i"
    assert " ".join(line) == wanted


def test_that_of_a_mega_speaks_another_protocol():
    (line,) = Plan(BoardName.MEGA, HEX, port="/dev/ttyACM0").commands()
    assert line[:5] == ["avrdude", "-p", "atmega2560", "-c", "wiring"]


def test_a_programmer_erases_the_chip_first():
    (line,) = Plan(BoardName.UNO, HEX, "usbasp").commands()
    assert " ".join(line) == "avrdude -p atmega328p -c usbasp -U flash:w:loadcenter.hex:i"


@pytest.mark.parametrize("board", BoardName)
def test_fuses_are_written_ahead_of_the_program_when_they_are_wanted(board):
    fuses, program = Plan(board, HEX, "usbasp", fuses=True).commands()
    assert " ".join(fuses[5:]) == "-U efuse:w:0xFC:m -U hfuse:w:0xD7:m"
    assert program[-1] == "flash:w:loadcenter.hex:i"


@pytest.mark.parametrize("programmer", ["usbasp", flashing.BOOTLOADER])
def test_fuses_are_left_alone_unless_they_are_wanted(programmer):
    assert "fuse" not in str(Plan(BoardName.UNO, HEX, programmer).commands())


@pytest.mark.parametrize("board", BoardName)
def test_no_fuse_locks_the_chip_or_leaves_its_watchdog_always_on(board):
    high = next(fuse.value for fuse in flashing.CHIPS[board].fuses if fuse.name == "hfuse")
    serial_programming, watchdog_always, boot_loader_first, top_two = 0x20, 0x10, 0x01, 0xC0
    assert not high & serial_programming  # 0 is on
    assert high & watchdog_always
    assert high & boot_loader_first
    assert high & top_two == top_two  # reset pin and debugWIRE of a 328P, debugger and JTAG of a 2560: off


def test_a_boot_loader_is_not_asked_for_fuses():
    with pytest.raises(FlashError, match="--programmer usbasp"):
        Plan(BoardName.UNO, HEX, fuses=True).commands()


def test_the_only_board_is_found():
    assert found_port(lambda pattern: ["/dev/ttyACM1"] if "ACM" in pattern else []) == "/dev/ttyACM1"


def test_of_two_boards_one_must_be_named():
    with pytest.raises(FlashError, match=r"--port \(/dev/ttyACM0, /dev/ttyACM1\)"):
        found_port(lambda pattern: ["/dev/ttyACM1", "/dev/ttyACM0"] if "ACM" in pattern else [])


def test_without_a_board_it_says_so():
    with pytest.raises(FlashError, match="plug it in"):
        found_port(lambda _: [])


def test_a_missing_avrdude_is_told_with_what_installs_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FlashError, match="apt install avrdude"):
        run([["avrdude"]])


def test_an_avrdude_that_fails_ends_it(monkeypatch, tmp_path):
    failing = tmp_path / "avrdude"
    failing.write_text("#!/bin/sh\nexit 3\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(FlashError, match="ended with 3"):
        run([["avrdude"]])


def test_the_command_shows_its_lines_runs_them_and_explains_the_fuses(ran, program):
    ended = call("uno", "--hex", program, "--port", "/dev/ttyACM0")
    assert ended.exit_code == 0
    assert [line[0] for line in ran] == ["avrdude"]
    assert "flash:w:" in ended.stdout
    assert "efuse 0xFC  brown-out reset at 4.3 V" in ended.stdout
    assert "not written" in ended.stdout


def test_a_dry_run_runs_nothing_and_needs_no_board(ran, program):
    ended = call("uno", "--hex", program, "--dry-run", "--programmer", "usbasp", "--fuses")
    assert ended.exit_code == 0
    assert ran == []
    assert "efuse:w:0xFC:m" in ended.stdout


def test_a_program_that_is_not_there_is_told(ran, tmp_path):
    ended = call("uno", "--hex", tmp_path / "none.hex", "--dry-run")
    assert ended.exit_code == 1
    assert "make firmware" in ended.stderr
    assert ran == []
