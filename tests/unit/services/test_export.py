"""Exports: every row once, units in the names, nothing kept in memory however long the range."""

import tracemalloc
from collections.abc import Sequence

import pytest
from tests.fakes.store import FakeStore

from loadcenter.adapters.files import FORMATS
from loadcenter.domain.readings import OutletReading, Quality, SourceReading
from loadcenter.domain.rollups import Tier, outlet_rollup, source_rollup
from loadcenter.domain.topology import Source
from loadcenter.services.export import (
    PAGE_ROWS,
    READING_COLUMNS,
    ROLLUP_COLUMNS,
    Column,
    Exporter,
    Row,
    Wanted,
    pages,
)
from loadcenter.services.ports import IngestBatch, RawOutlet, RawSource, RollupKey, StoreUnavailableError
from loadcenter.services.resolution import RangeError

T0 = 1_700_006_400_000
READING = OutletReading(2, True, 230_100, 435, 100_050, 1_234_567, 90_000, 110_000, Quality.GOOD)


async def rows_of(store: FakeStore, wanted: Wanted) -> list[Row]:
    return [row for page in [page async for page in pages(store, wanted)] for row in page]


def named(columns: Sequence[Column], row: Row) -> dict[str, object]:
    return {column.name: value for column, value in zip(columns, row, strict=True) if value is not None}


async def test_a_reading_of_an_outlet_and_of_a_source_fill_the_columns_of_one_table() -> None:
    store = FakeStore()
    raw_source = RawSource("rack-1", T0 + 1, 3, SourceReading(Source.MAIN, 229_000, 50_010))
    await store.commit(IngestBatch(outlets=[RawOutlet("rack-1", T0, 1, READING)], sources=[raw_source]))
    found = await rows_of(store, Wanted("rack-1", [2], [Source.MAIN], T0, T0 + 1000))
    assert [named(READING_COLUMNS, row) for row in found] == [
        {
            "pdu": "rack-1",
            "channel": "2",
            "time_utc": T0,
            "ts_ms": T0,
            "samples": 1,
            "on": True,
            "voltage_v": 230.1,
            "current_a": 0.435,
            "power_w": 100.05,
            "power_min_w": 90.0,
            "power_max_w": 110.0,
            "counter_kwh": 1.234567,
            "quality": "good",
        },
        {
            "pdu": "rack-1",
            "channel": "main",
            "time_utc": T0 + 1,
            "ts_ms": T0 + 1,
            "samples": 3,
            "voltage_v": 229.0,
            "frequency_hz": 50.01,
            "quality": "good",
        },
    ]


async def test_a_rollup_of_an_outlet_and_of_a_source_fill_the_columns_of_one_table() -> None:
    store = FakeStore()
    rollup = outlet_rollup(READING, T0, 1, 1000).merge(
        outlet_rollup(
            OutletReading(2, True, 230_300, 435, 90_050, 1_234_574, quality=Quality.GOOD), T0 + 1000, 1, 1000
        )
    )
    main = source_rollup(SourceReading(Source.MAIN, None, 50_010), 1, 1000)
    await store.commit(
        IngestBatch(
            outlet_minutes={RollupKey("rack-1", 2, T0): rollup},
            source_minutes={RollupKey("rack-1", Source.MAIN, T0): main},
        )
    )
    found = await rows_of(store, Wanted("rack-1", [2], [Source.MAIN], T0, T0 + 1000, Tier.MINUTE))
    outlet, source = (named(ROLLUP_COLUMNS, row) for row in found)
    assert outlet["covered_s"] == 2.0
    assert (outlet["power_min_w"], outlet["power_avg_w"], outlet["power_max_w"]) == (90.0, 95.05, 110.0)
    assert outlet["energy_kwh"] == pytest.approx(0.000007)
    assert outlet["counter_reset_kwh"] == 0
    assert "frequency_avg_hz" not in outlet
    assert source["frequency_avg_hz"] == 50.01
    assert not {"voltage_avg_v", "power_avg_w", "energy_kwh"} & set(source)


class LongStore(FakeStore):
    """Has a row in each second of all time."""

    async def raw_outlets(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawOutlet]:
        self._reach()
        first = -(-since_ms // 1000) * 1000
        times = range(first, until_ms, 1000)[:limit]
        return [RawOutlet(pdu_id, ts_ms, 1, READING) for ts_ms in times]


@pytest.mark.parametrize("count", [0, 1, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 2 * PAGE_ROWS])
async def test_every_row_comes_once_and_in_order_over_the_edges_of_pages(count: int) -> None:
    wanted = Wanted("rack-1", [1, 2], [], T0, T0 + count * 1000)
    found = await rows_of(LongStore(), wanted)
    assert [row[3] for row in found] == 2 * list(range(T0, T0 + count * 1000, 1000))


async def peak_of(store: FakeStore, name: str, rows: int) -> tuple[int, int]:
    """Return the memory that an export took at most, and its length."""
    wanted = Wanted("rack-1", [1], [], T0, T0 + rows * 1000)
    exporter = Exporter(store, FORMATS)
    tracemalloc.start()
    try:
        file = exporter.formats[name].begin(wanted.columns)
        length = 0
        async for part in exporter.stream(wanted, file):
            length += len(part)
        return tracemalloc.get_traced_memory()[1], length
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("name", "rows"), [("csv", 20_000), ("parquet", 80_000)])
async def test_a_range_three_times_as_long_takes_no_more_memory(name: str, rows: int) -> None:
    short, short_length = await peak_of(LongStore(), name, rows)
    long, long_length = await peak_of(LongStore(), name, 3 * rows)
    assert long_length > 2 * short_length
    assert long < 1.2 * short + 500_000


async def test_a_range_that_is_none_and_a_database_that_is_away_are_told_before_the_first_byte() -> None:
    exporter = Exporter(LongStore(), FORMATS)
    wanted = Wanted("rack-1", [1], [], T0, T0)
    with pytest.raises(RangeError):
        await anext(exporter.stream(wanted, FORMATS["csv"].begin(wanted.columns)))
    store = LongStore()
    store.away = "gone"
    wanted = Wanted("rack-1", [1], [], T0, T0 + 1)
    with pytest.raises(StoreUnavailableError):
        await anext(Exporter(store, FORMATS).stream(wanted, FORMATS["csv"].begin(wanted.columns)))
