"""What the use cases need from the world. Adapters implement these; tests use fakes; both pass one suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from loadcenter.domain.commands import CommandStatus, Order
from loadcenter.domain.events import Cause, Detail, EventCode, Severity
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, Tier
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import StreamKey
from loadcenter.services.columns import Buckets, OutletColumns, SourceColumns

# ---- time -------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """UTC in ms since 1970, for records."""
        ...

    def monotonic_ms(self) -> int:
        """A clock that never steps, for intervals."""
        ...

    async def sleep_ms(self, duration_ms: int) -> None:
        """Return after `duration_ms` have passed."""
        ...


class Calendar(Protocol):
    """Days of the site, which follow its local date and daylight saving."""

    def day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the local midnight at or before `ts_ms`."""
        ...

    def next_day_start_ms(self, ts_ms: int) -> int:
        """Return UTC ms of the first local midnight after `ts_ms`."""
        ...


# ---- broker -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message as it came in.

    Attributes:
        topic: full topic.
        payload: bytes as sent.
        retained: the retain flag: stored at the broker before we subscribed.
        token: names the delivery to `Link.ack`; None at QoS 0. It is worthless after a reconnect, and then
            acknowledging it does nothing.
    """

    topic: str
    payload: bytes
    retained: bool = False
    token: "DeliveryToken | None" = None


@dataclass(frozen=True, slots=True)
class DeliveryToken:
    """A delivery within one connection: `generation` counts the connections of a link."""

    generation: int
    mid: int


class LinkState(StrEnum):
    """State of a connection to the broker."""

    CONNECTING = "connecting"
    UP = "up"
    PAUSED = "paused"
    CLOSED = "closed"


class Link(Protocol):
    """One MQTT connection to the broker, which reconnects by itself until it is closed or paused.

    Incoming messages wait in a bounded queue; when it is full the link stops reading from the socket and nothing
    is dropped (QoS 0 messages of a control link drop the oldest instead, and are counted).
    """

    @property
    def state(self) -> LinkState:
        """How the connection is now."""
        ...

    @property
    def generation(self) -> int:
        """Number of the current connection, from 1; 0 before the first."""
        ...

    @property
    def last_error(self) -> str:
        """Why the last attempt failed, with what to do; empty when there was none."""
        ...

    async def receive(self, most: int, linger_ms: int) -> list[Message]:
        """Return at least one message, at most `most`.

        Waits without limit for the first; then up to `linger_ms` for more.
        """
        ...

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message; at QoS 1 return when the broker has taken it.

        Raises:
            LinkDownError: there is no connection; nothing was queued.
        """
        ...

    def ack(self, tokens: Sequence[DeliveryToken]) -> None:
        """Acknowledge deliveries (PUBACK). Those of an earlier connection are ignored."""
        ...

    async def pause(self) -> None:
        """Go down on purpose: the broker keeps what arrives. Unread messages are forgotten (they come again)."""
        ...

    async def resume(self) -> None:
        """Come back after `pause`."""
        ...

    async def wait_up(self) -> int:
        """Return the generation once the connection is up and subscribed."""
        ...


class LinkDownError(ConnectionError):
    """There is no connection to the broker now. The message says why and what to do."""


# ---- storage ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawOutlet:
    """One raw row of an outlet."""

    pdu_id: str
    ts_ms: int
    samples: int
    reading: OutletReading


@dataclass(frozen=True, slots=True)
class RawSource:
    """One raw row of a source."""

    pdu_id: str
    ts_ms: int
    samples: int
    reading: SourceReading


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as kept: what the device said, or what the control center itself noticed (`boot` 0).

    `(pdu_id, boot, seq)` is unique for events of devices. `because_seq` names the event of the same boot that
    led to it. `id` is given by the store (0 before), rising.
    """

    pdu_id: str
    ts_ms: int
    boot: int
    seq: int
    code: EventCode | str
    severity: Severity
    outlet: int | None = None
    source: Source | None = None
    cause: Cause | None = None
    because_seq: int | None = None
    data: Mapping[str, Detail] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True)
class GapRow:
    """A span of records that will never come: numbers `first..last` of a stream, with the reason."""

    key: StreamKey
    first: int
    last: int
    reason: str
    count: int | None
    ts_ms: int


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A payload that was not understood, kept as it came (at most 4096 bytes) with the reason."""

    pdu_id: str
    topic: str
    ts_ms: int
    reason: str
    detail: str
    payload: bytes
    boot: int | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A move of a stream position: from `before` (what the writer believes is stored) to `after`."""

    key: StreamKey
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class RollupKey:
    """One bucket of one outlet (or source) of one PDU; `start_ms` is UTC."""

    pdu_id: str
    channel: int | Source
    start_ms: int


@dataclass(frozen=True, slots=True)
class IngestBatch:
    """Everything that one transaction writes. All of it or nothing."""

    outlets: Sequence[RawOutlet] = ()
    sources: Sequence[RawSource] = ()
    outlet_minutes: Mapping[RollupKey, OutletRollup] = field(default_factory=dict)
    source_minutes: Mapping[RollupKey, SourceRollup] = field(default_factory=dict)
    events: Sequence[StoredEvent] = ()
    gaps: Sequence[GapRow] = ()
    quarantine: Sequence[QuarantineRow] = ()
    positions: Sequence[Position] = ()


class StoreError(Exception):
    """Family of what storage can raise."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached or cannot write (gone, locked, disk full). Try again later: nothing was kept."""


