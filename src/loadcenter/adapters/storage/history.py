"""What was stored, read back: raw rows, rollups, events and gaps."""

import json
import operator
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import schema
from loadcenter.adapters.storage.channels import OUTLETS, SOURCES, Channels, R
from loadcenter.adapters.storage.dialect import insert_only, write_rows
from loadcenter.adapters.storage.ingest import event_row
from loadcenter.adapters.storage.pdus import number_of, numbers_of
from loadcenter.adapters.storage.records import QUALITIES, bank_and_slot, outlet_rows, source_rows
from loadcenter.adapters.storage.rollups import read_rollups
from loadcenter.domain.events import Cause, EventCode, Severity
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import OutletRollup, SourceRollup, Tier
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import EventFilter, GapRow, RawOutlet, RawSource, StoreDataError, StoredEvent


async def raw_outlets(
    connection: AsyncConnection, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None
) -> list[RawOutlet]:
    """Return raw rows of one outlet with since <= ts < until, in order."""
    bank, slot = bank_and_slot(outlet)
    rows = outlet_rows(slot)
    columns = rows.c
    query = (
        select(rows)
        .where(columns.pdu_no == await number_of(connection, pdu_id), columns.bank == bank)
        .where(columns.ts_ms >= since_ms, columns.ts_ms < until_ms)
        .order_by(columns.ts_ms)
        .limit(limit)
    )
    return [_raw_outlet(pdu_id, outlet, row) for row in await connection.execute(query)]


async def raw_sources(
    connection: AsyncConnection, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None
) -> list[RawSource]:
    """Return raw rows of one source with since <= ts < until, in order."""
    rows = source_rows(source)
    columns = rows.c
    query = (
        select(rows)
        .where(columns.pdu_no == await number_of(connection, pdu_id), columns.bank == 0)
        .where(columns.ts_ms >= since_ms, columns.ts_ms < until_ms)
        .order_by(columns.ts_ms)
        .limit(limit)
    )
    return [_raw_source(pdu_id, source, row) for row in await connection.execute(query)]


async def outlet_rollups(
    connection: AsyncConnection,
    tier: Tier,
    pdu_id: str,
    outlet: int,
    since_ms: int,
    until_ms: int,
    limit: int | None,
) -> list[tuple[int, OutletRollup]]:
    """Return (start_ms, rollup) of an outlet with since <= start < until, in order."""
    return await _rollups(connection, OUTLETS, tier, pdu_id, outlet, since_ms, until_ms, limit)


async def source_rollups(
    connection: AsyncConnection,
    tier: Tier,
    pdu_id: str,
    source: Source,
    since_ms: int,
    until_ms: int,
    limit: int | None,
) -> list[tuple[int, SourceRollup]]:
    """Return (start_ms, rollup) of a source with since <= start < until, in order."""
    return await _rollups(connection, SOURCES, tier, pdu_id, str(source), since_ms, until_ms, limit)


async def events(connection: AsyncConnection, wanted: EventFilter) -> list[StoredEvent]:
    """Return events, newest first (oldest first when `after_id` is given)."""
    query = _event_query(wanted)
    number = schema.event.c.id
    query = query.order_by(number.desc() if wanted.after_id is None else number).limit(wanted.limit)
    return [_event(row) for row in await connection.execute(query)]


async def add_event(connection: AsyncConnection, event: StoredEvent) -> StoredEvent:
    """Keep an event of the control center itself and return it with its id.

    Raises:
        StoreDataError: the event is one of a device; those come in by a batch.
    """
    if event.boot != 0:
        raise StoreDataError("add_event keeps events of the control center: boot must be 0")
    numbers = await numbers_of(connection, [event.pdu_id])
    await write_rows(connection, insert_only, schema.event, [event_row(event, numbers)])
    newest = select(schema.event.c.id).order_by(schema.event.c.id.desc()).limit(1)
    row_id = (await connection.execute(newest)).scalar_one()
    found = await connection.execute(_event_query(EventFilter()).where(schema.event.c.id == row_id))
    return _event(found.one())


