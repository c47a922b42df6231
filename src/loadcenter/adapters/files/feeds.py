"""Recordings as other systems keep them: emonCMS (PHPFina, PHPTimeSeries, CSV export) and plain CSV.

PHPFina (emonCMS, Modules/feed/engine/PHPFina.php): `N.meta` ends with interval and start time as two uint32, `N.dat` holds a
float32 for each interval, NaN where nothing was recorded. PHPTimeSeries: `feed_N.MYD` of 9 bytes a reading, one byte of
MySQL's, time as uint32, value as float32. All little endian, times in seconds UTC.
"""

import csv
import math
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from loadcenter.services.importing import Feed, ImportRefusedError

_META: Final = struct.Struct("<8xII")
_VALUES: Final = struct.Struct("<f")
_ROW: Final = struct.Struct("<xIf")
_READ_BYTES: Final = 9 * 4 * 4096
_SECONDS_MAX: Final = 100_000_000_000
"""A time above this is in ms: in seconds it would be the year 5138."""


def open_feed(place: str, time_column: str, zone: str) -> Feed:
    """Return the readings of a recording: `12.dat`, `12.meta`, `feed_12.MYD`, `file.csv` or `file.csv#COLUMN`.

    Args:
        place: its path, for CSV with the column of the values (name or number from 1; 2 if not given).
        time_column: the column of the times of a CSV file, likewise.
        zone: time zone of times that name none.

    Raises:
        ImportRefusedError: there is no such file, or its kind is not known.
    """
    name, _, column = place.partition("#")
    path = Path(name)
    wanted = path.with_suffix(".dat") if path.suffix == ".meta" else path
    if not wanted.is_file():
        raise ImportRefusedError(f"there is no file {wanted}")
    match wanted.suffix.lower():
        case ".dat":
            return _phpfina(wanted)
        case ".myd":
            return _phptimeseries(wanted)
        case ".csv" | ".txt":
            return _csv(wanted, time_column, column or "2", ZoneInfo(zone))
        case other:
            raise ImportRefusedError(
                f"{wanted} ends with '{other}': .dat and .meta (PHPFina), .MYD (PHPTimeSeries) and .csv are known"
            )


def _phpfina(path: Path) -> Iterator[tuple[int, float]]:
    meta = path.with_suffix(".meta")
    try:
        interval_s, start_s = _META.unpack(meta.read_bytes()[: _META.size])
    except (OSError, struct.error) as error:
        raise ImportRefusedError(
            f"{meta} cannot be read: PHPFina needs it beside {path.name} ({error})"
        ) from error
    if not interval_s:
        raise ImportRefusedError(f"{meta} says an interval of 0 s: it is no file of PHPFina")
    ts_ms = start_s * 1000
    for (value,) in _records(path, _VALUES):
        if math.isfinite(value):
            yield ts_ms, value
        ts_ms += interval_s * 1000


def _phptimeseries(path: Path) -> Iterator[tuple[int, float]]:
    for time_s, value in _records(path, _ROW):
        if math.isfinite(value):
            yield time_s * 1000, value


def _records(path: Path, record: struct.Struct) -> Iterator[tuple[Any, ...]]:
    """Return the records of a file; the last one may be half written and is left out."""
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            yield from record.iter_unpack(part[: len(part) - len(part) % record.size])


def _csv(path: Path, time_column: str, column: str, zone: tzinfo) -> Iterator[tuple[int, float]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(4096)
        file.seek(0)
        delimiter = max(",;\t", key=sample.partition("\n")[0].count)
        header: list[str] | None = None
        time_at = value_at = -1
        for number, cells in enumerate(csv.reader(file, delimiter=delimiter), 1):
            if not cells:
                continue
            if time_at < 0:
                header = [cell.strip() for cell in cells]
                time_at, value_at = _column(header, time_column, path), _column(header, column, path)
                if _time_ms(header[time_at], zone) is None:
                    continue
            if max(time_at, value_at) >= len(cells):
                raise ImportRefusedError(f"{path}, line {number}: has only {len(cells)} columns")
            ts_ms = _time_ms(cells[time_at].strip(), zone)
            if ts_ms is None:
                raise ImportRefusedError(
                    f"{path}, line {number}: '{cells[time_at]}' is no time: ISO 8601, or seconds or ms since 1970"
                )
            value = _number(cells[value_at].strip(), f"{path}, line {number}")
            if value is not None:
                yield ts_ms, value


def _column(header: Sequence[str], wanted: str, path: Path) -> int:
    if wanted in header:
        return header.index(wanted)
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(header):
        return int(wanted) - 1
    raise ImportRefusedError(f"{path} has no column '{wanted}': it has {', '.join(header)}")


def _time_ms(text: str, zone: tzinfo) -> int | None:
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if not 0 <= number < _SECONDS_MAX * 1000:
            return None
        return round(number * 1000 if number < _SECONDS_MAX else number)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


def _number(text: str, where: str) -> float | None:
    if text.lower() in ("", "null", "nan", "none", "-"):
        return None
    try:
        value = float(text)
    except ValueError:
        raise ImportRefusedError(
            f"{where}: '{text}' is no number: write 1234.5 without units, or nothing where it is unknown"
        ) from None
    return value if math.isfinite(value) else None
