"""Reads of the analysis: reckoned in the database, so that a year comes back as few rows.

What is divided is a whole multiple, so that it does not matter how a database rounds.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Float,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.pdus import number_of
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS, SOURCE_ROLLUPS
from loadcenter.adapters.storage.wall import FLOAT, wall_ms_sql
from loadcenter.domain.analysis.load_profile import DEMAND_COVERAGE_MS, LEVEL_MW, Demand
from loadcenter.domain.analysis.voltage_quality import (
    LEAST_COVERAGE_MS,
    MOST_PCT,
    TEN_MINUTES_MS,
    VoltageBin,
    VoltageMean,
)
from loadcenter.domain.analysis.wall import DAY_MS, HOUR_MS, WEEK_MS, WallClock, hour_of_week
from loadcenter.domain.rollups import Stat, Tier
from loadcenter.domain.topology import Source


async def outlets_between(
    connection: AsyncConnection, pdu_id: str, since_ms: int, until_ms: int
) -> list[int]:
    """Return the outlets that have days with readings from `since_ms` until before `until_ms`, in order."""
    columns = OUTLET_ROLLUPS[Tier.DAY].c
    query = (
        select(columns.outlet)
        .distinct()
        .where(columns.pdu_no == await number_of(connection, pdu_id))
        .where(columns.start_ms >= since_ms, columns.start_ms < until_ms)
        .order_by(columns.outlet)
    )
    return list((await connection.execute(query)).scalars())


async def hours_of_week(
    connection: AsyncConnection, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
) -> dict[tuple[int, int], Stat]:
    """Return the power of an outlet by (weekday, hour) of the wall."""
    table = OUTLET_ROLLUPS[Tier.HOUR if wall.whole_hours else Tier.QUARTER]
    column = table.c
    wall_ms = wall_ms_sql(column.start_ms, wall)
    query = (
        select(
            (wall_ms % WEEK_MS - wall_ms % HOUR_MS).label("week_ms"),
            func.sum(column.power_count * FLOAT),
            func.min(column.power_min_mw),
            func.max(column.power_max_mw),
            func.sum(column.power_sum_mw * FLOAT),
        )
        .where(*_of(table, await number_of(connection, pdu_id), outlet, since_ms, until_ms))
        .where(column.power_count > 0)
        .group_by(literal_column("week_ms"))
    )
    return {
        hour_of_week(int(week_ms)): Stat(int(count), low, high, int(total))
        for week_ms, count, low, high, total in await connection.execute(query)
    }


async def highest_mean(
    connection: AsyncConnection, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
) -> Demand | None:
    """Return the highest sum of mean powers over a quarter in which each outlet is covered well enough."""
    column = OUTLET_ROLLUPS[Tier.QUARTER].c
    mean_mw = type_coerce(column.power_sum_mw * FLOAT / column.power_count, Float())
    query = (
        select(func.sum(mean_mw).label("together_mw"), column.start_ms)
        .where(column.pdu_no == await number_of(connection, pdu_id), column.outlet.in_(outlets))
        .where(column.start_ms >= since_ms, column.start_ms < until_ms)
        .where(column.power_count > 0, column.covered_ms >= DEMAND_COVERAGE_MS)
    )
    if len(outlets) > 1:
        query = query.group_by(column.start_ms).having(func.count() == len(outlets))
    else:
        query = query.with_only_columns(mean_mw.label("together_mw"), column.start_ms)
    query = query.order_by(literal_column("together_mw").desc(), column.start_ms).limit(1)
    return _demand((await connection.execute(query)).first())


async def highest_reading(
    connection: AsyncConnection, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int
) -> Demand | None:
    """Return the highest reading and the first bucket of a tier that holds it."""
    table = OUTLET_ROLLUPS[tier]
    query = (
        select(table.c.power_max_mw, table.c.start_ms)
        .where(*_of(table, await number_of(connection, pdu_id), outlet, since_ms, until_ms))
        .where(table.c.power_count > 0)
        .order_by(table.c.power_max_mw.desc(), table.c.start_ms)
        .limit(1)
    )
    return _demand((await connection.execute(query)).first())


def _demand(row: Any) -> Demand | None:
    return None if row is None else Demand(row[0], row[1])


async def power_levels(
    connection: AsyncConnection, pdu_id: str, outlet: int, spans: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """Return the covered time in ms by level of one-minute mean power, of minutes in which the outlet was live."""
    if not spans:
        return {}
    given: dict[str, Any] = {"pdu_no": await number_of(connection, pdu_id), "outlet": outlet}
    for n, (since_ms, until_ms) in enumerate(spans):
        given |= {f"since_{n}": since_ms, f"until_{n}": until_ms}
    text, names = _levels_text(connection.dialect, len(spans))
    found = await connection.exec_driver_sql(text, tuple(given[name] for name in names))
    return {round(level): int(covered_ms) for level, covered_ms in map(tuple, found)}


@lru_cache(maxsize=32)
def _levels_text(dialect: Dialect, spans: int) -> tuple[str, tuple[str, ...]]:
    """Return the statement for so many spans and the names of its parameters in their order."""
    live = union_all(*map(_live_minutes, range(spans))).subquery("live").c
    query = select(live.level, func.sum(live.covered_ms * FLOAT)).group_by(live.level)
    compiled = query.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _live_minutes(n: int) -> Select[Any]:
    columns = OUTLET_ROLLUPS[Tier.MINUTE].c
    none: ColumnElement[Any] = literal_column("0")
    step: ColumnElement[Any] = columns.power_count * literal_column(str(LEVEL_MW))
    level = (columns.power_sum_mw - columns.power_sum_mw % step) / step
    return (
        select(level.label("level"), columns.covered_ms)
        .where(columns.pdu_no == bindparam("pdu_no"), columns.outlet == bindparam("outlet"))
        .where(columns.start_ms >= bindparam(f"since_{n}"), columns.start_ms < bindparam(f"until_{n}"))
        .where(columns.power_count > none, columns.voltage_min_mv > none)
    )


async def voltage_means(
    connection: AsyncConnection, pdu_id: str, source: Source, since_ms: int, until_ms: int
) -> list[VoltageMean]:
    """Return the ten-minute values of a source's voltage from `since_ms` until before `until_ms`, in order."""
    values = _ten_minutes(await number_of(connection, pdu_id), source, since_ms, until_ms)
    return [VoltageMean(*map(int, row)) for row in await connection.execute(values.order_by("ten_ms"))]


