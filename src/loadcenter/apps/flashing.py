"""How a program gets into a chip: the command lines of avrdude, and the fuses with their reasons.

A boot loader writes the program and cannot write fuses; a programmer (ISP) writes both, and takes the boot loader's
place: the chip then starts with the program itself.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from loadcenter.apps.firmware_builds import BoardName

BOOTLOADER = "bootloader"
"""In place of a programmer's name: the one that the board came with."""

INSTALL = "avrdude is missing: apt install avrdude"
PORTS = ("/dev/serial/by-id/*Arduino*", "/dev/ttyACM*", "/dev/ttyUSB*")
"""Where a board shows up, best names first."""


class FlashError(RuntimeError):
    """Nothing was written, or avrdude failed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Fuse:
    """One fuse byte: its name at avrdude, its value, and why."""

    name: str
    value: int
    why: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A board's chip, as avrdude knows it.

    Attributes:
        part: for `-p`.
        loader: protocol of its boot loader, for `-c` (boards.txt of the Arduino core).
        baud: of that.
        fuses: those that `--fuses` writes.
    """

    part: str
    loader: str
    baud: int
    fuses: tuple[Fuse, ...]


def _fuses(brown_out: str, start: str) -> tuple[Fuse, ...]:
    return (
        Fuse(
            "efuse",
            0xFC,
            f"brown-out reset at 4.3 V (BODLEVEL 100, {brown_out}); boards come with 0xFD, 2.7 V",
        ),
        Fuse(
            "hfuse",
            0xD7,
            f"start with the program, EEPROM kept when it is written anew (BOOTRST 1, EESAVE 0); {start}",
        ),
    )


CHIPS = {
    BoardName.UNO: Chip(
        "atmega328p",
        "arduino",
        115_200,
        _fuses(
            "ATmega328P data sheet, table of BODLEVEL fuse coding", "boards come with 0xDE, boot loader first"
        ),
    ),
    BoardName.MEGA: Chip(
        "atmega2560",
        "wiring",
        115_200,
        _fuses(
            "ATmega2560 data sheet, table of BODLEVEL fuse coding", "boards come with 0xD8, boot loader first"
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written where.

    Attributes:
        board: whose chip.
        hex: the program.
        programmer: as avrdude's `-c` calls it, or `BOOTLOADER`.
        port: where it is, None to let avrdude find it.
        fuses: write them as well.
    """

    board: BoardName
    hex: Path
    programmer: str = BOOTLOADER
    port: str | None = None
    fuses: bool = False

    def commands(self) -> list[list[str]]:
        """Return the command lines, in their order.

        Raises:
            FlashError: the fuses are wanted from a boot loader.
        """
        chip = CHIPS[self.board]
        if self.programmer == BOOTLOADER:
            if self.fuses:
                raise FlashError(
                    "a boot loader cannot write fuses: connect a programmer to the ICSP header and name it, "
                    "for example --programmer usbasp"
                )
            # -D: a boot loader erases page by page.
            begin = [
                "avrdude",
                "-p",
                chip.part,
                "-c",
                chip.loader,
                "-b",
                str(chip.baud),
                *self._at_port(),
                "-D",
            ]
            return [[*begin, *self._program()]]
        begin = ["avrdude", "-p", chip.part, "-c", self.programmer, *self._at_port()]
        # First, so that the chip's erasure by the program finds EEPROM kept.
        fuses = [[*begin, *_memories(chip.fuses)]] if self.fuses else []
        return [*fuses, [*begin, *self._program()]]

    def _at_port(self) -> list[str]:
        return ["-P", self.port] if self.port else []

    def _program(self) -> list[str]:
        return ["-U", f"flash:w:{self.hex}:i"]


def _memories(fuses: Sequence[Fuse]) -> list[str]:
    return [word for fuse in fuses for word in ("-U", f"{fuse.name}:w:0x{fuse.value:02X}:m")]


def found_port(look: Callable[[str], list[str]] = glob, patterns: Sequence[str] = PORTS) -> str:
    """Return the port of the one board that is connected, of those that show up as the first pattern that matches.

    Raises:
        FlashError: there is none, or more than one.
    """
    for pattern in patterns:
        found = sorted(look(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            raise FlashError(f"more than one board is connected: name one with --port ({', '.join(found)})")
    raise FlashError("no board is connected: plug it in, or name its port with --port")


def run(commands: Sequence[Sequence[str]]) -> None:
    """Run avrdude, which talks to the terminal itself.

    Raises:
        FlashError: it is missing, or it failed.
    """
    if shutil.which("avrdude") is None:
        raise FlashError(INSTALL)
    for command in commands:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - shown to whoever called it
        if code:
            raise FlashError(f"avrdude ended with {code}; its words stand above. Was the right port named?")
