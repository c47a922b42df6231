"""`loadcenter …` as a process of its own, forked from one that has imported everything: a command takes 0.1 s."""

import json
import multiprocessing
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SECRET = "do-not-print-this"
"""Goes into configurations as a password; `run` fails when it is printed."""

BOUND_S = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int | None
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Ended:
    """Run a command to its end; whatever it says, it shows no traceback and no password."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["loadcenter.apps.cli"])
    with TemporaryDirectory() as folder:
        place = Path(folder)
        process = context.Process(
            target=_be_loadcenter, args=([str(one) for one in arguments], env or {}, place)
        )
        process.start()
        process.join(BOUND_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        ended = Ended(process.exitcode, (place / "out").read_text(), (place / "err").read_text())
        process.close()
    assert "Traceback" not in ended.out + ended.err, ended
    assert SECRET not in ended.out + ended.err, ended
    return ended


def _be_loadcenter(arguments: list[str], env: dict[str, str], place: Path) -> None:
    for name, number in (("out", 1), ("err", 2)):
        descriptor = os.open(place / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.pop("LOADCENTER_ADMIN_PASSWORD", None)
    os.environ.update(env)
    sys.argv = ["loadcenter", *arguments]
    from loadcenter.apps.cli import main

    main()
