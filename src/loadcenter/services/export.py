"""Export: readings or rollups of any range as a table, page by page, so that its length costs no memory."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from loadcenter.domain.quantities import from_milli, kwh_from_mwh
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import OutletRollup, SourceRollup, Stat, Tier
from loadcenter.domain.topology import Source
from loadcenter.services.ports import RawOutlet, RawSource, Store
from loadcenter.services.resolution import check_range

PAGE_ROWS: Final = 1_000
"""Rows read at a time: a page takes some 10 ms, so that live data does not wait for an export."""

Row = tuple[Any, ...]


class Kind(StrEnum):
    """What a column of an export holds; each may be unknown (empty)."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export; a number's unit stands in its name. A time is given as UTC ms."""

    name: str
    kind: Kind = Kind.NUMBER


READING_COLUMNS: Final = (
    Column("pdu", Kind.TEXT),
    Column("channel", Kind.TEXT),
    Column("time_utc", Kind.TIME),
    Column("ts_ms", Kind.WHOLE),
    Column("samples", Kind.WHOLE),
    Column("on", Kind.FLAG),
    Column("voltage_v"),
    Column("current_a"),
    Column("power_w"),
    Column("power_min_w"),
    Column("power_max_w"),
    Column("frequency_hz"),
    Column("counter_kwh"),
    Column("quality", Kind.TEXT),
)
ROLLUP_COLUMNS: Final = (
    Column("pdu", Kind.TEXT),
    Column("channel", Kind.TEXT),
    Column("start_utc", Kind.TIME),
    Column("start_ms", Kind.WHOLE),
    Column("covered_s"),
    *(
        Column(f"{quantity}_{part}_{unit}")
        for quantity, unit in (("power", "w"), ("voltage", "v"), ("current", "a"), ("frequency", "hz"))
        for part in ("min", "avg", "max")
    ),
    Column("energy_kwh"),
    Column("counter_first_kwh"),
    Column("counter_last_kwh"),
    Column("counter_reset_kwh"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: channels of one PDU over a range, from `tier` (None: raw rows)."""

    pdu_id: str
    outlets: Sequence[int]
    sources: Sequence[Source]
    since_ms: int
    until_ms: int
    tier: Tier | None = None

    @property
    def columns(self) -> Sequence[Column]:
        """The columns of its table."""
        return READING_COLUMNS if self.tier is None else ROLLUP_COLUMNS


class FormatMissingError(Exception):
    """A format needs a library that is not installed; the message says how to install it."""


class TableFile(Protocol):
    """A table on its way into a file. It keeps no more than a part of it in memory."""

    def add(self, rows: Sequence[Row]) -> bytes:
        """Take rows and return the bytes that are ready; there may be none yet."""
        ...

    def end(self) -> bytes:
        """Return the rest of the file."""
        ...


class TableFormat(Protocol):
    """A kind of file."""

    @property
    def media_type(self) -> str:
        """Its media type."""
        ...

    def begin(self, columns: Sequence[Column]) -> TableFile:
        """Return a new file.

        Raises:
            FormatMissingError: a library is missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Exporter:
    """Exports from a store into the formats that there are, by name."""

    store: Store
    formats: Mapping[str, TableFormat]

    async def stream(self, wanted: Wanted, file: TableFile) -> AsyncIterator[bytes]:
        """Yield the bytes of `file` with the rows of each channel in turn, in order of time.

        Raises:
            RangeError: the range is none.
            StoreUnavailableError: the database is away, or has gone on the way.
        """
        check_range(wanted.since_ms, wanted.until_ms)
        async for page in pages(self.store, wanted):
            yield file.add(page)
        yield file.end()


async def pages(store: Store, wanted: Wanted) -> AsyncIterator[Sequence[Row]]:
    """Yield the rows of an export, at most `PAGE_ROWS` at a time.

    Raises:
        StoreUnavailableError: the database is away.
    """
    channels: list[int | Source] = [*wanted.outlets, *wanted.sources]
    for channel in channels:
        since_ms = wanted.since_ms
        while True:
            times, rows = await _page(store, wanted, channel, since_ms)
            yield rows
            if len(rows) < PAGE_ROWS:
                break
            since_ms = times[-1] + 1


async def _page(
    store: Store, wanted: Wanted, channel: int | Source, since_ms: int
) -> tuple[Sequence[int], Sequence[Row]]:
    """Return the times and the rows of one channel from `since_ms` on."""
    pdu_id, tier, until_ms = wanted.pdu_id, wanted.tier, wanted.until_ms
    if isinstance(channel, Source):
        if tier is None:
            raw_sources = await store.raw_sources(pdu_id, channel, since_ms, until_ms, PAGE_ROWS)
            return [row.ts_ms for row in raw_sources], [_source_reading(row) for row in raw_sources]
        sources = await store.source_rollups(tier, pdu_id, channel, since_ms, until_ms, PAGE_ROWS)
        return _times(sources), [_source_rollup(pdu_id, channel, *row) for row in sources]
    if tier is None:
        raw = await store.raw_outlets(pdu_id, channel, since_ms, until_ms, PAGE_ROWS)
        return [row.ts_ms for row in raw], [_outlet_reading(row) for row in raw]
    rollups = await store.outlet_rollups(tier, pdu_id, channel, since_ms, until_ms, PAGE_ROWS)
    return _times(rollups), [_outlet_rollup(pdu_id, channel, *row) for row in rollups]


def _times(rows: Iterable[tuple[int, OutletRollup | SourceRollup]]) -> list[int]:
    return [start_ms for start_ms, _ in rows]


def _outlet_reading(row: RawOutlet) -> Row:
    reading: OutletReading = row.reading
    return (
        row.pdu_id,
        str(reading.outlet),
        row.ts_ms,
        row.ts_ms,
        row.samples,
        reading.on,
        from_milli(reading.voltage_mv),
        from_milli(reading.current_ma),
        from_milli(reading.power_mw),
        from_milli(reading.power_min_mw),
        from_milli(reading.power_max_mw),
        None,
        kwh_from_mwh(reading.energy_mwh),
        reading.quality.value,
    )


def _source_reading(row: RawSource) -> Row:
    reading: SourceReading = row.reading
    unknown = (None, None, None, None)
    return (
        row.pdu_id,
        reading.source.value,
        row.ts_ms,
        row.ts_ms,
        row.samples,
        None,
        from_milli(reading.voltage_mv),
        *unknown,
        from_milli(reading.frequency_mhz),
        None,
        reading.quality.value,
    )


def _outlet_rollup(pdu_id: str, outlet: int, start_ms: int, rollup: OutletRollup) -> Row:
    counters = rollup.counters
    energy: Row = (None, None, None, None)
    if counters is not None:
        values = counters.energy_mwh, counters.first_mwh, counters.last_mwh, counters.reset_mwh
        energy = tuple(kwh_from_mwh(value) for value in values)
    return (
        pdu_id,
        str(outlet),
        start_ms,
        start_ms,
        rollup.covered_ms / 1000,
        *_band(rollup.power),
        *_band(rollup.voltage),
        *_band(rollup.current),
        *_band(Stat()),
        *energy,
    )


def _source_rollup(pdu_id: str, source: Source, start_ms: int, rollup: SourceRollup) -> Row:
    return (
        pdu_id,
        source.value,
        start_ms,
        start_ms,
        rollup.covered_ms / 1000,
        *_band(Stat()),
        *_band(rollup.voltage),
        *_band(Stat()),
        *_band(rollup.frequency),
        *(None, None, None, None),
    )


def _band(stat: Stat) -> tuple[float | None, float | None, float | None]:
    if not stat.count:
        return None, None, None
    return stat.minimum / 1000, round(stat.total / stat.count) / 1000, stat.maximum / 1000
