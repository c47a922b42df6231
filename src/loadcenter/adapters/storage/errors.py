"""What databases and drivers raise, told apart by who can help: time, or nobody."""

from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from loadcenter.services.ports import StoreDataError, StoreError, StoreUnavailableError

SQLITE_CONSTRAINT: Final = 19
SQLITE_HINTS: Final = {
    5: "another program holds its lock: end it, or wait",
    6: "another program holds its lock: end it, or wait",
    8: "it is read-only: give this user the right to write the file and its folder",
    10: "the disk reports an error: check it",
    11: "the file is damaged: restore it from a backup",
    13: "the disk is full: free space; what devices hold is stored then",
    14: "the file cannot be opened: check that it and its folder exist and may be written",
    26: "the file is not a database: name another",
}
"""Primary result codes of SQLite (sqlite.org/rescode.html) that time or a person can mend."""
SQLITE_DATA: Final = frozenset({18, SQLITE_CONSTRAINT, 20})
"""SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH."""

_DISK_FULL: Final = "its disk is full: free space; what devices hold is stored then"
_READ_ONLY: Final = "it is read-only now: end that, or name the server that writes"
_GONE: Final = "it cannot be reached: check that it runs and listens at this address"
_LOCKED: Final = "another program holds its locks: end it, or wait"
_SCHEMA: Final = "tables are missing or changed: restore them, or start with an empty database"
MARIADB_HINTS: Final = {
    3: _DISK_FULL,
    28: _DISK_FULL,
    1021: _DISK_FULL,
    1026: _DISK_FULL,
    1030: "its storage engine reports an error: read the server's log",
    1040: "it has too many connections: raise max_connections",
    1044: "the user may not use this database: grant it ALL on the database",
    1045: "it refuses user or password: check the URL",
    1049: "there is no such database: create it",
    1054: _SCHEMA,
    1114: _DISK_FULL,
    1142: "the user may not do this: grant it ALL on the database",
    1146: _SCHEMA,
    1205: _LOCKED,
    1213: _LOCKED,
    1290: _READ_ONLY,
    1698: "it refuses user or password: check the URL",
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    2003: _GONE,
    2006: _GONE,
    2013: _GONE,
}
"""Error numbers of MariaDB (mariadb.com/kb/en/mariadb-error-codes) that time or a person can mend."""
MARIADB_DATA: Final = frozenset({1264, 1265, 1292, 1366, 1367, 1406, 1690, 3140, 4025})
"""A value is out of range, too long or not of the type."""
COLLISIONS: Final = frozenset({1205, 1213})
"""Lock wait timeout and deadlock: the transaction was undone because of another one and may run again."""

DRIVER_ERRORS: Final = (DBAPIError, PoolTimeoutError, OSError, EOFError, OverflowError, UnicodeError)
"""All that a driver lets through; the last two come from values that cannot be sent."""


def collided(error: DBAPIError) -> bool:
    """Return whether the transaction may simply run again."""
    return _number(error) in COLLISIONS or _sqlite_code(error) in (5, 6)


def translate(error: Exception, place: str) -> StoreError:
    """Return what the port promises for a driver's error; the message says what to do and holds no password.

    Raises:
        ProgrammingError: the statement itself is wrong, which is a defect of this package.
    """
    if isinstance(error, OverflowError | UnicodeError):
        return StoreDataError(f"the database {place} cannot hold a value: {error}")
    if not isinstance(error, DBAPIError):
        return StoreUnavailableError(f"the database {place} does not answer: {error}")
    if isinstance(error.orig, OverflowError | UnicodeError) or _is_data(error):
        return StoreDataError(f"the database {place} refuses a value: {error.orig}")
    hint = MARIADB_HINTS.get(_number(error)) or SQLITE_HINTS.get(_sqlite_code(error))
    if hint is None and isinstance(error, ProgrammingError):
        raise error
    return StoreUnavailableError(f"the database {place} cannot be used: {hint or _GONE} ({error.orig})")


def timed_out(place: str, bound_s: float) -> StoreUnavailableError:
    """Return the error for an operation that was given up after its bound."""
    return StoreUnavailableError(
        f"the database {place} does not answer within {bound_s:g} s: check its load and its disk"
    )


def _is_data(error: DBAPIError) -> bool:
    return (
        isinstance(error, DataError | IntegrityError)
        or _number(error) in MARIADB_DATA
        or _sqlite_code(error) in SQLITE_DATA
    )


def _number(error: DBAPIError) -> int:
    """Return MariaDB's error number, 0 where there is none."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _sqlite_code(error: DBAPIError) -> int:
    """Return SQLite's primary result code, 0 where there is none."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF if isinstance(code, int) else 0
