"""Recorded minutes as columns, for the dry run: 43,200 of each outlet a month.

The database joins the values of a day to one text: as rows they would pass through driver and SQLAlchemy one by one, at
five times the cost.
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import SQLITE
from loadcenter.adapters.storage.pdus import known_numbers
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS
from loadcenter.domain.rollups import Tier
from loadcenter.services.ports import DrawColumns

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
_VALUES: Final = (
    "(start_ms - {mark}) {div} 60000",
    "COALESCE(current_sum_ma {div} NULLIF(current_count, 0), 0)",
    "COALESCE(current_max_ma, 0)",
    "COALESCE(power_sum_mw {div} NULLIF(power_count, 0), 0)",
    "COALESCE(power_max_mw, 0)",
)
_JOINED: Final = ", ".join(f"GROUP_CONCAT({value})" for value in _VALUES)
_BEHIND: Final = (
    " FROM {table} WHERE pdu_no = {mark} AND outlet = {mark} AND start_ms >= {mark} AND start_ms < {mark}"
)


async def draw_minutes(
    connection: AsyncConnection, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
) -> dict[int, DrawColumns]:
    """Return what each outlet drew in the recorded minutes with since <= start < until, in order."""
    numbers = await known_numbers(connection, [pdu_id])
    if pdu_id not in numbers:
        return {}
    lite = connection.dialect.name == SQLITE
    query = ("SELECT " + _JOINED + _BEHIND).format(
        div="/" if lite else "DIV", mark="?" if lite else "%s", table=OUTLET_ROLLUPS[Tier.MINUTE].name
    )
    days = [(day_ms, min(day_ms + DAY_MS, until_ms)) for day_ms in range(since_ms, until_ms, DAY_MS)]
    found = {}
    for outlet in outlets:
        parts = []
        for day_ms, end_ms in days:
            values = since_ms, numbers[pdu_id], outlet, day_ms, end_ms
            row = (await connection.exec_driver_sql(query, values)).one()
            if row[0] is not None:
                parts.append(_ordered([_numbers(text) for text in row]))
        if parts:
            columns = [list(chain.from_iterable(part[at] for part in parts)) for at in range(len(_VALUES))]
            starts = [since_ms + minute * MINUTE_MS for minute in columns[0]]
            found[outlet] = DrawColumns(starts, *columns[1:])
    return found


def _numbers(text: Any) -> list[int]:
    return list(map(int, text.split(",")))


def _ordered(columns: list[list[int]]) -> list[list[int]]:
    """Return columns in the order of time, which the databases keep but do not promise."""
    minutes = columns[0]
    if all(early < late for early, late in pairwise(minutes)):
        return columns
    order = sorted(range(len(minutes)), key=minutes.__getitem__)
    return [[column[at] for at in order] for column in columns]
