"""Payloads of the contract, as the control center reads and writes them.

Decoding either returns a whole, range-checked value or raises `Refused` with a reason of `spec/codes.toml`
(category refusal) and, where it could be read, the envelope of the record: that decides whether the record goes
to quarantine and counts as stored, or must be sent again (MQTT-19).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct

from loadcenter.domain.commands import CommandStatus, Order, ResultCode
from loadcenter.domain.energy import COUNTER_MAX_MWH
from loadcenter.domain.events import Cause, Detail, EventCode
from loadcenter.domain.readings import OutletReading, Quality, SourceReading, Telemetry
from loadcenter.domain.topology import MAX_OUTLETS, Grade, Source

VERSION = 1
"""Version of the contract that this package speaks."""

PAYLOAD_MAX_BYTES = 4096


class Refusal(StrEnum):
    """Why a payload was not understood: `spec/codes.toml`, category refusal."""

    UNREADABLE = "unreadable"
    UNKNOWN_VERSION = "unknown_version"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_LARGE = "too_large"
    UNKNOWN_PDU = "unknown_pdu"
    FOREIGN_TOPIC = "foreign_topic"


class Envelope(NamedTuple):
    """What names a record and its time (MQTT-4, MQTT-10, MQTT-11).

    Attributes:
        boot: start of the device, from 1.
        first: `from`, 1 or more and not above `seq`.
        seq: number of the record.
        up_ms: uptime at its last sample.
        ts_ms: UTC of its last sample; None where the device had no clock.
    """

    boot: int
    first: int
    seq: int
    up_ms: int
    ts_ms: int | None


class Refused(ValueError):  # noqa: N818 - the contract's own word for it
    """A payload is not understood. The message says what is wrong and what to compare it with."""

    def __init__(self, reason: Refusal, detail: str, envelope: Envelope | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.envelope = envelope


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a stream that will never come."""

    reason: str
    count: int | None


@dataclass(frozen=True, slots=True)
class TelemetryRecord:
    """A record of the telemetry stream; `readings.ts_ms` is 0 where the device had no clock."""

    envelope: Envelope
    body: Telemetry | Gap