class PositionConflictError(StoreError):
    """A position in the database is not what the writer believed: read the positions again. Nothing was kept."""


class StoreDataError(StoreError):
    """The database refused a value. Trying again will not help; nothing was kept."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted, newest first. None means any."""

    pdu_id: str | None = None
    outlet: int | None = None
    severity: Severity | None = None
    codes: Sequence[str] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    before_id: int | None = None
    after_id: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command with its whole life so far."""

    id: str
    pdu_id: str
    order: Order
    status: CommandStatus
    code: str
    created_ms: int
    settled_ms: int | None = None
    idempotency_key: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A registered PDU. Secrets are kept only as hashes: bcrypt for the embedded broker, PBKDF2 for Mosquitto.

    `labels` is a JSON text with what people call its outlets (`services/labels.py`), empty before the first.
    """

    pdu_id: str
    name: str
    created_ms: int
    bcrypt_hash: str
    mosquitto_hash: str
    labels: str = ""


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person who may log in; `password_hash` is argon2id."""

    name: str
    password_hash: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A login; only the SHA-256 of its token is kept."""

    token_sha256: str
    user: str
    created_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """A condition with a life: active until cleared; acknowledged by a person with a note."""

    id: int
    pdu_id: str
    kind: str
    outlet: int | None
    source: Source | None
    severity: Severity
    first_ms: int
    last_ms: int
    count: int
    cleared_ms: int | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str = ""
    note: str = ""
    detail: str = ""


