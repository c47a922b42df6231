"""Sends random lines to the host build of the UNO, which stops at the first fault that a sanitizer finds.

    python -m tests.firmware.serial_fuzz LINES SEED

Prints what came out, by kind of line. It runs itself once more with the sanitizers loaded.
"""

import ctypes
import json
import os
import subprocess
import sys

from scripts import firmware
from tests.firmware.line import Tally

KINDS = ("noise", "garbled", "other_session", "idle", "acting")
AT_ONCE = 16


def tallies(shim: ctypes.CDLL, lines: int, seed: int) -> dict[str, dict[str, int]]:
    """Return what came out of `lines` lines, a fifth of each kind."""
    found = {}
    for kind, name in enumerate(KINDS):
        shim.link_eeprom_blank()
        tally = Tally()
        shim.link_fuzz(seed + kind, lines // len(KINDS), kind, AT_ONCE, ctypes.byref(tally))
        found[name] = {key: getattr(tally, key) for key, _ in Tally._fields_}
    return found


def run(lines: int, seed: int) -> dict[str, dict[str, int]]:
    """Return what came out, under AddressSanitizer and UBSan.

    Raises:
        RuntimeError: a sanitizer has found a fault; its report is in the message.
    """
    library = firmware.build(firmware.BUILDS["host"], asan=True)
    runtime = subprocess.run(
        ["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    done = subprocess.run(
        [sys.executable, "-m", "tests.firmware.serial_fuzz", str(lines), str(seed), str(library)],
        cwd=firmware.ROOT,
        env={**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main(arguments: list[str]) -> None:
    """Print what came out; with a library as the third argument this is the process that loads it."""
    lines, seed = int(arguments[0]), int(arguments[1])
    if len(arguments) > 2:
        print(json.dumps(tallies(ctypes.CDLL(arguments[2]), lines, seed)))
    else:
        print(json.dumps(run(lines, seed), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
