"""Recorded minutes as columns, for the dry run: 43,200 of each outlet a month."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import SQLITE
from loadcenter.adapters.storage.pdus import known_numbers
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS
from loadcenter.domain.rollups import Tier
from loadcenter.services.ports import DrawColumns

_QUERY: Final = (
    "SELECT start_ms, COALESCE(current_sum_ma {div} NULLIF(current_count, 0), 0), COALESCE(current_max_ma, 0), "
    "COALESCE(power_sum_mw {div} NULLIF(power_count, 0), 0), COALESCE(power_max_mw, 0) "
    "FROM {table} WHERE pdu_no = {mark} AND outlet = {mark} AND start_ms >= {mark} AND start_ms < {mark} ORDER BY start_ms"
)


async def draw_minutes(
    connection: AsyncConnection, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
) -> dict[int, DrawColumns]:
    """Return what each outlet drew in the recorded minutes with since <= start < until, in order.

    The rows go past SQLAlchemy's: a month of eight outlets has 345,600 of them.
    """
    numbers = await known_numbers(connection, [pdu_id])
    if pdu_id not in numbers:
        return {}
    lite = connection.dialect.name == SQLITE
    query = _QUERY.format(
        div="/" if lite else "DIV", mark="?" if lite else "%s", table=OUTLET_ROLLUPS[Tier.MINUTE].name
    )
    found = {}
    for outlet in outlets:
        result = await connection.exec_driver_sql(query, (numbers[pdu_id], outlet, since_ms, until_ms))
        rows = result.all()
        if rows:
            found[outlet] = DrawColumns(*zip(*rows, strict=True))
    return found
