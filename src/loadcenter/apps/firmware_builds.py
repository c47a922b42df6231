"""Programs of the PDU's controller: found in a checkout, built by its own script, with the facts of their board."""

import json
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SCRIPT = Path("scripts") / "firmware.py"
PACKAGES = "gcc-avr avr-libc binutils-avr g++"


class FirmwareError(RuntimeError):
    """There is no program to run or to write; the message says what to do."""


class BoardName(StrEnum):
    """A board that the firmware is built for; the first is the one that is built unless told otherwise."""

    UNO = "uno"
    MEGA = "mega"


@dataclass(frozen=True, slots=True)
class Program:
    """A build.

    Attributes:
        name: of the build.
        elf: the program with its symbols.
        facts: board.h of the build, as its `board.json` tells it.
    """

    name: str
    elf: Path
    facts: dict[str, Any]

    @property
    def hex(self) -> Path:
        """The program as it is written into a chip."""
        return self.elf.with_suffix(".hex")


def given_program(elf: Path) -> Program:
    """Return a program that is built already.

    Raises:
        FirmwareError: it is not there, or has no `board.json` beside it.
    """
    if not elf.is_file():
        raise FirmwareError(f"there is no program {elf}: build one with `make firmware`")
    facts = elf.parent / "board.json"
    try:
        return Program(elf.parent.name, elf, json.loads(facts.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise FirmwareError(
            f"{facts} cannot be read ({error}): keep the board.json that a build writes beside its program"
        ) from error


def built_program(board: BoardName | None, root: Path | None = None) -> Program:
    """Return the program of a board, built if its sources have changed.

    Args:
        board: the first that can be built, if None.
        root: the checkout; the one that this package is in, or the current folder, if None.

    Raises:
        FirmwareError: there is no checkout, or none of them can be built; the compiler's words are in the message.
    """
    checkout = root or _checkout()
    refusals = []
    for name in [board] if board else list(BoardName):
        refusal = _build(checkout, name)
        if refusal is None:
            return given_program(checkout / "build" / "firmware" / name / "loadcenter.elf")
        refusals.append(refusal)
    raise FirmwareError("\n".join(refusals))


def _checkout() -> Path:
    for folder in (Path(__file__).resolve().parents[3], Path.cwd()):
        if (folder / SCRIPT).is_file():
            return folder
    raise FirmwareError(
        f"the sources of the firmware are not here: name a program with --elf, or go to a checkout "
        f"(building needs: apt install {PACKAGES})"
    )


def _build(checkout: Path, board: BoardName) -> str | None:
    """Build one, and return why not."""
    command = [sys.executable, str(checkout / SCRIPT), "build", board]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    return None if ran.returncode == 0 else ran.stderr.strip()