@dataclass(frozen=True, slots=True)
class EventBody:
    """What an event record says; `because` is a `seq` of the same boot."""

    code: EventCode
    outlet: int | None
    source: Source | None
    cause: Cause | None
    because: int | None
    data: dict[str, Detail]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A record of the event stream."""

    envelope: Envelope
    body: EventBody | Gap


_Boot = Annotated[int, Meta(ge=1, le=2**32 - 1)]
_Seq = Annotated[int, Meta(ge=1, le=2**53 - 1)]
_UpMs = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_TsMs = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]  # the end of year 9999
_OutletNo = Annotated[int, Meta(ge=1, le=MAX_OUTLETS)]
_Millivolt = Annotated[int, Meta(ge=0, le=400_000)]
_Millihertz = Annotated[int, Meta(ge=0, le=80_000)]
_Milliampere = Annotated[int, Meta(ge=0, le=100_000)]
_Milliwatt = Annotated[int, Meta(ge=0, le=40_000_000)]
_MilliwattHour = Annotated[int, Meta(ge=0, le=COUNTER_MAX_MWH)]
_Word = Annotated[str, Meta(max_length=64)]


class _Versioned(Struct):
    v: int


class _EnvelopeWire(Struct):
    v: int
    boot: _Boot
    seq: _Seq
    up_ms: _UpMs
    ts_ms: _TsMs | None = None
    from_: _Seq | None = msgspec.field(default=None, name="from")


class _SourceWire(Struct):
    v_mv: _Millivolt | None
    f_mhz: _Millihertz | None
    q: Quality = Quality.GOOD


class _OutletWire(Struct):
    n: _OutletNo
    on: bool
    i_ma: _Milliampere | None
    p_mw: _Milliwatt | None
    e_mwh: _MilliwattHour | None
    p_min_mw: _Milliwatt | None = None
    p_max_mw: _Milliwatt | None = None
    q: Quality = Quality.GOOD


class _SourcesWire(Struct, forbid_unknown_fields=True):
    main: _SourceWire
    backup: _SourceWire


class _GapWire(Struct):
    reason: _Word
    count: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


class _GapRecordWire(_EnvelopeWire, kw_only=True):
    gap: _GapWire


class _WithGap(Struct):
    gap: msgspec.Raw


class _TelemetryWire(_EnvelopeWire, kw_only=True):
    active: Source
    live: bool
    src: _SourcesWire
    out: Annotated[list[_OutletWire], Meta(min_length=1, max_length=MAX_OUTLETS)]
    samples: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    dt_ms: Annotated[int, Meta(ge=20, le=3_600_000)] = 1000


class _EventWire(_EnvelopeWire, kw_only=True):
    code: EventCode
    out: _OutletNo | None = None
    src: Source | None = None
    cause: Cause | None = None
    because: _Seq | None = None
    data: dict[str, Any] = {}


class Nominal(Struct, frozen=True):
    """Nominal voltage (mV) and frequency (mHz) of the sources."""

    v_mv: _Millivolt
    f_mhz: _Millihertz


class Ratings(Struct, frozen=True):
    """Continuous ratings in mA: of one outlet, and of the whole PDU."""

    outlet_ma: _Milliampere
    total_ma: Annotated[int, Meta(ge=0, le=1_000_000)]


class Birth(Struct, frozen=True):
    """What a device says of itself at every connect (MQTT-25)."""

    v: int
    boot: _Boot
    up_ms: _UpMs
    min_v: int
    max_v: int
    model: _Word
    fw: _Word
    outlets: _OutletNo
    nominal: Nominal
    ratings: Ratings
    period_ms: Annotated[int, Meta(ge=20, le=3_600_000)] = 1000
    ts_ms: _TsMs | None = None


class Link(StrEnum):
    """Whether a device is connected."""

    ONLINE = "online"
    OFFLINE = "offline"


class Status(Struct, frozen=True):
    """The will, and its opposite (MQTT-60)."""

    v: int
    status: Link


class IsolatorState(StrEnum):
    """Position of the bus isolator."""

    OPEN = "open"
    CLOSED = "closed"


class StateOutlet(Struct, frozen=True):
    """One outlet as the device reports it."""

    n: _OutletNo
    on: bool
    cause: Cause
    by: _Word = ""
    trip: _Word | None = None
    lock: bool = False
    limit_ma: _Milliampere | None = None


class State(Struct, frozen=True):
    """What the device reports of itself on every change (MQTT-30)."""

    v: int
    boot: _Boot
    up_ms: _UpMs
    active: Source
    live: bool
    isolator: IsolatorState
    src: dict[Source, Grade]
    out: Annotated[list[StateOutlet], Meta(min_length=1, max_length=MAX_OUTLETS)]
    settings: Annotated[int, Meta(ge=0)]
    n: Annotated[int, Meta(ge=0)]
    preferred: Source = Source.MAIN
    lockout: bool = False
    ts_ms: _TsMs | None = None


class Result(Struct, frozen=True):
    """The answer to a command (MQTT-43)."""

    v: int
    boot: _Boot
    up_ms: _UpMs
    id: _Word
    n: Annotated[int, Meta(ge=0)]
    status: CommandStatus
    code: ResultCode
    data: dict[str, Any] = {}
    ts_ms: _TsMs | None = None


_Wire = TypeVar("_Wire", bound=Struct)

_envelope = msgspec.json.Decoder(_EnvelopeWire)
_versioned = msgspec.json.Decoder(_Versioned)
_gap = msgspec.json.Decoder(_GapRecordWire)
_with_gap = msgspec.json.Decoder(_WithGap)
_telemetry = msgspec.json.Decoder(_TelemetryWire)
_event = msgspec.json.Decoder(_EventWire)
_birth = msgspec.json.Decoder(Birth)
_status = msgspec.json.Decoder(Status)
_state = msgspec.json.Decoder(State)
_result = msgspec.json.Decoder(Result)

_RANGE = re.compile(r"[<>]=|length")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises; the last where 4096 bytes nest a thousand brackets deep."""


