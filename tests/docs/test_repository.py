"""The first commands a newcomer types are there, described and safe; the repository holds only what belongs in it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LARGEST_FILE = 1_000_000
# Written in parts, so that this file does not hold what it forbids.
REGISTRY_ADDRESSES = [b"registry." + b"npmjs", b"pypi.org" + b"/simple", b"--index" + b"-url"]


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    names = run("git", "ls-files", "-z").split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert ROOT / "Makefile" in files
    return files


def make_targets() -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    assert declared is not None
    patterns = re.findall(r"^([a-z]+-)%:", makefile, re.MULTILINE)
    return [name for name in declared[1].split() if name != "FORCE"] + [f"{stem}NAME" for stem in patterns]


def test_readme_opens_with_the_two_commands():
    opening = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    for command in ("make demo", "make test"):
        assert any(command in line for line in opening), f"README.md does not open with {command}"


@pytest.mark.parametrize("target", make_targets())
def test_make_help_describes_every_target(target):
    assert re.search(rf"^ +make {target} +\S.*\w", run("make", "help"), re.MULTILINE)


def test_make_without_a_target_shows_the_help():
    assert run("make") == run("make", "help")


def test_no_tracked_file_names_a_registry(tracked):
    guilty = [
        f"{file.relative_to(ROOT)}: {address.decode()}"
        for file in tracked
        for address in REGISTRY_ADDRESSES
        if address in file.read_bytes()
    ]
    assert guilty == []


def test_no_tracked_file_holds_a_path_of_this_machine(tracked):
    # Preceded by a letter, digit or dot it is the end of a relative path.
    here = re.compile(rb"(?<![\w.-])" + re.escape(bytes(ROOT)) + rb"(?![\w-])")
    assert [str(file.relative_to(ROOT)) for file in tracked if here.search(file.read_bytes())] == []


def test_shell_scripts_parse(tracked):
    scripts = [file for file in tracked if re.match(rb"#!.*\b(ba)?sh\n", file.read_bytes()[:100])]
    assert ROOT / ".ci" / "run" in scripts
    for script in scripts:
        run("bash", "-n", str(script))


def test_shell_scripts_can_be_executed(tracked):
    modes = {line.split("\t")[1]: line[:6] for line in run("git", "ls-files", "--stage").splitlines()}
    scripts = [file for file in tracked if file.suffix == ".sh" or file == ROOT / ".ci" / "run"]
    assert [script for script in scripts if modes[str(script.relative_to(ROOT))] != "100755"] == []


def test_no_tracked_file_is_large(tracked):
    sizes = {str(file.relative_to(ROOT)): file.stat().st_size for file in tracked}
    assert {name: size for name, size in sizes.items() if size > LARGEST_FILE} == {}