async def gaps(connection: AsyncConnection, pdu_id: str) -> list[GapRow]:
    """Return the announced gaps of a PDU, oldest first."""
    columns = schema.gap.c
    query = (
        select(schema.gap)
        .where(columns.pdu_no == await number_of(connection, pdu_id))
        .order_by(columns.ts_ms, columns.id)
    )
    return [
        GapRow(
            StreamKey(pdu_id, row.boot, Stream(row.stream)),
            row.first_seq,
            row.last_seq,
            row.reason,
            row.missing,
            row.ts_ms,
        )
        for row in await connection.execute(query)
    ]


async def outlets_reset(
    connection: AsyncConnection, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
) -> frozenset[int]:
    """Return which of the outlets began to count again in a span of time."""
    columns = schema.meter_reset.c
    query = (
        select(columns.outlet)
        .distinct()
        .where(columns.pdu_no == await number_of(connection, pdu_id), columns.outlet.in_(outlets))
        .where(columns.ts_ms >= since_ms, columns.ts_ms < until_ms)
    )
    return frozenset((await connection.execute(query)).scalars())


async def _rollups(
    connection: AsyncConnection,
    channels: Channels[R],
    tier: Tier,
    pdu_id: str,
    channel: int | str,
    since_ms: int,
    until_ms: int,
    limit: int | None,
) -> list[tuple[int, R]]:
    pdu_no = await number_of(connection, pdu_id)
    if pdu_no is None:
        return []
    return await read_rollups(connection, channels, tier, (pdu_no, channel, since_ms), until_ms, limit)


def _event_query(wanted: EventFilter) -> Select[Any]:
    columns = schema.event.c
    query = select(schema.event, schema.pdu.c.pdu_id).join(schema.pdu, schema.pdu.c.pdu_no == columns.pdu_no)
    conditions = (
        (operator.eq, schema.pdu.c.pdu_id, wanted.pdu_id),
        (operator.eq, columns.outlet, wanted.outlet),
        (operator.eq, columns.severity, wanted.severity),
        (operator.ge, columns.ts_ms, wanted.since_ms),
        (operator.lt, columns.ts_ms, wanted.until_ms),
        (operator.lt, columns.id, wanted.before_id),
        (operator.gt, columns.id, wanted.after_id),
    )
    query = query.where(
        *(compare(column, value) for compare, column, value in conditions if value is not None)
    )
    return query.where(columns.code.in_([str(code) for code in wanted.codes])) if wanted.codes else query


def _event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        pdu_id=row.pdu_id,
        ts_ms=row.ts_ms,
        boot=row.boot,
        seq=row.seq or 0,
        code=_code(row.code),
        severity=Severity(row.severity),
        outlet=row.outlet,
        source=None if row.source is None else Source(row.source),
        cause=None if row.cause is None else Cause(row.cause),
        because_seq=row.because_seq,
        data=json.loads(row.data),
        id=row.id,
    )


def _code(text: str) -> EventCode | str:
    """Return the code; one that this version does not know stays the text that it is."""
    try:
        return EventCode(text)
    except ValueError:
        return text


def _raw_outlet(pdu_id: str, outlet: int, row: Row[Any]) -> RawOutlet:
    reading = OutletReading(
        outlet=outlet,
        on=bool(row.is_on),
        voltage_mv=row.voltage_mv,
        current_ma=row.current_ma,
        power_mw=row.power_mw,
        energy_mwh=row.energy_mwh,
        power_min_mw=row.power_min_mw,
        power_max_mw=row.power_max_mw,
        quality=QUALITIES[row.quality],
    )
    return RawOutlet(pdu_id, row.ts_ms, row.samples, reading, row.period_ms)


def _raw_source(pdu_id: str, source: Source, row: Row[Any]) -> RawSource:
    reading = SourceReading(source, row.voltage_mv, row.frequency_mhz, QUALITIES[row.quality])
    return RawSource(pdu_id, row.ts_ms, row.samples, reading, row.period_ms)
