"""How the gateway's program gets onto a NodeMCU: the command lines of mpremote, and of esptool for what comes before."""

import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from loadcenter.apps.flashing import FlashError
from loadcenter.apps.gateway_build import GatewayBuild

PORTS = ("/dev/ttyUSB*", "/dev/serial/by-id/*CP210*")
"""Where the USB chips of NodeMCU boards (CH340, CP2102) show up; never where an Arduino is."""

SETUP_FILE = "setup.json"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that are taken for each other."""
_PASSWORD_LENGTH = 12


def make_setup_password() -> str:
    """Return a new password (59 bits) for the access point of a gateway that is set up."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH))


def keep_setup(build: GatewayBuild, password: str) -> None:
    """Put the password of its access point to the files of a board.

    Raises:
        FlashError: they cannot be written.
    """
    path = build.board / SETUP_FILE
    try:
        path.touch(mode=0o600)
        path.write_text(json.dumps({"password": password}), encoding="ascii")
    except OSError as error:
        raise FlashError(f"{path} cannot be written: {error}") from error


def copy_commands(files: Sequence[Path], port: str) -> list[list[str]]:
    """Return the command lines that copy files to the root folder of a board, the last one alone, and start it."""
    begin = [sys.executable, "-m", "mpremote", "connect", port]
    *first, last = map(str, files)
    return [
        [*begin, "fs", "cp", *first, ":"],
        [*begin, "fs", "cp", last, ":", "+", "reset"],
    ]


def first_steps(port: str) -> list[str]:
    """Return the lines that say how MicroPython gets onto a board, which is done once."""
    return [
        "MicroPython comes first, once for each board. Download the image FLASH_2M_ROMFS of the board ESP8266_GENERIC,",
        "1.25 or newer, from micropython.org/download/ESP8266_GENERIC, and write it:",
        "  pip install esptool",
        f"  esptool --port {port} erase-flash",
        f"  esptool --port {port} --baud 460800 write-flash --flash-size detect 0 ESP8266_GENERIC-FLASH_2M_ROMFS.bin",
    ]


def copy(commands: Sequence[Sequence[str]]) -> None:
    """Run mpremote, which talks to the terminal itself.

    Raises:
        FlashError: it failed.
    """
    for command in commands:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - shown to whoever called it
        if code:
            raise FlashError(
                f"mpremote ended with {code}; its words stand above. A board that runs the gateway has no REPL: press "
                "its reset button, and its FLASH button while the lamp is lit, then try again"
            )
