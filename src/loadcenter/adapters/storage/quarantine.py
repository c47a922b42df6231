"""Payloads that were not understood: the newest are kept, all are counted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import schema
from loadcenter.adapters.storage.dialect import add_up, insert_only, write_rows
from loadcenter.services.ports import QuarantineRow


async def keep_apart(connection: AsyncConnection, rows: Sequence[QuarantineRow], most: int) -> None:
    """Keep and count payloads, and drop the oldest above `most`.

    Nothing in them is refused, else one of them could stop the batch that it is in: text is cut to fit.
    """
    table = schema.quarantine
    await write_rows(connection, insert_only, table, [_values(row) for row in rows])
    counts = Counter(_fit(row.reason, schema.CODE_CHARS) for row in rows)
    await write_rows(connection, add_up, schema.quarantine_total, list(counts.items()))
    newest = (await connection.execute(select(func.max(table.c.id)))).scalar_one()
    await connection.execute(delete(table).where(table.c.id <= newest - most))


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """Return how many payloads ever came into quarantine, by reason."""
    columns = schema.quarantine_total.c
    rows = await connection.execute(select(columns.reason, columns.payloads))
    return {row.reason: row.payloads for row in rows}


def _values(row: QuarantineRow) -> tuple[Any, ...]:
    return (
        None,
        _fit(row.pdu_id, schema.PDU_ID_CHARS),
        _fit(row.topic, schema.TOPIC_CHARS),
        row.ts_ms,
        _fit(row.reason, schema.CODE_CHARS),
        _fit(row.detail, schema.DETAIL_CHARS),
        row.payload[: schema.PAYLOAD_BYTES],
        row.boot,
        row.seq,
    )


def _fit(text: str, chars: int) -> str:
    """Return text cut to `chars`, with halves of surrogate pairs (from broken JSON) replaced."""
    return text[:chars].encode(errors="replace").decode()
