"""A data folder that holds weeks of a PDU: minutes of outlets and sources, outages, dips and a gap.

It is written before the control center is started on it.
"""

import asyncio
import math
import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.system.centers import ServedCenter

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.mqtt.credentials import make_credentials
from loadcenter.adapters.storage.channels import OUTLETS, SOURCES, Channels, R
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.energy import EnergyCounter
from loadcenter.domain.events import SEVERITY, Cause, Detail, EventCode
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import (
    OutletRollup,
    SourceRollup,
    Tier,
    bucket_start_ms,
    outlet_rollup,
    source_rollup,
)
from loadcenter.domain.topology import Source
from loadcenter.services.labels import OutletLabel, write_labels
from loadcenter.services.ports import DeviceRow, IngestBatch, RollupKey, StoredEvent

PDU = "rack-1"
ZONE = "Europe/Vienna"
MINUTE_MS = 60_000
DAY_MINUTES = 1440
NAMES = {1: "Server", 2: "Kettle", 3: "Fridge", 4: "Television"}
LOST = (5 * DAY_MINUTES + 600, 5 * DAY_MINUTES + 900)
"""Minutes from the begin in which nothing was heard."""

TARIFF = """currency = "EUR"

[[tariff]]
valid_from = 2020-01-01
name = "day"
price = 0.3182
fee_per_day = 0.25

[[tariff.window]]
name = "night"
price = 0.2145
from = "22:00"
until = "06:00"
"""


@dataclass
class Outlet:
    """A load that follows the clock."""

    number: int
    counter: EnergyCounter = field(default_factory=EnergyCounter)

    def power_mw(self, minute: int, dice: random.Random) -> int:
        of_day = minute % DAY_MINUTES
        match self.number:
            case 1:
                return round(
                    145_000 + 35_000 * math.sin(of_day / DAY_MINUTES * math.tau - 2) + dice.gauss(0, 4_000)
                )
            case 2:
                return 1_950_000 if of_day in (425, 426, 427, 960, 961, 962) else 0
            case 3:
                return 92_000 if minute % 50 < 17 else 1_400
            case _:
                weekend = minute // DAY_MINUTES % 7 > 4
                watching = of_day > (15 if weekend else 18) * 60 and of_day < 23 * 60
                return 88_000 + round(dice.gauss(0, 3_000)) if watching else 600


def rows(first_ms: int, minutes: int) -> Iterator[IngestBatch]:
    """Yield the minutes of each day."""
    dice = random.Random(5)
    outlets = [Outlet(number) for number in NAMES]
    for begin in range(0, minutes, DAY_MINUTES):
        outlet_minutes: dict[RollupKey, OutletRollup] = {}
        source_minutes: dict[RollupKey, SourceRollup] = {}
        for minute in range(begin, min(begin + DAY_MINUTES, minutes)):
            start_ms = first_ms + minute * MINUTE_MS
            heard = not LOST[0] <= minute < LOST[1]
            for outlet in outlets:
                power_mw = max(outlet.power_mw(minute, dice), 0)
                outlet.counter = outlet.counter.add(power_mw, MINUTE_MS)
                reading = OutletReading(
                    outlet.number, True, 231_000, power_mw // 231, power_mw, outlet.counter.energy_mwh
                )
                if heard:
                    key = RollupKey(PDU, outlet.number, start_ms)
                    outlet_minutes[key] = outlet_rollup(reading, start_ms + 59_000, 60, 1000)
            for source, level in ((Source.MAIN, 231_500), (Source.BACKUP, 226_000)):
                swing = 4_500 * math.sin(minute / DAY_MINUTES * math.tau) + dice.gauss(0, 900)
                if heard:
                    voltage = SourceReading(source, round(level + swing), 50_000)
                    source_minutes[RollupKey(PDU, source, start_ms)] = source_rollup(voltage, 60, 1000)
        yield IngestBatch(outlet_minutes=outlet_minutes, source_minutes=source_minutes)


