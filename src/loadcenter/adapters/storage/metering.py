"""Energy of an outlet by days and prices, out of its quarters of an hour.

A group of quarters that follow each other, each with readings from its begin to its end, holds what its counter went on
from the first to the last of them. Where that is not so the quarters are compared one by one with a window function,
which takes three times as long.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.pdus import number_of
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS
from loadcenter.adapters.storage.wall import FLOAT, span_sql
from loadcenter.domain.analysis.metering import GAP_MS, Gap, Metered
from loadcenter.domain.analysis.wall import WallClock
from loadcenter.domain.rollups import Tier

_QUARTER_MS: Final = Tier.QUARTER.value * 1000
_COLUMN: Final = OUTLET_ROLLUPS[Tier.QUARTER].c
_ONE: Final[ColumnElement[Any]] = literal_column("1")
_NONE: Final[ColumnElement[Any]] = literal_column("0")
RANGES_MOST: Final = 20
"""More ranges than this are compared as one."""

Channel = tuple[ColumnElement[bool], ColumnElement[bool]]


async def metered(
    connection: AsyncConnection, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
) -> list[Metered]:
    """Return the energy of an outlet's quarters, grouped by `wall.span`."""
    this = _COLUMN.pdu_no == await number_of(connection, pdu_id), _COLUMN.outlet == outlet
    found: list[Metered] = []
    unclear: list[tuple[int, int]] = []
    end_ms, shown_mwh = (
        since_ms,
        None,
    )  # where the last group ended without a gap, and what the counter showed there
    for start_ms, last_ms, covered_ms, whole, last_mwh in await _groups(
        connection, this, since_ms, until_ms, wall
    ):
        if whole and start_ms == end_ms and shown_mwh is not None:
            found.append(Metered(start_ms, int(covered_ms), last_mwh - shown_mwh))
        elif unclear and unclear[-1][1] == end_ms:
            unclear[-1] = unclear[-1][0], last_ms + _QUARTER_MS
        else:
            unclear.append((start_ms, last_ms + _QUARTER_MS))
        end_ms, shown_mwh = last_ms + _QUARTER_MS, last_mwh if whole else None
    if len(unclear) > RANGES_MOST:
        return await _compared(connection, this, since_ms, until_ms, wall)
    for bounds in unclear:
        found += await _compared(connection, this, *bounds, wall)
    return sorted(found, key=lambda one: one.start_ms)


async def _groups(
    connection: AsyncConnection, this: Channel, since_ms: int, until_ms: int, wall: WallClock
) -> Sequence[Any]:
    """Return (begin of the first and of the last quarter, covered_ms, whether whole, last counter) of each group, in order.

    A group is whole if its quarters follow each other and each is read to within half a gap of both its ends.
    """
    start_ms = _COLUMN.start_ms
    late = _COLUMN.first_ts_ms - start_ms > GAP_MS // 2
    early = start_ms + _QUARTER_MS - _COLUMN.last_ts_ms > GAP_MS // 2
    ragged = func.sum(case((or_(late, early, _COLUMN.last_mwh.is_(None)), _ONE), else_=_NONE))
    adjacent = func.max(start_ms) - func.min(start_ms) == (func.count() - 1) * _QUARTER_MS
    query = (
        select(
            func.min(start_ms).label("first_ms"),
            func.max(start_ms),
            func.sum(_COLUMN.covered_ms * FLOAT),
            case((and_(ragged == 0, adjacent), _ONE), else_=_NONE),
            func.max(_COLUMN.last_mwh),
        )
        .where(*this, start_ms >= since_ms, start_ms < until_ms)
        .group_by(span_sql(start_ms, wall))
        .order_by(literal_column("first_ms"))
    )
    return (await connection.execute(query)).all()


async def _before(connection: AsyncConnection, this: Channel, before_ms: int) -> int | None:
    """Return the begin of the last quarter with a counter before a time."""
    query = (
        select(_COLUMN.start_ms, _COLUMN.last_ts_ms, _COLUMN.last_mwh)
        .where(*this, _COLUMN.start_ms < before_ms, _COLUMN.last_mwh.is_not(None))
        .order_by(_COLUMN.start_ms.desc())
        .limit(1)
    )
    found: int | None = (await connection.execute(query)).scalar()
    return found


async def _compared(
    connection: AsyncConnection, this: Channel, since_ms: int, until_ms: int, wall: WallClock
) -> list[Metered]:
    """Return the quarters of a range in groups, each compared with the one before; one that ended a gap by itself."""
    before_ms = await _before(connection, this, since_ms)
    one = _with_the_one_before(this, since_ms if before_ms is None else before_ms, until_ms)
    gap = one.c.until_ms - one.c.since_ms > GAP_MS
    query = (
        select(
            span_sql(one.c.start_ms, wall).label("span"),
            case((gap, one.c.start_ms), else_=_NONE).label("gap_ms"),
            func.min(one.c.start_ms),
            *(func.sum(value * FLOAT) for value in (one.c.covered_ms, one.c.within_mwh, one.c.between_mwh)),
            func.min(one.c.since_ms),
            func.min(one.c.until_ms),
        )
        .where(one.c.start_ms >= since_ms)
        .group_by(literal_column("span"), literal_column("gap_ms"))
    )
    return [_metered(row) for row in await connection.execute(query)]


def _with_the_one_before(this: Channel, since_ms: int, until_ms: int) -> Any:
    # quarters without a counter are compared among themselves, which says nothing, and change nothing for the others
    order: dict[str, Any] = {"partition_by": _COLUMN.last_mwh.is_(None), "order_by": _COLUMN.start_ms}
    return (
        select(
            _COLUMN.start_ms,
            _COLUMN.covered_ms,
            (_COLUMN.last_mwh - _COLUMN.first_mwh).label("within_mwh"),
            (_COLUMN.first_mwh - func.lag(_COLUMN.last_mwh).over(**order)).label("between_mwh"),
            func.lag(_COLUMN.last_ts_ms).over(**order).label("since_ms"),
            _COLUMN.first_ts_ms.label("until_ms"),
        )
        .where(and_(*this, _COLUMN.start_ms >= since_ms, _COLUMN.start_ms < until_ms))
        .subquery("one")
    )


def _metered(row: Any) -> Metered:
    _, gap_ms, start_ms, covered_ms, within_mwh, between_mwh, since_ms, until_ms = row
    within, between = int(within_mwh or 0), int(between_mwh or 0)
    if gap_ms:
        return Metered(start_ms, int(covered_ms), within, Gap(since_ms, until_ms, between))
    return Metered(start_ms, int(covered_ms), within + between)
