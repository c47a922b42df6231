"""apps/firmware_builds.py, with a build script that builds nothing."""

import json

import pytest

from loadcenter.apps.firmware_builds import BoardName, FirmwareError, built_program, given_program

SCRIPT = """
import pathlib, sys
name = sys.argv[2]
if name in {fails}:
    sys.exit(f"{{name}}: apt install gcc-avr")
folder = pathlib.Path(__file__).parent.parent / "build" / "firmware" / name
folder.mkdir(parents=True)
(folder / "loadcenter.elf").touch()
(folder / "board.json").write_text('{{"outlets": 4}}')
"""


def checkout(folder, *fails):
    (folder / "scripts").mkdir()
    (folder / "scripts" / "firmware.py").write_text(SCRIPT.format(fails=fails))
    return folder


def test_a_board_is_built_by_its_name(tmp_path):
    program = built_program(BoardName.MEGA, checkout(tmp_path))
    assert (program.name, program.facts) == ("mega", {"outlets": 4})
    assert program.hex == tmp_path / "build" / "firmware" / "mega" / "loadcenter.hex"


def test_without_a_name_the_first_that_can_be_built_is_taken(tmp_path):
    assert built_program(None, checkout(tmp_path, "uno")).name == "mega"


def test_the_words_of_the_build_say_why_there_is_none(tmp_path):
    with pytest.raises(FirmwareError, match="uno: apt install gcc-avr"):
        built_program(BoardName.UNO, checkout(tmp_path, "uno"))


def test_a_program_is_taken_with_the_facts_beside_it(tmp_path):
    elf = tmp_path / "a.elf"
    elf.touch()
    (tmp_path / "board.json").write_text(json.dumps({"outlets": 8}))
    assert given_program(elf).facts == {"outlets": 8}


def test_a_program_without_facts_is_refused(tmp_path):
    elf = tmp_path / "a.elf"
    elf.touch()
    with pytest.raises(FirmwareError, match=r"keep the board\.json"):
        given_program(elf)


def test_a_program_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FirmwareError, match="make firmware"):
        given_program(tmp_path / "none.elf")
