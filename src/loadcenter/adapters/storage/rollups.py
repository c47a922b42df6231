"""Rollups: minutes are merged as they come in, coarser buckets are marked dirty and rebuilt from finer ones.

A bucket that is rebuilt marks the next coarser ones again. So it does not matter whether another batch arrives
between the rebuilding of a quarter and of its hour: in the end all of them hold what the minutes hold.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.channels import KEY_COLUMNS as KEY
from loadcenter.adapters.storage.channels import OUTLETS, SOURCES, Channels, R, channel_of, channel_text
from loadcenter.adapters.storage.dialect import KEYS_PER_STATEMENT, chunks, insert_new, upsert, write_rows
from loadcenter.adapters.storage.pdus import known_numbers
from loadcenter.adapters.storage.schema import dirty_bucket, pdu
from loadcenter.domain.rollups import Tier, bucket_start_ms
from loadcenter.services.ports import RollupKey

DayStart = Callable[[int], int]
"""From a time to the start of the site's local day that holds it, both in UTC ms."""
RecordKey = tuple[int, Any, int]
"""`pdu_no`, channel, `start_ms`."""

COARSER: Final[Mapping[Tier, tuple[Tier, ...]]] = {
    tier: tuple(coarse for coarse in Tier if coarse.finer is tier) for tier in Tier
}
RECOMPUTED: Final = tuple(tier for tier in Tier if tier.finer is not None)


def utc_day_start(ts_ms: int) -> int:
    """Return the start of the UTC day, for a site without a calendar."""
    return bucket_start_ms(ts_ms, Tier.DAY)


async def merge_minutes(
    connection: AsyncConnection,
    channels: Channels[R],
    minutes: Mapping[RollupKey, R],
    numbers: Mapping[str, int],
    day_start: DayStart,
) -> None:
    """Merge minutes into those stored and mark what is coarser."""
    fresh: dict[RecordKey, R] = {}
    for key, rollup in minutes.items():
        fresh[numbers[key.pdu_id], key.channel, key.start_ms] = rollup
    for record_key, stored in (await _stored(connection, channels, list(fresh))).items():
        fresh[record_key] = stored.merge(fresh[record_key])
    rows = [(*record_key, *channels.pack(rollup)) for record_key, rollup in fresh.items()]
    await write_rows(connection, upsert, channels.tables[Tier.MINUTE], rows)
    await mark(connection, fresh, RECOMPUTED, day_start)


async def mark(
    connection: AsyncConnection, keys: Iterable[RecordKey], tiers: Iterable[Tier], day_start: DayStart
) -> None:
    """Mark the buckets of `tiers` that hold these keys as dirty."""
    marks = sorted(
        {
            (tier.value, pdu_no, channel_text(channel), _bucket(start_ms, tier, day_start))
            for tier in tiers
            for pdu_no, channel, start_ms in keys
        }
    )
    await write_rows(connection, insert_new, dirty_bucket, marks)


async def dirty_buckets(connection: AsyncConnection, limit: int) -> list[tuple[Tier, RollupKey]]:
    """Return at most `limit` dirty buckets, finest tier first."""
    columns = dirty_bucket.c
    query = (
        select(columns.tier_s, pdu.c.pdu_id, columns.channel, columns.start_ms)
        .join(pdu, pdu.c.pdu_no == columns.pdu_no)
        .order_by(columns.tier_s, columns.pdu_no, columns.channel, columns.start_ms)
        .limit(limit)
    )
    return [
        (Tier(tier_s), RollupKey(pdu_id, channel_of(channel), start_ms))
        for tier_s, pdu_id, channel, start_ms in await connection.execute(query)
    ]


async def recompute(
    connection: AsyncConnection, tier: Tier, key: RollupKey, until_ms: int, day_start: DayStart
) -> None:
    """Rebuild one bucket from the finer tier, mark it clean and the next coarser ones dirty.

    Where nothing finer is left (its time of keeping is over) the bucket stays as it is.

    Raises:
        ValueError: the tier is the one that is merged at ingest.
    """
    if tier.finer is None:
        raise ValueError("minutes are merged at ingest, not recomputed")
    pdu_no = (await known_numbers(connection, [key.pdu_id])).get(key.pdu_id)
    if pdu_no is None:
        return
    # Cleaned before reading: a batch that marks it from now on waits for this transaction and marks it anew.
    await _clean(connection, tier, (pdu_no, key.channel, key.start_ms))
    if isinstance(key.channel, int):
        await _rebuild(connection, OUTLETS, tier, (pdu_no, key.channel, key.start_ms), until_ms)
    else:
        await _rebuild(connection, SOURCES, tier, (pdu_no, key.channel, key.start_ms), until_ms)
    await mark(connection, [(pdu_no, key.channel, key.start_ms)], COARSER[tier], day_start)


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


async def _stored(
    connection: AsyncConnection, channels: Channels[R], keys: list[RecordKey]
) -> dict[RecordKey, R]:
    """Return the minutes that are there already, locked until the transaction ends."""
    found: dict[RecordKey, R] = {}
    table = channels.tables[Tier.MINUTE]
    for chunk in chunks(keys, KEYS_PER_STATEMENT):
        query = select(table).where(tuple_(*channels.key(Tier.MINUTE)).in_(chunk)).with_for_update()
        for row in await connection.execute(query):
            found[row[0], row[1], row[2]] = channels.unpack(row[KEY:])
    return found


async def _rebuild(
    connection: AsyncConnection, channels: Channels[R], tier: Tier, key: RecordKey, until_ms: int
) -> None:
    assert tier.finer is not None
    finer = await read_rollups(connection, channels, tier.finer, key, until_ms)
    if finer:
        merged = finer[0][1]
        for _, rollup in finer[1:]:
            merged = merged.merge(rollup)
        await write_rows(connection, upsert, channels.tables[tier], [(*key, *channels.pack(merged))])


async def _clean(connection: AsyncConnection, tier: Tier, key: RecordKey) -> None:
    pdu_no, channel, start_ms = key
    columns = dirty_bucket.c
    await connection.execute(
        delete(dirty_bucket).where(
            columns.tier_s == tier.value,
            columns.pdu_no == pdu_no,
            columns.channel == channel_text(channel),
            columns.start_ms == start_ms,
        )
    )


def _bucket(ts_ms: int, tier: Tier, day_start: DayStart) -> int:
    return day_start(ts_ms) if tier is Tier.DAY else bucket_start_ms(ts_ms, tier)
