"""Groups of outlets."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import insert_new, write_rows
from loadcenter.adapters.storage.schema import outlet_group as table
from loadcenter.services.ports import GroupRow


async def groups(connection: AsyncConnection) -> list[GroupRow]:
    """Return all groups by id."""
    query = select(table).order_by(table.c.group_id)
    return [GroupRow(*row) for row in await connection.execute(query)]


async def put_group(connection: AsyncConnection, row: GroupRow, before: int) -> bool:
    """Keep a group if the stored version is still `before` (0: none); return whether it was."""
    if before == 0:
        await write_rows(connection, insert_new, table, [(row.group_id, 0, "", "")])
    change = update(table).where(table.c.group_id == row.group_id, table.c.version == before)
    changed = await connection.execute(change.values(version=row.version, name=row.name, members=row.members))
    return changed.rowcount > 0


async def delete_group(connection: AsyncConnection, group_id: str) -> bool:
    """Forget a group; return whether there was one."""
    gone = await connection.execute(delete(table).where(table.c.group_id == group_id))
    return gone.rowcount > 0
