"""Charts, grouped by the database itself: one statement for all channels of a PDU, columns instead of objects.

The statement has one branch for each channel (UNION ALL), because the rows of a channel lie in order of time: so a
branch is grouped as it is read, without a temporary table, three times as fast as `channel IN (...)`. Sums are taken as
floating point, exact up to 2^53; of integers MariaDB would make decimals, at twice the cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Select,
    Subquery,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import schema
from loadcenter.adapters.storage.pdus import known_numbers, number_of
from loadcenter.adapters.storage.raw_buckets import known_outlet_buckets
from loadcenter.adapters.storage.records import bank_and_slot, outlet_rows, source_rows
from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters, Tier
from loadcenter.domain.topology import Source
from loadcenter.services.columns import BandColumns, Buckets, CounterColumns, OutletColumns, SourceColumns

Expression = ColumnElement[Any]
_FLOAT: Final[Expression] = literal_column("1e0")
_NONE: Final[Expression] = literal_column("0")


HALVED_FROM: Final = 4
"""From so many outlets on, two connections share the grouping: MariaDB uses one core for one statement."""


async def outlet_buckets(
    connection: AsyncConnection, pdu_id: str, outlets: Sequence[int], buckets: Buckets
) -> dict[int, OutletColumns]:
    """Return the columns of each outlet that has rows in the range."""
    known: dict[int, OutletColumns] = {}
    if buckets.tier is None and (number := await number_of(connection, pdu_id)) is not None:
        known = await known_outlet_buckets(connection, number, outlets, buckets)
    others = [outlet for outlet in outlets if outlet not in known]
    if not others:
        return known
    rows = await _grouped(connection, "outlet", pdu_id, others, buckets)
    return known | {outlet: _outlet_columns(columns, buckets) for outlet, columns in _by_channel(rows)}


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
    rows = sorted(await _run(connection, _counters, tier, values, outlets), key=itemgetter(0, 1))
    found: dict[int, list[tuple[int, Counters]]] = {}
    for outlet, time_ms, *counters in rows:
        found.setdefault(outlet, []).append((time_ms, Counters(*counters)))
    return found if tier else {outlet: _metered(spans) for outlet, spans in found.items()}


def _metered(readings: list[tuple[int, Counters]]) -> list[tuple[int, Counters]]:
    """Return raw readings as those of a meter that does not fall where the device began again."""
    meter = Meter(readings[0][1].first_mwh)
    metered = []
    for ts_ms, counters in readings:
        meter = meter.read(counters.first_mwh)
        metered.append((ts_ms, Counters(ts_ms, meter.total_mwh, ts_ms, meter.total_mwh)))
    return metered


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
    return sorted(await _run(connection, make, buckets.tier, values, channels))


async def _run(
    connection: AsyncConnection,
    make: Any,
    tier: Tier | None,
    values: Mapping[str, Any],
    channels: Sequence[int | str],
) -> list[tuple[Any, ...]]:
    """Run a statement over all channels, compiled once: describing fifty columns costs as much as reading them."""
    # raw rows hold all channels of a record: which columns are read depends on the channel
    shape = tuple(channels) if tier is None else (None,) * len(channels)
    text, names = _compiled(make, connection.dialect, tier, shape)
    given = {**values, **{f"channel_{n}": channel for n, channel in enumerate(channels)}}
    found = await connection.exec_driver_sql(text, tuple(given[name] for name in names))
    return list(map(tuple, found.all()))


@lru_cache(maxsize=256)
def _compiled(
    make: Any, dialect: Dialect, tier: Tier | None, shape: tuple[int | str | None, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return the text of a statement and the names of its parameters in their order."""
    statement = union_all(*(make(tier, channel, f"channel_{n}") for n, channel in enumerate(shape)))
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _outlet_groups(tier: Tier | None, outlet: int | None, channel: str) -> Select[Any]:
    if tier is None:
        assert outlet is not None
        bank, slot = bank_and_slot(outlet)
        rows = outlet_rows(slot)
        column = rows.c
        return _group(
            _raw(rows, bank),
            literal_column(str(outlet)).label("outlet"),
            column.ts_ms,
            func.sum(column.samples * column.period_ms * _FLOAT),
            *_raw_band(rows, column.power_mw, column.power_min_mw, column.power_max_mw),
            *_raw_band(rows, column.voltage_mv),
            *_raw_band(rows, column.current_ma),
            func.min(case((column.energy_mwh.is_not(None), column.ts_ms))),
            func.min(column.energy_mwh),
            func.max(case((column.energy_mwh.is_not(None), column.ts_ms))),
            func.max(column.energy_mwh),
        )
    table = schema.OUTLET_ROLLUPS[tier]
    column = table.c
    return _group(
        _of_channel(table, column.outlet, channel),
        column.outlet,
        column.start_ms,
        func.sum(column.covered_ms * _FLOAT),
        *_tier_band(table, "power", "mw"),
        *_tier_band(table, "voltage", "mv"),
        *_tier_band(table, "current", "ma"),
        func.min(column.first_ts_ms),
        func.min(column.first_mwh),
        func.max(column.last_ts_ms),
        func.max(column.last_mwh),
    )


