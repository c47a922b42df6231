"""Records that the database keeps, as the use cases see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadcenter.domain.commands import CommandStatus, Order
from loadcenter.domain.events import Cause, Detail, EventCode, Severity
from loadcenter.domain.readings import OutletReading, SourceReading, Telemetry
from loadcenter.domain.rollups import OutletRollup, SourceRollup
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import StreamKey


@dataclass(frozen=True, slots=True)
class RawOutlet:
    """One reading of an outlet; `samples` of `period_ms` each, ending at `ts_ms`."""

    pdu_id: str
    ts_ms: int
    samples: int
    reading: OutletReading
    period_ms: int = 1000


@dataclass(frozen=True, slots=True)
class RawSource:
    """One reading of a source; `samples` of `period_ms` each, ending at `ts_ms`."""

    pdu_id: str
    ts_ms: int
    samples: int
    reading: SourceReading
    period_ms: int = 1000


@dataclass(frozen=True, slots=True)
class RawRecord:
    """All readings of one record of a device, with the time and the samples that are booked for it."""

    pdu_id: str
    ts_ms: int
    samples: int
    readings: Telemetry


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
    """Everything that one transaction writes. All of it or nothing.

    Attributes:
        outlets: single readings, which are in no rollup; likewise `sources`.
        outlet_minutes: what is added to the rollups of every tier; likewise `source_minutes`. Their counters are those
            of a meter that never falls (`domain/energy.Meter`).
        records: records of devices, in the order in which each device made them; their rollups follow with
            `Store.fold`.
    """

    outlets: Sequence[RawOutlet] = ()
    sources: Sequence[RawSource] = ()
    outlet_minutes: Mapping[RollupKey, OutletRollup] = field(default_factory=dict)
    source_minutes: Mapping[RollupKey, SourceRollup] = field(default_factory=dict)
    events: Sequence[StoredEvent] = ()
    gaps: Sequence[GapRow] = ()
    quarantine: Sequence[QuarantineRow] = ()
    positions: Sequence[Position] = ()
    records: Sequence[RawRecord] = ()


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
