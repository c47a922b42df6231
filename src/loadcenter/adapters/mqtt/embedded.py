"""The embedded broker: `nats-server` as a supervised child process that speaks MQTT 3.1.1."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import bcrypt

from loadcenter.adapters.mqtt import tether
from loadcenter.adapters.mqtt.broker_errors import BrokerStartError
from loadcenter.adapters.mqtt.data_folder import DataFolder
from loadcenter.adapters.mqtt.link import backoff_s
from loadcenter.adapters.mqtt.nats_config import CENTER_USER, EmbeddedOptions, render
from loadcenter.adapters.mqtt.nats_log import BrokerLog
from loadcenter.adapters.mqtt.server_process import ServerProcess
from loadcenter.adapters.mqtt.url import BrokerAddress, is_loopback

_log = logging.getLogger(__name__)

_BACKOFF_S = (0.2, 10.0)
_STEADY_S = 10.0
"""A broker that ran for so long is restarted at once when it ends."""


class EmbeddedBroker:
    """`nats-server` with an MQTT listener, alive from entering to leaving `async with`.

    Entering returns when it takes connections. When it dies it is started again, with growing pauses, on the same
    port and store. It ends with this process even if that is killed: by PR_SET_PDEATHSIG on Linux (which counts from
    the thread that enters: enter in the main thread), and else at the next start, by its pid file. With a full disk it
    takes no message that it cannot store (no PUBACK), and is started again until there is room.

    What a device does that it may not do: a subscription is refused (SUBACK 0x80); a publication, also that of a
    will, is answered with PUBACK and dropped, with a line in the log; a message over 8192 bytes, topic included, ends
    the connection. A second client with the same id replaces the first; it gets nothing of the first one's session
    that its own user may not read.
    """

    launcher: ClassVar[Path] = Path(tether.__file__)

    def __init__(self, options: EmbeddedOptions, devices: Mapping[str, str] | None = None) -> None:
        self._options = options
        self._devices = dict(devices or {})
        self._folder = DataFolder(options.folder)
        self._password = options.password or secrets.token_urlsafe(32)
        # Few rounds: nobody guesses 256 random bits, and our own reconnects stay fast. A password from outside is the
        # operator's to choose; the file with its hash is readable by its owner only.
        self._center_hash = bcrypt.hashpw(self._password.encode(), bcrypt.gensalt(4)).decode()
        self._port = options.port
        self._said = BrokerLog(_log)
        self._server: ServerProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None
        # Held while the server starts or reloads, so that no change of devices falls between.
        self._changing = asyncio.Lock()
        self._restarts = 0
        self._last_error = ""

    @property
    def address(self) -> BrokerAddress:
        """Where and as whom the control center connects. The password is new in each run unless one was given."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._options.host, self._options.host)  # noqa: S104
        return BrokerAddress(
            host,
            self._port,
            tls=self._options.certificate is not None,
            username=CENTER_USER,
            password=self._password,
            ca_file=self._options.certificate[0] if self._options.certificate else None,
            pinned=self._options.certificate is not None,
        )

    @property
    def port(self) -> int:
        """The TCP port of the MQTT listener."""
        return self._port

    @property
    def pid(self) -> int | None:
        """Process id of the broker; None while it is down."""
        return self._server.pid if self._server is not None and self._server.alive else None

    @property
    def restarts(self) -> int:
        """How often it has died and was started again."""
        return self._restarts

    @property
    def last_error(self) -> str:
        """Why it is down, with what to do; empty when it is up."""
        return self._last_error

    async def __aenter__(self) -> Self:
        self._check_exposure()
        await self._folder.claim()
        try:
            self._port = self._port or _free_port(self._options.host)
            self._write_config()
            await self._launch()
        except BaseException:
            self._said.close()
            self._folder.release()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="embedded broker")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
        if self._server is not None:
            await self._server.stop()
        self._said.close()
        self._folder.release()

    async def set_devices(self, devices: Mapping[str, str]) -> None:
        """Let exactly these devices in (bcrypt hashes by pdu_id).

        A device that is no longer among them, or has another hash, is disconnected; the others notice nothing.
        Returns when the broker has taken it over; while it is down, the next start will.

        Raises:
            ValueError: a pdu_id or a hash is not well-formed; nothing has changed.
            BrokerReloadError: the broker refused the change.
            BrokerStartError: the configuration cannot be written; nothing has changed.
        """
        async with self._changing:
            before, self._devices = self._devices, dict(devices)
            try:
                self._write_config()
            except BaseException:
                self._devices = before
                raise
            if self._server is not None and self._server.alive:
                await self._server.reload()

    def _check_exposure(self) -> None:
        if is_loopback(self._options.host) or self._options.certificate or self._options.plain:
            return
        raise BrokerStartError(
            f"the broker would take passwords unencrypted on {self._options.host}: give it a certificate, "
            "or allow it with `plain = true`"
        )

    def _write_config(self) -> None:
        self._folder.write_config(render(self._options, self._port, self._center_hash, self._devices))

    async def _launch(self) -> None:
        async with self._changing:
            try:
                self._server = await ServerProcess.start(self.launcher, self._folder, self._said)
            except BrokerStartError as error:
                raise BrokerStartError(explain_end(str(error), self._options.host, self._port)) from error
        self._last_error = ""
        _log.info("the embedded broker is up at %s (process %d)", self.address, self._server.pid)

    async def _supervise(self) -> None:
        failures = 0
        while self._server is not None:
            if not await self._server.ended_within(_STEADY_S):
                failures = 0
                await self._server.ended_within(None)
            self._last_error = explain_end(self._server.why_ended, self._options.host, self._port)
            failures = await self._restart(failures)

    async def _restart(self, failures: int) -> int:
        """Return once it runs again: the number of starts that it took, counted on from `failures`."""
        while True:
            _log.error("the embedded broker is down and is started again: %s", self._last_error)
            await asyncio.sleep(backoff_s(failures, *_BACKOFF_S, chance=0))
            failures += 1
            self._restarts += 1
            try:
                await self._launch()
            except (BrokerStartError, OSError) as error:
                self._last_error = str(error)
            else:
                return failures


def explain_end(said: str, host: str, port: int) -> str:
    """Return why the broker ended and what to do, from the last thing that it said."""
    tail = said.lower()
    if "address already in use" in tail:
        return f"port {port} on {host} is taken by another program: stop that, or set another port for the broker"
    if "cannot assign requested address" in tail:
        return f"this machine has no address {host}: correct the address that the broker listens on"
    if "permission denied" in tail and "listen" in tail:
        return f"port {port} needs more rights than we have: set a port above 1023 for the broker"
    if "no space left" in tail:
        return f"the disk is full: make room for the broker's store ({said})"
    if "permission denied" in tail:
        return f"the broker may not write its store: correct the rights of its folder ({said})"
    return f"the broker ended: {said}"


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise BrokerStartError(
                f"this machine has no address {host} ({error.strerror}): correct the address that the broker listens on"
            ) from error
        return int(probe.getsockname()[1])
