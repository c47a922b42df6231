"""Tables as Apache Parquet, through pyarrow, which is large and therefore an extra: `pip install 'loadcenter[parquet]'`."""

import importlib
import io
from collections.abc import Sequence
from typing import Any, Final

from loadcenter.services.export import Column, FormatMissingError, Kind, Row

GROUP_ROWS: Final = 65_536
"""Rows of a row group: what is held in memory (some 10 MB) and what a reader may skip as a whole."""


class ParquetFormat:
    """Apache Parquet (`services.export.TableFormat`)."""

    media_type = "application/vnd.apache.parquet"

    def begin(self, columns: Sequence[Column]) -> "ParquetFile":
        """Return a new file.

        Raises:
            FormatMissingError: pyarrow is not installed.
        """
        try:
            arrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise FormatMissingError(
                "Parquet needs pyarrow, which is not installed: pip install 'loadcenter[parquet]', or take CSV"
            ) from error
        return ParquetFile(arrow, parquet, columns)


class ParquetFile:
    """One Parquet file; it keeps the rows of one group."""

    def __init__(self, arrow: Any, parquet: Any, columns: Sequence[Column]) -> None:
        self._arrow = arrow
        kinds = {
            Kind.TEXT: arrow.string(),
            Kind.WHOLE: arrow.int64(),
            Kind.NUMBER: arrow.float64(),
            Kind.FLAG: arrow.bool_(),
            Kind.TIME: arrow.timestamp("ms", tz="UTC"),
        }
        self._schema = arrow.schema([arrow.field(one.name, kinds[one.kind]) for one in columns])
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._rows: list[Row] = []

    def add(self, rows: Sequence[Row]) -> bytes:
        """Take rows and return the bytes that are ready."""
        self._rows.extend(rows)
        if len(self._rows) >= GROUP_ROWS:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        """Return the rest of the file."""
        self._write()
        self._writer.close()
        return self._sink.taken()

    def _write(self) -> None:
        if not self._rows:
            return
        columns = list(zip(*self._rows, strict=True))
        arrays = [
            self._arrow.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


class _Sink(io.RawIOBase):
    """Where a writer writes to: it counts the bytes, and keeps them until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
