"""Building the C part: where it goes, and what is said when it cannot be built."""

import subprocess
from pathlib import Path

import pytest

from loadcenter.adapters.emulator import build


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "loadcenter"


def compiler(monkeypatch, returncode=0, stderr=""):
    commands = []

    def run(command, **_):
        commands.append(command)
        if returncode == 0:
            Path(command[command.index("-o") + 1]).write_bytes(b"built")
        return subprocess.CompletedProcess(command, returncode, "", stderr)

    monkeypatch.setattr(build.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(build.subprocess, "run", run)
    return commands


def test_it_is_built_once_into_the_cache_of_the_user(cache, monkeypatch):
    commands = compiler(monkeypatch)
    first = build.library()
    assert first.parent == cache
    assert build.library() == first
    assert len(commands) == 1
    assert sum(part.endswith(".c") for part in commands[0]) == len(list(build.NATIVE.glob("*.c")))
    assert list(cache.iterdir()) == [first]


def test_the_cache_is_in_the_home_folder_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert build.cache_folder() == tmp_path / ".cache" / "loadcenter"


def test_without_a_compiler_it_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr(build.shutil, "which", lambda _: None)
    with pytest.raises(build.EmulatorUnavailableError, match="apt install gcc libsimavr-dev libelf-dev"):
        build.library()


@pytest.mark.parametrize("words", ["fatal error: simavr/sim_avr.h: No such file", "ld: cannot find -lelf"])
def test_without_a_library_it_says_which_and_what_to_install(cache, monkeypatch, words):
    compiler(monkeypatch, 1, f"something else\n{words}\n")
    with pytest.raises(build.EmulatorUnavailableError) as raised:
        build.library()
    assert words in str(raised.value)
    assert "apt install" in str(raised.value)
    assert not list(cache.glob("*.so"))
