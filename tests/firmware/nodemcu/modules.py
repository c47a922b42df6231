"""Loads the gateway's modules into CPython under names of their own, so that `clock` is not that of the server."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

NODEMCU = Path(__file__).resolve().parents[3] / "firmware" / "nodemcu"
GATEWAY, BOARD = NODEMCU / "gateway", NODEMCU / "board"


def load(name: str) -> ModuleType:
    """Return a module of gateway/ or board/; those that it imports by their bare names are found too."""
    added = [str(folder) for folder in (BOARD, GATEWAY) if str(folder) not in sys.path]
    sys.path.extend(added)
    try:
        return importlib.import_module(name)
    finally:
        for folder in added:
            sys.path.remove(folder)
