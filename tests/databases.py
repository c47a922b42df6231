"""Private MariaDB servers for tests: own data folder, free port on 127.0.0.1, ended by pid."""

import asyncio
import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PASSWORD = "s3cret/@:pass"  # needs quoting in a URL, so every test shows that it is done
QUOTED_PASSWORD = "s3cret%2F%40%3Apass"
START_BOUND_S = 60.0
LOG_SIZE = "--innodb-log-file-size=32M"  # small, as every server copies it


class MariaDbServer:
    """A MariaDB that can be killed, frozen and started again on the same data.

    Use it as a context manager, or call `start` and `stop`. The user `loadcenter` may do everything from 127.0.0.1.
    """

    def __init__(self, folder: Path | None = None) -> None:
        require()
        self._own = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="mariadb-")) if folder is None else folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "error.log"

    @property
    def socket(self) -> Path:
        return self.folder / "s.sock"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def url(self) -> str:
        """`mysql://` URL of the database `loadcenter`, as a person writes it into a configuration."""
        return self.url_of("loadcenter")

    @property
    def async_url(self) -> str:
        return self.url.replace("mysql://", "mysql+asyncmy://", 1)

    def url_of(self, database: str) -> str:
        return f"mysql://loadcenter:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start on the same data and port (made first where there are none) and return when it answers."""
        assert self._process is None, "the server runs already"
        fresh = not self.data.exists()
        if fresh:
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copytree(template(), self.data)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        try:
            self._wait_up()
        except BaseException:
            self.kill()
            raise

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it in order; nothing happens if it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut does."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it with SIGSTOP: connections stay open and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def run_sql(self, sql: str, database: str = "") -> str:
        """Run statements as the superuser over the socket and return what they print, without column names."""
        command = ["mariadb", "--no-defaults", "-N", "-u", superuser(), "-S", str(self.socket)]
        if database:
            command.append(database)
        done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        self._databases += 1
        self.run_sql(f"CREATE DATABASE {self.last_database} CHARACTER SET utf8mb4")
        return self.url_of(self.last_database)

    @property
    def last_database(self) -> str:
        """Name of the database that `new_database` made last."""
        return f"loadcenter_{self._databases}"

    def dump(self, database: str) -> str:
        """Return what `mariadb-dump` writes of a database."""
        command = ["mariadb-dump", "--no-defaults", "--single-transaction", "-u", superuser()]
        command += ["-S", str(self.socket), database]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def _command(self) -> list[str]:
        return [
            find("mariadbd"),
            "--no-defaults",
            f"--user={superuser()}",
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-networking=0",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            LOG_SIZE,
            "--performance-schema=0",
        ]

    def _wait_up(self) -> None:
        deadline = time.monotonic() + START_BOUND_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"mariadbd ended at once:\n{self.log.read_text()[-2000:]}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as link:
                link.settimeout(2)
                if link.recv(5):  # it has greeted
                    return
            time.sleep(0.02)
        raise TimeoutError(f"mariadbd does not answer:\n{self.log.read_text()[-2000:]}")

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGCONT)  # a frozen one would not hear it
            os.kill(self._process.pid, sign)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(30)
        self._process = None


@contextmanager
def mariadb_server() -> Iterator[MariaDbServer]:
    """A running server that is ended and removed at the end."""
    with MariaDbServer() as server:
        yield server


async def until(condition: Callable[[], Awaitable[bool]], bound_s: float = 30.0) -> None:
    """Return as soon as `condition()` comes true; fail after `bound_s`."""
    deadline = time.monotonic() + bound_s
    while not await condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.05)


def require() -> None:
    """Skip the test where MariaDB is not installed."""
    for name in ("mariadbd", "mariadb-install-db", "mariadb"):
        if find(name) == "":
            pytest.skip(f"{name} is not installed: apt-get install mariadb-server")


def find(name: str) -> str:
    """Path of a program; Debian puts servers where only root's PATH looks."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


def superuser() -> str:
    """Name of the account that runs the tests: it owns the data and may log in over the socket."""
    return pwd.getpwuid(os.geteuid()).pw_name


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def template() -> Path:
    """A data folder with the account and an empty database, made once per session and copied by each server."""
    folder = Path(tempfile.mkdtemp(prefix="mariadb-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = folder / "data"
    install = [find("mariadb-install-db"), "--no-defaults", f"--user={superuser()}", f"--datadir={data}"]
    install += ["--auth-root-authentication-method=socket", f"--auth-root-socket-user={superuser()}"]
    install += ["--skip-test-db", "--skip-name-resolve"]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    bootstrap = (
        f"FLUSH PRIVILEGES;\nCREATE USER loadcenter@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT ALL ON `loadcenter%`.* TO loadcenter@'127.0.0.1';\nCREATE DATABASE loadcenter CHARACTER SET utf8mb4;\n"
    )
    start = [
        find("mariadbd"),
        "--no-defaults",
        f"--user={superuser()}",
        f"--datadir={data}",
        "--bootstrap",
        LOG_SIZE,
    ]
    subprocess.run(start, input=bootstrap.encode(), check=True, capture_output=True, timeout=120)
    return data
