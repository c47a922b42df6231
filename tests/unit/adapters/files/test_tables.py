"""CSV and Parquet hold the same table, and readers of other makers read it back."""

import csv
import importlib
import io
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet
import pytest

from loadcenter.adapters.files import FORMATS
from loadcenter.adapters.files.csv_table import CsvFormat, iso
from loadcenter.adapters.files.parquet_table import GROUP_ROWS, ParquetFormat
from loadcenter.services.export import Column, FormatMissingError, Kind, Row

COLUMNS = (
    Column("name", Kind.TEXT),
    Column("time_utc", Kind.TIME),
    Column("count", Kind.WHOLE),
    Column("on", Kind.FLAG),
    Column("power_w"),
)
ROWS: list[Row] = [
    ('rack "1", left', 1_700_006_400_007, 3, True, 100.05),
    ("ü", -1, None, False, None),
    ("", 0, 2**62, None, 0.0),
]


def written(name: str, *pages: list[Row]) -> bytes:
    file = FORMATS[name].begin(COLUMNS)
    return b"".join([*(file.add(page) for page in pages), file.end()])


def test_csv_has_a_header_iso_times_and_nothing_for_the_unknown() -> None:
    lines = list(csv.reader(io.StringIO(written("csv", ROWS[:1], ROWS[1:]).decode())))
    assert lines == [
        ["name", "time_utc", "count", "on", "power_w"],
        ['rack "1", left', "2023-11-15T00:00:00.007Z", "3", "1", "100.05"],
        ["ü", "1969-12-31T23:59:59.999Z", "", "0", ""],
        ["", "1970-01-01T00:00:00.000Z", str(2**62), "", "0.0"],
    ]


def test_a_table_without_rows_is_a_whole_file() -> None:
    assert written("csv", []) == written("csv") == b"name,time_utc,count,on,power_w\r\n"
    assert pyarrow.parquet.read_table(io.BytesIO(written("parquet", []))).num_rows == 0


def test_parquet_keeps_types_and_the_unknown() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(written("parquet", ROWS[:2], ROWS[2:])))
    assert table.column_names == [column.name for column in COLUMNS]
    first, second, third = table.to_pylist()
    assert first["time_utc"] == datetime(2023, 11, 15, 0, 0, 0, 7000, tzinfo=UTC)
    assert (first["count"], first["on"], first["power_w"]) == (3, True, 100.05)
    assert (second["count"], second["on"], second["power_w"]) == (None, False, None)
    assert third["count"] == 2**62


def test_parquet_lets_go_of_each_group_of_rows() -> None:
    file = ParquetFormat().begin(COLUMNS)
    page = ROWS * 1000
    parts = [file.add(page) for _ in range(GROUP_ROWS // len(page) + 2)]
    assert [bool(part) for part in parts].count(True) == 2  # the magic number, and the first group
    whole = io.BytesIO(b"".join([*parts, file.end()]))
    assert pyarrow.parquet.ParquetFile(whole).metadata.num_row_groups == 2
    assert pyarrow.parquet.read_table(whole).num_rows == len(page) * len(parts)


def test_without_pyarrow_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *_: Any) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(FormatMissingError, match=r"pip install 'loadcenter\[parquet\]'"):
        ParquetFormat().begin(COLUMNS)
    assert CsvFormat().begin(COLUMNS).end()


def test_times_keep_their_milliseconds() -> None:
    assert iso(1_700_006_400_999) == "2023-11-15T00:00:00.999Z"
