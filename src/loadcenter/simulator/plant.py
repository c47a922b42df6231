"""What stands behind the PDU's terminals: two sources, changeover, isolator, outlet relays and loads.

The electrical state is worked out only when something can have changed (a disturbance, a contact, a second of noise);
between those instants power is constant, so that energy is integrated exactly.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from loadcenter.domain.energy import EnergyCounter
from loadcenter.domain.pdu import Drives, PduInputs
from loadcenter.domain.qualification import MEASURABLE_PERMILLE, SourceInput
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Source
from loadcenter.simulator.contacts import Changeover, Contact, RelayPair, any_timing
from loadcenter.simulator.loads import (
    HOLD_MS,
    MOTOR_START_FACTOR,
    MOTOR_START_PF_PERMILLE,
    Conditions,
    Draw,
    Load,
)
from loadcenter.simulator.mains import DEAD_PERMILLE, Supplied, Supply

LIVE_PERMILLE = 400
"""The optocoupler of the bus-live input conducts from about 40 % of the nominal voltage."""

LOST_PERMILLE = 650
DETECTION_MS = 4
"""The two-point detector answers within 3.6 ms at every phase angle (research: 360 angles); rounded up."""

MOTOR_RUNNING_MA = 1500
MOTOR_START_MS = 400


@dataclass(slots=True)
class Plug:
    """One outlet with what is plugged in.

    Attributes:
        load: what takes power.
        contact: its relay.
        counter: its energy counter.
        extra_ma: an overload in parallel, resistive.
        motor_until_ms: a motor starts in parallel until then.
        energised_ms: since when it has voltage, None while it has none.
        power_mw: real power since the last instant worked out.
        current_ma: current likewise.
        energy_mw_ms: not yet in the counter.
        charge_ma_ms: current times time, for the average of a record.
    """

    load: Load
    contact: Contact
    counter: EnergyCounter
    extra_ma: int = 0
    motor_until_ms: int = 0
    energised_ms: int | None = None
    power_mw: int = 0
    current_ma: int = 0
    energy_mw_ms: int = 0
    charge_ma_ms: int = 0


@dataclass(frozen=True, slots=True)
class Averaged:
    """One outlet over the time since it was sampled last: averages in mA and mW, and the counter."""

    current_ma: int
    power_mw: int
    energy_mwh: int


class Plant:
    """The electrical side of one PDU.

    Args:
        config: for nominal voltage and frequency.
        loads: what is plugged into outlet 1, 2, ...
        rng: fixes contact times and the wander of the sources.
        energy_mwh: what the counters start from.
        now_ms: time of the beginning.
        changeover: the transfer switch, a changeover relay unless told otherwise.
    """

    def __init__(
        self,
        config: PduConfig,
        loads: Sequence[Load],
        rng: random.Random,
        energy_mwh: Sequence[int],
        now_ms: int,
        changeover: Changeover | RelayPair | None = None,
    ) -> None:
        self._nominal_mv = config.nominal_mv
        self.supplies = {
            source: Supply(config.nominal_mv, config.nominal_mhz, random.Random(rng.random()))
            for source in Source
        }
        self.changeover = changeover or Changeover(any_timing(rng))
        self._isolator = Contact(any_timing(rng))
        self.plugs = [
            Plug(load, Contact(any_timing(rng)), EnergyCounter(energy))
            for load, energy in zip(loads, energy_mwh, strict=True)
        ]
        self._since_ms = now_ms
        self._sampled_ms = now_ms
        self._stale_ms = now_ms
        self._low_since_ms: dict[Source, int | None] = dict.fromkeys(Source)
        self._inputs = PduInputs(SourceInput(0, None), SourceInput(0, None), (), live=False)

    def touch(self) -> None:
        """Work everything out anew at the next look: a disturbance has begun or ended."""
        self._stale_ms = self._since_ms

    def drive(self, drives: Drives, now_ms: int) -> None:
        """Drive the relays."""
        self.changeover.drive(drives.changeover, now_ms)
        self._isolator.drive(drives.isolator_closed, now_ms)
        for plug, closed in zip(self.plugs, drives.outlets, strict=True):
            plug.contact.drive(closed, now_ms)
        self.touch()

    def read(self, now_ms: int) -> PduInputs:
        """Return what the PDU measures at `now_ms`; the same object while nothing can have changed."""
        if now_ms >= self._stale_ms:
            self._integrate(now_ms)
            self._work_out(now_ms)
        return self._inputs

    def sample(self, now_ms: int) -> list[Averaged]:
        """Return every outlet's averages since the last call, and begin anew."""
        self._integrate(now_ms)
        span_ms = max(1, now_ms - self._sampled_ms)
        self._sampled_ms = now_ms
        return [_average(plug, span_ms) for plug in self.plugs]

    def _integrate(self, now_ms: int) -> None:
        span_ms = now_ms - self._since_ms
        if span_ms > 0:
            for plug in self.plugs:
                plug.energy_mw_ms += plug.power_mw * span_ms
                plug.charge_ma_ms += plug.current_ma * span_ms
            self._since_ms = now_ms

    def _work_out(self, now_ms: int) -> None:
        main = self.supplies[Source.MAIN].read(now_ms)
        backup = self.supplies[Source.BACKUP].read(now_ms)
        throw = self.changeover.closed_to(now_ms)
        bus_mv = 0
        if throw is not None and self._isolator.closed(now_ms):
            bus_mv = (main if throw is Source.MAIN else backup).voltage_mv
        lasts_ms = min((self._feed(plug, bus_mv, now_ms) for plug in self.plugs), default=HOLD_MS)
        self._stale_ms = min(now_ms + lasts_ms, self._next_change_ms(now_ms))
        self._inputs = PduInputs(
            self._measured(Source.MAIN, main, now_ms),
            self._measured(Source.BACKUP, backup, now_ms),
            tuple(plug.current_ma for plug in self.plugs),
            bus_mv * 1000 >= self._nominal_mv * LIVE_PERMILLE,
            self._angle(main, backup),
            powers_mw=tuple(plug.power_mw for plug in self.plugs),
        )

    def _feed(self, plug: Plug, bus_mv: int, now_ms: int) -> int:
        """Work out one outlet, and return for how long that holds."""
        if bus_mv == 0 or not plug.contact.closed(now_ms):
            plug.energised_ms = None
            plug.power_mw = plug.current_ma = 0
            return HOLD_MS
        if plug.energised_ms is None:
            plug.energised_ms = now_ms
        draw = plug.load.draw(Conditions(now_ms, plug.energised_ms, bus_mv, self._nominal_mv))
        plug.power_mw, plug.current_ma = _with_disturbances(plug, draw, bus_mv, now_ms)
        motor_ms = plug.motor_until_ms - now_ms
        return min(draw.lasts_ms, motor_ms) if motor_ms > 0 else draw.lasts_ms

    def _next_change_ms(self, now_ms: int) -> int:
        """Return the next instant at which a contact moves, a detector answers or a second begins."""
        contacts = (self._isolator, self.changeover, *(plug.contact for plug in self.plugs))
        moves = [contact.next_change_ms(now_ms) for contact in contacts]
        answers = [supply.disturbed_ms + DETECTION_MS for supply in self.supplies.values()]
        second_ms = (now_ms // HOLD_MS + 1) * HOLD_MS
        known = [at_ms for at_ms in moves if at_ms is not None]
        return min([second_ms, *known, *(at_ms for at_ms in answers if at_ms > now_ms)])

    def _measured(self, source: Source, supplied: Supplied, now_ms: int) -> SourceInput:
        permille = supplied.voltage_mv * 1000 // self._nominal_mv
        if permille >= LOST_PERMILLE:
            self._low_since_ms[source] = None
            return SourceInput(supplied.voltage_mv, supplied.frequency_mhz)
        if self._low_since_ms[source] is None:
            self._low_since_ms[source] = self.supplies[source].disturbed_ms
        since_ms = self._low_since_ms[source]
        lost = since_ms is not None and now_ms - since_ms >= DETECTION_MS
        frequency_mhz = supplied.frequency_mhz if permille >= MEASURABLE_PERMILLE else None
        return SourceInput(supplied.voltage_mv, frequency_mhz, lost, DETECTION_MS * 1000 if lost else 0)

    def _angle(self, main: Supplied, backup: Supplied) -> int | None:
        least_mv = self._nominal_mv * DEAD_PERMILLE // 1000
        if min(main.voltage_mv, backup.voltage_mv) < least_mv:
            return None
        return (backup.phase_mdeg - main.phase_mdeg + 180_000) % 360_000 - 180_000


def _with_disturbances(plug: Plug, draw: Draw, bus_mv: int, now_ms: int) -> tuple[int, int]:
    """Return power and current with what the panel has added; in-phase currents add up, which is the worst case."""
    power_mw = draw.power_mw + plug.extra_ma * bus_mv // 1000
    current_ma = draw.current_ma + plug.extra_ma
    if now_ms < plug.motor_until_ms:
        start_ma = MOTOR_RUNNING_MA * MOTOR_START_FACTOR
        current_ma += start_ma
        power_mw += start_ma * bus_mv * MOTOR_START_PF_PERMILLE // 1_000_000
    return power_mw, current_ma


def _average(plug: Plug, span_ms: int) -> Averaged:
    energy_mw_ms, charge_ma_ms = plug.energy_mw_ms, plug.charge_ma_ms
    plug.energy_mw_ms = plug.charge_ma_ms = 0
    plug.counter = plug.counter.add(energy_mw_ms, 1)
    return Averaged(round(charge_ma_ms / span_ms), round(energy_mw_ms / span_ms), plug.counter.energy_mwh)