async def voltage_bins(
    connection: AsyncConnection,
    pdu_id: str,
    source: Source,
    since_ms: int,
    until_ms: int,
    nominal_mv: int,
    wall: WallClock,
) -> list[VoltageBin]:
    """Return the ten-minute values of a source counted by local day and percent of the nominal voltage."""
    number = await number_of(connection, pdu_id)
    column = _ten_minutes(number, source, since_ms, until_ms).subquery("value").c
    hundredfold, nominal = column.total_mv * 100, column.count * nominal_mv
    wall_ms, mean_mv = wall_ms_sql(column.ten_ms, wall), type_coerce(column.total_mv / column.count, Float())
    query = (
        select(
            (wall_ms - wall_ms % DAY_MS).label("day_ms"),
            type_coerce((hundredfold - hundredfold % nominal) / nominal, Float()).label("percent"),
            case((hundredfold > nominal * MOST_PCT, literal_column("1")), else_=literal_column("0")).label(
                "above"
            ),
            func.min(column.ten_ms),
            func.count(),
            func.min(mean_mv),
            func.max(mean_mv),
        )
        .where(column.covered_ms >= LEAST_COVERAGE_MS)
        .group_by(literal_column("day_ms"), literal_column("percent"), literal_column("above"))
    )
    return [
        VoltageBin(int(start_ms), round(percent), bool(above), count, low, high)
        for _, percent, above, start_ms, count, low, high in await connection.execute(query)
    ]


def _ten_minutes(number: int | None, source: Source, since_ms: int, until_ms: int) -> Any:
    table = SOURCE_ROLLUPS[Tier.MINUTE]
    columns = table.c
    names = ("covered_ms", "count", "total_mv")
    sums = (columns.covered_ms, columns.voltage_count, columns.voltage_sum_mv)
    return (
        select(
            (columns.start_ms - columns.start_ms % TEN_MINUTES_MS).label("ten_ms"),
            *(func.sum(column * FLOAT).label(name) for name, column in zip(names, sums, strict=True)),
        )
        .where(columns.pdu_no == number, columns.source == str(source))
        .where(columns.start_ms >= since_ms, columns.start_ms < until_ms)
        .where(columns.voltage_count > 0)
        .group_by("ten_ms")
    )


def _of(
    table: Table, number: int | None, outlet: int, since_ms: int, until_ms: int
) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    this = columns.pdu_no == number, columns.outlet == outlet
    return *this, columns.start_ms >= since_ms, columns.start_ms < until_ms
