"""The loop: a unit runs at the pace of the clock, and talks to whoever is at its serial port."""

import time
from collections.abc import Callable
from typing import assert_never

from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.emulator import Emulator, Part, RelayModel, Truth
from loadcenter.apps.bridge import orders
from loadcenter.apps.bridge.orders import (
    Disturb,
    Help,
    Order,
    OrderError,
    PlugBeside,
    PlugIn,
    Quit,
    Reset,
    Show,
    Weld,
)
from loadcenter.apps.bridge.pace import Pace
from loadcenter.apps.bridge.ports import Keyboard, Port
from loadcenter.apps.bridge.surroundings import Surroundings
from loadcenter.apps.bridge.told import Teller
from loadcenter.domain.topology import Source

SLICE_S = 0.004
WINDOW_S = 0.2
"""What flows is shown as it was in the last whole window: ten cycles, twelve at 60 Hz."""

TELL_LAG_MS = 5000
"""The lag is told at most this often."""

LEAST_UNSENT = 64
"""Bytes are taken from the port when fewer than a line's are on their way to the unit."""


class Bridge:
    """One unit with its surroundings, its port and its keyboard.

    Args:
        unit: the emulator; its time is 0.
        surroundings: its sources and loads.
        port: its serial line.
        keyboard: orders of a person.
        tell: prints a line.
    """

    def __init__(
        self,
        unit: Emulator,
        surroundings: Surroundings,
        port: Port,
        keyboard: Keyboard,
        tell: Callable[[str], None],
    ) -> None:
        self._unit = unit
        self._surroundings = surroundings
        self._port = port
        self._keyboard = keyboard
        self._tell = tell
        self._teller = Teller(pair=unit.board.backup_relay is not None)
        self._clock = SystemClock()
        self._ended = False
        self._lag_ms = 0
        self._told_lag_ms = -TELL_LAG_MS
        self._truth: Truth | None = None
        self._measured_s = unit.now_s

    def end(self) -> None:
        """Let `run` return after the slice that is under way; may be called by a signal."""
        self._ended = True

    def run(self) -> int:
        """Run until the end is wanted, and return how far the unit fell behind the clock in all, in ms."""
        pace = Pace(self._clock.monotonic_ms())
        while not self._ended:
            self.step()
            now_ms, unit_ms = self._clock.monotonic_ms(), self._unit.now_s * 1000
            time.sleep(pace.wait_ms(now_ms, unit_ms) / 1000)
            self._lag_ms += pace.let_go(now_ms, unit_ms)
            self._tell_lag(now_ms)
        return pace.lost_ms

    def step(self) -> None:
        """Let the unit run for a slice, and carry everything that goes in and out."""
        for line in self._keyboard.take():
            self._obey_line(line)
        self._surroundings.refresh()
        if self._unit.unsent < LEAST_UNSENT:
            self._unit.send(self._port.take())
        self._unit.run(SLICE_S)
        self._port.give(self._unit.output())
        self._tell_events()
        if self._unit.now_s >= self._measured_s + WINDOW_S:
            self._truth, self._measured_s = self._unit.truth(), self._unit.now_s

    def _tell_events(self) -> None:
        events = self._unit.events()
        self._unit.forget_events()
        self._surroundings.see(events)
        for line in self._teller.lines(events):
            self._tell(line)

    def _tell_lag(self, now_ms: int) -> None:
        if self._lag_ms and now_ms - self._told_lag_ms >= TELL_LAG_MS:
            self._tell(f"{self._lag_ms / 1000:.1f} s behind the clock: this machine is busy or too slow")
            self._told_lag_ms, self._lag_ms = now_ms, 0

    def _obey_line(self, line: str) -> None:
        try:
            order = orders.parse(line, len(self._surroundings.plugs))
        except OrderError as error:
            self._tell(str(error))
            return
        if order is not None:
            self._obey(order)

    def _obey(self, order: Order) -> None:
        match order:
            case Disturb(source, level_permille):
                self._surroundings.disturb(source, level_permille)
            case PlugIn(outlet, load):
                self._surroundings.plug_in(outlet, load)
            case PlugBeside(outlet, watts):
                self._surroundings.plug_beside(outlet, watts)
            case Weld(outlet, welded):
                self._unit.relay(Part.outlet(outlet), self._relay(outlet, welded=welded))
            case Reset():
                self._unit.reset()
            case Show():
                self._tell(self._shown())
            case Help():
                self._tell(orders.HELP)
            case Quit():
                self.end()
            case _:
                assert_never(order)

    def _relay(self, outlet: int, *, welded: bool) -> RelayModel:
        return RelayModel(welded=welded, normally_closed=outlet in self._unit.board.normally_closed)

    def _shown(self) -> str:
        truth = self._truth or self._unit.truth(clear=False)
        connected = self._unit.connected
        lines = [f"at {self._unit.now_s:.1f} s, isolator {_contact(self._unit.isolator_closed)}"]
        for source, volts in zip(Source, truth.source_v, strict=False):
            lines.append(f"{source:<8} {volts:6.1f} V{'  connected' if source is connected else ''}")
        for outlet in range(1, len(self._surroundings.plugs) + 1):
            amperes, watts = truth.current_a[outlet - 1], truth.power_w[outlet - 1]
            lines.append(
                f"outlet {outlet} {_contact(self._unit.closed(outlet)):<6} {amperes:6.2f} A {watts:7.1f} W"
            )
        return "\n".join(lines)


def _contact(closed: bool) -> str:
    return "closed" if closed else "open"
