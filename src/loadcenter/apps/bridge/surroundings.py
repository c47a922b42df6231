"""What stands around an emulated unit: the sources and loads of the simulator, at the terminals of the emulator.

The simulator says what a source supplies and what a load takes; contacts, currents and everything within a cycle are
the emulator's. A load is a resistance and an inductance in series that take its power at its power factor: right in
RMS and power, but without the shape of a rectifier's current.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from loadcenter.adapters.emulator import Emulator, Event, Impedance, Kind, Sine
from loadcenter.domain.topology import Source
from loadcenter.simulator.loads import CATALOG, NOTHING, Conditions, Draw, Heater, Load
from loadcenter.simulator.mains import Disturbance, Supplied, Supply
from loadcenter.simulator.rack import default_layouts

REFRESH_MS = 100
"""How often the loads are asked what they take; they change each second, or by themselves when they start."""

NOTICEABLE_PERMILLE = 5
"""A draw that has changed by less stays as it is: what is plugged in anew begins without current."""


@dataclass(slots=True)
class Plug:
    """What is plugged into an outlet.

    Attributes:
        load: None is nothing.
        energised_ms: since when it has voltage, None while it has none.
        draw: what it takes now.
        number: by which the emulator knows it, None if it does not.
        beside: by which the emulator knows a resistance more, None if there is none.
    """

    load: Load | None
    energised_ms: int | None = None
    draw: Draw = NOTHING
    number: int | None = None
    beside: int | None = None


def default_loads(outlets: int, seed: int) -> list[Load]:
    """Return what is plugged in at first: what the demo's racks hold, one after the other."""
    found = (outlet.load for layout in default_layouts(outlets, seed) for outlet in layout.outlets)
    return [load for load, _ in zip(found, range(outlets), strict=False)]


class Surroundings:
    """Sources and loads of one unit.

    Args:
        unit: whose terminals they are at.
        loads: of outlet 1, 2, ...
        seed: of the wander of the sources, and of loads that are named later.
    """

    def __init__(self, unit: Emulator, loads: Sequence[Load], seed: int) -> None:
        self._unit = unit
        self._rng = random.Random(seed)  # noqa: S311 - runs repeat
        self._nominal_mv = round(unit.board.nominal_v * 1000)
        self._nominal_mhz = round(unit.board.nominal_hz * 1000)
        self.supplies = {
            source: Supply(self._nominal_mv, self._nominal_mhz, random.Random(self._rng.random()))  # noqa: S311
            for source in Source
        }
        self._fed: dict[Source, Supplied] = {}
        self.plugs = [Plug(load) for load in loads]
        self._due_ms = 0

    @property
    def now_ms(self) -> int:
        """Time of the unit."""
        return int(self._unit.now_s * 1000)

    def disturb(self, source: Source, level_permille: int) -> None:
        """Let a source have this part of its voltage from now on."""
        self.supplies[source].disturb(Disturbance(level_permille), self.now_ms)
        self._due_ms = 0

    def plug_in(self, outlet: int, load: str | float | None) -> None:
        """Plug something else into an outlet (from 1): a name of the catalogue, a power in W, or nothing."""
        plug = self.plugs[outlet - 1]
        match load:
            case str():
                plug.load = CATALOG[load](self._rng.getrandbits(32))
            case None:
                plug.load = None
            case watts:
                plug.load = Heater(watts)
        self._due_ms = 0

    def plug_beside(self, outlet: int, watts: float | None) -> None:
        """Plug a resistance of this power in beside what an outlet (from 1) holds; None pulls it out."""
        plug = self.plugs[outlet - 1]
        if plug.beside is not None:
            self._unit.unplug(outlet, plug.beside)
            plug.beside = None
        if watts is not None:
            plug.beside = self._unit.plug(outlet, Impedance((self._nominal_mv / 1000) ** 2 / watts, 0.0))

    def see(self, events: Sequence[Event]) -> None:
        """Take note of the outlets that have come under voltage, or have lost it."""
        for event in events:
            if event.kind is Kind.LIVE:
                self.plugs[event.index].energised_ms = self.now_ms if event.value else None
                self._due_ms = 0

    def refresh(self) -> None:
        """Bring the emulator's sources and loads up to date, if that is due."""
        now_ms = self.now_ms
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + REFRESH_MS
        for source in Source:
            self._feed(source, self.supplies[source].read(now_ms))
        for outlet, plug in enumerate(self.plugs, 1):
            self._load(outlet, plug, now_ms)

    def _feed(self, source: Source, supplied: Supplied) -> None:
        before = self._fed.get(source)
        self._fed[source] = supplied
        if before is None:
            # The first wave sets the phase; each one after it goes on from there.
            wave = Sine(supplied.voltage_mv / 1000, supplied.frequency_mhz / 1000, supplied.phase_mdeg / 1000)
        elif (before.voltage_mv, before.frequency_mhz) == (supplied.voltage_mv, supplied.frequency_mhz):
            return
        else:
            wave = Sine(supplied.voltage_mv / 1000, supplied.frequency_mhz / 1000)
        self._unit.feed(source, wave)

    def _load(self, outlet: int, plug: Plug, now_ms: int) -> None:
        bus_mv = self._bus_mv()
        # Without voltage: what it will take in its first moment, so that it starts as it should.
        since_ms = now_ms if plug.energised_ms is None else plug.energised_ms
        draw = (
            plug.load.draw(Conditions(now_ms, since_ms, bus_mv, self._nominal_mv)) if plug.load else NOTHING
        )
        if not noticeable(plug.draw, draw):
            return
        number = (
            self._unit.plug(outlet, impedance_of(draw, bus_mv, self._fed_mhz())) if draw.current_ma else None
        )
        if plug.number is not None:
            self._unit.unplug(outlet, plug.number)
        plug.draw, plug.number = draw, number

    def _bus_mv(self) -> int:
        """Return the voltage by which a load is reckoned: that of the connected source, nominal when there is none."""
        source = self._unit.connected
        fed_mv = self._fed[source].voltage_mv if source else 0
        return fed_mv or self._nominal_mv

    def _fed_mhz(self) -> int:
        source = self._unit.connected
        return self._fed[source].frequency_mhz if source else self._nominal_mhz


def noticeable(before: Draw, after: Draw) -> bool:
    """Return whether a draw has changed so much that it is worth plugging it in anew."""
    return any(
        abs(new - old) * 1000 > NOTICEABLE_PERMILLE * old
        for old, new in ((before.current_ma, after.current_ma), (before.power_mw, after.power_mw))
    )


def impedance_of(draw: Draw, voltage_mv: int, frequency_mhz: int) -> Impedance:
    """Return what takes the power and current of a draw, which is not nothing, at this voltage and frequency."""
    amperes = draw.current_ma / 1000
    ohm = draw.power_mw / 1000 / amperes**2
    apparent_ohm = voltage_mv / draw.current_ma
    reactance = math.sqrt(max(0.0, apparent_ohm**2 - ohm**2))
    # Whole milliamperes would leave a resistance a trace of reactance: above a power factor of 0.995 there is none.
    henry = 0.0 if reactance < apparent_ohm / 10 else reactance / (math.tau * frequency_mhz / 1000)
    return Impedance(ohm, henry)
