"""Reads of the analysis: reckoned in the database from one-minute rollups, so that months come back as few rows."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.channels import KEY_COLUMNS, OUTLETS
from loadcenter.adapters.storage.pdus import known_numbers
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS, SOURCE_ROLLUPS
from loadcenter.domain.analysis.load_profile import LEVEL_MW
from loadcenter.domain.analysis.voltage_quality import TEN_MINUTES_MS, VoltageMean
from loadcenter.domain.rollups import OutletRollup, Tier
from loadcenter.domain.topology import Source


async def outlets_between(
    connection: AsyncConnection, pdu_id: str, since_ms: int, until_ms: int
) -> list[int]:
    """Return the outlets that have days with readings from `since_ms` until before `until_ms`, in order."""
    columns = OUTLET_ROLLUPS[Tier.DAY].c
    query = (
        select(columns.outlet)
        .distinct()
        .where(columns.pdu_no == await _number(connection, pdu_id))
        .where(columns.start_ms >= since_ms, columns.start_ms < until_ms)
        .order_by(columns.outlet)
    )
    return list((await connection.execute(query)).scalars())


async def outlet_rollup_before(
    connection: AsyncConnection, tier: Tier, pdu_id: str, outlet: int, before_ms: int
) -> OutletRollup | None:
    """Return the last bucket with a counter that begins before `before_ms`."""
    columns = OUTLET_ROLLUPS[tier].c
    query = (
        select(OUTLET_ROLLUPS[tier])
        .where(columns.pdu_no == await _number(connection, pdu_id), columns.outlet == outlet)
        .where(columns.start_ms < before_ms, columns.last_mwh.is_not(None))
        .order_by(columns.start_ms.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else OUTLETS.unpack(row[KEY_COLUMNS:])


async def power_levels(
    connection: AsyncConnection, pdu_id: str, outlet: int, since_ms: int, until_ms: int
) -> dict[int, int]:
    """Return the covered time in ms by level of one-minute mean power, of minutes in which the outlet was live."""
    columns = OUTLET_ROLLUPS[Tier.MINUTE].c
    step = columns.power_count * LEVEL_MW
    # a whole multiple is divided, so that it does not matter how a database rounds
    level = ((columns.power_sum_mw - columns.power_sum_mw % step) / step).label("level")
    query = (
        select(level, func.sum(columns.covered_ms))
        .where(columns.pdu_no == await _number(connection, pdu_id), columns.outlet == outlet)
        .where(columns.start_ms >= since_ms, columns.start_ms < until_ms)
        .where(columns.power_count > 0, columns.voltage_min_mv > 0)
        .group_by("level")
    )
    return {round(found): int(covered_ms) for found, covered_ms in await connection.execute(query)}


async def voltage_means(
    connection: AsyncConnection, pdu_id: str, source: Source, since_ms: int, until_ms: int
) -> list[VoltageMean]:
    """Return the ten-minute values of a source's voltage from `since_ms` until before `until_ms`, in order."""
    columns = SOURCE_ROLLUPS[Tier.MINUTE].c
    ten_ms = (columns.start_ms - columns.start_ms % TEN_MINUTES_MS).label("ten_ms")
    sums = (columns.covered_ms, columns.voltage_count, columns.voltage_sum_mv)
    query = (
        select(ten_ms, *(func.sum(column) for column in sums))
        .where(columns.pdu_no == await _number(connection, pdu_id), columns.source == str(source))
        .where(columns.start_ms >= since_ms, columns.start_ms < until_ms)
        .where(columns.voltage_count > 0)
        .group_by("ten_ms")
        .order_by("ten_ms")
    )
    return [VoltageMean(*map(int, row)) for row in await connection.execute(query)]


async def _number(connection: AsyncConnection, pdu_id: str) -> int | None:
    """Return the number of a PDU; None, which equals no row, for one never heard of."""
    return (await known_numbers(connection, [pdu_id])).get(pdu_id)
