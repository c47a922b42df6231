"""The file of a backup: gzipped lines of JSON, so that it can be looked at, and read without Loadcenter.

    {"loadcenter_backup": 1, "version": ..., "revision": ..., "made_ms": ...}
    {"table": "pdu", "columns": ["pdu_no", "pdu_id"], "binary": []}
    [[1, "rack-1"], ...]                                             at most 1,000 rows a line
    {"end": "pdu", "rows": 1, "sha256": "..."}                       of the lines with rows
    ...
    {"complete": true, "tables": 20, "rows": 123456}

Bytes stand as base64 in the columns that `binary` names. The file is readable by its owner only: it holds hashes of
passwords.
"""

import base64
import gzip
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

FORMAT: Final = 1
LINE_ROWS: Final = 1_000
_COMPRESSION: Final = 1
"""The fastest: numbers of a kind shrink to a sixth even so."""

Row = tuple[Any, ...]


class BackupError(Exception):
    """A backup cannot be made or used; the message says what to do."""


class Header(msgspec.Struct, frozen=True):
    """What a backup is of."""

    loadcenter_backup: int
    version: str
    revision: str
    made_ms: int


class TableHead(msgspec.Struct, frozen=True):
    """What follows are rows of this table."""

    table: str
    columns: list[str]
    binary: list[str]


class _TableEnd(msgspec.Struct, frozen=True):
    end: str
    rows: int
    sha256: str


class _Complete(msgspec.Struct, frozen=True):
    complete: bool
    tables: int
    rows: int


@dataclass
class BackupWriter:
    """Writes a backup, table by table."""

    file: gzip.GzipFile
    path: Path
    tables: int = 0
    rows: int = 0

    def head(self, header: Header | TableHead) -> None:
        """Begin the file, or a table."""
        self._line(msgspec.json.encode(header))
        self._digest = hashlib.sha256()
        self._table_rows = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows to the table begun last."""
        line = msgspec.json.encode(rows)
        self._digest.update(line)
        self._table_rows += len(rows)
        self._line(line)

    def end(self, table: str) -> int:
        """End a table and return how many rows it has."""
        self._line(msgspec.json.encode(_TableEnd(table, self._table_rows, self._digest.hexdigest())))
        self.tables += 1
        self.rows += self._table_rows
        return self._table_rows

    def complete(self) -> None:
        """Say that the backup is whole."""
        self._line(msgspec.json.encode(_Complete(True, self.tables, self.rows)))
        self.file.close()

    def _line(self, line: bytes) -> None:
        with _told(self.path):
            self.file.write(line + b"\n")


@contextmanager
def new_backup(path: Path) -> Iterator[BackupWriter]:
    """Yield a writer; the file gets its name only when all of it is on the disk.

    Raises:
        BackupError: there is a file of that name, or it cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} exists already: choose another name, or move it away")
    part = path.with_name(f"{path.name}.part")
    with _told(path):
        raw = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    try:
        os.fchmod(raw.fileno(), 0o600)  # one that was left behind may have had other rights
        writer = BackupWriter(gzip.GzipFile(path.name, "wb", _COMPRESSION, raw, mtime=0), path)
        yield writer
        with _told(path):
            writer.complete()
            raw.flush()
            os.fsync(raw.fileno())
            part.rename(path)
    finally:
        with suppress(OSError):  # a full disk was told of already
            raw.close()
        part.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one that names the file."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}") from error


class BackupReader:
    """Reads a backup and checks it on the way."""

    def __init__(self, file: gzip.GzipFile, path: Path) -> None:
        self._file = file
        self._path = path
        self.header = self._header()

    def tables(self) -> Iterator[tuple[TableHead, Iterator[list[Row]]]]:
        """Yield each table with its rows, which must be read to their end before the next.

        Raises:
            BackupError: the file is damaged or not whole.
        """
        tables = rows = 0
        while True:
            line = self._line()
            if line.startswith(b'{"complete"'):
                if self._decoded(line, _Complete) != _Complete(True, tables, rows):
                    raise self._damaged("it does not hold what it says")
                return
            head = self._decoded(line, TableHead)
            counted = [0]
            yield head, self._rows(head, counted)
            tables += 1
            rows += counted[0]

    def _rows(self, head: TableHead, counted: list[int]) -> Iterator[list[Row]]:
        digest = hashlib.sha256()
        binary = [head.columns.index(name) for name in head.binary]
        while (line := self._line()).startswith(b"["):
            digest.update(line)
            rows = self._decoded(line, list[list[Any]])
            for row in rows:
                for at in binary:
                    row[at] = None if row[at] is None else base64.b64decode(row[at])
            counted[0] += len(rows)
            yield [tuple(row) for row in rows]
        if self._decoded(line, _TableEnd) != _TableEnd(head.table, counted[0], digest.hexdigest()):
            raise self._damaged(f"table {head.table} does not fit its checksum")

    def _header(self) -> Header:
        header: Header = self._decoded(self._line(), Header)
        if header.loadcenter_backup != FORMAT:
            raise BackupError(
                f"{self._path} is a backup of format {header.loadcenter_backup}, this version reads {FORMAT}: "
                f"use Loadcenter {header.version} or newer"
            )
        return header

    def _line(self) -> bytes:
        try:
            line = self._file.readline()
        except (OSError, EOFError) as error:
            raise self._damaged(str(error)) from error
        if not line.endswith(b"\n"):
            raise self._damaged("it ends too early")
        return line[:-1]

    def _decoded(self, line: bytes, kind: Any) -> Any:
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> BackupError:
        return BackupError(f"{self._path} is not a whole backup ({why}): use another one")


@contextmanager
def opened_backup(path: Path) -> Iterator[BackupReader]:
    """Yield a reader.

    Raises:
        BackupError: the file cannot be read or is no backup.
    """
    try:
        file = gzip.open(path, "rb")  # noqa: SIM115 - closed below; what is read may fail with the same error
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        yield BackupReader(file, path)
