"""Files that people bring and take away: tables as CSV and Parquet, recordings of other systems."""

from collections.abc import Mapping
from typing import Final

from loadcenter.adapters.files.csv_table import CsvFormat
from loadcenter.adapters.files.parquet_table import ParquetFormat
from loadcenter.services.export import TableFormat

FORMATS: Final[Mapping[str, TableFormat]] = {"csv": CsvFormat(), "parquet": ParquetFormat()}
"""The formats of an export, by the ending of their files."""
