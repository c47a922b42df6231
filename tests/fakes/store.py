"""The `Store` port in memory. It passes the same suite as the real ones (tests/contract/storage)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields, is_dataclass, replace

from tests.fakes.buckets import outlet_columns, source_columns
from tests.fakes.control import FakeControl
from tests.fakes.measuring import FakeMeasurements
from tests.fakes.schedules import FakeSchedules

from loadcenter.domain.commands import CommandStatus
from loadcenter.domain.energy import Meter
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import (
    Counters,
    OutletRollup,
    SourceRollup,
    Tier,
    bucket_start_ms,
    outlet_rollup,
    source_rollup,
)
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import StreamKey
from loadcenter.services.columns import Buckets, OutletColumns, SourceColumns
from loadcenter.services.ports import (
    AlarmRow,
    CommandRow,
    DeviceRow,
    EventFilter,
    GapRow,
    IngestBatch,
    Position,
    PositionConflictError,
    QuarantineRow,
    RawOutlet,
    RawRecord,
    RawSource,
    RollupKey,
    SessionRow,
    StoreDataError,
    StoredEvent,
    StoreUnavailableError,
    UserRow,
)

INT64_MAX = 2**63 - 1
FOLD_AT_ONCE = 100


def utc_day_start(ts_ms: int) -> int:
    return bucket_start_ms(ts_ms, Tier.DAY)


@dataclass
class Tables:
    """Everything kept; copied before a commit so that a failure leaves nothing behind."""

    positions: dict[StreamKey, int] = field(default_factory=dict)
    outlets: dict[tuple[str, int, int], RawOutlet] = field(default_factory=dict)
    sources: dict[tuple[str, Source, int], RawSource] = field(default_factory=dict)
    rollups: dict[Tier, dict[RollupKey, OutletRollup | SourceRollup]] = field(
        default_factory=lambda: {tier: {} for tier in Tier}
    )
    unfolded: list[RawRecord] = field(default_factory=list)
    meters: dict[tuple[str, int], Meter] = field(default_factory=dict)
    resets: set[tuple[str, int, int]] = field(default_factory=set)
    events: list[StoredEvent] = field(default_factory=list)
    gaps: list[GapRow] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)

    def fork(self) -> "Tables":
        return Tables(
            dict(self.positions),
            dict(self.outlets),
            dict(self.sources),
            {tier: dict(rows) for tier, rows in self.rollups.items()},
            list(self.unfolded),
            dict(self.meters),
            set(self.resets),
            list(self.events),
            list(self.gaps),
            list(self.quarantine),
        )


class FakeStore(FakeControl, FakeMeasurements):
    """A `Store` in memory.

    Set `away` to a reason and every method raises `StoreUnavailableError` with it until it is None again.
    """

    def __init__(self, day_start: Callable[[int], int] = utc_day_start) -> None:
        super().__init__()
        self.away: str | None = None
        self.schedules = FakeSchedules(self._reach)
        self.tables = Tables()
        self._day_start = day_start
        self._devices: dict[str, DeviceRow] = {}
        self._desired: dict[str, tuple[int, str]] = {}
        self._commands: dict[str, CommandRow] = {}
        self._alarms: dict[int, AlarmRow] = {}
        self._users: dict[str, UserRow] = {}
        self._sessions: dict[str, SessionRow] = {}
        self._last_event_id = 0

    # -- ingest

    async def positions(self, pdu_id: str) -> dict[StreamKey, int]:
        self._reach()
        return {key: seq for key, seq in self.tables.positions.items() if key.pdu_id == pdu_id}

    async def commit(self, batch: IngestBatch) -> None:
        self._reach()
        check_values(batch)
        tables = self.tables.fork()
        for move in batch.positions:
            move_position(tables, move)
        for outlet in batch.outlets:
            tables.outlets[outlet.pdu_id, outlet.reading.outlet, outlet.ts_ms] = outlet
        for source in batch.sources:
            tables.sources[source.pdu_id, source.reading.source, source.ts_ms] = source
        for record in batch.records:
            keep_readings(tables, record)
        tables.unfolded.extend(batch.records)
        self._merge_minutes(tables, batch.outlet_minutes)
        self._merge_minutes(tables, batch.source_minutes)
        self._append_events(tables, batch.events)
        tables.gaps.extend(batch.gaps)
        tables.quarantine.extend(batch.quarantine)
        self.tables = tables

    async def ping(self) -> None:
        self._reach()

    # -- rollups

    async def fold(self, most: int = FOLD_AT_ONCE) -> int:
        self._reach()
        return self.fold_now()

    def fold_now(self) -> int:
        tables = self.tables.fork()
        taken, tables.unfolded = tables.unfolded[:FOLD_AT_ONCE], tables.unfolded[FOLD_AT_ONCE:]
        for record in taken:
            self._fold(tables, record)
        self.tables = tables
        return len(taken)

    async def meters(self, pdu_ids: Sequence[str]) -> dict[tuple[str, int], Meter]:
        self._reach()
        return {key: meter for key, meter in self.tables.meters.items() if key[0] in pdu_ids}

    async def day_counters(self, pdu_ids: Sequence[str], day_ms: int) -> dict[tuple[str, int], Counters]:
        self._reach()
        return {
            (key.pdu_id, key.channel): row.counters
            for key, row in self.tables.rollups[Tier.DAY].items()
            if isinstance(row, OutletRollup) and row.counters and isinstance(key.channel, int)
            if key.pdu_id in pdu_ids and key.start_ms == day_ms
        }

    async def outlets_reset(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> frozenset[int]:
        self._reach()
        return frozenset(
            outlet
            for pdu, outlet, ts_ms in self.tables.resets
            if pdu == pdu_id and outlet in outlets and since_ms <= ts_ms < until_ms
        )

    # -- retention

    async def prepare_days(self, now_ms: int) -> None:
        self._reach()

    async def forget_raw(self, before_ms: int) -> int:
        self._reach()
        old = [key for key in self.tables.outlets if key[2] < before_ms]
        old_sources = [key for key in self.tables.sources if key[2] < before_ms]
        for key in old:
            del self.tables.outlets[key]
        for source_key in old_sources:
            del self.tables.sources[source_key]
        return len(old) + len(old_sources)

    async def forget_rollups(self, tier: Tier, before_ms: int) -> int:
        self._reach()
        rollups = self.tables.rollups[tier]
        old = [key for key in rollups if key.start_ms < before_ms]
        for key in old:
            del rollups[key]
        return len(old)

    # -- history

    async def raw_outlets(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawOutlet]:
        self._reach()
        rows = [
            row
            for (pdu, number, ts_ms), row in self.tables.outlets.items()
            if pdu == pdu_id and number == outlet and since_ms <= ts_ms < until_ms
        ]
        return sorted(rows, key=lambda row: row.ts_ms)[:limit]

    async def raw_sources(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawSource]:
        self._reach()
        rows = [
            row
            for (pdu, which, ts_ms), row in self.tables.sources.items()
            if pdu == pdu_id and which is source and since_ms <= ts_ms < until_ms
        ]
        return sorted(rows, key=lambda row: row.ts_ms)[:limit]

    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, OutletRollup]]:
        self._reach()
        span = self._span(tier, pdu_id, outlet, since_ms, until_ms)
        return [(start, rollup) for start, rollup in span if isinstance(rollup, OutletRollup)][:limit]

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, SourceRollup]]:
        self._reach()
        span = self._span(tier, pdu_id, source, since_ms, until_ms)
        return [(start, rollup) for start, rollup in span if isinstance(rollup, SourceRollup)][:limit]

    async def outlet_buckets(
        self, pdu_id: str, outlets: Sequence[int], span: Buckets
    ) -> dict[int, OutletColumns]:
        self._reach()
        found = {outlet: await self._outlet_rows(span, pdu_id, outlet) for outlet in outlets}
        return {outlet: outlet_columns(rows, span) for outlet, rows in found.items() if rows}

    async def source_buckets(
        self, pdu_id: str, sources: Sequence[Source], span: Buckets
    ) -> dict[Source, SourceColumns]:
        self._reach()
        found = {source: await self._source_rows(span, pdu_id, source) for source in sources}
        return {source: source_columns(rows, span) for source, rows in found.items() if rows}

    async def outlet_counters(
        self, pdu_id: str, outlets: Sequence[int], tier: Tier | None, since_ms: int, until_ms: int
    ) -> dict[int, list[tuple[int, Counters]]]:
        self._reach()
        span = Buckets(tier, since_ms, until_ms, 1)
        found = {
            outlet: [
                (ts_ms, one.counters)
                for ts_ms, one in await self._outlet_rows(span, pdu_id, outlet)
                if one.counters
            ]
            for outlet in outlets
        }
        return {outlet: rows if tier else metered(rows) for outlet, rows in found.items() if rows}

    async def _outlet_rows(self, span: Buckets, pdu_id: str, outlet: int) -> list[tuple[int, OutletRollup]]:
        if span.tier is not None:
            return await self.outlet_rollups(span.tier, pdu_id, outlet, span.since_ms, span.until_ms)
        raw = await self.raw_outlets(pdu_id, outlet, span.since_ms, span.until_ms)
        return [(row.ts_ms, outlet_rollup(row.reading, row.ts_ms, row.samples, row.period_ms)) for row in raw]

    async def _source_rows(
        self, span: Buckets, pdu_id: str, source: Source
    ) -> list[tuple[int, SourceRollup]]:
        if span.tier is not None:
            return await self.source_rollups(span.tier, pdu_id, source, span.since_ms, span.until_ms)
        raw = await self.raw_sources(pdu_id, source, span.since_ms, span.until_ms)
        return [(row.ts_ms, source_rollup(row.reading, row.samples, row.period_ms)) for row in raw]

    async def events(self, wanted: EventFilter) -> list[StoredEvent]:
        self._reach()
        found = [event for event in self.tables.events if matches(event, wanted)]
        if wanted.after_id is None:
            found.reverse()
        return found[: wanted.limit]

    async def add_event(self, event: StoredEvent) -> StoredEvent:
        self._reach()
        if event.boot != 0:
            raise StoreDataError("add_event keeps events of the control center: boot must be 0")
        self._append_events(self.tables, [event])
        return self.tables.events[-1]

    async def gaps(self, pdu_id: str) -> list[GapRow]:
        self._reach()
        return sorted(
            (gap for gap in self.tables.gaps if gap.key.pdu_id == pdu_id), key=lambda gap: gap.ts_ms
        )

    async def quarantine_counts(self) -> dict[str, int]:
        self._reach()
        counts: dict[str, int] = {}
        for row in self.tables.quarantine:
            counts[row.reason] = counts.get(row.reason, 0) + 1
        return counts

    async def outlets_between(self, pdu_id: str, since_ms: int, until_ms: int) -> list[int]:
        self._reach()
        days = self.tables.rollups[Tier.DAY]
        return sorted(
            {
                key.channel
                for key in days
                if key.pdu_id == pdu_id
                and isinstance(key.channel, int)
                and since_ms <= key.start_ms < until_ms
            }
        )

    # -- registry

    async def devices(self) -> list[DeviceRow]:
        self._reach()
        return sorted(self._devices.values(), key=lambda device: (device.name, device.pdu_id))

    async def put_device(self, device: DeviceRow) -> None:
        self._reach()
        self._devices[device.pdu_id] = device

    async def delete_device(self, pdu_id: str) -> bool:
        self._reach()
        return self._devices.pop(pdu_id, None) is not None

    async def desired(self, pdu_id: str) -> tuple[int, str] | None:
        self._reach()
        return self._desired.get(pdu_id)

    async def put_desired(self, pdu_id: str, version: int, settings: str, before: int) -> bool:
        self._reach()
        if self._desired.get(pdu_id, (0, ""))[0] != before:
            return False
        self._desired[pdu_id] = version, settings
        return True

    # -- commands

    async def add_command(self, row: CommandRow) -> CommandRow:
        self._reach()
        for known in self._commands.values():
            if row.idempotency_key is not None and known.idempotency_key == row.idempotency_key:
                return known
        if row.id in self._commands:
            raise StoreDataError(f"there is a command '{row.id}' already: give each command its own id")
        self._commands[row.id] = row
        return row

    async def settle_command(
        self, command_id: str, status: CommandStatus, code: str, at_ms: int, detail: str
    ) -> None:
        self._reach()
        if command_id not in self._commands:
            raise StoreDataError(f"there is no command '{command_id}' to settle")
        self._commands[command_id] = replace(
            self._commands[command_id],
            status=status,
            code=code,
            settled_ms=at_ms if status.final else None,
            detail=detail,
        )

    async def command(self, command_id: str) -> CommandRow | None:
        self._reach()
        return self._commands.get(command_id)

    async def commands(self, pdu_id: str | None, limit: int) -> list[CommandRow]:
        self._reach()
        found = [row for row in self._commands.values() if pdu_id in (None, row.pdu_id)]
        return found[::-1][:limit]

    # -- alarms

    async def alarms(self, *, open_only: bool) -> list[AlarmRow]:
        self._reach()
        found = [row for row in self._alarms.values() if not open_only or row.cleared_ms is None]
        return sorted(found, key=lambda row: (row.first_ms, row.id), reverse=True)

    async def put_alarm(self, alarm: AlarmRow) -> AlarmRow:
        self._reach()
        if alarm.id and alarm.id not in self._alarms:
            raise StoreDataError(f"there is no alarm {alarm.id} to update")
        kept = alarm if alarm.id else replace(alarm, id=len(self._alarms) + 1)
        self._alarms[kept.id] = kept
        return kept

    # -- people

    async def user(self, name: str) -> UserRow | None:
        self._reach()
        return self._users.get(name)

    async def put_user(self, user: UserRow) -> None:
        self._reach()
        if user.name != user.name.rstrip(" "):
            raise StoreDataError(f"the user name '{user.name}' ends with a space: leave it away")
        self._users[user.name] = user

    async def put_session(self, session: SessionRow) -> None:
        self._reach()
        if session.user not in self._users:
            raise StoreDataError(f"there is no user '{session.user}' to log in")
        self._sessions[session.token_sha256] = session

    async def session(self, token_sha256: str) -> SessionRow | None:
        self._reach()
        return self._sessions.get(token_sha256)

    async def delete_session(self, token_sha256: str) -> None:
        self._reach()
        self._sessions.pop(token_sha256, None)

    async def delete_sessions_of(self, user: str) -> None:
        self._reach()
        self._sessions = {key: row for key, row in self._sessions.items() if row.user != user}

    async def delete_sessions_expired(self, now_ms: int) -> None:
        self._reach()
        self._sessions = {key: row for key, row in self._sessions.items() if row.expires_ms > now_ms}

    # -- within

    def _reach(self) -> None:
        if self.away is not None:
            raise StoreUnavailableError(self.away)

    def _merge_minutes(
        self, tables: Tables, minutes: Mapping[RollupKey, OutletRollup | SourceRollup]
    ) -> None:
        for key, rollup in minutes.items():
            for tier in Tier:
                stored = tables.rollups[tier]
                at = replace(key, start_ms=self._start(key.start_ms, tier))
                stored[at] = merge(stored[at], rollup) if at in stored else unreset(rollup)

    def _fold(self, tables: Tables, record: RawRecord) -> None:
        readings = record.readings
        minute_ms = bucket_start_ms(record.ts_ms, Tier.MINUTE)
        minutes: dict[RollupKey, OutletRollup | SourceRollup] = {}
        for outlet in readings.outlets:
            counter = self._metered(tables, record, outlet)
            rollup = outlet_rollup(
                outlet._replace(energy_mwh=counter), record.ts_ms, record.samples, readings.period_ms
            )
            minutes[RollupKey(record.pdu_id, outlet.outlet, minute_ms)] = rollup
        for source in readings.sources:
            key = RollupKey(record.pdu_id, source.source, minute_ms)
            minutes[key] = source_rollup(source, record.samples, readings.period_ms)
        self._merge_minutes(tables, minutes)

    def _metered(self, tables: Tables, record: RawRecord, reading: OutletReading) -> int | None:
        if reading.energy_mwh is None:
            return None
        key = record.pdu_id, reading.outlet
        before = tables.meters.get(key)
        if before is not None and reading.energy_mwh < before.shown_mwh:
            tables.resets.add((*key, record.ts_ms))
        tables.meters[key] = before.read(reading.energy_mwh) if before else Meter(reading.energy_mwh)
        return tables.meters[key].total_mwh

    def _start(self, ts_ms: int, tier: Tier) -> int:
        return self._day_start(ts_ms) if tier is Tier.DAY else bucket_start_ms(ts_ms, tier)

    def _span(
        self, tier: Tier, pdu_id: str, channel: int | Source, since_ms: int, until_ms: int
    ) -> list[tuple[int, OutletRollup | SourceRollup]]:
        return sorted(
            (
                (key.start_ms, rollup)
                for key, rollup in self.tables.rollups[tier].items()
                if key.pdu_id == pdu_id and key.channel == channel and since_ms <= key.start_ms < until_ms
            ),
            key=lambda row: row[0],
        )

    def _append_events(self, tables: Tables, events: Sequence[StoredEvent]) -> None:
        known = {(event.pdu_id, event.boot, event.seq) for event in tables.events if event.boot}
        for event in events:
            name = event.pdu_id, event.boot, event.seq
            if name in known:
                continue
            if event.boot:
                known.add(name)
            self._last_event_id += 1
            seq = event.seq if event.boot else 0
            tables.events.append(
                replace(event, id=self._last_event_id, seq=seq, data=deepcopy(dict(event.data)))
            )


def move_position(tables: Tables, move: Position) -> None:
    stored = tables.positions.get(move.key, 0)
    if stored != move.before:
        raise PositionConflictError(
            f"{move.key} is at {stored}, not at {move.before}: read the positions again"
        )
    tables.positions[move.key] = move.after


def keep_readings(tables: Tables, record: RawRecord) -> None:
    pdu_id, ts_ms, samples, readings = record.pdu_id, record.ts_ms, record.samples, record.readings
    for outlet in readings.outlets:
        row = RawOutlet(pdu_id, ts_ms, samples, outlet, readings.period_ms)
        tables.outlets[pdu_id, outlet.outlet, ts_ms] = row
    for source in readings.sources:
        line = RawSource(pdu_id, ts_ms, samples, source, readings.period_ms)
        tables.sources[pdu_id, source.source, ts_ms] = line


def metered(rows: Sequence[tuple[int, Counters]]) -> list[tuple[int, Counters]]:
    meter, found = Meter(rows[0][1].first_mwh), []
    for ts_ms, counters in rows:
        meter = meter.read(counters.first_mwh)
        found.append((ts_ms, Counters(ts_ms, meter.total_mwh, ts_ms, meter.total_mwh)))
    return found


def unreset(rollup: OutletRollup | SourceRollup) -> OutletRollup | SourceRollup:
    """What a reset has hidden is part of the meter once it is stored."""
    if isinstance(rollup, SourceRollup) or rollup.counters is None:
        return rollup
    counters = rollup.counters
    whole = replace(counters, last_mwh=counters.last_mwh + counters.reset_mwh, reset_mwh=0)
    return replace(rollup, counters=whole)


def merge(
    one: OutletRollup | SourceRollup, other: OutletRollup | SourceRollup
) -> OutletRollup | SourceRollup:
    if isinstance(one, OutletRollup) and isinstance(other, OutletRollup):
        return one.merge(unreset(other))
    if isinstance(one, SourceRollup) and isinstance(other, SourceRollup):
        return one.merge(other)
    raise TypeError(f"cannot merge {one} and {other}")


def matches(event: StoredEvent, wanted: EventFilter) -> bool:
    return (
        wanted.pdu_id in (None, event.pdu_id)
        and wanted.outlet in (None, event.outlet)
        and wanted.severity in (None, event.severity)
        and (not wanted.codes or event.code in wanted.codes)
        and (wanted.since_ms is None or event.ts_ms >= wanted.since_ms)
        and (wanted.until_ms is None or event.ts_ms < wanted.until_ms)
        and (wanted.before_id is None or event.id < wanted.before_id)
        and (wanted.after_id is None or event.id > wanted.after_id)
    )


def check_values(value: object) -> None:
    """Refuse integers that no database column holds, as the real stores do."""
    for number in integers(value):
        if abs(number) > INT64_MAX:
            raise StoreDataError(f"{number} does not fit into 64 bits")


def integers(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping):
        yield from integers([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from integers(part)
    elif is_dataclass(value):
        for part in fields(value):
            if part.name != "data":  # kept as JSON, which has no such limit
                yield from integers(getattr(value, part.name))
