"""The view is built with a fit Node.js, again when its sources changed, and not otherwise."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "view.py"


@pytest.fixture
def view():
    spec = importlib.util.spec_from_file_location("view", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path):
    (tmp_path / "web" / "src").mkdir(parents=True)
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    (tmp_path / "web" / "src" / "App.svelte").write_text("<p>one</p>")
    (tmp_path / "web" / "src" / "Old.svelte").write_text("<p>old</p>")
    return tmp_path


@pytest.fixture
def asked(view, monkeypatch) -> list[str]:
    """What npm was asked to do, by an npm that leaves the files the real one would."""
    done: list[str] = []

    def npm(root, node, *arguments):
        done.append(" ".join(arguments[:2]) if arguments[0] == "run" else arguments[0])
        left = (
            view.built_view(root)
            if arguments[0] == "run"
            else root / "web" / "node_modules" / ".package-lock.json"
        )
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_text("{}")

    monkeypatch.setattr(view, "run_npm", npm)
    monkeypatch.setattr(view, "system_node", lambda: view.Node(("npm",), Path("bin")))
    return done


@pytest.mark.parametrize(
    ("version", "fit"),
    [
        ("v18.20.8", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.19.0", True),
        ("", False),
    ],
)
def test_only_a_node_that_vite_runs_on_is_fit(view, version, fit):
    assert view.is_fit(version + "\n") is fit


def test_the_same_sources_are_built_once(view, root, asked):
    view.build(root)
    view.build(root)
    assert asked == ["ci", "run build"]


def test_a_changed_source_is_built_again_with_the_packages_there(view, root, asked):
    view.build(root)
    (root / "web" / "src" / "App.svelte").write_text("<p>two</p>")
    view.build(root)
    assert asked == ["ci", "run build", "run build"]


def test_a_removed_source_is_noticed(view, root, asked):
    view.build(root)
    (root / "web" / "src" / "Old.svelte").unlink()
    view.build(root)
    assert asked == ["ci", "run build", "run build"]


def test_a_changed_lock_installs_again(view, root, asked):
    view.build(root)
    (root / "web" / "package-lock.json").write_text('{"lockfileVersion": 3}')
    view.build(root)
    assert asked == ["ci", "run build", "ci", "run build"]


def test_a_removed_page_is_built_again(view, root, asked):
    view.build(root)
    view.built_view(root).unlink()
    view.build(root)
    assert asked == ["ci", "run build", "run build"]


def test_a_failed_build_is_tried_again(view, root, asked, monkeypatch):
    npm = view.run_npm

    def failing(root, node, *arguments):
        if arguments == ("run", "build"):
            raise view.ViewError("no")
        npm(root, node, *arguments)

    with monkeypatch.context() as broken:
        broken.setattr(view, "run_npm", failing)
        with pytest.raises(view.ViewError):
            view.build(root)
    view.build(root)
    assert asked == ["ci", "run build"]