def decode_telemetry(payload: bytes) -> TelemetryRecord:
    """Return the telemetry record in `payload`; its voltages follow MQTT-20.

    Raises:
        Refused: it is not one.
    """
    wire = _decode_record(_telemetry, payload)
    if isinstance(wire, _GapRecordWire):
        return TelemetryRecord(_checked_envelope(wire), Gap(wire.gap.reason, wire.gap.count))
    envelope = _checked_envelope(wire)
    numbers = envelope.seq - envelope.first + 1
    samples = numbers if wire.samples is None else wire.samples
    if samples > numbers:
        raise Refused(
            Refusal.OUT_OF_RANGE,
            f"'samples' is {samples}, above the {numbers} of from..seq (MQTT-11)",
            envelope,
        )
    main, backup = wire.src.main, wire.src.backup
    sources = (
        SourceReading(Source.MAIN, main.v_mv, main.f_mhz, main.q),
        SourceReading(Source.BACKUP, backup.v_mv, backup.f_mhz, backup.q),
    )
    active_mv = 0 if not wire.live else main.v_mv if wire.active is Source.MAIN else backup.v_mv
    outlets = tuple(
        [
            OutletReading(
                out.n,
                out.on,
                active_mv if out.on else 0,
                out.i_ma,
                out.p_mw,
                out.e_mwh,
                out.p_min_mw,
                out.p_max_mw,
                out.q,
            )
            for out in wire.out
        ]
    )
    body = Telemetry(wire.ts_ms or 0, samples, wire.dt_ms, wire.active, wire.live, sources, outlets)
    return TelemetryRecord(envelope, body)


def decode_event(payload: bytes) -> EventRecord:
    """Return the event record in `payload`.

    Raises:
        Refused: it is not one.
    """
    wire = _decode_record(_event, payload)
    if isinstance(wire, _GapRecordWire):
        return EventRecord(_checked_envelope(wire), Gap(wire.gap.reason, wire.gap.count))
    envelope = _checked_envelope(wire)
    if envelope.first != envelope.seq:
        raise Refused(
            Refusal.OUT_OF_RANGE,
            f"'from' is {envelope.first}: an event stands for itself (MQTT-11)",
            envelope,
        )
    body = EventBody(wire.code, wire.out, wire.src, wire.cause, wire.because, wire.data)
    return EventRecord(envelope, body)


def decode_birth(payload: bytes) -> Birth:
    """Return the birth in `payload`.

    Raises:
        Refused: it is not one, or the device speaks no version that this package does (MQTT-25).
    """
    birth = _decode(_birth, payload)
    if birth.min_v > VERSION:
        raise Refused(
            Refusal.UNKNOWN_VERSION,
            f"the device speaks contract {birth.min_v} to {birth.max_v}, this server {VERSION}: "
            "update the control center",
        )
    if birth.max_v < VERSION:
        raise Refused(
            Refusal.UNKNOWN_VERSION,
            f"the device speaks contract {birth.min_v} to {birth.max_v}, this server {VERSION}: update the device",
        )
    return birth


def decode_status(payload: bytes) -> Status:
    """Return the status in `payload`.

    Raises:
        Refused: it is not one.
    """
    return _decode(_status, payload)


def decode_state(payload: bytes) -> State:
    """Return the state in `payload`.

    Raises:
        Refused: it is not one.
    """
    state = _decode(_state, payload)
    if len(state.src) != len(Source):
        raise Refused(Refusal.WRONG_TYPE, "'src' must tell of both main and backup (MQTT-30)")
    return state


def decode_result(payload: bytes) -> Result:
    """Return the result in `payload`.

    Raises:
        Refused: it is not one.
    """
    return _decode(_result, payload)


def decode_as(decoder: "msgspec.json.Decoder[_Wire]", payload: bytes) -> _Wire:
    """Return what `decoder` reads in `payload`; its struct has the field `v`.

    Raises:
        Refused: it is too large, no JSON, of another version, or does not fit.
    """
    return _decode(decoder, payload)


def _decode_record(decoder: "msgspec.json.Decoder[_Wire]", payload: bytes) -> _Wire | _GapRecordWire:
    try:
        return _decode(decoder, payload)
    except Refused as refused:
        # A gap record is rare and misses what the others need, so it is tried last.
        understood = refused.reason in (Refusal.WRONG_TYPE, Refusal.OUT_OF_RANGE)
        if not (understood and _says_gap(payload)):
            raise
    return _decode(_gap, payload)


