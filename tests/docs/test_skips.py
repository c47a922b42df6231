"""Under CI=true a skip fails the run; anywhere else it does not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
SKIPPING = """
import pytest

def test_skipped():
    pytest.skip("no broker here")
"""
EXPECTED_TO_FAIL = """
import pytest

@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    assert False

def test_passes():
    pass
"""
MODULE_SKIPPED = "import pytest; pytest.importorskip('no_such_module_anywhere')"


def run_suite(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "CI": ci}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("source", [SKIPPING, MODULE_SKIPPED], ids=["test", "module"])
def test_a_skip_fails_under_ci(tmp_path, source):
    done = run_suite(tmp_path, source, ci="true")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "skipped, which fails under CI=true" in done.stdout


def test_the_reason_of_a_skip_is_told(tmp_path):
    assert (
        "test_it.py::test_skipped: Skipped: no broker here" in run_suite(tmp_path, SKIPPING, ci="true").stdout
    )


def test_a_skip_is_no_failure_elsewhere(tmp_path):
    assert run_suite(tmp_path, SKIPPING, ci="").returncode == pytest.ExitCode.OK


def test_an_expected_failure_is_no_skip(tmp_path):
    assert run_suite(tmp_path, EXPECTED_TO_FAIL, ci="true").returncode == pytest.ExitCode.OK
