"""Loads the gateway's modules into CPython, under their bare names, as the board does."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

NODEMCU = Path(__file__).resolve().parents[3] / "firmware" / "nodemcu"
GATEWAY, BOARD = NODEMCU / "gateway", NODEMCU / "board"


def load(name: str) -> ModuleType:
    """Return a module of gateway/ or board/; those that it imports are found too."""
    added = [str(folder) for folder in (BOARD, GATEWAY) if str(folder) not in sys.path]
    sys.path.extend(added)
    try:
        return importlib.import_module(name)
    finally:
        for folder in added:
            sys.path.remove(folder)


def load_anew(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    """Return a module that has just been imported, with all that it imports; forgotten after the test."""
    for path in (*GATEWAY.glob("*.py"), *BOARD.glob("*.py")):
        # Set first, so that one that is imported only later, by a function, is forgotten too.
        monkeypatch.setitem(sys.modules, path.stem, None)
        monkeypatch.delitem(sys.modules, path.stem)
    return load(name)
