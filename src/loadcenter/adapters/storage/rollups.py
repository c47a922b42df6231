"""Rollups in the database: what comes in is added to the bucket of every tier, which nobody has to read for it.

Counts and sums add up, extremes and meters take the least or the greatest; so it does not matter in which order records
come, how late they are, or what finer rows have been deleted since.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Dialect, Insert, Table, func, select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.channels import KEY_COLUMNS as KEY
from loadcenter.adapters.storage.channels import Channels, R
from loadcenter.adapters.storage.dialect import SQLITE, write_plain
from loadcenter.domain.rollups import Tier, bucket_start_ms

DayStart = Callable[[int], int]
"""From a time to the start of the site's local day that holds it, both in UTC ms."""
RecordKey = tuple[int, Any, int]
"""`pdu_no`, channel, `start_ms`."""
Values = list[Any]
"""What follows the key in a rollup row."""

COARSER: Final = tuple(tier for tier in Tier if tier is not Tier.MINUTE)


def utc_day_start(ts_ms: int) -> int:
    """Return the start of the UTC day, for a site without a calendar."""
    return bucket_start_ms(ts_ms, Tier.DAY)


async def add_rollups(
    connection: AsyncConnection,
    channels: Channels[R],
    minutes: Mapping[RecordKey, Values],
    day_start: DayStart,
) -> None:
    """Add minutes to the rollups of every tier; the buckets are written in the order in which they lie."""
    await _add(connection, channels.tables[Tier.MINUTE], minutes)
    for tier in COARSER:
        await _add(connection, channels.tables[tier], _coarser(channels, tier, minutes, day_start))


async def read_rollups(
    connection: AsyncConnection,
    channels: Channels[R],
    tier: Tier,
    channel: RecordKey,
    until_ms: int,
    limit: int | None = None,
) -> list[tuple[int, R]]:
    """Return (start_ms, rollup) of one channel from `channel`'s start until before `until_ms`, in order."""
    pdu_column, channel_column, start_column = channels.key(tier)
    pdu_no, name, since_ms = channel
    query = (
        select(channels.tables[tier])
        .where(
            pdu_column == pdu_no, channel_column == name, start_column >= since_ms, start_column < until_ms
        )
        .order_by(start_column)
        .limit(limit)
    )
    return [(row[KEY - 1], channels.unpack(row[KEY:])) for row in await connection.execute(query)]


def add_to_buckets(dialect: Dialect, table: Table) -> Insert:
    """Return an INSERT which adds its values to those of a bucket that is there already."""
    values = [column for column in table.columns if not column.primary_key]
    if dialect.name == SQLITE:
        lite = sqlite.insert(table)
        together = {one.name: _together(one, lite.excluded[one.name], func.min, func.max) for one in values}
        return lite.on_conflict_do_update(index_elements=list(table.primary_key), set_=together)
    maria = mysql.insert(table)
    return maria.on_duplicate_key_update(
        {one.name: _together(one, maria.inserted[one.name], func.least, func.greatest) for one in values}
    )


async def _add(connection: AsyncConnection, table: Table, buckets: Mapping[RecordKey, Values]) -> None:
    rows = [(*key, *values) for key, values in sorted(buckets.items(), key=lambda bucket: bucket[0])]
    await write_plain(connection, add_to_buckets, table, rows)


def _together(old: Column[Any], new: ColumnElement[Any], least: Any, greatest: Any) -> ColumnElement[Any]:
    """Return SQL for the value of both; unknown (NULL) leaves the other as it is."""
    known, added = func.coalesce(old, new), func.coalesce(new, old)
    if "_min_" in old.name or old.name.startswith("first_"):
        return least(known, added)  # type: ignore[no-any-return]
    if "_max_" in old.name or old.name.startswith("last_"):
        return greatest(known, added)  # type: ignore[no-any-return]
    return func.coalesce(old + new, known)


def _coarser(
    channels: Channels[R], tier: Tier, minutes: Mapping[RecordKey, Values], day_start: DayStart
) -> dict[RecordKey, Values]:
    """Return the buckets of a coarser tier that minutes make together."""
    starts: dict[int, int] = {}
    found: dict[RecordKey, Values] = {}
    for (pdu_no, channel, minute_ms), values in minutes.items():
        start_ms = starts.get(minute_ms)
        if start_ms is None:
            start_ms = day_start(minute_ms) if tier is Tier.DAY else bucket_start_ms(minute_ms, tier)
            starts[minute_ms] = start_ms
        key = pdu_no, channel, start_ms
        known = found.get(key)
        found[key] = values if known is None else channels.joined(known, values)
    return found
