"""Charts, grouped by the database itself: one statement for all channels of a PDU, columns instead of objects.

The statement has one branch for each channel (UNION ALL), because the rows of a channel lie in order of time: so a
branch is grouped as it is read, without a temporary table, three times as fast as `channel IN (...)`. Sums are taken as
floating point, exact up to 2^53; of integers MariaDB would make decimals, at twice the cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import schema
from loadcenter.adapters.storage.pdus import known_numbers
from loadcenter.domain.rollups import Counters, Tier
from loadcenter.domain.topology import Source
from loadcenter.services.columns import BandColumns, Buckets, CounterColumns, OutletColumns, SourceColumns

Expression = ColumnElement[Any]
_FLOAT: Final[Expression] = literal_column("1e0")
_NONE: Final[Expression] = literal_column("0")
_SAMPLE_MS: Final[Expression] = literal_column("1000")
"""Raw rows do not keep their period; a sample of the contract is one second."""


HALVED_FROM: Final = 4
"""From so many outlets on, two connections share the grouping: MariaDB uses one core for one statement."""


async def outlet_buckets(
    connection: AsyncConnection, pdu_id: str, outlets: Sequence[int], buckets: Buckets
) -> dict[int, OutletColumns]:
    """Return the columns of each outlet that has rows in the range."""
    rows = await _grouped(connection, "outlet", pdu_id, outlets, buckets)
    return {outlet: _outlet_columns(columns, buckets) for outlet, columns in _by_channel(rows)}


async def source_buckets(
    connection: AsyncConnection, pdu_id: str, sources: Sequence[Source], buckets: Buckets
) -> dict[Source, SourceColumns]:
    """Return the columns of each source that has rows in the range."""
    rows = await _grouped(connection, "source", pdu_id, [str(source) for source in sources], buckets)
    return {Source(source): _source_columns(columns, buckets) for source, columns in _by_channel(rows)}


async def outlet_counters(
    connection: AsyncConnection,
    pdu_id: str,
    outlets: Sequence[int],
    tier: Tier | None,
    since_ms: int,
    until_ms: int,
) -> dict[int, list[tuple[int, Counters]]]:
    """Return (time, counters) of the rows of each outlet that know their counter, in order."""
    numbers = await known_numbers(connection, [pdu_id])
    if not outlets or pdu_id not in numbers:
        return {}
    values = {"pdu_no": numbers[pdu_id], "since_ms": since_ms, "until_ms": until_ms}
    rows = await _run(connection, _counters, (tier, len(outlets)), values, outlets)
    found: dict[int, list[tuple[int, Counters]]] = {}
    for outlet, time_ms, *counters in rows:
        found.setdefault(outlet, []).append((time_ms, Counters(*counters)))
    return {outlet: sorted(spans, key=itemgetter(0)) for outlet, spans in found.items()}


async def outlets_that_fell(
    connection: AsyncConnection,
    pdu_id: str,
    outlets: Sequence[int],
    tier: Tier,
    since_ms: int,
    until_ms: int,
) -> set[int]:
    """Return the outlets whose counter fell in or between the rows of `tier` with since <= start < until."""
    numbers = await known_numbers(connection, [pdu_id])
    if not outlets or pdu_id not in numbers:
        return set()
    values = {"pdu_no": numbers[pdu_id], "since_ms": since_ms, "until_ms": until_ms}
    return {outlet for (outlet,) in await _run(connection, _falls, (tier, len(outlets)), values, outlets)}


async def _grouped(
    connection: AsyncConnection, kind: str, pdu_id: str, channels: Sequence[int | str], buckets: Buckets
) -> list[tuple[Any, ...]]:
    numbers = await known_numbers(connection, [pdu_id])
    if not channels or pdu_id not in numbers:
        return []
    values = {
        "pdu_no": numbers[pdu_id],
        "since_ms": buckets.since_ms,
        "until_ms": buckets.until_ms,
        "border_ms": buckets.border_ms,
        "length_ms": buckets.length_ms,
    }
    make = _outlet_groups if kind == "outlet" else _source_groups
    return sorted(await _run(connection, make, (buckets.tier, len(channels)), values, channels))


async def _run(
    connection: AsyncConnection,
    make: Any,
    shape: tuple[Tier | None, int],
    values: Mapping[str, Any],
    channels: Iterable[int | str],
) -> list[tuple[Any, ...]]:
    """Run a statement of `shape`, compiled once: describing fifty columns anew costs as much as reading them."""
    text, names = _compiled(make, connection.dialect, *shape)
    given = {**values, **{f"channel_{n}": channel for n, channel in enumerate(channels)}}
    found = await connection.exec_driver_sql(text, tuple(given[name] for name in names))
    return list(map(tuple, found))


@cache
def _compiled(make: Any, dialect: Dialect, tier: Tier | None, channels: int) -> tuple[str, tuple[str, ...]]:
    """Return the text of a statement and the names of its parameters in their order."""
    statement = union_all(*(make(tier, f"channel_{n}") for n in range(channels)))
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _outlet_groups(tier: Tier | None, channel: str) -> Select[Any]:
    if tier is None:
        table = schema.raw_outlet
        column = table.c
        return _group(
            table,
            column.outlet,
            channel,
            func.sum(column.samples * _FLOAT) * _SAMPLE_MS,
            *_raw_band(table, column.power_mw, column.power_min_mw, column.power_max_mw),
            *_raw_band(table, column.voltage_mv),
            *_raw_band(table, column.current_ma),
            func.min(case((column.energy_mwh.is_not(None), column.ts_ms))),
            func.min(column.energy_mwh),
            func.max(case((column.energy_mwh.is_not(None), column.ts_ms))),
            func.max(column.energy_mwh),
            func.min(column.energy_mwh) * _NONE,
        )
    table = schema.OUTLET_ROLLUPS[tier]
    column = table.c
    return _group(
        table,
        column.outlet,
        channel,
        func.sum(column.covered_ms * _FLOAT),
        *_tier_band(table, "power", "mw"),
        *_tier_band(table, "voltage", "mv"),
        *_tier_band(table, "current", "ma"),
        func.min(column.first_ts_ms),
        func.min(column.first_mwh),
        func.max(column.last_ts_ms),
        func.max(column.last_mwh),
        func.sum(column.reset_mwh * _FLOAT),
    )


def _source_groups(tier: Tier | None, channel: str) -> Select[Any]:
    if tier is None:
        table = schema.raw_source
        return _group(
            table,
            table.c.source,
            channel,
            func.sum(table.c.samples * _FLOAT) * _SAMPLE_MS,
            *_raw_band(table, table.c.voltage_mv),
            *_raw_band(table, table.c.frequency_mhz),
        )
    table = schema.SOURCE_ROLLUPS[tier]
    return _group(
        table,
        table.c.source,
        channel,
        func.sum(table.c.covered_ms * _FLOAT),
        *_tier_band(table, "voltage", "mv"),
        *_tier_band(table, "frequency", "mhz"),
    )


def _group(table: Table, channel: Expression, name: str, *columns: Expression) -> Select[Any]:
    """Return the rows of one channel, grouped: channel, offset of the bucket, its first time, then `columns`."""
    time_ms = _time(table)
    since_border = time_ms - bindparam("border_ms")
    offset_ms = since_border - since_border % bindparam("length_ms")
    wanted: Expression = bindparam(name)
    return (
        select(channel, offset_ms.label("offset_ms"), func.min(time_ms), *columns)
        .where(table.c.pdu_no == bindparam("pdu_no"), channel == wanted)
        .where(time_ms >= bindparam("since_ms"), time_ms < bindparam("until_ms"))
        .group_by(literal_column("offset_ms"))
    )


def _counters(tier: Tier | None, channel: str) -> Select[Any]:
    table = schema.raw_outlet if tier is None else schema.OUTLET_ROLLUPS[tier]
    column, time_ms = table.c, _time(table)
    if tier is None:
        known = column.energy_mwh
        counters: tuple[Expression, ...] = (time_ms, known, time_ms, known, _NONE)
    else:
        known = column.first_mwh
        counters = (column.first_ts_ms, known, column.last_ts_ms, column.last_mwh, column.reset_mwh)
    return (
        select(column.outlet, time_ms, *counters)
        .where(column.pdu_no == bindparam("pdu_no"), column.outlet == bindparam(channel))
        .where(time_ms >= bindparam("since_ms"), time_ms < bindparam("until_ms"), known.is_not(None))
    )


def _falls(tier: Tier | None, channel: str) -> Select[Any]:
    """Return the outlet once if its counter fell; the rows themselves stay in the database."""
    assert tier is not None, "raw rows are too many to be compared one with another"
    table = schema.OUTLET_ROLLUPS[tier]
    column, start_ms = table.c, table.c.start_ms
    rows = (
        select(
            column.outlet,
            column.reset_mwh,
            column.first_mwh,
            func.lag(column.last_mwh).over(order_by=start_ms).label("before_mwh"),
        )
        .where(column.pdu_no == bindparam("pdu_no"), column.outlet == bindparam(channel))
        .where(start_ms >= bindparam("since_ms"), start_ms < bindparam("until_ms"))
        .where(column.first_mwh.is_not(None))
        .subquery(f"rows_of_{channel}")
    )
    fell = or_(rows.c.reset_mwh > _NONE, rows.c.first_mwh < rows.c.before_mwh)
    return select(rows.c.outlet).where(fell).distinct()


def _time(table: Table) -> Expression:
    return table.c.ts_ms if "ts_ms" in table.c else table.c.start_ms


def _raw_band(
    table: Table, value: Expression, low: Expression | None = None, high: Expression | None = None
) -> tuple[Expression, ...]:
    """Return least, weighted mean and greatest; a thinned record brings its own extremes."""
    least = value if low is None else func.coalesce(low, value)
    greatest = value if high is None else func.coalesce(high, value)
    weight = case((value.is_not(None), table.c.samples * _FLOAT))
    return func.min(least), func.sum(value * weight) / func.sum(weight), func.max(greatest)


def _tier_band(table: Table, quantity: str, unit: str) -> tuple[Expression, ...]:
    column = table.c
    total, count = column[f"{quantity}_sum_{unit}"], column[f"{quantity}_count"]
    return (
        func.min(column[f"{quantity}_min_{unit}"]),
        func.sum(total * _FLOAT) / func.nullif(func.sum(count * _FLOAT), _NONE),
        func.max(column[f"{quantity}_max_{unit}"]),
    )


def _by_channel(rows: list[tuple[Any, ...]]) -> Iterable[tuple[Any, list[tuple[Any, ...]]]]:
    """Return (channel, columns), without the channel."""
    for channel, group in groupby(rows, itemgetter(0)):
        yield channel, list(zip(*group, strict=True))[1:]


def _starts(columns: list[tuple[Any, ...]], buckets: Buckets) -> Sequence[int]:
    """Return where the buckets stand: days at their first midnight, others at multiples of their length."""
    return columns[1] if buckets.days else columns[0]


def _whole(values: Iterable[float | None]) -> list[int | None]:
    return [None if value is None else int(value) for value in values]


def _outlet_columns(columns: list[tuple[Any, ...]], buckets: Buckets) -> OutletColumns:
    return OutletColumns(
        _starts(columns, buckets),
        list(map(int, columns[2])),
        BandColumns(*columns[3:6]),
        BandColumns(*columns[6:9]),
        BandColumns(*columns[9:12]),
        CounterColumns(columns[12], columns[13], columns[14], columns[15], _whole(columns[16])),
    )


def _source_columns(columns: list[tuple[Any, ...]], buckets: Buckets) -> SourceColumns:
    return SourceColumns(
        _starts(columns, buckets),
        list(map(int, columns[2])),
        BandColumns(*columns[3:6]),
        BandColumns(*columns[6:9]),
    )
