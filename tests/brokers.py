"""Real brokers for tests: on 127.0.0.1, free ports and temporary folders, ended by their own pid."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import bcrypt
import pytest

from loadcenter.adapters.mqtt.credentials import mosquitto_hash
from loadcenter.adapters.mqtt.embedded import EmbeddedBroker
from loadcenter.adapters.mqtt.nats_config import EmbeddedOptions
from loadcenter.adapters.mqtt.url import BrokerAddress

CENTER = "control_center"
CENTER_PASSWORD = "secret-of-the-center"
SHIPPED = Path(__file__).parents[1] / "integrations" / "mosquitto"
_START_BOUND_S = 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_mosquitto() -> str:
    """Return the path of mosquitto; skips the test when there is none."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    return path


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Return a certificate for this name, signed by itself, and its key; skips the test without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "2"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    assert ssl.create_default_context(cafile=certificate).get_ca_certs()
    return certificate, key


class MosquittoServer:
    """Mosquitto with the shipped configuration; only port, paths and TLS are put in.

    Args:
        folder: where configuration, store and log go.
        devices: passwords by pdu_id.
        certificate: certificate and key; plain without.

    `start`, `stop` and `kill` may be called again and again: folder and port stay the same.
    """

    def __init__(
        self,
        folder: Path,
        devices: Mapping[str, str] | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.certificate = certificate
        self._binary = find_mosquitto()
        self._process: subprocess.Popen[bytes] | None = None
        self._write({CENTER: CENTER_PASSWORD, **(devices or {})})

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def address(self, username: str = CENTER, password: str = CENTER_PASSWORD) -> BrokerAddress:
        tls = self.certificate is not None
        return BrokerAddress("localhost" if tls else "127.0.0.1", self.port, tls, username, password)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the port answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_BOUND_S
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"mosquitto did not start:\n{self.log}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it in order: it writes its store."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with kill -9."""
        self._end(signal.SIGKILL)

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(_START_BOUND_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write(self, users: Mapping[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED / "acl", self.folder / "acl")
        lines = [f"{name}:{mosquitto_hash(password)}\n" for name, password in users.items()]
        (self.folder / "passwd").write_text("".join(lines))
        (self.folder / "mosquitto.conf").write_text(
            overlay((SHIPPED / "mosquitto.conf").read_text(), self._values())
        )

    def _values(self) -> dict[str, str | None]:
        certificate, key = self.certificate or (None, None)
        return {
            "listener": f"{self.port} 127.0.0.1",
            "certfile": str(certificate) if certificate else None,
            "keyfile": str(key) if key else None,
            "tls_version": "tlsv1.2" if certificate else None,
            "password_file": str(self.folder / "passwd"),
            "acl_file": str(self.folder / "acl"),
            # As root Mosquitto would drop to a user who cannot write here.
            "persistence": f"true\npersistence_location {self.folder}/\nlog_dest stderr\n"
            + ("user root" if os.geteuid() == 0 else ""),
        }


def overlay(shipped: str, values: Mapping[str, str | None]) -> str:
    """Return the configuration with these settings replaced, or left out where the value is None."""
    rendered = []
    missing = set(values)
    for line in shipped.splitlines():
        name = line.split(" ", 1)[0]
        if name not in values:
            rendered.append(line)
            continue
        missing.discard(name)
        if values[name] is not None:
            rendered.append(f"{name} {values[name]}")
    assert not missing, f"the shipped configuration does not set {missing}"
    return "\n".join(rendered) + "\n"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class EmbeddedServer:
    """The embedded broker, to be started and stopped again and again with the same port, store and passwords."""

    def __init__(self, folder: Path, devices: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.passwords = dict(devices or {})
        self._hashes = {name: fast_hash(password) for name, password in self.passwords.items()}
        self._broker: EmbeddedBroker | None = None

    @property
    def broker(self) -> EmbeddedBroker:
        assert self._broker is not None
        return self._broker

    def address(self, username: str = CENTER, password: str = CENTER_PASSWORD) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self.port, username=username, password=password)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        options = EmbeddedOptions(folder=self.folder, port=self.port, password=CENTER_PASSWORD)
        broker = EmbeddedBroker(options, self._hashes)
        await broker.__aenter__()
        self._broker = broker

    async def stop(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.__aexit__(None, None, None)

    def kill(self) -> None:
        """End the server with kill -9; it is started again by its supervisor."""
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGKILL)


def fast_hash(password: str) -> str:
    """Return a bcrypt hash of the fewest rounds allowed."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
