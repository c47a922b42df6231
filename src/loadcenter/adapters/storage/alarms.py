"""Alarms: conditions with a life, which survive restarts."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.schema import alarm as table
from loadcenter.domain.events import Severity
from loadcenter.domain.topology import Source
from loadcenter.services.ports import AlarmRow, StoreDataError


async def alarms(connection: AsyncConnection, *, open_only: bool) -> list[AlarmRow]:
    """Return alarms, newest first; only those not cleared if `open_only`."""
    query = select(table).order_by(table.c.first_ms.desc(), table.c.id.desc())
    if open_only:
        query = query.where(table.c.cleared_ms.is_(None))
    return [_alarm(row) for row in await connection.execute(query)]


async def put_alarm(connection: AsyncConnection, alarm: AlarmRow) -> AlarmRow:
    """Insert (id 0) or update an alarm; return it with its id.

    Raises:
        StoreDataError: there is no alarm with this id.
    """
    if not alarm.id:
        added = await connection.execute(insert(table).values(_values(alarm)))
        assert added.inserted_primary_key is not None
        return replace(alarm, id=added.inserted_primary_key[0])
    changed = await connection.execute(update(table).where(table.c.id == alarm.id).values(_values(alarm)))
    if not changed.rowcount:
        raise StoreDataError(f"there is no alarm {alarm.id} to update")
    return alarm


def _values(alarm: AlarmRow) -> dict[str, Any]:
    return {
        "pdu_id": alarm.pdu_id,
        "kind": alarm.kind,
        "outlet": alarm.outlet,
        "source": None if alarm.source is None else str(alarm.source),
        "severity": str(alarm.severity),
        "first_ms": alarm.first_ms,
        "last_ms": alarm.last_ms,
        "times": alarm.count,
        "cleared_ms": alarm.cleared_ms,
        "acknowledged_ms": alarm.acknowledged_ms,
        "acknowledged_by": alarm.acknowledged_by,
        "note": alarm.note,
        "detail": alarm.detail,
    }


def _alarm(row: Row[Any]) -> AlarmRow:
    return AlarmRow(
        id=row.id,
        pdu_id=row.pdu_id,
        kind=row.kind,
        outlet=row.outlet,
        source=None if row.source is None else Source(row.source),
        severity=Severity(row.severity),
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        count=row.times,
        cleared_ms=row.cleared_ms,
        acknowledged_ms=row.acknowledged_ms,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
        detail=row.detail,
    )
