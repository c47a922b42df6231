"""`loadcenter flash`: write the firmware into a board, by its boot loader or a programmer, or over its REPL."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from loadcenter.apps.cli.terminal import Exit, fail
from loadcenter.apps.firmware_builds import BoardName, FirmwareError, built_program
from loadcenter.apps.flashing import BOOTLOADER, CHIPS, FlashError, Plan, found_port, run
from loadcenter.apps.gateway_build import GatewayBuildError, built_gateway
from loadcenter.apps.gateway_flashing import (
    PORTS,
    copy,
    copy_commands,
    first_steps,
    keep_setup,
    make_setup_password,
)

PORT_SHOWN = "/dev/ttyUSB0"
"""What a dry run writes where no port was named."""


class Target(StrEnum):
    """What can be written."""

    UNO = "uno"
    MEGA = "mega"
    NODEMCU = "nodemcu"


def flash(
    board: Annotated[Target, typer.Argument(help="The board that is written.")],
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
        bool, typer.Option("--dry-run", help="Print the command lines, and write nothing.")
    ] = False,
) -> None:
    """Write the firmware into a board. Fuses are written with --fuses only; without it they are explained."""
    if board is Target.NODEMCU:
        if given or fuses or programmer != BOOTLOADER:
            fail(
                "--hex, --programmer and --fuses are for uno and mega: a nodemcu gets its files over USB",
                Exit.USAGE,
            )
        _flash_gateway(port, dry_run=dry_run)
    else:
        _flash_controller(BoardName(board), given, port, programmer, fuses=fuses, dry_run=dry_run)


def _flash_controller(
    board: BoardName, given: Path | None, port: str | None, programmer: str, *, fuses: bool, dry_run: bool
) -> None:
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


def _flash_gateway(port: str | None, *, dry_run: bool) -> None:
    try:
        build = built_gateway()
        password = make_setup_password()
        if not dry_run:
            keep_setup(build, password)
        place = port or (PORT_SHOWN if dry_run else found_port(patterns=PORTS))
        commands = copy_commands(build.files(), place)
        for line in first_steps(place):
            print(line)
        print(f"Then the gateway {build.version}, {build.image.stat().st_size:,} bytes:")
        for command in commands:
            print(f"  {shlex.join(command)}", flush=True)
        if dry_run:
            return
        copy(commands)
    except (GatewayBuildError, FlashError) as error:
        fail(str(error))
    print(f"Without a configuration it opens the network Loadcenter-… with the password {password}")
    print("(shown this once). Join it, then open the page with the QR code of `loadcenter device add`.")
