"""apps/real_unit.py: what is missing is said, and how the demo ends then."""

from importlib import import_module
from typing import Any

import pytest
from typer.testing import CliRunner

from loadcenter.apps.real_unit import RealUnitError

main: Any = import_module("loadcenter.apps.cli.main")  # the package has a function of the same name


def test_a_unit_that_does_not_start_ends_the_demo_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    async def run(*_: object, **__: object) -> None:
        raise ExceptionGroup("tasks", [RealUnitError("the emulated unit did not start: avr-g++ is missing")])

    monkeypatch.setattr(main, "run_center", run)
    ended = CliRunner().invoke(main.app, ["demo", "--firmware", "--data", str(tmp_path)])
    assert ended.exit_code == 5
    assert "avr-g++ is missing" in ended.output + (ended.stderr or "")
    assert "Traceback" not in ended.output


def test_another_failure_stays_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    async def run(*_: object, **__: object) -> None:
        raise ExceptionGroup("tasks", [ZeroDivisionError("a defect")])

    monkeypatch.setattr(main, "run_center", run)
    ended = CliRunner().invoke(main.app, ["demo", "--data", str(tmp_path)])
    assert ended.exit_code == 1
