"""Records as the ingest service hands them to a store."""

from collections.abc import Iterable, Sequence
from functools import reduce

from loadcenter.domain.events import Severity
from loadcenter.domain.readings import OutletReading, SourceReading, Telemetry
from loadcenter.domain.rollups import (
    OutletRollup,
    SourceRollup,
    Tier,
    bucket_start_ms,
    outlet_rollup,
    source_rollup,
)
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import (
    IngestBatch,
    Position,
    RawOutlet,
    RawRecord,
    RawSource,
    RollupKey,
    Store,
    StoredEvent,
)

PDU = "rack-1"
T0 = 1_700_006_400_000  # the start of a UTC day: 2023-11-15
MINUTE = 60_000
QUARTER = 15 * MINUTE
HOUR = 60 * MINUTE
DAY = 24 * HOUR
KEY = StreamKey(PDU, 1, Stream.TELEMETRY)
EVENTS = StreamKey(PDU, 1, Stream.EVENT)


def outlet(
    ts_ms: int,
    power_mw: int | None = 50_000,
    energy_mwh: int | None = 1000,
    *,
    pdu_id: str = PDU,
    number: int = 1,
    voltage_mv: int | None = 230_000,
) -> RawOutlet:
    return RawOutlet(pdu_id, ts_ms, 1, OutletReading(number, True, voltage_mv, 217, power_mw, energy_mwh))


def source(ts_ms: int, voltage_mv: int | None = 230_000, *, which: Source = Source.MAIN) -> RawSource:
    return RawSource(PDU, ts_ms, 1, SourceReading(which, voltage_mv, 50_000))


def batch(
    outlets: Sequence[RawOutlet] = (),
    sources: Sequence[RawSource] = (),
    before: int = 0,
    after: int | None = None,
) -> IngestBatch:
    """What the ingest service makes of records numbered `before + 1` to `after`."""
    after = before + max(len(outlets), len(sources)) if after is None else after
    outlet_minutes: dict[RollupKey, OutletRollup] = {}
    for row in outlets:
        key = RollupKey(row.pdu_id, row.reading.outlet, bucket_start_ms(row.ts_ms, Tier.MINUTE))
        rollup = outlet_rollup(row.reading, row.ts_ms, row.samples, 1000)
        outlet_minutes[key] = outlet_minutes[key].merge(rollup) if key in outlet_minutes else rollup
    source_minutes: dict[RollupKey, SourceRollup] = {}
    for line in sources:
        key = RollupKey(line.pdu_id, line.reading.source, bucket_start_ms(line.ts_ms, Tier.MINUTE))
        part = source_rollup(line.reading, line.samples, 1000)
        source_minutes[key] = source_minutes[key].merge(part) if key in source_minutes else part
    return IngestBatch(
        outlets, sources, outlet_minutes, source_minutes, positions=[Position(KEY, before, after)]
    )


def rollup_of(rows: Iterable[RawOutlet]) -> OutletRollup:
    """The rollup of raw rows, computed from nothing else."""
    return reduce(
        OutletRollup.merge, (outlet_rollup(row.reading, row.ts_ms, row.samples, 1000) for row in rows)
    )


def event(seq: int, code: str = "trip", *, boot: int = 1, pdu_id: str = PDU, ts_ms: int = T0) -> StoredEvent:
    return StoredEvent(pdu_id, ts_ms, boot, seq, code, Severity.CRITICAL, outlet=2)


def record(
    ts_ms: int,
    outlets: Sequence[RawOutlet] = (),
    sources: Sequence[RawSource] = (),
    *,
    samples: int = 1,
    period_ms: int = 1000,
    pdu_id: str = PDU,
) -> RawRecord:
    """What a device says in one record."""
    readings = Telemetry(
        ts_ms,
        samples,
        period_ms,
        Source.MAIN,
        True,
        tuple(one.reading for one in sources),
        tuple(one.reading for one in outlets),
    )
    return RawRecord(pdu_id, ts_ms, samples, readings)


def recorded(rows: Sequence[RawOutlet], before: int = 0) -> IngestBatch:
    """A batch of records with one outlet each, numbered `before + 1` onwards."""
    records = [record(row.ts_ms, [row], samples=row.samples, pdu_id=row.pdu_id) for row in rows]
    return IngestBatch(records=records, positions=[Position(KEY, before, before + len(rows))])


async def settle(store: Store) -> None:
    """Fold until nothing is left."""
    while await store.fold():
        pass
