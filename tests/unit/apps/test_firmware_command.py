"""apps/cli/firmware.py: what it refuses before anything runs."""

import pytest
from typer.testing import CliRunner

from loadcenter.adapters.emulator import EmulatorUnavailableError
from loadcenter.apps.cli import firmware
from loadcenter.apps.cli.main import app
from loadcenter.apps.firmware_builds import BoardName, FirmwareError, Program


def call(*arguments):
    return CliRunner().invoke(app, ["sim", "firmware", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--pty", "--tcp", "0"), "--tcp or --pty"),
        (("--board", "uno", "--elf", "a.elf"), "leave out --board or --elf"),
    ],
)
def test_options_that_contradict_each_other_are_refused(arguments, says):
    ended = call(*arguments)
    assert ended.exit_code == 2
    assert says in ended.stderr


def test_a_program_that_is_not_there_is_told(tmp_path):
    ended = call("--elf", tmp_path / "none.elf")
    assert ended.exit_code == 1
    assert "make firmware" in ended.stderr


def test_a_build_that_is_not_possible_says_what_to_install(monkeypatch):
    def refused(board):
        raise FirmwareError(f"{board}: avr-g++ is missing: apt install gcc-avr avr-libc binutils-avr g++")

    monkeypatch.setattr(firmware, "built_program", refused)
    ended = call("--board", "mega")
    assert ended.exit_code == 1
    assert "apt install gcc-avr" in ended.stderr


@pytest.mark.parametrize(
    ("facts", "says"), [({}, "build program and board.json anew"), (None, "apt install gcc libsimavr-dev")]
)
def test_an_emulator_that_is_missing_or_facts_that_are_not_whole_are_told(facts, says, monkeypatch, tmp_path):
    class Missing:
        @staticmethod
        def of(_facts):
            raise EmulatorUnavailableError(
                "the emulator needs a C compiler: apt install gcc libsimavr-dev libelf-dev"
            )

    if facts is None:
        monkeypatch.setattr(firmware, "Board", Missing)
    monkeypatch.setattr(
        firmware, "built_program", lambda _: Program(BoardName.UNO, tmp_path / "loadcenter.elf", facts or {})
    )
    ended = call()
    assert ended.exit_code == 1
    assert says in ended.stderr
