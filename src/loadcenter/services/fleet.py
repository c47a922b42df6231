"""All PDUs as they report themselves, from the control link: birth, status, state, result and live telemetry."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from loadcenter.domain.readings import Telemetry
from loadcenter.domain.twin import Identity, ReportedOutlet, ReportedState, Twin
from loadcenter.protocol import messages, topics
from loadcenter.protocol.messages import Birth, Envelope, IsolatorState, Refused, Result, State
from loadcenter.protocol.topics import Up
from loadcenter.protocol.updating import Updating, decode_updating
from loadcenter.services.announce import Announcer, PduChanged
from loadcenter.services.labels import Labels, read_labels
from loadcenter.services.planning import believable
from loadcenter.services.ports import Clock, DeviceRow, Link, LinkDownError, Message, Store

_log = logging.getLogger(__name__)

TIME_INTERVAL_MS = 3_600_000
"""How often each PDU is told the time (MQTT-55)."""

_RECEIVE_MOST = 1_000

_STEP_MS = 1_000
"""Our own clock was set when it moved this much against the monotonic one."""


@dataclass(slots=True)
class FleetCounts:
    """Messages of the control link that were not understood, by reason."""

    refused: dict[str, int]


class NoSuchPduError(KeyError):
    """No PDU of that name is registered."""

    def __init__(self, pdu_id: str) -> None:
        super().__init__(pdu_id)
        self.pdu_id = pdu_id

    def __str__(self) -> str:
        return f"no PDU '{self.pdu_id}' is registered; 'loadcenter device list' shows those that are"


class Fleet:
    """Keeps a twin of every registered PDU.

    Args:
        link: the control connection (clean session).
        store: the database, read at start only.
        clock: time.
        announcer: told of every change.
        root: first part of every topic.
        born: called with (pdu_id, boot) at each birth, to send what is stored.
        answered: called with each result of a command.
        updating: called with what a device says of an update of its program.
    """

    def __init__(
        self,
        link: Link,
        store: Store,
        clock: Clock,
        announcer: Announcer,
        root: str,
        *,
        born: Callable[[str, int], Awaitable[None]],
        answered: Callable[[str, Result], Awaitable[None]],
        updating: Callable[[str, Updating], Awaitable[None]],
    ) -> None:
        self._link = link
        self._store = store
        self._clock = clock
        self._announcer = announcer
        self._root = root
        self._born = born
        self._answered = answered
        self._updating = updating
        self._twins: dict[str, Twin] = {}
        self._labels: dict[str, Labels] = {}
        self._origins: dict[tuple[str, int], int] = {}
        self._ahead_ms = clock.now_ms() - clock.monotonic_ms()
        self.counts = FleetCounts({})

    # -- what others ask

    def twins(self) -> Mapping[str, Twin]:
        """Return all twins by name of the PDU."""
        return self._twins

    def twin(self, pdu_id: str) -> Twin:
        """Return one twin.

        Raises:
            NoSuchPduError: none of that name is registered.
        """
        try:
            return self._twins[pdu_id]
        except KeyError:
            raise NoSuchPduError(pdu_id) from None

    def labels(self, pdu_id: str) -> Labels:
        """Return what people call a PDU and its outlets."""
        return self._labels[self.twin(pdu_id).pdu_id]

    def registered(self, pdu_id: str) -> bool:
        """Return whether a PDU of that name is registered."""
        return pdu_id in self._twins

    def uptime_origin(self, pdu_id: str, boot: int) -> int | None:
        """Return UTC ms of the start of a boot, as heard from live messages; None if nothing was."""
        return self._origins.get((pdu_id, boot))

    # -- registration

    async def load(self) -> None:
        """Read registered PDUs and their desired settings.

        Raises:
            StoreUnavailableError: the database is away.
        """
        for device in await self._store.devices():
            self.register(device)
            desired = await self._store.desired(device.pdu_id)
            if desired is not None:
                self.note_desired(device.pdu_id, desired[0], json.loads(desired[1]))

    def register(self, device: DeviceRow) -> None:
        """Know a PDU from now on, or its new labels."""
        self._labels[device.pdu_id] = read_labels(device.name, device.labels)
        self._twins.setdefault(device.pdu_id, Twin(device.pdu_id))
        self._announcer.announce(PduChanged(device.pdu_id, urgent=True))

    def note_desired(self, pdu_id: str, version: int, settings: Mapping[str, object]) -> None:
        """Note the settings that a PDU shall run."""
        self._put(replace(self.twin(pdu_id), desired_version=version, desired=settings), urgent=True)

    # -- the control link

    async def run(self) -> None:
        """Take messages from the control link until cancelled."""
        while True:
            for message in await self._link.receive(_RECEIVE_MOST, 0):
                await self.take(message)

    async def run_time(self) -> None:
        """Tell every PDU the time each hour, until cancelled."""
        while True:
            await self._clock.sleep_ms(TIME_INTERVAL_MS)
            for pdu_id, twin in list(self._twins.items()):
                if twin.online:
                    await self._send_time(pdu_id)

    def lost_link(self) -> None:
        """Note that nothing is known any more of who is connected: every PDU counts as offline until heard."""
        for twin in list(self._twins.values()):
            if twin.online:
                self._put(replace(twin, online=False), urgent=True)

    async def take(self, message: Message) -> None:
        """Take one message; one that is not understood is counted and logged."""
        if message.token is not None:
            self._link.ack([message.token])
        try:
            topic = topics.parse_up(self._root, message.topic)
            self.follow_clock()
            twin = self._twins.get(topic.pdu_id)
            if twin is None or not message.payload:
                return  # not registered (ingest says so), or a retained message was cleared
            if message.retained and topic.leaf not in topics.RETAINED:
                return  # whoever kept it at the broker, it is not news
            await self._take_leaf(topic.leaf, twin, message.payload)
        except (topics.TopicError, Refused) as error:
            reason = (
                error.reason.value if isinstance(error, Refused) else messages.Refusal.FOREIGN_TOPIC.value
            )
            self.counts.refused[reason] = self.counts.refused.get(reason, 0) + 1
            _log.warning("%s: not understood (%s): %s", message.topic, reason, error)

    async def _take_leaf(self, leaf: Up, twin: Twin, payload: bytes) -> None:
        match leaf:
            case Up.BIRTH:
                await self._take_birth(twin, payload)
            case Up.STATUS:
                online = messages.decode_status(payload).status is messages.Link.ONLINE
                if online != twin.online:
                    self._put(self._connected(twin) if online else replace(twin, online=False), urgent=True)
            case Up.STATE:
                state = messages.decode_state(payload)
                self._put(twin.with_state(_reported(state, self._clock.now_ms())), urgent=True)
            case Up.TELEMETRY:
                self._take_telemetry(twin, payload)
            case Up.RESULT:
                await self._answered(twin.pdu_id, messages.decode_result(payload))
            case Up.UPDATING:
                await self._updating(twin.pdu_id, decode_updating(payload))
            case Up.EVENT:
                pass  # a record: the records link carries it

    async def _take_birth(self, twin: Twin, payload: bytes) -> None:
        try:
            birth = messages.decode_birth(payload)
        except Refused as error:
            self._put(replace(twin, refusal=str(error)), urgent=True)
            raise
        self._put(replace(twin, identity=_identity(birth), refusal=""), urgent=True)
        await self._born(twin.pdu_id, birth.boot)
        await self._send_time(twin.pdu_id)

    def _take_telemetry(self, twin: Twin, payload: bytes) -> None:
        try:
            record = messages.decode_telemetry(payload)
        except Refused:
            return  # the records link carries it too, and there it is counted and kept
        if isinstance(record.body, Telemetry):
            self.take_readings(twin.pdu_id, record.envelope, record.body, self._clock.now_ms())

    def take_readings(self, pdu_id: str, envelope: Envelope, readings: Telemetry, received_ms: int) -> None:
        """Take the readings of a record that was received at `received_ms`; those of a thinned one are no news."""
        twin = self._twins.get(pdu_id)
        if twin is None or readings.samples != 1:
            return
        if not believable(readings.ts_ms, received_ms):
            readings = replace(readings, ts_ms=received_ms)
        fresh = twin.with_readings(readings, envelope.boot, envelope.up_ms, received_ms)
        if fresh.anchor is not None:
            self._origins[twin.pdu_id, fresh.anchor.boot] = fresh.anchor.origin_ms
        self._put(fresh if twin.online else self._connected(fresh), urgent=not twin.online)

    def _connected(self, twin: Twin) -> Twin:
        return replace(twin, online=True, online_since_ms=self._clock.now_ms())

    def follow_clock(self) -> None:
        """Move every anchor along when our own clock was set, as at the first NTP answer after a start."""
        ahead_ms = self._clock.now_ms() - self._clock.monotonic_ms()
        step_ms = ahead_ms - self._ahead_ms
        if abs(step_ms) < _STEP_MS:
            return
        self._ahead_ms = ahead_ms
        _log.warning("the clock of this machine was set by %.1f s", step_ms / 1000)
        self._origins = {key: origin_ms + step_ms for key, origin_ms in self._origins.items()}
        for pdu_id, twin in self._twins.items():
            anchor = twin.anchor.shifted(step_ms) if twin.anchor else None
            since_ms = None if twin.online_since_ms is None else twin.online_since_ms + step_ms
            self._twins[pdu_id] = replace(twin, anchor=anchor, online_since_ms=since_ms)

    async def _send_time(self, pdu_id: str) -> None:
        topic = topics.down(self._root, pdu_id, topics.Down.TIME)
        try:
            await self._link.publish(topic, messages.encode_time(self._clock.now_ms()), qos=0)
        except LinkDownError as error:
            _log.info("time not sent to %s: %s", pdu_id, error)  # it is told again at its next birth

    def _put(self, twin: Twin, *, urgent: bool) -> None:
        if twin != self._twins.get(twin.pdu_id):
            self._twins[twin.pdu_id] = twin
            self._announcer.announce(PduChanged(twin.pdu_id, urgent))


def _identity(birth: Birth) -> Identity:
    return Identity(
        birth.boot,
        birth.model,
        birth.fw,
        birth.outlets,
        birth.nominal.v_mv,
        birth.nominal.f_mhz,
        birth.ratings.outlet_ma,
        birth.ratings.total_ma,
        birth.period_ms,
    )


def _reported(state: State, received_ms: int) -> ReportedState:
    outlets = tuple(
        ReportedOutlet(one.n, one.on, one.cause, one.by, one.trip, one.lock, one.limit_ma)
        for one in state.out
    )
    return ReportedState(
        state.boot,
        state.up_ms,
        received_ms,
        state.active,
        state.preferred,
        state.live,
        state.isolator is IsolatorState.CLOSED,
        state.src,
        outlets,
        state.settings,
        state.n,
        state.lockout,
    )
