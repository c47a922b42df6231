"""The one path by which records of devices come into the database: a batch, whole or not at all."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import schema
from loadcenter.adapters.storage.channels import OUTLETS, SOURCES, Channels, R
from loadcenter.adapters.storage.dialect import (
    KEYS_PER_STATEMENT,
    chunks,
    insert_new,
    insert_only,
    upsert,
    write_plain,
    write_rows,
)
from loadcenter.adapters.storage.folding import keep_unfolded
from loadcenter.adapters.storage.pdus import numbers_of
from loadcenter.adapters.storage.quarantine import keep_apart
from loadcenter.adapters.storage.records import joined, put_records, rows_of_readings, rows_of_record
from loadcenter.adapters.storage.rollups import DayStart, RecordKey, Values, add_rollups
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import (
    GapRow,
    IngestBatch,
    Position,
    PositionConflictError,
    RollupKey,
    StoredEvent,
)

Numbers = Mapping[str, int]
PositionKey = tuple[int, int, str]


async def commit(
    connection: AsyncConnection, batch: IngestBatch, day_start: DayStart, quarantine_most: int
) -> None:
    """Write a batch within the caller's transaction.

    Raises:
        PositionConflictError: a position is not at `before`.
    """
    numbers = await numbers_of(connection, _pdu_ids(batch))
    await _move_positions(connection, batch.positions, numbers)
    rows = rows_of_readings(batch.outlets, batch.sources, numbers)
    recorded = [row for one in batch.records for row in rows_of_record(one, numbers[one.pdu_id])]
    joined(recorded, rows)
    await write_plain(connection, put_records, schema.raw_record, [rows[key] for key in sorted(rows)])
    await keep_unfolded(connection, recorded)
    await add_rollups(connection, OUTLETS, _packed(OUTLETS, batch.outlet_minutes, numbers), day_start)
    await add_rollups(connection, SOURCES, _packed(SOURCES, batch.source_minutes, numbers), day_start)
    events = [event_row(event, numbers) for event in batch.events]
    await write_rows(connection, insert_new, schema.event, events)
    await write_rows(connection, insert_only, schema.gap, [_gap_row(gap, numbers) for gap in batch.gaps])
    if batch.quarantine:
        await keep_apart(connection, batch.quarantine, quarantine_most)


async def positions(connection: AsyncConnection, pdu_id: str) -> dict[StreamKey, int]:
    """Return the stream positions of a PDU."""
    columns, pdu = schema.stream_position.c, schema.pdu.c
    query = (
        select(columns.boot, columns.stream, columns.seq)
        .join(schema.pdu, pdu.pdu_no == columns.pdu_no)
        .where(pdu.pdu_id == pdu_id)
    )
    return {
        StreamKey(pdu_id, boot, Stream(stream)): seq for boot, stream, seq in await connection.execute(query)
    }


def _packed(
    channels: Channels[R], minutes: Mapping[RollupKey, R], numbers: Numbers
) -> dict[RecordKey, Values]:
    return {
        (
            numbers[key.pdu_id],
            key.channel if isinstance(key.channel, int) else str(key.channel),
            key.start_ms,
        ): [*channels.pack(rollup)]
        for key, rollup in minutes.items()
    }


def event_row(event: StoredEvent, numbers: Numbers) -> tuple[Any, ...]:
    """Return an event in the order of its table; those of the control center have no number (NULL is unique)."""
    return (
        None,
        numbers[event.pdu_id],
        event.ts_ms,
        event.boot,
        event.seq if event.boot else None,
        str(event.code),
        str(event.severity),
        event.outlet,
        event.source and str(event.source),
        event.cause and str(event.cause),
        event.because_seq,
        json.dumps(event.data, ensure_ascii=False, separators=(",", ":"), default=dict),
    )


def _pdu_ids(batch: IngestBatch) -> Collection[str]:
    return {
        *(record.pdu_id for record in batch.records),
        *(row.pdu_id for row in batch.outlets),
        *(row.pdu_id for row in batch.sources),
        *(key.pdu_id for key in batch.outlet_minutes),
        *(key.pdu_id for key in batch.source_minutes),
        *(event.pdu_id for event in batch.events),
        *(gap.key.pdu_id for gap in batch.gaps),
        *(move.key.pdu_id for move in batch.positions),
    }


async def _move_positions(connection: AsyncConnection, moves: Sequence[Position], numbers: Numbers) -> None:
    """Compare all positions with `before` and set them to `after`; the rows stay locked until the end."""
    wanted = _joined(moves, numbers)
    stored = await _locked_positions(connection, list(wanted))
    for key, move in wanted.items():
        if stored.get(key, 0) != move.before:
            raise PositionConflictError(
                f"{move.key} is at {stored.get(key, 0)}, not at {move.before}: read the positions again"
            )
    known = [(*key, move.after) for key, move in wanted.items() if key in stored]
    await write_plain(connection, upsert, schema.stream_position, known)
    first = [(*key, move.after) for key, move in wanted.items() if key not in stored]
    try:
        await write_plain(connection, insert_only, schema.stream_position, first)
    except IntegrityError as error:  # another writer was the first
        raise PositionConflictError("a stream has begun elsewhere: read the positions again") from error


def _joined(moves: Sequence[Position], numbers: Numbers) -> dict[PositionKey, Position]:
    """Return one move per stream; a second move of a stream has to begin where the first one ends."""
    joined: dict[PositionKey, Position] = {}
    for move in moves:
        key = numbers[move.key.pdu_id], move.key.boot, str(move.key.stream)
        earlier = joined.get(key, replace(move, after=move.before))
        if earlier.after != move.before:
            raise PositionConflictError(
                f"{move.key} is moved from {move.before} after it came to {earlier.after}"
            )
        joined[key] = replace(earlier, after=move.after)
    return joined


async def _locked_positions(
    connection: AsyncConnection, keys: Sequence[PositionKey]
) -> dict[PositionKey, int]:
    columns = schema.stream_position.c
    found: dict[PositionKey, int] = {}
    for chunk in chunks(keys, KEYS_PER_STATEMENT):
        query = select(schema.stream_position).where(
            tuple_(columns.pdu_no, columns.boot, columns.stream).in_(chunk)
        )
        for pdu_no, boot, stream, seq in await connection.execute(query.with_for_update()):
            found[pdu_no, boot, stream] = seq
    return found


def _gap_row(gap: GapRow, numbers: Numbers) -> tuple[Any, ...]:
    return (
        None,
        numbers[gap.key.pdu_id],
        gap.key.boot,
        str(gap.key.stream),
        gap.first,
        gap.last,
        gap.reason,
        gap.count,
        gap.ts_ms,
    )
