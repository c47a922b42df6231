"""How the command line finds a running control center: a file in the data folder, readable by its owner only."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = "running.json"


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """Where a control center runs, and the token that lets this user in."""

    url: str
    token: str
    pid: int


@contextlib.contextmanager
def announced(folder: Path, url: str, token: str) -> Iterator[None]:
    """Keep the file while the block runs."""
    path = folder / FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"url": url, "token": token, "pid": os.getpid()}), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find(folder: Path) -> Rendezvous | None:
    """Return where a control center runs on `folder`, None if none does; one that was killed is not found."""
    try:
        found = Rendezvous(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if _runs(found.pid) else None


def _runs(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True  # as somebody else
    except (ProcessLookupError, OverflowError):
        return False
    return True