def _says_gap(payload: bytes) -> bool:
    try:
        _with_gap.decode(payload)
    except _UNREADABLE:
        return False
    return True


def _decode(decoder: "msgspec.json.Decoder[_Wire]", payload: bytes) -> _Wire:
    if len(payload) > PAYLOAD_MAX_BYTES:
        raise Refused(
            Refusal.TOO_LARGE,
            f"payload of {len(payload)} bytes; at most {PAYLOAD_MAX_BYTES} are taken",
            _readable_envelope(payload),
        )
    try:
        wire = decoder.decode(payload)
    except msgspec.ValidationError as error:
        _check_json(payload)
        _check_version(payload)
        reason = Refusal.OUT_OF_RANGE if _RANGE.search(str(error)) else Refusal.WRONG_TYPE
        raise Refused(
            reason, f"{error}; compare the payload with spec/schema", _readable_envelope(payload)
        ) from error
    except _UNREADABLE as error:
        raise Refused(Refusal.UNREADABLE, f"not JSON: {error}") from error
    if wire.v != VERSION:  # type: ignore[attr-defined] # every wire struct has it
        _check_version(payload)
    return wire


def _check_json(payload: bytes) -> None:
    """Raise if the payload as a whole is not JSON: decoding stops at the first field that is wrong."""
    try:
        msgspec.json.decode(payload)
    except msgspec.ValidationError:
        return  # JSON, with a number that no float holds
    except _UNREADABLE as error:
        raise Refused(Refusal.UNREADABLE, f"not JSON: {error}") from error


def _check_version(payload: bytes) -> None:
    try:
        version = _versioned.decode(payload).v
    except _UNREADABLE:
        return
    if version != VERSION:
        side = "the control center" if version > VERSION else "the device"
        raise Refused(
            Refusal.UNKNOWN_VERSION,
            f"payload of contract version {version}, this server speaks {VERSION}: update {side}",
            _readable_envelope(payload),
        )


def _readable_envelope(payload: bytes) -> Envelope | None:
    try:
        wire = _envelope.decode(payload)
    except _UNREADABLE:
        return None
    first = wire.seq if wire.from_ is None else wire.from_
    return Envelope(wire.boot, first, wire.seq, wire.up_ms, wire.ts_ms) if first <= wire.seq else None


def _checked_envelope(wire: _EnvelopeWire) -> Envelope:
    first = wire.seq if wire.from_ is None else wire.from_
    if first > wire.seq:
        raise Refused(Refusal.OUT_OF_RANGE, f"'from' is {first}, above 'seq' {wire.seq} (MQTT-11)")
    return Envelope(wire.boot, first, wire.seq, wire.up_ms, wire.ts_ms)


def encode_command(order: Order, *, command_id: str, boot: int, n: int, exp_up_ms: int) -> bytes:
    """Return the payload of a command (MQTT-40)."""
    fields: dict[str, object] = {
        "v": VERSION,
        "id": command_id,
        "boot": boot,
        "n": n,
        "exp_up_ms": exp_up_ms,
        "do": order.do.value,
    }
    optional = {
        "out": order.outlet,
        "on": order.on,
        "off_ms": order.off_ms,
        "src": order.source,
        "by": order.by or None,
    }
    fields.update({key: value for key, value in optional.items() if value is not None})
    return msgspec.json.encode(fields)


def encode_ack(boot: int, telemetry: int, event: int) -> bytes:
    """Return the payload of an ack: both positions of one boot (MQTT-14)."""
    return msgspec.json.encode({"v": VERSION, "boot": boot, "telemetry": telemetry, "event": event})


def encode_time(ts_ms: int) -> bytes:
    """Return the payload that sets a device's clock (MQTT-55)."""
    return msgspec.json.encode({"v": VERSION, "ts_ms": ts_ms})


def encode_desired(version: int, settings: dict[str, object]) -> bytes:
    """Return the payload of the desired settings (MQTT-50); `settings` has the keys `pdu` and `out`."""
    return msgspec.json.encode({"v": VERSION, "version": version, **settings})
