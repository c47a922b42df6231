"""The short number that each PDU has in the large tables, instead of its name in every row."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import KEYS_PER_STATEMENT, chunks, insert_new, write_rows
from loadcenter.adapters.storage.schema import pdu


async def known_numbers(connection: AsyncConnection, pdu_ids: Collection[str]) -> dict[str, int]:
    """Return the numbers of those PDUs of which something was stored before."""
    numbers: dict[str, int] = {}
    for chunk in chunks(sorted(pdu_ids), KEYS_PER_STATEMENT):
        found = await connection.execute(select(pdu.c.pdu_id, pdu.c.pdu_no).where(pdu.c.pdu_id.in_(chunk)))
        numbers.update((name, number) for name, number in found)
    return numbers


async def number_of(connection: AsyncConnection, pdu_id: str) -> int | None:
    """Return the number of a PDU; None, which equals no row, for one never heard of."""
    return (await known_numbers(connection, [pdu_id])).get(pdu_id)


async def numbers_of(connection: AsyncConnection, pdu_ids: Collection[str]) -> dict[str, int]:
    """Return the number of each PDU; one heard of for the first time gets its number now.

    They are read in every transaction and not remembered: a database restored from a backup may have others.
    """
    numbers = await known_numbers(connection, pdu_ids)
    missing = sorted(set(pdu_ids) - numbers.keys())
    if missing:
        await write_rows(connection, insert_new, pdu, [(None, name) for name in missing])
        numbers |= await known_numbers(connection, missing)
    return numbers
