"""One broker per data folder: an exclusive lock, and the end of a broker that an earlier run left behind."""

import asyncio
import fcntl
import os
import signal
from pathlib import Path
from typing import BinaryIO

from loadcenter.adapters.mqtt.broker_errors import BrokerStartError

_POLL_S = 0.02
_GRACE_S = 5.0
"""How long a broker may take to close its store before it is killed."""


class DataFolder:
    """The folder of the embedded broker, held by this process from `claim` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BinaryIO | None = None

    @property
    def config_file(self) -> Path:
        """Configuration of the broker; it also tells our broker from others in a process list."""
        return self.path.resolve() / "nats-server.conf"

    @property
    def pid_file(self) -> Path:
        """Process id of the broker, written by itself."""
        return self.path / "nats-server.pid"

    async def claim(self) -> None:
        """Lock the folder, making it if needed, and end a broker that still uses it.

        Raises:
            BrokerStartError: the folder cannot be written, or another control center holds it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("ab")
        except OSError as error:
            raise BrokerStartError(_unwritable(self.path, error)) from error
        try:
            # Not inherited by the broker: the lock ends with this process, whatever happens to the broker.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise BrokerStartError(
                f"another control center is using '{self.path}': stop it, or give this one its own data folder"
            ) from error
        await self._end_leftover()

    def release(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_config(self, text: str) -> None:
        """Replace the configuration as a whole; only its owner can read it.

        Raises:
            BrokerStartError: the folder cannot be written.
        """
        fresh = self.config_file.with_suffix(".new")
        try:
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
            fresh.replace(self.config_file)
        except OSError as error:
            raise BrokerStartError(_unwritable(self.path, error)) from error

    def leftover(self) -> int | None:
        """Return the process id of a broker that runs on this folder, if there is one.

        A pid file may be old, and its number given to another program meanwhile: only a process whose command line
        names our configuration file counts.
        """
        try:
            pid = int(self.pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self.config_file) in command else None

    async def _end_leftover(self) -> None:
        for number, patience_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
            pid = self.leftover()
            if pid is None:
                return
            os.kill(pid, number)
            await self._gone(patience_s)
        if (pid := self.leftover()) is not None:
            raise BrokerStartError(
                f"a broker of an earlier run (process {pid}) does not end: end it, then start again"
            )

    async def _gone(self, patience_s: float) -> None:
        for _ in range(int(patience_s / _POLL_S)):
            if self.leftover() is None:
                return
            await asyncio.sleep(_POLL_S)


def _unwritable(folder: Path, error: OSError) -> str:
    return (
        f"the broker's data folder '{folder}' cannot be written ({error.strerror}): give it space and rights"
    )
