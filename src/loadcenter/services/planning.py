"""What one transaction writes for a batch of deliveries: positions, records, events, gaps, quarantine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from loadcenter.domain.events import SEVERITY, Detail, EventCode
from loadcenter.domain.readings import Telemetry
from loadcenter.domain.topology import Source
from loadcenter.protocol import messages, topics
from loadcenter.protocol.messages import Envelope, EventBody, Gap, Refusal, Refused
from loadcenter.protocol.session import Ahead, Duplicate, Stream, StreamKey, Taken, judge
from loadcenter.services.ports import (
    GapRow,
    IngestBatch,
    Message,
    Position,
    QuarantineRow,
    RawRecord,
    Store,
    StoredEvent,
)

_EARLIEST_MS = 1_577_836_800_000
"""2020-01-01: a device clock before this was never set."""

_FUTURE_MS = 86_400_000
"""A device clock more than a day ahead of ours is not believed."""


class Inbound(NamedTuple):
    """One delivery, read once, planned as often as it takes.

    `body` is what the record says, or the refusal; a refused record without an envelope is not stored.
    """

    message: Message
    received_ms: int
    pdu_id: str
    stream: Stream | None
    envelope: Envelope | None
    body: Telemetry | EventBody | Gap | Refused

    @property
    def stranger(self) -> bool:
        """Whether the sender is not registered."""
        return isinstance(self.body, Refused) and self.body.reason is Refusal.UNKNOWN_PDU

    def refuse(self, reason: Refusal, detail: str) -> "Inbound":
        """Return this delivery as refused, to go to quarantine under its own number."""
        return self._replace(body=Refused(reason, detail, self.envelope))


class PositionBook:
    """What is stored of each stream, read from the database once and kept in step with it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded: set[str] = set()
        self._positions: dict[StreamKey, int] = {}

    async def load(self, pdu_id: str) -> None:
        """Read the positions of a PDU if they are not known.

        Raises:
            StoreUnavailableError: the database is away.
        """
        if pdu_id in self._loaded:
            return
        found = await self._store.positions(pdu_id)
        if pdu_id not in self._loaded:  # another task may have read, and moved on, in the meantime
            self._positions.update(found)
            self._loaded.add(pdu_id)

    def known(self, pdu_id: str) -> bool:
        """Return whether the positions of a PDU are known now."""
        return pdu_id in self._loaded

    def position(self, key: StreamKey) -> int:
        """Return the last number stored of a stream, 0 before the first; worthless unless `known`."""
        return self._positions.get(key, 0)

    def apply(self, moves: Sequence[Position]) -> None:
        """Note moves that were committed."""
        for move in moves:
            self._positions[move.key] = move.after

    def forget(self) -> None:
        """Forget everything; it is read again when needed."""
        self._loaded.clear()
        self._positions.clear()


@dataclass(slots=True)
class Plan:
    """One transaction and what to answer after it.

    Attributes:
        batch: what is written.
        touched: (pdu, boot) whose positions the devices should hear.
        urgent: PDUs that are answered at once (event, duplicate, ahead, unreadable).
        strangers: PDUs that are not registered; what they sent is not stored and not acknowledged.
    """

    batch: IngestBatch
    touched: set[tuple[str, int]]
    urgent: frozenset[str]
    strangers: frozenset[str]
    taken: int
    duplicates: int
    ahead: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.batch.positions or self.batch.quarantine or self.batch.gaps)


