"""`loadcenter flash`: write the firmware into a board, by its boot loader or a programmer."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from loadcenter.apps.cli.terminal import fail
from loadcenter.apps.firmware_builds import BoardName, FirmwareError, built_program
from loadcenter.apps.flashing import BOOTLOADER, CHIPS, FlashError, Plan, found_port, run


def flash(
    board: Annotated[BoardName, typer.Argument(help="The board that is written.")],
    given: Annotated[
        Path | None, typer.Option("--hex", help="A program that is built; without it the board's is built.")
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(help="Port of the board or programmer; without it the only one that is found."),
    ] = None,
    programmer: Annotated[
        str, typer.Option(help=f"Programmer as `avrdude -c ?` lists them, or '{BOOTLOADER}'.")
    ] = BOOTLOADER,
    fuses: Annotated[bool, typer.Option("--fuses", help="Write the fuses too; needs a programmer.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the command lines of avrdude, and write nothing.")
    ] = False,
) -> None:
    """Write the firmware into a board. Fuses are written with --fuses only; without it they are explained."""
    try:
        program = given or built_program(board).hex
        if not program.is_file():
            fail(f"there is no program {program}: build one with `make firmware`")
        place = port or (found_port() if programmer == BOOTLOADER and not dry_run else None)
        commands = Plan(board, program, programmer, place, fuses).commands()
        for command in commands:
            print(shlex.join(command), flush=True)
        if not dry_run:
            run(commands)
    except (FirmwareError, FlashError) as error:
        fail(str(error))
    _explain(board, written=fuses and not dry_run)


def _explain(board: BoardName, *, written: bool) -> None:
    print("Fuses, written:" if written else "Fuses, not written; with --fuses and a programmer they become:")
    for fuse in CHIPS[board].fuses:
        print(f"  {fuse.name} 0x{fuse.value:02X}  {fuse.why}")
