"""The first steps of a board: it puts an image into its place and runs it, whatever the image does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.firmware.nodemcu.board_fakes import Board, ResetError
from tests.firmware.nodemcu.images import image_of
from tests.firmware.nodemcu.modules import BOARD, NODEMCU, load, load_anew

STARTS = "def main(slots):\n    with open('{home}/ran', 'a') as ran:\n        ran.write('{name} ')\n{more}"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Let no program of one test be that of the next."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "start", None)
    monkeypatch.delitem(sys.modules, "start")


def program(tmp_path: Path, name: str, more: str = "") -> bytes:
    text = STARTS.format(home=tmp_path, name=name, more=more)
    return image_of(tmp_path / f"build-{name}", {"start.py": text, "portal.html": "page"})


def power_on(monkeypatch, home: Path) -> None:
    """Start the board as often as it starts itself until a program has run."""
    before = (home / "ran").stat().st_size if (home / "ran").exists() else 0
    for _ in range(5):
        sys.modules.pop("start", None)
        with pytest.raises(ResetError):
            load_anew(monkeypatch, "loader").main(str(home))
        if (home / "ran").exists() and (home / "ran").stat().st_size > before:
            return
    pytest.fail("nothing ran: " + (home / "fault.txt").read_text())


def test_the_first_start_puts_the_image_into_a_folder_and_runs_it(monkeypatch, tmp_path):
    Board(monkeypatch)
    (tmp_path / "image-0").write_bytes(program(tmp_path, "one"))
    power_on(monkeypatch, tmp_path)
    assert (tmp_path / "ran").read_text() == "one "
    assert sorted(path.name for path in (tmp_path / "run").iterdir() if path.is_file()) == [
        "portal.html",
        "start.py",
    ]


def test_a_version_that_fails_at_once_is_started_three_times_then_the_old_one_runs(monkeypatch, tmp_path):
    """MQTT-75."""
    Board(monkeypatch)
    (tmp_path / "image-0").write_bytes(program(tmp_path, "one"))
    power_on(monkeypatch, tmp_path)
    (tmp_path / "image-1").write_bytes(program(tmp_path, "two", "    raise ValueError('two is broken')\n"))
    state = json.loads((tmp_path / "slots.json").read_text())
    (tmp_path / "slots.json").write_text(json.dumps(state | {"run": 1, "trial": 3, "n": 9}))
    for _ in range(4):
        power_on(monkeypatch, tmp_path)
    assert (tmp_path / "ran").read_text() == "one two two two one "
    assert "two is broken" in (tmp_path / "fault.txt").read_text()
    assert json.loads((tmp_path / "slots.json").read_text())["outcome"] == [9, "rolled_back", False]


def test_a_board_without_an_image_says_so_and_starts_again(monkeypatch, tmp_path):
    Board(monkeypatch)
    with pytest.raises(ResetError):
        load_anew(monkeypatch, "loader").main(str(tmp_path))
    assert "image-0" in (tmp_path / "fault.txt").read_text()


def test_a_press_of_the_button_while_the_lamp_is_lit_leaves_the_repl(monkeypatch, tmp_path):
    board = Board(monkeypatch)
    board.levels[0] = 0
    assert load_anew(monkeypatch, "loader").main(str(tmp_path)) is None
    assert board.written[2] == [0, 1]
    assert list(tmp_path.iterdir()) == []


def test_an_image_goes_into_the_rom_partition_where_there_is_one(monkeypatch, tmp_path):
    board = Board(monkeypatch, rom_size=64 * 1024)
    image = program(tmp_path, "one")
    (tmp_path / "image-0").write_bytes(image)
    with pytest.raises(ResetError):
        load_anew(monkeypatch, "loader").main(str(tmp_path))
    assert bytes(board.rom.memory[: len(image)]) == image
    assert board.rom.whole
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("operation", [3, 4])
def test_a_partition_that_cannot_be_written_is_written_again_at_the_next_start(
    monkeypatch, tmp_path, operation
):
    board = Board(monkeypatch, rom_size=64 * 1024)
    image = program(tmp_path, "one")
    (tmp_path / "image-0").write_bytes(image)
    board.rom.fail = operation
    with pytest.raises(ResetError):
        load_anew(monkeypatch, "loader").main(str(tmp_path))
    assert "5" in (tmp_path / "fault.txt").read_text()
    board.rom.fail = 0
    with pytest.raises(ResetError):
        load_anew(monkeypatch, "loader").main(str(tmp_path))
    assert bytes(board.rom.memory[: len(image)]) == image


@pytest.mark.parametrize(("size", "segments"), [(0, True), (0, False), (64 * 1024, True)])
def test_the_size_of_the_partition_is_told(monkeypatch, size, segments):
    board = Board(monkeypatch, rom_size=size)
    if not segments:
        del board.vfs.rom_ioctl  # a port without ROMFS
    assert load_anew(monkeypatch, "rom").size() == size


def test_boot_closes_the_access_point_that_everybody_knows_the_password_of(monkeypatch):
    board = Board(monkeypatch)
    board.point.on = True
    exec((NODEMCU / "boot.py").read_text(encoding="utf-8"), {})
    assert not board.point.on
    assert board.debug == [None]


# ---- images


def test_an_image_is_unpacked_as_it_was_built_under_micropython_too(tmp_path):
    files = {"a.py": "x" * 1000, "empty": "", "deep/b.py": "y"}
    (tmp_path / "image").write_bytes(image_of(tmp_path / "build", files))
    for name, command in (
        ("cpython", [sys.executable]),
        ("micropython", [str(Path(sys.executable).with_name("micropython"))]),
    ):
        folder = tmp_path / name
        (folder / "old").mkdir(parents=True)
        (folder / "old" / "file").write_text("of the image before")
        code = f"from romfs import unpack; unpack({str(tmp_path / 'image')!r}, {str(folder)!r})"
        environment = {**os.environ, "PYTHONPATH": str(BOARD), "MICROPYPATH": f"{BOARD}:.frozen"}
        subprocess.run([*command, "-c", code], check=True, env=environment, timeout=30)
        found = {
            str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()
        }
        assert found == files, name
        assert not (folder / "old").exists()


@pytest.mark.parametrize("length", [0, 2, 3, 20, 500])
def test_an_image_that_is_cut_off_is_no_image(tmp_path, length):
    image = image_of(tmp_path / "build", {"a.py": "x" * 1000})
    (tmp_path / "image").write_bytes(image[:length])
    romfs = load("romfs")
    with pytest.raises(romfs.ImageError):
        romfs.unpack(str(tmp_path / "image"), str(tmp_path / "run"))
