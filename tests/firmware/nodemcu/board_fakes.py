"""An ESP8266 as far as the board's modules see it: `machine`, `network`, `esp`, `vfs`, in memory."""

import sys
import time
from types import ModuleType
from typing import Any

SECTOR = 4096


class ResetError(BaseException):
    """The board starts again; no `except Exception` holds that up."""


class Pin:
    """A pin; `levels` are what a test lets an input read, `written` what an output was set to."""

    IN, OUT, PULL_UP = 0, 1, 1

    def __init__(self, board: "Board", number: int) -> None:
        self._board = board
        self._number = number

    def value(self, *level: int) -> int:
        if level:
            self._board.written.setdefault(self._number, []).append(level[0])
        return self._board.levels.get(self._number, 1)


class Timer:
    """A timer whose ticks the test makes."""

    PERIODIC = 1

    def __init__(self, number: int = -1) -> None:
        assert number == -1, "an ESP8266 has virtual timers only"

    def init(self, *, period: int, mode: int, callback: Any) -> None:
        self.period, self.mode, self.callback = period, mode, callback


class Station:
    """A radio: `air` is what a scan tells, `passwords` which network takes which."""

    def __init__(self) -> None:
        self.air: list[tuple[bytes, int]] = []
        self.passwords: dict[str, str] = {}
        self.network = ""
        self.tried: list[str] = []
        self.settings: dict[str, Any] = {}
        self.on = False

    def active(self, on: bool) -> None:
        self.on = on

    def config(self, *asked: str, **settings: Any) -> Any:
        self.settings |= settings
        return b"\x5c\xcf\x7f\x12\xab\xcd" if asked == ("mac",) else None

    def scan(self) -> list[tuple[Any, ...]]:
        return [(name, b"", 1, rssi, 3, 0) for name, rssi in self.air]

    def connect(self, name: str, password: str) -> None:
        self.tried.append(name)
        heard = name.encode() in {heard for heard, _ in self.air}
        self.network = name if heard and self.passwords.get(name) == password else ""

    def disconnect(self) -> None:
        self.network = ""

    def isconnected(self) -> bool:
        return bool(self.network)

    def status(self, what: str) -> int:
        assert what == "rssi"
        return dict(self.air)[self.network.encode()]


class Rom:
    """A ROM partition, or none; `fail` lets one operation answer an error."""

    def __init__(self, size: int) -> None:
        self.memory = bytearray(b"\x00" * size)
        self.whole = True
        self.fail = 0

    def ioctl(self, op: int, *given: Any) -> Any:
        if op == self.fail:
            return -5
        match op, given:
            case 1, ():
                return 1 if self.memory else 0
            case 2, (0,):
                return memoryview(self.memory)
            case 3, (0, size):
                if size > len(self.memory):
                    return -28
                erased = -(-size // SECTOR) * SECTOR
                self.memory[:erased] = b"\xff" * erased
                self.whole = False
                return 4
            case 4, (0, at, data):
                assert at % 4 == len(data) % 4 == 0, "flash is written in words"
                assert set(self.memory[at : at + len(data)]) <= {0xFF}, "flash is written once"
                self.memory[at : at + len(data)] = data
                return 0
            case 5, (0,):
                self.whole = True
                return -22  # as ports/esp8266/vfs_rom_ioctl.c has no such operation
        raise AssertionError((op, given))


class Board:
    """The fakes, put in place of the modules while a test runs."""

    def __init__(self, monkeypatch: Any, rom_size: int = 0) -> None:
        self.levels: dict[int, int] = {}
        self.written: dict[int, list[int]] = {}
        self.station, self.point = Station(), Station()
        self.rom = Rom(rom_size)
        self.debug: list[Any] = []
        self._patch = monkeypatch
        machine = self._module("machine", reset=self._reset, Timer=Timer, reset_cause=lambda: 0)
        machine.Pin = lambda number, *_: Pin(self, number)
        machine.Pin.IN, machine.Pin.OUT, machine.Pin.PULL_UP = Pin.IN, Pin.OUT, Pin.PULL_UP
        network = self._module("network", STA_IF=0, AP_IF=1)
        network.WLAN = lambda which: self.point if which else self.station
        self._module("esp", osdebug=self.debug.append)
        vfs = self._module("vfs", rom_ioctl=self.rom.ioctl)
        self.vfs = vfs
        monkeypatch.setattr(time, "sleep_ms", lambda _: None, raising=False)
        monkeypatch.setattr(time, "ticks_ms", lambda: 0, raising=False)
        monkeypatch.setattr(time, "sleep", lambda _: None)
        monkeypatch.setattr(
            sys, "print_exception", lambda error, file: file.write(repr(error)), raising=False
        )

    def _module(self, name: str, **names: Any) -> Any:
        made = ModuleType(name)
        vars(made).update(names)
        self._patch.setitem(sys.modules, name, made)
        return made

    def _reset(self) -> None:
        raise ResetError
