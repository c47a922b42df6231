"""The data folder: made when needed, readable by its owner only, held by one control center at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

LOCK_FILE = "lock"


class DataFolderError(OSError):
    """The data folder cannot be used; the message says what to do."""


def make_folder(folder: Path) -> None:
    """Make the folder where there is none.

    Raises:
        DataFolderError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataFolderError(_advice(folder, error)) from error


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the folder if needed and hold it while the block runs; a process that is killed holds it no longer.

    Raises:
        DataFolderError: it cannot be made or written, or another control center holds it.
    """
    make_folder(folder)
    try:
        lock = (folder / LOCK_FILE).open("ab")
    except OSError as error:
        raise DataFolderError(_advice(folder, error)) from error
    with lock:
        try:
            # Not inherited by child processes, so that it ends with this one.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderError(
                f"another control center runs on '{folder}': stop it, or give this one its own folder with --data"
            ) from None
        yield


def _advice(folder: Path, error: OSError) -> str:
    return (
        f"the data folder '{folder}' cannot be written ({error.strerror}): mend its rights, "
        "or name another with --data"
    )
