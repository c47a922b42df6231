"""The lock files are complete, agree with each other, and cover what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"]


def entries(lock: str) -> dict[str, str]:
    """Return each pinned package with the rest of its entry: version, marker and hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    return dict(block.split("==", 1) for block in blocks)


def pins(lock: str) -> dict[str, str]:
    return {name: rest.split()[0] for name, rest in entries(lock).items()}


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock):
    assert entries(lock)
    assert [name for name, rest in entries(lock).items() if "--hash=sha256:" not in rest] == []


def test_the_development_lock_holds_the_runtime_lock():
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def test_the_locks_cover_what_the_project_asks_for():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = named(pyproject["project"]["dependencies"] + pyproject["build-system"]["requires"])
    development = named(pyproject["project"]["optional-dependencies"]["dev"])
    assert runtime - pins("requirements.lock").keys() == set(), "run make lock"
    assert development - pins("requirements-dev.lock").keys() == set(), "run make lock"


def test_node_from_pypi_is_the_version_the_wheel_is_built_with():
    (name, version), *others = pins("requirements-node.lock").items()
    assert others == []
    assert f'"{name}=={version}"' in (ROOT / "scripts" / "view.py").read_text(encoding="utf-8")