@dataclass(slots=True)
class _Draft:
    book: PositionBook
    records: list[RawRecord] = field(default_factory=list)
    events: list[StoredEvent] = field(default_factory=list)
    gaps: list[GapRow] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    before: dict[StreamKey, int] = field(default_factory=dict)
    after: dict[StreamKey, int] = field(default_factory=dict)
    touched: set[tuple[str, int]] = field(default_factory=set)
    urgent: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    taken: int = 0
    duplicates: int = 0
    ahead: int = 0

    def position(self, key: StreamKey) -> int:
        return self.after.get(key, self.book.position(key))

    def move(self, key: StreamKey, after: int) -> None:
        self.before.setdefault(key, self.book.position(key))
        self.after[key] = after

    def finish(self) -> Plan:
        positions = [Position(key, before, self.after[key]) for key, before in self.before.items()]
        batch = IngestBatch(
            events=self.events,
            gaps=self.gaps,
            quarantine=self.quarantine,
            positions=positions,
            records=self.records,
        )
        urgent, strangers = frozenset(self.urgent - {""}), frozenset(self.strangers)
        return Plan(batch, self.touched, urgent, strangers, self.taken, self.duplicates, self.ahead)


class Planner:
    """Reads deliveries and plans transactions; pure but for what it is told of uptimes.

    Args:
        root: first part of every topic.
        uptime_origin: returns UTC ms of the start of (pdu_id, boot), None if nothing was heard of it; used for
            records of a device without a clock.
        registered: returns whether a PDU is registered.
    """

    def __init__(
        self,
        root: str,
        uptime_origin: Callable[[str, int], int | None],
        registered: Callable[[str], bool],
    ) -> None:
        self.root = root
        self._uptime_origin = uptime_origin
        self._registered = registered
        self._reckoned: dict[tuple[str, int], int] = {}

    def read(self, message: Message, received_ms: int) -> Inbound:
        """Return the delivery as read; what cannot be read carries its refusal."""
        try:
            topic = _parse_up(self.root, message.topic)
        except topics.TopicError as error:
            refused = Refused(Refusal.FOREIGN_TOPIC, str(error))
            return Inbound(message, received_ms, "", None, None, refused)
        if topic.leaf not in topics.RECORDS:
            refused = Refused(Refusal.FOREIGN_TOPIC, f"'{message.topic}' does not carry records (MQTT-10)")
            return Inbound(message, received_ms, "", None, None, refused)
        stream = Stream(topic.leaf.value)
        if not self._registered(topic.pdu_id):
            refused = Refused(
                Refusal.UNKNOWN_PDU,
                f"no device '{topic.pdu_id}' is registered: loadcenter device add {topic.pdu_id}",
            )
            return Inbound(message, received_ms, topic.pdu_id, stream, None, refused)
        try:
            record: messages.TelemetryRecord | messages.EventRecord
            if stream is Stream.TELEMETRY:
                record = messages.decode_telemetry(message.payload)
            else:
                record = messages.decode_event(message.payload)
        except Refused as error:
            return Inbound(message, received_ms, topic.pdu_id, stream, error.envelope, error)
        return Inbound(message, received_ms, topic.pdu_id, stream, record.envelope, record.body)

    def plan(self, inbound: Sequence[Inbound], book: PositionBook) -> Plan:
        """Return the one transaction that stores a batch, each record at most once (MQTT-12)."""
        draft = _Draft(book)
        for one in inbound:
            self._reckon(one)
        for one in inbound:
            self._add(draft, one)
        return draft.finish()

    def _add(self, draft: _Draft, one: Inbound) -> None:
        envelope, stream = one.envelope, one.stream
        if envelope is None or stream is None:
            assert isinstance(one.body, Refused)
            if one.stranger:
                # not stored and not acknowledged: the device keeps its records
                draft.strangers.add(one.pdu_id)
            else:
                self._quarantine(draft, one, one.body)
                draft.urgent.add(one.pdu_id)
            return
        key = StreamKey(one.pdu_id, envelope.boot, stream)
        draft.touched.add((one.pdu_id, envelope.boot))
        match judge(draft.position(key), envelope.first, envelope.seq):
            case Duplicate():
                draft.duplicates += 1
                draft.urgent.add(one.pdu_id)
            case Ahead():
                draft.ahead += 1
                draft.urgent.add(one.pdu_id)
            case Taken(first, seq):
                draft.taken += 1
                draft.move(key, seq)
                self._store(draft, one, key, envelope, first)

    def _store(self, draft: _Draft, one: Inbound, key: StreamKey, envelope: Envelope, first: int) -> None:
        ts_ms = self._time_of(one, envelope)
        match one.body:
            case Telemetry() as readings:
                numbers = envelope.seq - envelope.first + 1
                samples = max(1, readings.samples * (envelope.seq - first + 1) // numbers)
                draft.records.append(RawRecord(one.pdu_id, ts_ms, samples, readings))
            case EventBody() as event:
                draft.urgent.add(one.pdu_id)
                draft.events.append(_stored(one.pdu_id, ts_ms, envelope, event))
                if event.code is EventCode.BOOT:
                    self._close_boot(draft, one.pdu_id, ts_ms, envelope.boot, event)
            case Gap(reason, count):
                shortened = None if count is None else min(count, envelope.seq - first + 1)
                draft.gaps.append(GapRow(key, first, envelope.seq, reason, shortened, ts_ms))
            case Refused() as refused:
                self._quarantine(draft, one, refused)

    def _time_of(self, one: Inbound, envelope: Envelope) -> int:
        """Return the UTC of a record: the device's clock if it is believable, else reckoned from its uptime."""
        if envelope.ts_ms is not None and believable(envelope.ts_ms, one.received_ms):
            return envelope.ts_ms
        origin = self._uptime_origin(one.pdu_id, envelope.boot)
        if origin is None:
            origin = self._reckoned[one.pdu_id, envelope.boot]
        return min(origin + envelope.up_ms, one.received_ms)

    def _reckon(self, one: Inbound) -> None:
        """Note when a boot began, as the fastest record of it tells: records of one batch keep their distances."""
        envelope = one.envelope
        if envelope is None or (envelope.ts_ms is not None and believable(envelope.ts_ms, one.received_ms)):
            return
        key, origin = (one.pdu_id, envelope.boot), one.received_ms - envelope.up_ms
        self._reckoned[key] = min(origin, self._reckoned.get(key, origin))

    @staticmethod
    def _close_boot(draft: _Draft, pdu_id: str, ts_ms: int, boot: int, event: EventBody) -> None:
        """Book what the boot before has lost of its telemetry (MQTT-16)."""
        closes = event.data.get("closes")
        closed = _number(closes, "boot")
        if closed is None or not 1 <= closed < boot:
            return  # the first boot of a device closes nothing
        key = StreamKey(pdu_id, closed, Stream.TELEMETRY)
        position, last = draft.position(key), _number(closes, "telemetry")
        if last is None:
            draft.gaps.append(GapRow(key, position + 1, position + 1, "reboot", None, ts_ms))
        elif last > position:
            draft.gaps.append(GapRow(key, position + 1, last, "reboot", last - position, ts_ms))
            draft.move(key, last)

    @staticmethod
    def _quarantine(draft: _Draft, one: Inbound, refused: Refused) -> None:
        envelope = one.envelope
        draft.quarantine.append(
            QuarantineRow(
                one.pdu_id,
                one.message.topic[:255],
                one.received_ms,
                refused.reason.value,
                refused.detail[:1000],
                one.message.payload[: messages.PAYLOAD_MAX_BYTES],
                envelope.boot if envelope else None,
                envelope.seq if envelope else None,
            )
        )


_parse_up = lru_cache(maxsize=65_536)(topics.parse_up)
"""The same few topics come again and again."""


def believable(ts_ms: int, received_ms: int) -> bool:
    """Return whether the clock of a device, read in a record received at `received_ms`, can have been set."""
    return _EARLIEST_MS <= ts_ms <= received_ms + _FUTURE_MS


def _number(group: Detail, key: str) -> int | None:
    value = group.get(key) if isinstance(group, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _stored(pdu_id: str, ts_ms: int, envelope: Envelope, event: EventBody) -> StoredEvent:
    return StoredEvent(
        pdu_id,
        ts_ms,
        envelope.boot,
        envelope.seq,
        event.code,
        SEVERITY[event.code],
        event.outlet,
        event.source if isinstance(event.source, Source) else None,
        event.cause,
        event.because,
        event.data,
    )
