"""What is generated from the spec is what the spec says now."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.mark.parametrize(
    "script",
    ["generate_codes.py", "generate_points.py", "generate_tables.py", "generate_words.py", "spec_tables.py"],
)
def test_a_generated_file_is_current(script: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
