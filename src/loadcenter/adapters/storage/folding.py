"""Rollups of the records that came in: folded into every tier a little later, each record exactly once.

A COMMIT of records writes them twice: as raw rows, and packed into one row of `unfolded`. Folding takes rows of
`unfolded` in their order, adds up what they say for each bucket of each tier, adds that to the tables in one statement
for each tier, and deletes them, all in one transaction. So a crash at any instant leaves a record either unfolded or
folded, and nothing in memory has to be believed. What it saves: a bucket is written once in a fold and not with
every record, and no bucket is read (decision 0012).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.channels import OUTLETS, SOURCES
from loadcenter.adapters.storage.dialect import KEYS_PER_STATEMENT, chunks, insert_new, upsert, write_rows
from loadcenter.adapters.storage.records import (
    PERIOD_MS,
    REPORTED,
    SLOT_WIDTH,
    SLOTS_AT,
    SOURCE_BITS,
    SOURCE_WIDTH,
    SOURCES_AT,
    RawRow,
)
from loadcenter.adapters.storage.rollups import DayStart, add_rollups
from loadcenter.adapters.storage.schema import BANK_SLOTS, meter, meter_reset, unfolded
from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Tier, bucket_start_ms

ROWS_AT_ONCE: Final = 1_000
BOUND_S: Final = 60
"""A fold that takes longer is given up; whoever asks for one sees to it that it takes about a second."""

Bucket = list[Any]
"""Values of a rollup row after its key, in the order of the columns."""
Key = tuple[int, int | str, int]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[list[Any]]).decode


async def keep_unfolded(connection: AsyncConnection, rows: Sequence[RawRow]) -> None:
    """Keep the raw rows of a batch, in the order in which devices sent them, to be folded."""
    if rows:
        await write_rows(connection, insert_new, unfolded, [(None, len(rows), _encode(rows))])


async def fold(connection: AsyncConnection, day_start: DayStart, most: int) -> int:
    """Fold the oldest records, about `most`, and return how many; 0 when none is left."""
    column = unfolded.c
    oldest = select(column.no, column.records).order_by(column.no).limit(ROWS_AT_ONCE)
    taken: list[int] = []
    records = 0
    for number, count in await connection.execute(oldest.with_for_update()):
        taken.append(number)
        records += count
        if records >= most:
            break
    if taken:
        await _fold_rows(connection, taken, day_start)
        await connection.execute(delete(unfolded).where(column.no <= taken[-1]))
    return records


async def _fold_rows(connection: AsyncConnection, taken: Sequence[int], day_start: DayStart) -> None:
    meters, outlets, sources = _Meters(), dict[Key, Bucket](), dict[Key, Bucket]()
    for number in taken:  # one by one: what is packed takes ten times the room when it is open
        packed = await connection.execute(select(unfolded.c.packed).where(unfolded.c.no == number))
        rows = _decode(packed.scalar_one())
        await meters.load(connection, {row[0] for row in rows})
        fold_minutes(rows, meters, outlets, sources)
    await add_rollups(connection, OUTLETS, outlets, day_start)
    await add_rollups(connection, SOURCES, sources, day_start)
    await write_rows(connection, upsert, meter, meters.changed())
    await write_rows(connection, insert_new, meter_reset, meters.resets)


class _Meters:
    """The meters of outlets, read on in the order of the records."""

    def __init__(self) -> None:
        self._loaded: set[int] = set()
        self._meters: dict[tuple[int, int], Meter] = {}
        self._changed: set[tuple[int, int]] = set()
        self.resets: list[tuple[int, int, int, int]] = []

    async def load(self, connection: AsyncConnection, pdu_nos: set[int]) -> None:
        """Read the meters of these PDUs where they are not known yet."""
        missing = sorted(pdu_nos - self._loaded)
        for chunk in chunks(missing, KEYS_PER_STATEMENT):
            query = select(meter).where(meter.c.pdu_no.in_(chunk)).with_for_update()
            for pdu_no, outlet, shown_mwh, offset_mwh in await connection.execute(query):
                self._meters[pdu_no, outlet] = Meter(shown_mwh, offset_mwh)
        self._loaded.update(missing)

    def total(self, pdu_no: int, outlet: int, ts_ms: int, counter_mwh: int) -> int:
        """Return the reading of the meter when the device shows `counter_mwh`."""
        key = pdu_no, outlet
        before = self._meters.get(key)
        if before is not None and before.shown_mwh == counter_mwh:
            return before.total_mwh
        after = Meter(counter_mwh) if before is None else before.read(counter_mwh)
        if before is not None and counter_mwh < before.shown_mwh:
            self.resets.append((pdu_no, outlet, ts_ms, before.shown_mwh))
        self._meters[key] = after
        self._changed.add(key)
        return after.total_mwh

    def changed(self) -> list[tuple[int, int, int, int]]:
        """Return rows of `meter` for all meters that have moved."""
        found = ((key, self._meters[key]) for key in sorted(self._changed))
        return [(*key, one.shown_mwh, one.offset_mwh) for key, one in found]


def fold_minutes(
    rows: Iterable[RawRow], meters: _Meters, outlets: dict[Key, Bucket], sources: dict[Key, Bucket]
) -> None:
    """Add raw rows to the minutes of outlets and of sources, by (pdu_no, channel, start)."""
    for row in rows:
        pdu_no, ts_ms, _, samples, period_ms, reported = row[: REPORTED + 1]
        covered_ms = samples * (PERIOD_MS if period_ms is None else period_ms)
        start_ms = bucket_start_ms(ts_ms, Tier.MINUTE)
        for slot in range(BANK_SLOTS):
            if reported >> slot & 1:
                _fold_outlet(row, slot, start_ms, covered_ms, meters, outlets)
        for source, bit in SOURCE_BITS.items():
            if reported >> bit & 1:
                bucket = _bucket(sources, (pdu_no, source.value, start_ms), _NO_SOURCE)
                at = SOURCES_AT + SOURCE_WIDTH * (bit - BANK_SLOTS)
                bucket[0] += covered_ms
                _count(bucket, 1, samples, row[at])
                _count(bucket, 5, samples, row[at + 1])


def _fold_outlet(
    row: RawRow, slot: int, start_ms: int, covered_ms: int, meters: _Meters, outlets: dict[Key, Bucket]
) -> None:
    pdu_no, ts_ms, bank, samples = row[:4]
    outlet, at = BANK_SLOTS * bank + slot + 1, SLOTS_AT + SLOT_WIDTH * slot
    voltage, current, power, energy, low, high, _ = row[at : at + SLOT_WIDTH]
    bucket = _bucket(outlets, (pdu_no, outlet, start_ms), _NO_OUTLET)
    bucket[0] += covered_ms
    _count(bucket, 1, samples, power, low, high)
    _count(bucket, 5, samples, voltage)
    _count(bucket, 9, samples, current)
    if energy is not None:
        _meter(bucket, ts_ms, meters.total(pdu_no, outlet, ts_ms, energy))


_NO_STAT: Final = (0, None, None, None)
_NO_OUTLET: Final = (0, *_NO_STAT, *_NO_STAT, *_NO_STAT, None, None, None, None)
_NO_SOURCE: Final = (0, *_NO_STAT, *_NO_STAT)
_COUNTERS_AT: Final = 13


def _bucket(buckets: dict[Key, Bucket], key: Key, empty: tuple[Any, ...]) -> Bucket:
    bucket = buckets.get(key)
    if bucket is None:
        bucket = buckets[key] = list(empty)
    return bucket


def _count(
    bucket: Bucket, at: int, samples: int, value: int | None, low: int | None = None, high: int | None = None
) -> None:
    """Count `samples` samples averaging `value`, and their extremes where they are known."""
    if value is None:
        return
    least, most = value if low is None else low, value if high is None else high
    if not bucket[at]:
        bucket[at : at + 4] = samples, least, most, value * samples
        return
    bucket[at] += samples
    bucket[at + 1] = min(bucket[at + 1], least)
    bucket[at + 2] = max(bucket[at + 2], most)
    bucket[at + 3] += value * samples


def _meter(bucket: Bucket, ts_ms: int, total_mwh: int) -> None:
    """Note a reading of the meter."""
    if bucket[_COUNTERS_AT] is None:
        bucket[_COUNTERS_AT:] = ts_ms, total_mwh, ts_ms, total_mwh
        return
    first_ts_ms, first_mwh, last_ts_ms, last_mwh = bucket[_COUNTERS_AT:]
    bucket[_COUNTERS_AT:] = (
        min(first_ts_ms, ts_ms),
        min(first_mwh, total_mwh),
        max(last_ts_ms, ts_ms),
        max(last_mwh, total_mwh),
    )
