"""Import: recordings of other systems become raw rows and rollups of one outlet, on the path of live records.

A minute is written in one transaction, so an import that was cut off is simply run again, also when the recording has
grown: what is there already is seen and left alone. A minute that holds something else is refused, as merging two meters
would be a third.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, groupby, islice, pairwise
from operator import itemgetter
from statistics import median_low
from typing import Final

from loadcenter.domain.energy import EnergyCounter, Meter
from loadcenter.domain.readings import OutletReading
from loadcenter.domain.rollups import OutletRollup, Tier, bucket_start_ms, outlet_rollup
from loadcenter.services.ports import IngestBatch, RawOutlet, RollupKey, Store

MINUTE_MS: Final = 60_000
ROWS_A_BATCH: Final = 2_000
MINUTES_A_BATCH: Final = 240
_SAMPLED: Final = 1_000
"""Readings from which the interval of a recording is guessed."""
_INT32_MAX: Final = 2**31 - 1


class Quantity(StrEnum):
    """What a recording holds, with its unit."""

    POWER = "power_w"
    CURRENT = "current_a"
    VOLTAGE = "voltage_v"
    ENERGY = "energy_kwh"


Feed = Iterable[tuple[int, float]]
"""(UTC ms, value) of one quantity, in order of time; unknown values are left out."""


class ImportRefusedError(Exception):
    """A recording cannot be imported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a recording goes, and which part of it; `interval_ms` 0 is guessed from its first readings."""

    pdu_id: str
    outlet: int
    since_ms: int = 0
    until_ms: int = 2**62
    interval_ms: int = 0


@dataclass(slots=True)
class Imported:
    """What an import has done: rows written, and minutes that were there already."""

    rows: int = 0
    known_minutes: int = 0
    first_ms: int | None = None
    last_ms: int | None = None


@dataclass(slots=True)
class _Minute:
    """Readings of one minute, the rollup of each and of all."""

    start_ms: int
    rows: list[RawOutlet] = field(default_factory=list)
    rollups: list[OutletRollup] = field(default_factory=list)
    rollup: OutletRollup | None = None

    def add(self, row: RawOutlet, rollup: OutletRollup) -> None:
        self.rows.append(row)
        self.rollups.append(rollup)
        self.rollup = rollup if self.rollup is None else self.rollup.merge(rollup)


async def import_feeds(
    store: Store, target: Target, feeds: Mapping[Quantity, Feed], progress: Callable[[int], None]
) -> Imported:
    """Write the readings of all feeds, joined by their time, and return what was done.

    Without a feed of energy, power over the interval is added up from the beginning of the recording.

    Raises:
        ImportRefusedError: there are other readings of that outlet at that time, or a value does not fit.
        StoreUnavailableError: the database is away; run it again.
    """
    done = Imported()
    minutes = _minutes(target, feeds)
    while batch := _next_batch(minutes):
        key = RollupKey(target.pdu_id, target.outlet, 0)
        stored = dict(
            await store.outlet_rollups(
                Tier.MINUTE, key.pdu_id, target.outlet, batch[0].start_ms, batch[-1].start_ms + 1
            )
        )
        fresh = [new for minute in batch if (new := _missing(minute, stored, target)).rows]
        if fresh:
            await store.commit(_ingest(fresh, target))
        done.rows += sum(len(minute.rows) for minute in fresh)
        done.known_minutes += len(batch) - len(fresh)
        done.first_ms = batch[0].rows[0].ts_ms if done.first_ms is None else done.first_ms
        done.last_ms = batch[-1].rows[-1].ts_ms
        progress(done.rows)
    return done


def _missing(minute: _Minute, stored: Mapping[int, OutletRollup], target: Target) -> _Minute:
    """Return what is not there yet of a minute: all, nothing, or what the recording has grown by.

    Raises:
        ImportRefusedError: it is there, and differs.
    """
    there = stored.get(minute.start_ms)
    if there is None:
        return minute
    known = _Minute(minute.start_ms)
    for at, row in enumerate(minute.rows, 1):
        known.add(row, minute.rollups[at - 1])
        if known.rollup == there:
            rest = _Minute(minute.start_ms)
            for later in range(at, len(minute.rows)):
                rest.add(minute.rows[later], minute.rollups[later])
            return rest
    raise ImportRefusedError(
        f"outlet {target.outlet} of '{target.pdu_id}' has other readings in the minute of {minute.start_ms} ms UTC; "
        "nothing from there on was written: import into another outlet, or only what lies before or after "
        "(--since, --until)"
    )


def _ingest(minutes: Sequence[_Minute], target: Target) -> IngestBatch:
    rollups = {
        RollupKey(target.pdu_id, target.outlet, minute.start_ms): minute.rollup
        for minute in minutes
        if minute.rollup is not None
    }
    return IngestBatch(
        outlets=[row for minute in minutes for row in minute.rows],
        outlet_minutes=rollups,
    )


def _next_batch(minutes: Iterator[_Minute]) -> list[_Minute]:
    """Return the next whole minutes, about `ROWS_A_BATCH` rows; none at the end."""
    batch: list[_Minute] = []
    rows = 0
    while rows < ROWS_A_BATCH and len(batch) < MINUTES_A_BATCH:
        minute = next(minutes, None)
        if minute is None:
            break
        batch.append(minute)
        rows += len(minute.rows)
    return batch


def _minutes(target: Target, feeds: Mapping[Quantity, Feed]) -> Iterator[_Minute]:
    points = _points(feeds)
    first = list(islice(points, _SAMPLED))
    interval_ms = target.interval_ms or _guessed_interval_ms([ts_ms for ts_ms, _ in first])
    samples = max(1, round(interval_ms / 1000))
    counter = None if Quantity.ENERGY in feeds else EnergyCounter()
    meter: Meter | None = None
    since_ms = (
        -(-target.since_ms // MINUTE_MS) * MINUTE_MS
    )  # a minute that begins cut could never be completed
    minute: _Minute | None = None
    for ts_ms, values in chain(first, points):
        if counter is not None and Quantity.POWER in values:
            counter = counter.add(max(0, round(values[Quantity.POWER] * 1000)), interval_ms)
        if not since_ms <= ts_ms < target.until_ms:
            continue
        start_ms = bucket_start_ms(ts_ms, Tier.MINUTE)
        if minute is None or start_ms != minute.start_ms:
            if minute is not None:
                yield minute
            minute = _Minute(start_ms)
        reading = _reading(target.outlet, ts_ms, values, counter)
        if reading.energy_mwh is not None:
            meter = Meter(reading.energy_mwh) if meter is None else meter.read(reading.energy_mwh)
        metered = (
            reading
            if reading.energy_mwh is None or meter is None
            else reading._replace(energy_mwh=meter.total_mwh)
        )
        period_ms = interval_ms // samples
        rollup = outlet_rollup(metered, ts_ms, samples, period_ms)
        minute.add(RawOutlet(target.pdu_id, ts_ms, samples, reading, period_ms), rollup)
    if minute is not None:
        yield minute


def _points(feeds: Mapping[Quantity, Feed]) -> Iterator[tuple[int, dict[Quantity, float]]]:
    """Return the values of all feeds by time."""
    tagged = [_tagged(quantity, feed) for quantity, feed in feeds.items()]
    for ts_ms, values in groupby(heapq.merge(*tagged, key=itemgetter(0)), itemgetter(0)):
        yield ts_ms, {quantity: value for _, quantity, value in values}


def _tagged(quantity: Quantity, feed: Feed) -> Iterator[tuple[int, Quantity, float]]:
    before_ms = -1
    for ts_ms, value in feed:
        if ts_ms <= before_ms:
            raise ImportRefusedError(
                f"the recording of {quantity} goes back in time from {before_ms} to {ts_ms} ms UTC: sort it; where its "
                "times are local, take UTC, as an hour repeats itself in autumn"
            )
        before_ms = ts_ms
        yield ts_ms, quantity, value


def _guessed_interval_ms(times: Sequence[int]) -> int:
    """Return the usual distance of readings, at most a minute; a second where there is only one."""
    distances = [late - early for early, late in pairwise(times)]
    return min(MINUTE_MS, median_low(distances)) if distances else 1000


def _reading(
    outlet: int, ts_ms: int, values: Mapping[Quantity, float], counter: EnergyCounter | None
) -> OutletReading:
    def milli(quantity: Quantity) -> int | None:
        value = values.get(quantity)
        if value is None:
            return None
        if not abs(value) * 1000 < _INT32_MAX:
            raise ImportRefusedError(
                f"{quantity} is {value:g} at {ts_ms} ms UTC, more than can be: is it in another unit?"
            )
        return round(value * 1000)

    if counter is not None:
        energy: int | None = counter.energy_mwh
    elif Quantity.ENERGY in values:
        energy = _counter_mwh(values[Quantity.ENERGY], ts_ms)
    else:
        energy = None
    return OutletReading(
        outlet, True, milli(Quantity.VOLTAGE), milli(Quantity.CURRENT), milli(Quantity.POWER), energy
    )


def _counter_mwh(energy_kwh: float, ts_ms: int) -> int:
    energy_mwh = round(energy_kwh * 1e6)
    if not 0 <= energy_mwh < 2**48:
        raise ImportRefusedError(
            f"energy_kwh is {energy_kwh:g} at {ts_ms} ms UTC: it must be a counter of kWh that only rises"
        )
    return energy_mwh
