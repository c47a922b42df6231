"""Commands with their whole life."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import insert_only, write_rows
from loadcenter.adapters.storage.schema import command as table
from loadcenter.domain.commands import CommandStatus, Do, Order
from loadcenter.domain.topology import Source
from loadcenter.services.ports import CommandRow, StoreDataError


async def add_command(connection: AsyncConnection, row: CommandRow) -> CommandRow:
    """Keep a new command, or return the one kept under the same idempotency key."""
    if row.idempotency_key is not None:
        query = select(table).where(table.c.idempotency_key == row.idempotency_key).with_for_update()
        known = (await connection.execute(query)).one_or_none()
        if known is not None:
            return _command(known)
    await write_rows(connection, insert_only, table, [_values(row)])
    return row


async def settle_command(
    connection: AsyncConnection, command_id: str, status: CommandStatus, code: str, at_ms: int, detail: str
) -> None:
    """Record where a command has got to.

    Raises:
        StoreDataError: there is no such command.
    """
    change = update(table).where(table.c.id == command_id)
    settled_ms = at_ms if status.final else None
    changed = await connection.execute(
        change.values(status=str(status), code=code, settled_ms=settled_ms, detail=detail)
    )
    if not changed.rowcount:
        raise StoreDataError(f"there is no command '{command_id}' to settle")


async def command(connection: AsyncConnection, command_id: str) -> CommandRow | None:
    """Return one command."""
    row = (await connection.execute(select(table).where(table.c.id == command_id))).one_or_none()
    return None if row is None else _command(row)


async def commands(connection: AsyncConnection, pdu_id: str | None, limit: int) -> list[CommandRow]:
    """Return the latest commands, newest first."""
    query = select(table).order_by(table.c.no.desc()).limit(limit)
    if pdu_id is not None:
        query = query.where(table.c.pdu_id == pdu_id)
    return [_command(row) for row in await connection.execute(query)]


def _values(row: CommandRow) -> tuple[Any, ...]:
    order = row.order
    return (
        None,
        row.id,
        row.pdu_id,
        str(order.do),
        order.outlet,
        None if order.on is None else int(order.on),
        order.off_ms,
        None if order.source is None else str(order.source),
        order.by,
        str(row.status),
        str(row.code),
        row.created_ms,
        row.settled_ms,
        row.idempotency_key,
        row.detail,
    )


def _command(row: Row[Any]) -> CommandRow:
    order = Order(
        Do(row.action),
        row.outlet,
        None if row.wanted_on is None else bool(row.wanted_on),
        row.off_ms,
        None if row.source is None else Source(row.source),
        row.given_by,
    )
    return CommandRow(
        row.id,
        row.pdu_id,
        order,
        CommandStatus(row.status),
        row.code,
        row.created_ms,
        row.settled_ms,
        row.idempotency_key,
        row.detail,
    )
