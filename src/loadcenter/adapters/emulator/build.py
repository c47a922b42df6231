"""The emulator's C part, built when it is first wanted: into the user's cache, under a name that its sources give."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

NATIVE = Path(__file__).resolve().parent / "native"
PACKAGES = "gcc libsimavr-dev libelf-dev"


class EmulatorUnavailableError(RuntimeError):
    """The emulator cannot be built here; the message says what to install."""


def library() -> Path:
    """Return the path of the shared library, built if it is not yet.

    Raises:
        EmulatorUnavailableError: the compiler, libsimavr or libelf is missing.
    """
    sources = sorted(NATIVE.glob("*.[ch]"))
    digest = hashlib.sha256(platform.machine().encode())
    for source in sources:
        digest.update(source.read_bytes())
    path = cache_folder() / f"emulator-{digest.hexdigest()[:16]}.so"
    if not path.exists():
        _compile([str(source) for source in sources if source.suffix == ".c"], path)
    return path


def cache_folder() -> Path:
    """Return where built libraries are kept: `loadcenter` in XDG_CACHE_HOME, or in `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loadcenter"


def _compile(sources: list[str], path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise EmulatorUnavailableError(f"the emulator needs a C compiler: apt install {PACKAGES}")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may build at once: each its own file, and the last one stays.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        built = Path(folder) / path.name
        command = [compiler, "-O2", "-std=gnu11", "-shared", "-fPIC", *sources, "-o", str(built)]
        command += ["-lsimavr", "-lelf", "-lm"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode:
            why = next((line for line in ran.stderr.splitlines() if "error" in line or "cannot" in line), "")
            raise EmulatorUnavailableError(f"the emulator was not built ({why}): apt install {PACKAGES}")
        built.replace(path)