def _source_groups(tier: Tier | None, source: str | None, channel: str) -> Select[Any]:
    if tier is None:
        assert source is not None
        rows = source_rows(Source(source))
        column = rows.c
        return _group(
            _raw(rows, 0),
            literal_column(f"'{Source(source).value}'").label("source"),
            column.ts_ms,
            func.sum(column.samples * column.period_ms * _FLOAT),
            *_raw_band(rows, column.voltage_mv),
            *_raw_band(rows, column.frequency_mhz),
        )
    table = schema.SOURCE_ROLLUPS[tier]
    return _group(
        _of_channel(table, table.c.source, channel),
        table.c.source,
        table.c.start_ms,
        func.sum(table.c.covered_ms * _FLOAT),
        *_tier_band(table, "voltage", "mv"),
        *_tier_band(table, "frequency", "mhz"),
    )


def _raw(rows: Subquery, bank: int) -> tuple[Expression, ...]:
    """Return the conditions for the raw rows of one PDU and bank."""
    return rows.c.pdu_no == bindparam("pdu_no"), rows.c.bank == literal_column(str(bank))


def _of_channel(table: Table, channel: Column[Any], name: str) -> tuple[Expression, ...]:
    wanted: Expression = bindparam(name)
    return table.c.pdu_no == bindparam("pdu_no"), channel == wanted


def _group(
    where: tuple[Expression, ...], channel: Expression, time_ms: Expression, *columns: Expression
) -> Select[Any]:
    """Return the rows of one channel, grouped: channel, offset of the bucket, its first time, then `columns`."""
    since_border = time_ms - bindparam("border_ms")
    offset_ms = since_border - since_border % bindparam("length_ms")
    return (
        select(channel, offset_ms.label("offset_ms"), func.min(time_ms), *columns)
        .where(*where)
        .where(time_ms >= bindparam("since_ms"), time_ms < bindparam("until_ms"))
        .group_by(literal_column("offset_ms"))
    )


def _counters(tier: Tier | None, outlet: int | None, channel: str) -> Select[Any]:
    if tier is None:
        assert outlet is not None
        bank, slot = bank_and_slot(outlet)
        rows = outlet_rows(slot)
        time_ms, known = rows.c.ts_ms, rows.c.energy_mwh
        query = select(literal_column(str(outlet)).label("outlet"), time_ms, time_ms, known, time_ms, known)
        query = query.where(*_raw(rows, bank))
    else:
        column = schema.OUTLET_ROLLUPS[tier].c
        time_ms, known = column.start_ms, column.first_mwh
        query = select(
            column.outlet, time_ms, column.first_ts_ms, known, column.last_ts_ms, column.last_mwh
        ).where(*_of_channel(schema.OUTLET_ROLLUPS[tier], column.outlet, channel))
    return query.where(time_ms >= bindparam("since_ms"), time_ms < bindparam("until_ms"), known.is_not(None))


def _raw_band(
    rows: Subquery, value: Expression, low: Expression | None = None, high: Expression | None = None
) -> tuple[Expression, ...]:
    """Return least, weighted mean and greatest; a thinned record brings its own extremes."""
    least = value if low is None else func.coalesce(low, value)
    greatest = value if high is None else func.coalesce(high, value)
    weight = case((value.is_not(None), rows.c.samples * _FLOAT))
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


def _outlet_columns(columns: list[tuple[Any, ...]], buckets: Buckets) -> OutletColumns:
    return OutletColumns(
        _starts(columns, buckets),
        list(map(int, columns[2])),
        BandColumns(*columns[3:6]),
        BandColumns(*columns[6:9]),
        BandColumns(*columns[9:12]),
        CounterColumns(
            columns[12],
            columns[13],
            columns[14],
            columns[15],
            [None if one is None else 0 for one in columns[13]],
        ),
    )


def _source_columns(columns: list[tuple[Any, ...]], buckets: Buckets) -> SourceColumns:
    return SourceColumns(
        _starts(columns, buckets),
        list(map(int, columns[2])),
        BandColumns(*columns[3:6]),
        BandColumns(*columns[6:9]),
    )