def events(first_ms: int, days: int) -> Iterator[StoredEvent]:
    """Yield a start, dips, and an outage each week."""
    seq = 0

    def told(
        minute: float,
        code: EventCode,
        source: Source | None = None,
        cause: Cause | None = None,
        **data: Detail,
    ) -> StoredEvent:
        nonlocal seq
        seq += 1
        ts_ms = first_ms + round(minute * MINUTE_MS)
        return StoredEvent(PDU, ts_ms, 1, seq, code, SEVERITY[code], None, source, cause, None, data)

    yield told(0, EventCode.BOOT)
    for day in range(2, days, 3):
        at = day * DAY_MINUTES + 137.0 * (day % 5)
        rung: dict[str, Detail] = {
            "rung": "under_80",
            "measured_mv": 150_000 + 3_000 * (day % 9),
            "limit_mv": 184_000,
            "dwell_ms": 200,
        }
        yield told(at, EventCode.SOURCE_LOST, Source.MAIN, **rung)
        yield told(
            at, EventCode.TRANSFER, Source.BACKUP, Cause.SOURCE_LOST, **{"from": "main", "to": "backup"}
        )
        lasted = 0.01 * (day % 7 + 1) if day % 4 else 3.5
        yield told(at + lasted + 2 / 60, EventCode.SOURCE_RESTORED, Source.MAIN)
        yield told(
            at + lasted + 0.6,
            EventCode.TRANSFER,
            Source.MAIN,
            Cause.RETRANSFER,
            **{"from": "backup", "to": "main"},
        )
    for day in range(4, days, 7):
        at = day * DAY_MINUTES + 200.0
        yield told(at, EventCode.OUTAGE, Source.MAIN)
        yield told(at + 2.75, EventCode.OUTAGE_END, outage_ms=166_000)


async def recorded(folder: Path, days: int) -> None:
    """Write `days` days until now into the database of a data folder."""
    calendar = SiteCalendar(ZONE)
    now_ms = SystemClock().now_ms() // MINUTE_MS * MINUTE_MS
    first_ms = calendar.day_start_ms(now_ms - days * DAY_MINUTES * MINUTE_MS)
    path, made = folder / "loadcenter.db", make_credentials()
    async with open_store(f"sqlite:///{path}", day_start=calendar.day_start_ms) as store:
        labels = write_labels({n: OutletLabel(n, name) for n, name in NAMES.items()})
        await store.put_device(
            DeviceRow(PDU, "Rack 1", first_ms, made.bcrypt_hash, made.mosquitto_hash, labels)
        )
        await store.commit(IngestBatch(events=list(events(first_ms, days))))
    with closing(sqlite3.connect(path)) as database, database:
        days_of_rows = list(rows(first_ms, (now_ms - first_ms) // MINUTE_MS))
        fill(database, OUTLETS, [one.outlet_minutes for one in days_of_rows], calendar)
        fill(database, SOURCES, [one.source_minutes for one in days_of_rows], calendar)


def fill(
    database: sqlite3.Connection,
    channels: Channels[R],
    batches: Iterable[Mapping[RollupKey, R]],
    calendar: SiteCalendar,
) -> None:
    """Write minutes and what is coarser, all at once: ingest would take minutes for weeks."""
    merged: dict[Tier, dict[tuple[int | str, int], R]] = {tier: {} for tier in Tier}
    for minutes in batches:
        for key, rollup in minutes.items():
            channel = key.channel if isinstance(key.channel, int) else str(key.channel)
            for tier, buckets in merged.items():
                start_ms = bucket_start_ms(key.start_ms, tier)
                if tier is Tier.DAY:
                    start_ms = calendar.day_start_ms(key.start_ms)
                place = channel, start_ms
                buckets[place] = buckets[place].merge(rollup) if place in buckets else rollup
    for tier, buckets in merged.items():
        values = [(1, *place, *channels.pack(rollup)) for place, rollup in buckets.items()]
        marks = ", ".join("?" * len(channels.tables[tier].columns))
        database.executemany(f"INSERT INTO {channels.tables[tier].name} VALUES ({marks})", values)


class SeededCenter(ServedCenter):
    """A control center over `days` recorded days."""

    def __init__(self, folder: Path, days: int) -> None:
        tariff = folder / "tariff.toml"
        super().__init__(folder, {"timezone": ZONE, "mqtt_port": 0, "tariff": str(tariff)})
        tariff.write_text(TARIFF, encoding="utf-8")
        (folder / "data").mkdir()
        # Playwright runs an event loop in this thread
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, recorded(folder / "data", days)).result()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def days_ago(days: int) -> str:
    """The date so many days before today, as the page's query has it."""
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
