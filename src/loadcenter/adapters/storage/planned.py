"""Orders for later."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import upsert, write_rows
from loadcenter.adapters.storage.schema import planned as table
from loadcenter.services.ports import PlanRow


async def plans(connection: AsyncConnection, limit: int) -> list[PlanRow]:
    """Return all open plans and the latest others, at most `limit` of those, newest first."""
    newest = select(table).order_by(table.c.created_ms.desc(), table.c.plan_id)
    waiting = await connection.execute(newest.where(table.c.is_open == 1))
    found = [_plan(row) for row in waiting]
    ended = await connection.execute(newest.where(table.c.is_open == 0).limit(limit))
    found += [_plan(row) for row in ended]
    return sorted(found, key=lambda row: row.created_ms, reverse=True)


async def put_plan(connection: AsyncConnection, row: PlanRow) -> None:
    """Keep a plan, in place of the one of the same id."""
    values = row.plan_id, row.created_ms, row.given_by, int(row.open), row.steps
    await write_rows(connection, upsert, table, [values])


def _plan(row: tuple[str, int, str, int, str]) -> PlanRow:
    plan_id, created_ms, given_by, is_open, steps = row
    return PlanRow(plan_id, created_ms, given_by, bool(is_open), steps)
