"""The gateway's device at one end of a serial line, the UNO's own link code at the other, in virtual time.

The UNO is the host build of `firmware/uno` (tests/firmware/line.py): what it takes and refuses is no imitation.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.firmware.line import ACCEPTED, CONFIRMED, Line
from tests.firmware.nodemcu.modules import load

STEP_MS = 5
BOOT = 7
SEEN_MS = 60
"""A relay is seen to have moved after that (decision.toml)."""

Wire = Callable[[bytes], bytes]


def clear(data: bytes) -> bytes:
    return data


@dataclass
class Records:
    """Boxes that forget nothing and write no flash."""

    boot: int = BOOT
    unit: tuple[int, int] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    samples: list[tuple[Any, ...]] = field(default_factory=list)

    def add_event(self, fields: dict[str, Any], up_ms: int | None = None, unit: Any = None) -> int:
        self.events.append({**fields, "at": up_ms, "unit": unit})
        self.unit = unit or self.unit
        return len(self.events)

    def add_telemetry(self, sample: tuple[Any, ...], up_ms: int | None, heap: int, rssi: int) -> int:
        self.samples.append(sample)
        return len(self.samples)

    def told(self, code: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("code") == code]


class Rig:
    """Both ends, and what happened.

    Attributes:
        moved: what the UNO carried out: (outlet, on, when).
        begun: the same as (off_ms, when): by its pause an order is told from all others.
        answers: what the control center was told, oldest first.
        up, down: what becomes of the bytes from and to the UNO.
    """

    def __init__(self, line: Line, uno_ms: int = 0, folder: Path | None = None) -> None:
        self.line = line
        self.folder = folder
        self.now_ms = 0
        self.records = Records()
        self.moved: list[tuple[int, bool, int]] = []
        self.begun: list[tuple[int, int]] = []
        self.answers: list[dict[str, Any]] = []
        self.up: Wire = clear
        self.down: Wire = clear
        self._confirm: list[tuple[int, int]] = []
        line.now_ms = uno_ms
        self.start_uno()
        self.start_gateway()

    def start_uno(self, noise: int = 1234) -> None:
        """Start the UNO, also once more: what it had in hand is gone."""
        self._confirm = []
        self.line.start(noise)
        self.stand()

    def stand(self, on: int = 1) -> None:
        """Give the UNO readings of an ordinary second."""
        for name, value in (("live", 1), ("isolator", 1), ("active", 0), ("lockout", 0)):
            self.line.reading(name, 0, value)
        for source in (0, 1):
            for name, value in (("v_mv", 230_000), ("f_mhz", 50_000), ("grade", 2)):
                self.line.reading(name, source, value)
        for outlet in range(1, 5):
            values = {"on": on, "cause": 7, "trip": -(2**31), "lock": 0, "i_ma": 400, "p_mw": 90_000}
            for name, value in values.items():
                self.line.reading(name, outlet, value)

    def start_gateway(self) -> None:
        """Start the gateway, also once more: its records stay."""
        meters = load("meters").Meters(
            str(self.folder or "/dev/null")
        )  # without a folder: a flash that keeps nothing
        self.device = load("device").Device(self.records, meters, lambda: self.now_ms, "1.0", lambda: (0, 0))
        self.device.send = lambda data: self.line.feed(self.down(data))

    def run(self, lasts_ms: int, step_ms: int = STEP_MS) -> None:
        """Let time pass."""
        for _ in range(lasts_ms // step_ms):
            self.now_ms += step_ms
            before = len(self.line.raw)
            self.line.passes(1, step_ms)
            self._carry_out()
            data = self.up(bytes(self.line.raw[before:]))
            if data:
                self.device.hear(data)
            if self.now_ms % 50 == 0:
                self.device.step()
            while answer := self.device.results():
                self.answers.append(answer)

    def order(self, n: int, *, out: int = 2, on: bool = False, lasts_ms: int = 3000, **more: Any) -> None:
        """Give an order that expires so soon."""
        fields = {
            "v": 1,
            "id": f"o{n}",
            "boot": self.records.boot,
            "n": n,
            "do": "switch",
            "out": out,
            "on": on,
        }
        fields |= {"exp_up_ms": self.now_ms + lasts_ms, "by": "ada"} | more
        self.device.command(json.dumps(fields).encode(), False)

    def desire(self, version: int, pdu: dict[str, Any], *out: dict[str, Any]) -> None:
        """Want settings."""
        fields = {"v": 1, "version": version, "pdu": pdu, "out": list(out)}
        self.device.desired(json.dumps(fields).encode())

    def ends(self) -> dict[str, list[tuple[str, str]]]:
        """Return how each order ended, by its id."""
        found: dict[str, list[tuple[str, str]]] = {}
        for answer in self.answers:
            if answer["status"] != "accepted":
                found.setdefault(answer["id"], []).append((answer["status"], answer["code"]))
        return found

    def _carry_out(self) -> None:
        for command in self.line.commands():
            self.line.shim.link_answer(command.key, ACCEPTED, 0)
            self.moved.append((command.outlet, bool(command.on), self.now_ms))
            self.begun.append((command.off_ms, self.now_ms))
            for outlet in [command.outlet] if command.outlet else range(1, 5):
                self.line.reading("on", outlet, command.on)
                self.line.reading("cause", outlet, 5 if command.on else 3)
            self._confirm.append((self.now_ms + SEEN_MS, command.key))
        self.line.shim.link_emergency()
        for due in [one for one in self._confirm if one[0] <= self.now_ms]:
            self._confirm.remove(due)
            self.line.shim.link_answer(due[1], CONFIRMED, 0)
