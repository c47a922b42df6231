"""A database of revision 0001, filled as that version filled it."""

import itertools
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection
from tests.contract.storage.records import DAY, MINUTE, T0

from loadcenter.adapters.storage.migrations import migrate

OUTLETS = (1, 2, 8, 9, 48)
SOURCES = ("main", "backup")
SECONDS = 400
STEP_MS = 1000
SPAN = {"1m": MINUTE, "15m": 15 * MINUTE, "1h": 60 * MINUTE, "1d": DAY}
RESET_AT = 170
"""The second at which the devices began to count again, within a minute; and at a border of minutes later."""
BORDER_RESET_AT = 300


def fill(connection: Connection) -> None:
    """Build the tables of 0001 and fill them; two buckets still wait to be rebuilt."""
    migrate(connection, "0001")
    put(connection, "pdu", [(1, "rack-1"), (2, "rack-2")])
    put(connection, "raw_outlet", list(raw_outlets()))
    put(connection, "raw_source", list(raw_sources()))
    for tier, span in SPAN.items():
        put(connection, f"outlet_rollup_{tier}", list(rollups(span)))
    put(connection, "stream_position", [(1, 1, "telemetry", SECONDS), (2, 1, "telemetry", SECONDS)])
    spoiled = "UPDATE outlet_rollup_{0} SET power_sum_mw = 1, power_count = 1 WHERE pdu_no = 1 AND outlet = 2"
    for tier in ("15m", "1h", "1d"):
        connection.exec_driver_sql(spoiled.format(tier))
    waiting = [(900, 1, "2", T0), (3600, 1, "2", T0), (86_400, 1, "2", T0), (900, 2, "main", T0)]
    put(connection, "dirty_bucket", waiting)


def put(connection: Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    places = ", ".join(["%s" if connection.dialect.name == "mysql" else "?"] * len(rows[0]))
    connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({places})", rows)


def counter(second: int) -> int:
    """What a device shows: it begins again twice."""
    return (
        5000 + 7 * second
        if second < RESET_AT
        else 3 * (second - (BORDER_RESET_AT if second >= BORDER_RESET_AT else RESET_AT))
    )


def power(outlet: int, second: int) -> int:
    return 1000 * outlet + second


def raw_outlets() -> Iterator[tuple[Any, ...]]:
    for pdu_no in (1, 2):
        for outlet in OUTLETS:
            for second in range(SECONDS):
                low, high = (power(outlet, second) - 5, None) if second % 50 == 0 else (None, None)
                volts = None if second == 7 else 230_000 + second
                yield (
                    pdu_no,
                    outlet,
                    T0 + second * STEP_MS,
                    1 + second % 3,
                    int(second % 2 == 0),
                    volts,
                    200 + outlet,
                    power(outlet, second),
                    counter(second),
                    low,
                    high,
                    second % 3 if second % 10 == 0 else 0,
                )


def raw_sources() -> Iterator[tuple[Any, ...]]:
    for pdu_no in (1, 2):
        for source in SOURCES:
            for second in range(SECONDS + 5):
                if source == "backup" and second % 2:
                    continue
                yield (
                    pdu_no,
                    source,
                    T0 + second * STEP_MS,
                    1 + second % 3,
                    231_000 + second,
                    50_000,
                    int(second == 3),
                )


def rollups(span: int) -> Iterator[tuple[Any, ...]]:
    """Rows as that version made them: a fall within a span stands in `reset_mwh`, one between spans nowhere."""
    for pdu_no in (1, 2):
        for outlet in OUTLETS:
            for start in range(0, SECONDS, span // STEP_MS):
                seconds = range(start, min(SECONDS, start + span // STEP_MS))
                powers = [power(outlet, second) for second in seconds]
                shown = [counter(second) for second in seconds]
                reset = sum(a for a, b in itertools.pairwise(shown) if b < a)
                yield (
                    pdu_no,
                    outlet,
                    T0 + start * STEP_MS,
                    1000 * len(seconds),
                    *(len(powers), min(powers), max(powers), sum(powers)),
                    *(len(powers), 230_000, 230_001, 230_000 * len(powers)),
                    *(0, None, None, None),
                    *(T0 + seconds[0] * STEP_MS, shown[0], T0 + seconds[-1] * STEP_MS, shown[-1], reset),
                )
