"""Tables as CSV (RFC 4180): a header line, times as ISO 8601 in UTC, nothing where a value is unknown."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from loadcenter.services.export import Column, Kind, Row

_FLAGS: Final = {True: "1", False: "0"}


class CsvFormat:
    """Comma-separated values (`services.export.TableFormat`)."""

    media_type = "text/csv; charset=utf-8"

    def begin(self, columns: Sequence[Column]) -> "CsvFile":
        """Return a new file."""
        return CsvFile(columns)


class CsvFile:
    """One CSV file; nothing of it is kept."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._told = [(at, _TEXT[one.kind]) for at, one in enumerate(columns) if one.kind in _TEXT]
        self._header: list[Row] = [tuple(one.name for one in columns)]

    def add(self, rows: Sequence[Row]) -> bytes:
        """Return the lines of `rows`, before the first the header."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerows(self._header)
        self._header = []
        writer.writerows(self._texts(row) for row in rows)
        return text.getvalue().encode()

    def end(self) -> bytes:
        """Return the header where there were no rows."""
        return self.add(())

    def _texts(self, row: Row) -> list[Any]:
        texts = list(row)
        for at, told in self._told:
            if texts[at] is not None:
                texts[at] = told(texts[at])
        return texts


def iso(ts_ms: int) -> str:
    """Return UTC ms as `2026-01-31T12:00:00.000Z`."""
    return datetime.fromtimestamp(ts_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ts_ms % 1000:03}Z"


_TEXT: Final[dict[Kind, Callable[[Any], str]]] = {Kind.TIME: iso, Kind.FLAG: _FLAGS.__getitem__}
