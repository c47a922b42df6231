"""The command line finds a control center that runs, and none that does not."""

import json
import os
import stat
from pathlib import Path

import pytest

from loadcenter.apps.rendezvous import FILE, Rendezvous, announced, find


def test_a_running_control_center_is_found_by_its_folder(tmp_path: Path) -> None:
    with announced(tmp_path, "http://127.0.0.1:8080", "token"):
        assert find(tmp_path) == Rendezvous("http://127.0.0.1:8080", "token", os.getpid())
    assert find(tmp_path) is None


def test_the_token_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("left behind")
    (tmp_path / FILE).chmod(0o666)
    with announced(tmp_path, "http://x", "token"):
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_the_file_goes_even_if_the_control_center_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), announced(tmp_path, "http://x", "token"):
        raise RuntimeError("a defect")
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"url": "x"}', json.dumps({"url": "x", "token": "y", "pid": "z"}),
     json.dumps({"url": "x", "token": "y", "pid": 0}), json.dumps({"url": "x", "token": "y", "pid": -1}),
     json.dumps({"url": "x", "token": "y", "pid": 10**20})],
)  # fmt: skip
def test_a_file_that_tells_of_nobody_is_no_control_center(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert find(tmp_path) is None


@pytest.mark.parametrize(
    ("error", "found"),
    [(ProcessLookupError(), False), (PermissionError(), True)],
    ids=["killed", "another user"],
)
def test_whether_it_runs_is_asked_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, *, found: bool
) -> None:
    def kill(_pid: int, _signal: int) -> None:
        raise error

    (tmp_path / FILE).write_text(json.dumps({"url": "x", "token": "y", "pid": 4_242}))
    monkeypatch.setattr(os, "kill", kill)
    assert (find(tmp_path) is not None) is found


def test_a_folder_that_this_user_may_not_read_holds_nothing_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert find(tmp_path) is None
