"""The dry run is measured on both databases, and finds the same on each."""

from pathlib import Path

from bench.dry_run import measure
from bench.figures import Settings


def test_both_databases_answer_with_the_same_sheds(tmp_path: Path) -> None:
    found = measure(Settings(0.01, 1), tmp_path)
    assert set(found) == {
        f"DRY_{question}_{name}_s" for question in ("seldom", "always") for name in ("sqlite", "mariadb")
    }
    for question in ("seldom", "always"):
        assert found[f"DRY_{question}_sqlite_s"].note == found[f"DRY_{question}_mariadb_s"].note
