"""`loadcenter sim firmware`: run the real firmware in an emulator, at the pace of the clock."""

import signal
import sys
from pathlib import Path

from loadcenter.adapters.emulator import Board, Emulator, EmulatorUnavailableError
from loadcenter.apps.bridge.bridge import Bridge
from loadcenter.apps.bridge.ports import LOCALHOST, Keyboard, Port, PtyPort, TcpPort
from loadcenter.apps.bridge.surroundings import Surroundings, default_loads
from loadcenter.apps.cli.terminal import Exit, fail
from loadcenter.apps.firmware_builds import BoardName, FirmwareError, Program, built_program, given_program


def run(
    board: BoardName | None, elf: Path | None, tcp: int | None, eeprom: Path | None, seed: int, *, pty: bool
) -> None:
    """Run until it is ended; the arguments are the options of the command."""
    if pty and tcp is not None:
        fail("the serial line comes out in one place: --tcp or --pty", Exit.USAGE)
    if board and elf:
        fail("a program is for the board of its board.json: leave out --board or --elf", Exit.USAGE)
    try:
        program = given_program(elf) if elf else built_program(board)
        unit = Emulator(program.elf, Board.of(program.facts), seed=seed)
    except (FirmwareError, EmulatorUnavailableError, OSError) as error:
        fail(str(error))
    except KeyError as error:
        fail(f"the board.json of {program.elf} has no {error}: build program and board.json anew, together")
    with unit:
        _remember(unit, eeprom)
        port = _port(tcp, pty=pty)
        try:
            _run(unit, program, port, seed)
        finally:
            port.close()
            if eeprom:
                eeprom.write_bytes(unit.eeprom)


def _run(unit: Emulator, program: Program, port: Port, seed: int) -> None:
    surroundings = Surroundings(unit, default_loads(len(unit.board.outlets), seed), seed)
    bridge = Bridge(unit, surroundings, port, Keyboard(_standard_input()), _tell)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: bridge.end())
    _tell(f"{program.name} in an {unit.board.chip}, {len(unit.board.outlets)} outlets ({program.elf})")
    _tell(f"serial line at {port.address}; `help` lists the orders, Ctrl-C ends it")
    lost_ms = bridge.run()
    _tell(f"ended at {unit.now_s:.1f} s, {lost_ms / 1000:.1f} s behind the clock in all")


def _remember(unit: Emulator, eeprom: Path | None) -> None:
    if eeprom is None:
        return
    try:
        if eeprom.exists():
            unit.eeprom = eeprom.read_bytes()
        eeprom.touch()
    except OSError as error:
        fail(f"{eeprom} cannot keep the EEPROM: {error}")


def _port(tcp: int | None, *, pty: bool) -> Port:
    if pty:
        return PtyPort()
    try:
        return TcpPort(tcp or 0, _tell)
    except OSError as error:
        fail(f"port {tcp} of {LOCALHOST} cannot be used: {error}", Exit.UNREACHABLE)


def _standard_input() -> int | None:
    """Return the descriptor of what is typed, if there is one."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or of no file
        return None


def _tell(line: str) -> None:
    print(line, flush=True)
