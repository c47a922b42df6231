"""What a start leaves behind for the next one."""

from pathlib import Path

from loadcenter.apps.bootstrap import CLIENT_FILE, _client_id


def test_the_name_at_the_broker_is_the_same_in_every_run_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / CLIENT_FILE
    made = _client_id(path)
    assert made.startswith("loadcenter-")
    assert _client_id(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_start_that_was_killed_before_it_wrote_its_name_is_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / CLIENT_FILE
    path.touch()
    assert _client_id(path).startswith("loadcenter-")
