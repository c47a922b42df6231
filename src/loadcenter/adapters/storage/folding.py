"""Rollups of the records that came in: folded into every tier a little later, each record exactly once.

A COMMIT of records writes them twice: as raw rows, and packed into one row of `unfolded`. Folding takes rows of
`unfolded` in their order, adds up what they say for each bucket of each tier, adds that to the tables in one statement
for each tier, and deletes them, all in one transaction. So a crash at any instant leaves a record either unfolded or
folded, and nothing in memory has to be believed. What it saves: a bucket is written once in a fold and not with
every record, and no bucket is read (decision 0012).
"""

from collections.abc import Callable, Iterable, Sequence
from operator import add, le, mul
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.channels import OUTLETS, SOURCES
from loadcenter.adapters.storage.dialect import (
    KEYS_PER_STATEMENT,
    chunks,
    insert_new,
    upsert,
    write_bytes,
    write_plain,
)
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
Column = tuple[Any, ...]
"""One column of several raw rows."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[list[Any]]).decode


async def keep_unfolded(connection: AsyncConnection, rows: Sequence[RawRow]) -> None:
    """Keep the raw rows of a batch, in the order in which devices sent them, to be folded."""
    if rows:
        await write_bytes(connection, unfolded, len(rows), _encode(rows))


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
    await write_plain(connection, upsert, meter, meters.changed())
    await write_plain(connection, insert_new, meter_reset, meters.resets)


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
    for start_ms, rows_of_run in _runs(rows):
        run = _Run(rows_of_run)
        for slot in range(BANK_SLOTS):
            if run.reported >> slot & 1:
                outlet = BANK_SLOTS * run.bank + slot + 1
                _add(outlets, (run.pdu_no, outlet, start_ms), run.outlet(slot, outlet, meters))
        for source, bit in SOURCE_BITS.items():
            if run.reported >> bit & 1:
                _add(sources, (run.pdu_no, source.value, start_ms), run.source(bit - BANK_SLOTS))


def _runs(rows: Iterable[RawRow]) -> list[tuple[int, list[RawRow]]]:
    """Return rows of one bank of one PDU, one minute and the same outlets together, each PDU's in their order.

    A clock that is set back over the border of a minute begins a new run: meters are read in the order of records.
    """
    latest: dict[tuple[int, int], tuple[int, list[RawRow]]] = {}
    runs: list[tuple[int, list[RawRow]]] = []
    for row in rows:
        start_ms = bucket_start_ms(row[1], Tier.MINUTE)
        known = latest.get((row[0], row[2]))
        if known is not None and known[0] == start_ms and known[1][0][REPORTED] == row[REPORTED]:
            known[1].append(row)
        else:
            latest[row[0], row[2]] = run = start_ms, [row]
            runs.append(run)
    return runs


class _Run:
    """Rows of one bank of one PDU, column by column: what a minute costs hardly depends on how many there are."""

    def __init__(self, rows: Sequence[RawRow]) -> None:
        self.pdu_no, self.bank, self.reported = rows[0][0], rows[0][2], rows[0][REPORTED]
        self._columns: list[Column] = list(zip(*rows, strict=True))
        self._times = self._columns[1]
        self._samples = self._columns[3]
        self._total = sum(self._samples)
        self._single = self._total == len(rows)
        periods_ms = [PERIOD_MS if period_ms is None else period_ms for period_ms in self._columns[4]]
        self._covered_ms = sum(map(mul, self._samples, periods_ms))

    def outlet(self, slot: int, outlet: int, meters: _Meters) -> Bucket:
        """Return what the run says of an outlet, in the order of its rollup."""
        at = SLOTS_AT + SLOT_WIDTH * slot
        voltage, current, power, energy, low, high, _ = self._columns[at : at + SLOT_WIDTH]
        statistics = *self._extremes(power, low, high), *self._stat(voltage), *self._stat(current)
        return [self._covered_ms, *statistics, *self._meter(energy, outlet, meters)]

    def source(self, number: int) -> Bucket:
        """Return what the run says of a source, in the order of its rollup."""
        at = SOURCES_AT + SOURCE_WIDTH * number
        return [self._covered_ms, *self._stat(self._columns[at]), *self._stat(self._columns[at + 1])]

    def _stat(self, values: Column) -> Column:
        """Return count, least, greatest and sum of all samples whose averages are `values`."""
        if None in values:
            return self._known(values, values, values)
        return self._total, min(values), max(values), self._sum(values)

    def _extremes(self, values: Column, low: Column, high: Column) -> Column:
        """Return the same where records have extremes of their own; one that has none has its value."""
        if None in values:
            return self._known(values, low, high)
        least, most = _filled(low, values), _filled(high, values)
        return self._total, min(least), max(most), self._sum(values)

    def _known(self, values: Column, low: Column, high: Column) -> Column:
        """Return the same of those records alone that know a value."""
        count, together, known = 0, 0, []
        for samples, value, least, most in zip(self._samples, values, low, high, strict=True):
            if value is not None:
                count += samples
                together += value * samples
                known += [value if least is None else least, value if most is None else most]
        return (count, min(known[::2]), max(known[1::2]), together) if known else _NO_STAT

    def _sum(self, values: Column) -> int:
        return sum(values) if self._single else sum(map(mul, values, self._samples))

    def _meter(self, energy: Column, outlet: int, meters: _Meters) -> Column:
        """Read the meter on; return the first and the last reading with their times."""
        times = self._times
        if None in energy:
            known = [pair for pair in zip(times, energy, strict=True) if pair[1] is not None]
            if not known:
                return None, None, None, None
            times, energy = zip(*known, strict=True)
        first = last = meters.total(self.pdu_no, outlet, times[0], energy[0])
        if len(energy) > 1:
            # one that has not begun again is known by its ends
            steady = all(map(le, energy, energy[1:]))
            for at in range(len(energy) - 1 if steady else 1, len(energy)):
                last = meters.total(self.pdu_no, outlet, times[at], energy[at])
        return min(times), first, max(times), last


_NO_STAT: Final = (0, None, None, None)


def _filled(extremes: Column, values: Column) -> Column:
    if extremes.count(None) == len(extremes):
        return values
    return tuple(value if one is None else one for one, value in zip(extremes, values, strict=True))


def _add(buckets: dict[Key, Bucket], key: Key, run: Bucket) -> None:
    """Add what a run says to its minute."""
    known = buckets.get(key)
    if known is None:
        buckets[key] = run
        return
    known[:] = [
        new if old is None else old if new is None else together(old, new)
        for together, old, new in zip(_TOGETHER, known, run, strict=False)
    ]


_TOGETHER: Final[tuple[Callable[[int, int], int], ...]] = (add, *(add, min, max, add) * 3, min, min, max, max)
"""How two values at the same place of a rollup become one; that of a source ends earlier."""
