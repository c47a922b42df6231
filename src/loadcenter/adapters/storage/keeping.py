"""How long rows are kept: whole days of raw rows are dropped at once in MariaDB, the rest is deleted in portions.

MariaDB's raw rows lie in partitions, one a day, with `later` for everything beyond the days prepared. The oldest one
takes all that is older than itself, so a record that comes months late finds its place (and leaves with that partition;
its rollups stay).
"""

import datetime as dt
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, column, delete, exists, func, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.channels import OUTLETS, SOURCES
from loadcenter.adapters.storage.dialect import SQLITE
from loadcenter.adapters.storage.engine import TABLE_TIMEOUT_S
from loadcenter.adapters.storage.errors import collided
from loadcenter.adapters.storage.schema import pdu, raw_record
from loadcenter.domain.rollups import Tier, bucket_start_ms
from loadcenter.services.ports import StoreUnavailableError

DAY_MS: Final = Tier.DAY.value * 1000
MOVING_BOUND_S: Final = 3_600
DAYS_AHEAD: Final = 3
"""Days with a partition of their own before they come: records of a clock that runs ahead belong there already."""
ALTER_WAIT_S: Final = 1
"""How long a change of partitions waits for those who read: charts and the database's own purging end within that."""
ROWS_AT_ONCE: Final = 5_000
"""Rows deleted in one transaction: a tenth of a second, so that records coming in do not wait long."""
CHANNELS_AT_ONCE: Final = 50
LATER: Final = "later"
"""The partition of all days that have none."""


async def prepare_days(connection: AsyncConnection, now_ms: int) -> None:
    """Give each day up to `DAYS_AHEAD` from now a partition; SQLite has none."""
    if connection.dialect.name == SQLITE:
        return
    ends = [end_ms for _, end_ms, _ in await _partitions(connection)]
    today_ms = bucket_start_ms(now_ms, Tier.DAY)
    first_ms = max([today_ms + DAY_MS, *(end_ms + DAY_MS for end_ms in ends)])
    last_ms = today_ms + (DAYS_AHEAD + 1) * DAY_MS
    new = range(first_ms, last_ms + 1, DAY_MS)
    if new:
        days = ", ".join(f"PARTITION {_name(end_ms)} VALUES LESS THAN ({end_ms})" for end_ms in new)
        await _alter_raw(
            connection,
            f"REORGANIZE PARTITION {LATER} INTO ({days}, PARTITION {LATER} VALUES LESS THAN MAXVALUE)",
        )


async def forget_raw(connection: AsyncConnection, before_ms: int) -> int:
    """Delete raw rows of before `before_ms` and return how many, about; 0 when nothing is left."""
    if connection.dialect.name == SQLITE:
        return await _delete_raw(connection, before_ms)
    for name, end_ms, rows in await _partitions(connection):
        if end_ms <= before_ms:
            await _alter_raw(connection, f"DROP PARTITION {name}")
            return max(rows, 1)
    return 0


async def forget_rollups(connection: AsyncConnection, tier: Tier, before_ms: int) -> int:
    """Delete rollups of a tier that begin before `before_ms` and return how many; 0 when nothing is left."""
    deleted = 0
    for channels in (OUTLETS, SOURCES):
        # every channel has days, and few of them: the others are found by one look for each channel
        pdu_no, channel, _ = channels.key(Tier.DAY)
        known = select(pdu_no, channel).distinct().subquery()
        pdu_no, channel, start_ms = channels.key(tier)
        overdue = exists().where(pdu_no == known.c[0], channel == known.c[1], start_ms < before_ms)
        for number, name in await connection.execute(select(known).where(overdue).limit(CHANNELS_AT_ONCE)):
            this = pdu_no == number, channel == name
            deleted += await _delete_oldest(connection, this, start_ms, before_ms)
            if deleted >= ROWS_AT_ONCE:
                return deleted
    return deleted


async def _alter_raw(connection: AsyncConnection, change: str) -> None:
    """Change the partitions within `ALTER_WAIT_S` or not at all.

    An ALTER TABLE that waits for a long reader, as a backup is, keeps every record that comes in waiting behind it.

    Raises:
        StoreUnavailableError: somebody reads the table.
    """
    await connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {ALTER_WAIT_S}")
    try:
        await connection.exec_driver_sql(f"ALTER TABLE {raw_record.name} {change}")
    except DBAPIError as error:
        if not collided(error):
            raise
        raise StoreUnavailableError(
            f"{raw_record.name} is being read, by a backup or a long query: its days stay until that has ended"
        ) from error
    finally:
        await connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {TABLE_TIMEOUT_S}")


async def _delete_raw(connection: AsyncConnection, before_ms: int) -> int:
    raw, deleted = raw_record.c, 0
    overdue = exists().where(raw.pdu_no == pdu.c.pdu_no, raw.ts_ms < before_ms)
    found = await connection.execute(select(pdu.c.pdu_no).where(overdue).limit(CHANNELS_AT_ONCE))
    for number in found.scalars().all():
        deleted += await _delete_oldest(connection, (raw.pdu_no == number,), raw.ts_ms, before_ms)
        if deleted >= ROWS_AT_ONCE:
            break
    return deleted


async def _delete_oldest(
    connection: AsyncConnection, this: tuple[ColumnElement[bool], ...], time: Column[Any], before_ms: int
) -> int:
    """Delete the oldest rows that `this` chooses: they lie together, so the database finds them at once."""
    old = select(time).where(*this, time < before_ms).order_by(time)
    last = (await connection.execute(old.limit(1).offset(ROWS_AT_ONCE - 1))).scalar()
    until = time < before_ms if last is None else time <= last
    done = await connection.execute(delete(time.table).where(*this, until))
    return int(done.rowcount)


async def _partitions(connection: AsyncConnection) -> list[tuple[str, int, int]]:
    """Return (name, end in UTC ms, rows) of each partition of a day, oldest first."""
    name: ColumnElement[str] = column("PARTITION_NAME")
    end: ColumnElement[str] = column("PARTITION_DESCRIPTION")
    counted: ColumnElement[int] = column("TABLE_ROWS")
    place: ColumnElement[int] = column("PARTITION_ORDINAL_POSITION")
    query = (
        select(name, end, counted)
        .select_from(table("PARTITIONS", schema="information_schema"))
        .where(
            column("TABLE_SCHEMA") == func.database(), column("TABLE_NAME") == raw_record.name, name != LATER
        )
        .order_by(place)
    )
    found = (await connection.execute(query)).all()
    return [(str(day), int(end_ms), int(rows)) for day, end_ms, rows in found]


def _name(end_ms: int) -> str:
    """Return the name of the partition that ends at `end_ms`: p and its UTC day."""
    day = dt.datetime.fromtimestamp((end_ms - DAY_MS) / 1000, dt.UTC)
    return f"p{day:%Y%m%d}"
