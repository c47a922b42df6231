"""The registered PDUs and the settings that they shall run."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import schema
from loadcenter.adapters.storage.dialect import insert_new, upsert, write_rows
from loadcenter.services.ports import DeviceRow


async def devices(connection: AsyncConnection) -> list[DeviceRow]:
    """Return the registered PDUs by name."""
    query = select(schema.device).order_by(schema.device.c.name, schema.device.c.pdu_id)
    return [DeviceRow(*row) for row in await connection.execute(query)]


async def put_device(connection: AsyncConnection, device: DeviceRow) -> None:
    """Register a PDU or replace its credentials."""
    hashes = device.bcrypt_hash, device.mosquitto_hash
    row = device.pdu_id, device.name, device.created_ms, *hashes, device.labels
    await write_rows(connection, upsert, schema.device, [row])


async def delete_device(connection: AsyncConnection, pdu_id: str) -> bool:
    """Forget a registration; return whether there was one."""
    gone = await connection.execute(delete(schema.device).where(schema.device.c.pdu_id == pdu_id))
    return gone.rowcount > 0


async def desired(connection: AsyncConnection, pdu_id: str) -> tuple[int, str] | None:
    """Return (version, JSON text) of the desired settings, None before the first."""
    columns = schema.desired.c
    query = select(columns.version, columns.settings).where(columns.pdu_id == pdu_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.version, row.settings)


async def put_desired(
    connection: AsyncConnection, pdu_id: str, version: int, settings: str, before: int
) -> bool:
    """Set the desired settings if the stored version is still `before` (0: none); return whether it was."""
    columns = schema.desired.c
    if before == 0:
        await write_rows(connection, insert_new, schema.desired, [(pdu_id, 0, "")])
    change = update(schema.desired).where(columns.pdu_id == pdu_id, columns.version == before)
    changed = await connection.execute(change.values(version=version, settings=settings))
    return changed.rowcount > 0
