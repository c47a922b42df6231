"""What a bench writes."""

import json
import math
from pathlib import Path

import pytest
from bench import figures
from bench.figures import Figure, of_runs, percentile, rounded


def test_a_result_names_machine_commit_and_for_each_figure_value_unit_goal_and_span(tmp_path: Path) -> None:
    path = figures.write("one", {"F7": of_runs([2.0, 3.0, 2.5], "x", ">= 2", peer={"old": 1})}, tmp_path)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert set(written) == {"machine", "commit", "figures"}
    assert written["figures"] == {
        "F7": {"value": 2.5, "unit": "x", "goal": ">= 2", "min": 2, "max": 3, "peer": {"old": 1}}
    }


def test_a_run_of_one_part_keeps_the_others_of_the_same_commit(tmp_path: Path) -> None:
    figures.write("one", {"F7": Figure(1, "x")}, tmp_path)
    path = figures.write("one", {"F11": Figure(2, "ms")}, tmp_path)
    assert set(json.loads(path.read_text(encoding="utf-8"))["figures"]) == {"F7", "F11"}


def test_figures_of_another_commit_are_not_kept(tmp_path: Path) -> None:
    other = {"machine": figures.machine(), "commit": "another", "figures": {"F7": {}}}
    (tmp_path / "one.json").write_text(json.dumps(other), encoding="utf-8")
    path = figures.write("one", {"F11": Figure(2, "ms")}, tmp_path)
    assert set(json.loads(path.read_text(encoding="utf-8"))["figures"]) == {"F11"}


def test_what_could_not_be_measured_is_null(tmp_path: Path) -> None:
    path = figures.write("one", {"F11": Figure(math.nan, "ms")}, tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["figures"]["F11"]["value"] is None


def test_values_have_three_significant_digits() -> None:
    assert [rounded(value) for value in (0.012345, 1.2345, 12345.6, 7.0, 0.0)] == [0.0123, 1.23, 12345, 7, 0]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([float(n) for n in range(1, 101)], 95) == 95
    assert percentile([5.0], 99) == 5
    assert math.isnan(percentile([], 50))


def test_a_setting_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALE", "much")
    with pytest.raises(SystemExit, match="SCALE=much: give a number above 0"):
        figures.settings(1.0)