class Store(Protocol):
    """The database. One writer; readers beside it. Every method may raise `StoreUnavailableError`."""

    # -- ingest
    async def positions(self, pdu_id: str) -> dict[StreamKey, int]:
        """Return all stream positions of a PDU; a stream never heard of is absent (position 0)."""
        ...

    async def commit(self, batch: IngestBatch) -> None:
        """Write the whole batch in one transaction and return after COMMIT.

        Positions are compared and set inside the transaction. A raw row with the key of an older one replaces it;
        minute rollups are merged into those stored; an event with a known (pdu, boot, seq) is left as it is;
        the coarser buckets that a minute falls into are marked dirty.

        Raises:
            PositionConflictError: a position is not at `before`.
            StoreDataError: a value does not fit.
        """
        ...

    async def ping(self) -> None:
        """Return if the database can write now."""
        ...

    # -- rollups of the coarser tiers
    async def dirty_buckets(self, limit: int) -> list[tuple[Tier, RollupKey]]:
        """Return buckets whose finer tier has changed, finest tier first."""
        ...

    async def recompute(self, tier: Tier, key: RollupKey, until_ms: int) -> None:
        """Rebuild one bucket (`key.start_ms` to `until_ms`) from the finer tier and mark it clean."""
        ...

    # -- history
    async def raw_outlets(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawOutlet]:
        """Return raw rows of one outlet with since <= ts < until, in order; the first `limit`."""
        ...

    async def raw_sources(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawSource]:
        """Return raw rows of one source with since <= ts < until, in order; the first `limit`."""
        ...

    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, OutletRollup]]:
        """Return (start_ms, rollup) with since <= start < until, in order; the first `limit`."""
        ...

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, SourceRollup]]:
        """Return (start_ms, rollup) of a source with since <= start < until, in order; the first `limit`."""
        ...

    async def outlet_buckets(
        self, pdu_id: str, outlets: Sequence[int], span: Buckets
    ) -> Mapping[int, OutletColumns]:
        """Return the columns of each outlet that has rows in the range; one query for all."""
        ...

    async def source_buckets(
        self, pdu_id: str, sources: Sequence[Source], span: Buckets
    ) -> Mapping[Source, SourceColumns]:
        """Return the columns of each source that has rows in the range; one query for all."""
        ...

    async def outlet_counters(
        self, pdu_id: str, outlets: Sequence[int], tier: Tier | None, since_ms: int, until_ms: int
    ) -> Mapping[int, Sequence[tuple[int, Counters]]]:
        """Return (time, counters) of the rows (`tier` None: raw) that know their counter, by outlet, in order."""
        ...

    async def events(self, wanted: EventFilter) -> list[StoredEvent]:
        """Return events, newest first (oldest first when `after_id` is given), at most `limit`."""
        ...

    async def add_event(self, event: StoredEvent) -> StoredEvent:
        """Keep an event of the control center itself (boot 0) and return it with its id."""
        ...

    async def gaps(self, pdu_id: str) -> list[GapRow]:
        """Return the announced gaps of a PDU, oldest first."""
        ...

    async def quarantine_counts(self) -> dict[str, int]:
        """Return how many payloads stand in quarantine, by reason."""
        ...

    # -- registry
    async def devices(self) -> list[DeviceRow]:
        """Return the registered PDUs by name."""
        ...

    async def put_device(self, device: DeviceRow) -> None:
        """Register a PDU or replace its credentials."""
        ...

    async def delete_device(self, pdu_id: str) -> bool:
        """Forget a PDU's registration (its history stays); return whether there was one."""
        ...

    async def desired(self, pdu_id: str) -> tuple[int, str] | None:
        """Return (version, JSON text) of the desired settings, None before the first."""
        ...

    async def put_desired(self, pdu_id: str, version: int, settings: str, before: int) -> bool:
        """Set the desired settings if the stored version is still `before` (0: none); return whether it was."""
        ...

    # -- commands
    async def add_command(self, row: CommandRow) -> CommandRow:
        """Keep a new command; if its idempotency key is known return the command kept under it instead."""
        ...

    async def settle_command(
        self, command_id: str, status: CommandStatus, code: str, at_ms: int, detail: str
    ) -> None:
        """Record where a command has got to."""
        ...

    async def command(self, command_id: str) -> CommandRow | None:
        """Return one command."""
        ...

    async def commands(self, pdu_id: str | None, limit: int) -> list[CommandRow]:
        """Return the latest commands, newest first."""
        ...

    # -- alarms
    async def alarms(self, *, open_only: bool) -> list[AlarmRow]:
        """Return alarms, newest first; only those not cleared if `open_only`."""
        ...

    async def put_alarm(self, alarm: AlarmRow) -> AlarmRow:
        """Insert (id 0) or update an alarm; return it with its id."""
        ...

    # -- people
    async def user(self, name: str) -> UserRow | None:
        """Return a user."""
        ...

    async def put_user(self, user: UserRow) -> None:
        """Add a user or replace their password."""
        ...

    async def put_session(self, session: SessionRow) -> None:
        """Keep a login."""
        ...

    async def session(self, token_sha256: str) -> SessionRow | None:
        """Return a login, expired or not."""
        ...

    async def delete_session(self, token_sha256: str) -> None:
        """End a login."""
        ...

    async def delete_sessions_of(self, user: str) -> None:
        """End all log-ins of a user."""
        ...

    async def delete_sessions_expired(self, now_ms: int) -> None:
        """Forget the log-ins that ended at or before `now_ms`."""
        ...


# ---- people -----------------------------------------------------------------------------------------------


class Passwords(Protocol):
    """Hashes passwords and checks them, slowly on purpose."""

    async def hash(self, password: str) -> str:
        """Return the argon2id hash."""
        ...

    async def verify(self, password_hash: str, password: str) -> bool:
        """Return whether the password fits; takes as long for an unknown user (pass an empty hash)."""
        ...


# ---- the simulated plant, only in a demo --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that the demo's panel can break, for the page to offer."""

    id: str
    label: str
    hint: str
    needs_outlet: bool = False
    lasts: bool = True


class Plant(Protocol):
    """The world behind a simulated rack. Wired only in a demo; under `serve` its routes do not exist."""

    def disturbances(self) -> Sequence[Disturbance]:
        """Return what can be broken."""
        ...

    def active(self, pdu_id: str) -> Mapping[str, int | None]:
        """Return the disturbances now active on a PDU, with the outlet where one applies."""
        ...

    def start(self, pdu_id: str, disturbance: str, outlet: int | None) -> None:
        """Break something.

        Raises:
            KeyError: no such PDU, disturbance or outlet.
        """
        ...

    def stop(self, pdu_id: str, disturbance: str) -> None:
        """Mend it again; nothing happens if it was not broken."""
        ...
