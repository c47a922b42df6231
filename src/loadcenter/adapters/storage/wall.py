"""The clock on the site's wall in SQL: what `domain/analysis/wall.py` reckons, for a column of times."""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, literal, literal_column

from loadcenter.domain.analysis.wall import DAY_MS, WallClock

FLOAT: Final[ColumnElement[Any]] = literal_column("1e0")
"""Makes a sum of whole numbers one of floating point: exact up to 2^53, and half the cost of MariaDB's decimals."""


def wall_ms_sql(ts_ms: ColumnElement[Any], wall: WallClock) -> ColumnElement[Any]:
    """Return SQL for `WallClock.wall_ms`."""
    (_, first_ms), *later = wall.offsets
    offset: ColumnElement[Any] = literal(first_ms)
    if later:
        newest_first = ((ts_ms >= from_ms, literal(offset_ms)) for from_ms, offset_ms in reversed(later))
        offset = case(*newest_first, else_=offset)
    return ts_ms + offset


def span_sql(ts_ms: ColumnElement[Any], wall: WallClock) -> ColumnElement[Any]:
    """Return SQL for `WallClock.span`."""
    wall_ms = wall_ms_sql(ts_ms, wall)
    of_day_ms = wall_ms % DAY_MS
    span = wall_ms - of_day_ms
    for change_ms in wall.changes_ms:
        span += case((of_day_ms >= change_ms, literal_column("1")), else_=literal_column("0"))
    return span
