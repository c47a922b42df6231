"""A PDU without hardware: the plant behind it, the device's own decisions, and its gateway. Sans-I/O.

The caller gives the time and carries the messages. Power is decided by `domain.cycle`, exactly as a device would.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import msgspec

from loadcenter.domain import cycle
from loadcenter.domain.events import EventCode
from loadcenter.domain.pdu import GivenOrder, PduInputs, PduState
from loadcenter.domain.settings import PduConfig, SettingsError, apply_settings, desired_settings
from loadcenter.domain.standing import NOTHING_DONE
from loadcenter.protocol import topics
from loadcenter.protocol.topics import DEFAULT_ROOT, Down
from loadcenter.simulator.at_once import done_at_once
from loadcenter.simulator.contacts import RelayPair, any_timing
from loadcenter.simulator.encode import VERSION, Body, state_body, telemetry_body
from loadcenter.simulator.flash import Flash, kept_outlets, read_flash, recalled, write_flash
from loadcenter.simulator.gateway import DEFAULT_LIMITS, Gateway, Limits
from loadcenter.simulator.inbox import UnreadableError, check_version, number, read_ack, read_object
from loadcenter.simulator.loads import Load
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.plant import Plant

FINE_MS = 20
"""Step of the device's own cycle (house.md)."""

MODEL = "Virtual PDU"
FIRMWARE = "simulator 1"


class ResetCause(StrEnum):
    """Why a start happened, as told in the event `boot`."""

    POWER = "power"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class PduSpec:
    """What a virtual PDU is.

    Attributes:
        pdu_id: its name on the wire.
        loads: what is plugged into outlet 1, 2, ...
        config: factory settings; as many outlets as loads.
        root: first part of every topic.
        step_ms: length of a step while nothing happens; while something does, it is 20 ms at most.
        period_ms: time between two samples of telemetry.
        limits: how much its gateway keeps.
        dead_ms: dead time of the board variant with two source relays; None for the changeover relay.
    """

    pdu_id: str
    loads: Sequence[Load]
    config: PduConfig = field(default_factory=PduConfig)
    root: str = DEFAULT_ROOT
    step_ms: int = FINE_MS
    period_ms: int = 1000
    limits: Limits = DEFAULT_LIMITS
    dead_ms: int | None = None


