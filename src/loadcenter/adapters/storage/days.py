"""Where the meters of many PDUs stand, and where they stood when the day began."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import KEYS_PER_STATEMENT, chunks
from loadcenter.adapters.storage.pdus import known_numbers
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS, meter
from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters, Tier

OutletKey = tuple[str, int]


async def meters(connection: AsyncConnection, pdu_ids: Sequence[str]) -> dict[OutletKey, Meter]:
    """Return the energy meter of each outlet of these PDUs."""
    names = await _names(connection, pdu_ids)
    found: dict[OutletKey, Meter] = {}
    for chunk in chunks(sorted(names), KEYS_PER_STATEMENT):
        query = select(meter).where(meter.c.pdu_no.in_(chunk))
        for pdu_no, outlet, shown_mwh, offset_mwh in await connection.execute(query):
            found[names[pdu_no], outlet] = Meter(shown_mwh, offset_mwh)
    return found


async def day_counters(
    connection: AsyncConnection, pdu_ids: Sequence[str], day_ms: int
) -> dict[OutletKey, Counters]:
    """Return the counters of each outlet of these PDUs in the day that begins at `day_ms`, where they are known."""
    names = await _names(connection, pdu_ids)
    column = OUTLET_ROLLUPS[Tier.DAY].c
    counters = column.first_ts_ms, column.first_mwh, column.last_ts_ms, column.last_mwh
    found: dict[OutletKey, Counters] = {}
    for chunk in chunks(sorted(names), KEYS_PER_STATEMENT):
        query = select(column.pdu_no, column.outlet, *counters).where(
            column.pdu_no.in_(chunk), column.start_ms == day_ms, column.first_mwh.is_not(None)
        )
        for pdu_no, outlet, *values in await connection.execute(query):
            found[names[pdu_no], outlet] = Counters(*values)
    return found


async def _names(connection: AsyncConnection, pdu_ids: Sequence[str]) -> dict[int, str]:
    return {number: name for name, number in (await known_numbers(connection, pdu_ids)).items()}
