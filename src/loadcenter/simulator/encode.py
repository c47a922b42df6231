"""Payloads of the contract as a device writes them. The control center's own decoder knows nothing of this module."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from loadcenter.domain.admission import PduSnapshot
from loadcenter.domain.events import Event
from loadcenter.domain.pdu import Drives, OrderResult, PduInputs
from loadcenter.domain.qualification import SourceInput
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Source
from loadcenter.simulator.plant import Averaged

VERSION = 1
DEFAULT_PERIOD_MS = 1000

PAYLOAD_MAX_BYTES = 4096
SMALL_OUTLETS = 4
SMALL_MAX_BYTES = 511
"""MQTT-2: telemetry of four outlets stays under 512 bytes."""

Body = dict[str, object]
"""Fields of a payload beside its envelope."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When and in which start something was said; `clock_ms` is UTC minus uptime, None while the clock is not set."""

    boot: int
    up_ms: int
    clock_ms: int | None = None

    @property
    def fields(self) -> Body:
        """The stamp as fields of a payload (MQTT-4)."""
        fields: Body = {"v": VERSION, "boot": self.boot, "up_ms": self.up_ms}
        if self.clock_ms is not None:
            fields["ts_ms"] = self.up_ms + self.clock_ms
        return fields


@dataclass(frozen=True, slots=True)
class Record:
    """A record on its way to the control center (MQTT-10, MQTT-11).

    Attributes:
        first: first number that it stands for.
        seq: last.
        up_ms: uptime of its last sample.
        body: telemetry, an event or a gap.
        samples: how many samples of telemetry it holds; 0 for an event or a gap.
        lost: samples or events that a gap stands for, None when unknown.
    """

    first: int
    seq: int
    up_ms: int
    body: Mapping[str, object] = field(default_factory=dict)
    samples: int = 0
    lost: int | None = 0

    @property
    def is_gap(self) -> bool:
        """Whether it says that something will never come."""
        return "gap" in self.body

    @property
    def count(self) -> int | None:
        """Samples or events that would be lost with it, None when unknown."""
        return self.lost if self.is_gap else max(1, self.samples)


def encode(fields: Mapping[str, object]) -> bytes:
    """Return compact JSON."""
    return msgspec.json.encode(fields)


def encode_record(record: Record, boot: int, clock_ms: int | None) -> bytes:
    """Return the payload of a record."""
    fields = Stamp(boot, record.up_ms, clock_ms).fields
    fields["seq"] = record.seq
    if record.first != record.seq:
        fields["from"] = record.first
    if record.samples > 1 and record.samples != record.seq - record.first + 1:
        fields["samples"] = record.samples
    fields.update(record.body)
    outlets = fields.get("out")
    return encode(fields) if not isinstance(outlets, list) else _encode_telemetry(fields, outlets)


def _encode_telemetry(fields: Body, outlets: list[Body]) -> bytes:
    """Return the payload, without the extremes of as many outlets as it takes to keep it small (MQTT-11).

    They are missed least where they differ least.
    """
    payload = encode(fields)
    limit = SMALL_MAX_BYTES if len(outlets) <= SMALL_OUTLETS else PAYLOAD_MAX_BYTES
    if len(payload) <= limit:
        return payload
    kept = list(outlets)
    for index in sorted(range(len(kept)), key=lambda at: _spread_mw(kept[at])):
        kept[index] = _without_extremes(kept[index])
        payload = encode(fields | {"out": kept})
        if len(payload) <= limit:
            break
    return payload


def _spread_mw(outlet: Body) -> int:
    low, high = outlet.get("p_min_mw"), outlet.get("p_max_mw")
    return high - low if isinstance(low, int) and isinstance(high, int) else 0


def _without_extremes(outlet: Body) -> Body:
    return {name: value for name, value in outlet.items() if name not in ("p_min_mw", "p_max_mw")}


def gap_record(reason: str, first: int, seq: int, up_ms: int, count: int | None) -> Record:
    """Return a gap record for `first..seq`."""
    return Record(first, seq, up_ms, {"gap": {"reason": reason, "count": count}}, lost=count)


def telemetry_body(inputs: PduInputs, drives: Drives, averages: list[Averaged], period_ms: int) -> Body:
    """Return the fields of a telemetry record of one sample (MQTT-20)."""
    body: Body = {
        "active": drives.changeover.value,
        "live": inputs.live,
        "src": {"main": _source(inputs.main), "backup": _source(inputs.backup)},
        "out": [
            {"n": number, "on": on, "i_ma": one.current_ma, "p_mw": one.power_mw, "e_mwh": one.energy_mwh}
            for number, (on, one) in enumerate(zip(drives.outlets, averages, strict=True), 1)
        ],
    }
    if period_ms != DEFAULT_PERIOD_MS:
        body["dt_ms"] = period_ms
    return body


def _source(source: SourceInput) -> Body:
    return {"v_mv": source.voltage_mv, "f_mhz": source.frequency_mhz}


def event_body(event: Event, because_seq: int | None) -> Body:
    """Return the fields of an event record (MQTT-35); what is not known is left out."""
    body: Body = {"code": event.code.value}
    if event.outlet is not None:
        body["out"] = event.outlet
    if event.source is not None:
        body["src"] = event.source.value
    if event.cause is not None:
        body["cause"] = event.cause.value
    if because_seq is not None:
        body["because"] = because_seq
    if event.data:
        body["data"] = dict(event.data)
    return body


def state_body(snapshot: PduSnapshot, drives: Drives, config: PduConfig, *, live: bool, last_n: int) -> Body:
    """Return the fields of `up/state` beside the stamp (MQTT-30)."""
    outlets = []
    for one, settings in zip(snapshot.outlets, config.outlets, strict=True):
        outlet: Body = {"n": one.outlet, "on": one.on, "cause": one.cause, "limit_ma": settings.limit_ma}
        if one.by:
            outlet["by"] = one.by
        if one.trip is not None:
            outlet["trip"] = one.trip
        if one.locked:
            outlet["lock"] = True
        outlets.append(outlet)
    return {
        "active": snapshot.active.value,
        "preferred": config.preferred.value,
        "live": live,
        "isolator": "closed" if drives.isolator_closed else "open",
        "src": {source.value: snapshot.grades[source].value for source in Source},
        "out": outlets,
        "settings": config.version,
        "n": last_n,
        "lockout": snapshot.lockout,
    }


def result_body(result: OrderResult, command_id: str, n: int) -> Body:
    """Return the fields of `up/result` beside the stamp (MQTT-43)."""
    body: Body = {"id": command_id, "n": n, "status": result.status.value, "code": result.code.value}
    if result.numbers:
        body["data"] = dict(result.numbers)
    return body