class VirtualPdu:
    """One PDU, from its first start or from what its flash still holds.

    Args:
        spec: what it is.
        seed: fixes all that is random.
        now_ms: time of its start, in ms of any clock that does not go back.
        saved: what `saved` returned earlier; None for a new device.

    Raises:
        FlashError: `saved` is something else.
    """

    def __init__(self, spec: PduSpec, seed: int, now_ms: int, saved: bytes | None = None) -> None:
        if len(spec.loads) != len(spec.config.outlets):
            raise ValueError(f"{len(spec.loads)} loads for {len(spec.config.outlets)} outlets")
        flash = Flash() if saved is None else read_flash(saved)
        count = len(spec.loads)
        self._spec = spec
        self._rng = random.Random(seed)
        self._now_ms = now_ms
        self.config = _configured(spec.config, flash)
        changeover = None
        if spec.dead_ms is not None:
            changeover = RelayPair(any_timing(self._rng), any_timing(self._rng), spec.dead_ms)
        self.plant = Plant(self.config, spec.loads, self._rng, flash.energy_mwh(count), now_ms, changeover)
        self._state = cycle.start(recalled(flash.outlets, count), self.config, now_ms)
        self._orders: list[GivenOrder] = []
        self._refused_version = 0
        self._seen: PduInputs | None = None
        self._said: tuple[object, ...] = ()
        self._gateway = self._started_gateway(flash, ResetCause.POWER)
        self._sample_ms = now_ms + spec.period_ms

    # -- what the world sees

    @property
    def pdu_id(self) -> str:
        """Name of the device, which is also its MQTT user."""
        return self._spec.pdu_id

    @property
    def state(self) -> PduState:
        """What the device has decided; for a look inside."""
        return self._state

    @property
    def boot(self) -> int:
        """Number of the current start."""
        return self._gateway.boot

    @property
    def now_ms(self) -> int:
        """Time up to which it has been advanced."""
        return self._now_ms

    @property
    def is_connected(self) -> bool:
        """Whether it believes to be connected; False after each restart, so that a new connection is due."""
        return self._gateway.is_connected

    @property
    def will(self) -> Outgoing:
        """What the broker shall say when the device is gone."""
        return self._gateway.will

    @property
    def subscription(self) -> str:
        """The one filter that a device subscribes to."""
        return topics.down(self._spec.root, self._spec.pdu_id, "#")

    def saved(self, *, stopped: bool = True) -> bytes:
        """Return what the device's flash holds now; with it a later `VirtualPdu` goes on.

        Args:
            stopped: the device does not go on after this. A copy for the case of a crash says False: the energy
                counters of the next start then begin at 0, since those in the copy are out of date.
        """
        flash = self._flash(telemetry_known=True)
        return write_flash(msgspec.structs.replace(flash, current=stopped))

    # -- what the world does

    def advance(self, now_ms: int) -> list[Outgoing]:
        """Let time pass until `now_ms` and return what is to be published."""
        while self._now_ms < now_ms:
            step_ms = self._spec.step_ms if self._calm else min(self._spec.step_ms, FINE_MS)
            self._now_ms = min(now_ms, self._now_ms + step_ms, max(self._sample_ms, self._now_ms + 1))
            self._step()
        return self._gateway.flush(self._now_ms)

    def connected(self, now_ms: int) -> list[Outgoing]:
        """Begin a connection to the broker."""
        self.advance(now_ms)
        self._gateway.connected(self._birth(), self._report(), self._now_ms)
        return self._gateway.flush(self._now_ms)

    def disconnected(self, now_ms: int) -> None:
        """Note that the connection is gone; the device goes on as before (MQTT-61)."""
        self.advance(now_ms)
        self._gateway.disconnected()

    def receive(self, topic: str, payload: bytes, retained: bool, now_ms: int) -> list[Outgoing]:
        """Take a message from the broker; an order is carried out in the next step."""
        due = self.advance(now_ms)
        leaf = topic.removeprefix(topics.down(self._spec.root, self._spec.pdu_id, ""))
        if payload and leaf in Down._value2member_map_:
            try:
                self._take(Down(leaf), payload, retained)
            except UnreadableError as error:
                data = {"code": "malformed", "topic": leaf, "detail": str(error)}
                self._gateway.report_own(EventCode.COMMAND_REFUSED, data, self._now_ms)
        return due + self._gateway.flush(self._now_ms)

    def power_cycle(self, now_ms: int) -> None:
        """Cut the supply of the whole device for an instant: relays fall open, and memory is lost."""
        self.advance(now_ms)
        flash = self._flash(telemetry_known=False)
        self._state = cycle.start(self._state.memory, self.config, self._now_ms)
        self.plant.drive(self._state.drives, self._now_ms)
        self._restart(flash, ResetCause.POWER)

    def reboot_gateway(self, now_ms: int) -> None:
        """Restart the gateway alone; no relay moves, and the telemetry that it held is lost."""
        self.advance(now_ms)
        self._restart(self._flash(telemetry_known=True), ResetCause.GATEWAY)

    # -- inside

    @property
    def _calm(self) -> bool:
        return self._seen is not None and not self._orders

    def _step(self) -> None:
        inputs = self.plant.read(self._now_ms)
        # At rest nothing depends on time alone, so the same readings decide nothing new.
        if inputs is not self._seen or self._orders:
            self._decide(inputs)
        if self._now_ms >= self._sample_ms:
            self._sample_ms += self._spec.period_ms
            averages = self.plant.sample(self._now_ms)
            body = telemetry_body(inputs, self._state.drives, averages, self._spec.period_ms)
            self._gateway.report_telemetry(body, self._now_ms)

    def _decide(self, inputs: PduInputs) -> None:
        before = self._state
        given = inputs
        acted = done_at_once(inputs, before)
        if self._orders or acted is not NOTHING_DONE:
            given = replace(inputs, orders=tuple(self._orders), acted=acted)
            self._orders.clear()
        self._state, outputs = cycle.step(before, given, self.config, self._now_ms)
        told = outputs.events or outputs.results
        calm = before.at_rest and self._state.at_rest and not told
        self._seen = inputs if calm else None
        if calm:  # nothing but the heat of the relays has gone on, which is not reported
            return
        if outputs.drives != before.drives:
            self.plant.drive(outputs.drives, self._now_ms)
        if outputs.events:
            self._gateway.report_events(outputs.events, outputs.first, self._now_ms)
        self._say_state(inputs.live)
        if outputs.results:
            self._gateway.report_results(outputs.results, self._now_ms)

    def _say_state(self, live: bool) -> None:
        """Report the state where something may have changed that is part of it."""
        state = self._state
        switch = state.transfer
        seen = (
            tuple(outlet.snapshot(number) for number, outlet in enumerate(state.outlets, 1)),
            state.drives,
            live,
            switch.main.grade,
            switch.backup.grade,
            switch.lockout_ms is None,
        )
        if seen != self._said:
            self._said = seen
            self._gateway.report_state(self._report(live), self._now_ms)

    def _take(self, leaf: Down, payload: bytes, retained: bool) -> None:
        match leaf:
            case Down.COMMAND:
                given = self._gateway.take_command(payload, retained, self._now_ms)
                if given is not None:
                    self._orders.append(given)
                self._gateway.report_state(self._report(), self._now_ms)
            case Down.ACK:
                self._gateway.take_ack(read_ack(payload), self._now_ms)
            case Down.TIME:
                fields = read_object(payload)
                check_version(fields)
                self._gateway.set_clock(number(fields, "ts_ms"), self._now_ms)
            case Down.DESIRED:
                self._take_desired(payload)
            case Down.UPDATE:
                pass  # it has no program of its own to update (MQTT-70)

    def _take_desired(self, payload: bytes) -> None:
        fields = read_object(payload)
        check_version(fields)
        version = number(fields, "version")
        if version <= self.config.version or version == self._refused_version:
            return
        applied = apply_settings(self.config, fields)
        if isinstance(applied, SettingsError):
            self._refused_version = version
            data = {"version": version, "setting": applied.setting, "detail": applied.message}
            if applied.outlet is not None:
                data["outlet"] = applied.outlet
            self._gateway.report_own(EventCode.SETTINGS_REFUSED, data, self._now_ms)
            return
        self.config = applied
        self._seen = None
        self._gateway.report_own(EventCode.SETTINGS_APPLIED, {"version": version}, self._now_ms)
        self._gateway.report_state(self._report(), self._now_ms)

    def _restart(self, flash: Flash, cause: ResetCause) -> None:
        self._orders.clear()
        self._seen = None
        self._refused_version = 0
        self._gateway = self._started_gateway(flash, cause)
        self._sample_ms = self._now_ms + self._spec.period_ms
        self.plant.sample(self._now_ms)

    def _started_gateway(self, flash: Flash, cause: ResetCause) -> Gateway:
        gateway = Gateway(
            self._spec.pdu_id,
            self._spec.root,
            flash.boot + 1,
            self._now_ms,
            flash.events,
            self._rng,
            self._spec.limits,
        )
        data: Body = {"reset_cause": cause.value}
        if flash.boot:
            data["closes"] = {"boot": flash.boot, "telemetry": flash.telemetry}
        gateway.report_own(EventCode.BOOT, data, self._now_ms)
        return gateway

    def _flash(self, *, telemetry_known: bool) -> Flash:
        gateway = self._gateway
        return Flash(
            gateway.boot,
            gateway.telemetry.next_seq - 1 if telemetry_known else None,
            kept_outlets(self._state.memory, [plug.counter.energy_mwh for plug in self.plant.plugs]),
            gateway.kept_events(),
            desired_settings(self.config) if self.config.version else None,
        )

    def _report(self, live: bool | None = None) -> Body:
        if live is None:
            live = self.plant.read(self._now_ms).live
        drives = self._state.drives
        return state_body(
            cycle.snapshot(self._state), drives, self.config, live=live, last_n=self._gateway.last_n
        )

    def _birth(self) -> Body:
        count, rating_ma = len(self.config.outlets), self.config.outlet_rating_ma
        return {
            "min_v": VERSION,
            "max_v": VERSION,
            "model": f"{MODEL} {count}",
            "fw": FIRMWARE,
            "outlets": count,
            "nominal": {"v_mv": self.config.nominal_mv, "f_mhz": self.config.nominal_mhz},
            "ratings": {"outlet_ma": rating_ma, "total_ma": rating_ma * count},
            "period_ms": self._spec.period_ms,
        }


def _configured(config: PduConfig, flash: Flash) -> PduConfig:
    """Return the settings in force after a start; those of another build that no longer fit are the factory's."""
    if flash.settings is None:
        return config
    applied = apply_settings(config, flash.settings)
    return config if isinstance(applied, SettingsError) else applied
