"""Sites: their limits and what shedding remembers."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import insert_new, write_rows
from loadcenter.adapters.storage.schema import site as table
from loadcenter.services.ports import SiteRow


async def sites(connection: AsyncConnection) -> list[SiteRow]:
    """Return all sites by id."""
    query = select(table).order_by(table.c.site_id)
    return [SiteRow(*row) for row in await connection.execute(query)]


async def put_site(connection: AsyncConnection, row: SiteRow, before: int) -> bool:
    """Keep a site if the stored version is still `before` (0: none); return whether it was."""
    if before == 0:
        await write_rows(connection, insert_new, table, [(row.site_id, 0, "", "")])
    change = update(table).where(table.c.site_id == row.site_id, table.c.version == before)
    changed = await connection.execute(change.values(version=row.version, config=row.config, state=row.state))
    return changed.rowcount > 0


async def put_site_state(connection: AsyncConnection, site_id: str, state: str) -> None:
    """Keep the state of a site that there is."""
    await connection.execute(update(table).where(table.c.site_id == site_id).values(state=state))


async def delete_site(connection: AsyncConnection, site_id: str) -> bool:
    """Forget a site; return whether there was one."""
    gone = await connection.execute(delete(table).where(table.c.site_id == site_id))
    return gone.rowcount > 0
