"""What a gateway needs to know of this control center: as a file, and as a QR code that opens its set-up page."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import segno

from loadcenter.adapters.mqtt.url import BrokerUrlError, is_loopback, parse_broker_url
from loadcenter.apps.config import Config

VERSION = 1
PORTAL = "http://192.168.4.1/"
"""Where the set-up page of a gateway is: the address of an ESP8266's own access point (board/portal.py)."""

NOWHERE = ("0.0.0.0", "::")  # noqa: S104 - not listened at: refused as an address to connect to
QR_SUFFIXES = (".svg", ".png")
_QR_SCALE = 6


class GatewayFileError(ValueError):
    """The file or the code cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class GatewayFile:
    """The data of one gateway.

    Attributes:
        pdu_id: its name, and its user name at the broker.
        password: there.
        update_key: its key of signed updates, in hexadecimal.
        host: of the broker, as the gateway reaches it.
        port: of the broker.
        tls: whether the connection is encrypted.
        root: first part of every topic.
    """

    pdu_id: str
    password: str = field(repr=False)
    update_key: str = field(repr=False)
    host: str
    port: int
    tls: bool
    root: str

    def text(self) -> str:
        """Return it as the set-up page takes it: one line of JSON."""
        return json.dumps(
            {
                "v": VERSION,
                "pdu": self.pdu_id,
                "password": self.password,
                "update_key": self.update_key,
                "host": self.host,
                "port": self.port,
                "tls": self.tls,
                "root": self.root,
            }
        )

    def portal_url(self) -> str:
        """Return the address of the set-up page with the data behind `#`, which no browser sends anywhere."""
        return PORTAL + "#" + base64.urlsafe_b64encode(self.text().encode()).decode()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the data of a gateway are written; None is not asked for."""

    file: Path | None = None
    qr: Path | None = None

    def check(self) -> None:
        """Check that both can be written, before a password is made that could not be kept.

        Raises:
            GatewayFileError: one of them cannot.
        """
        if self.qr is not None and self.qr.suffix not in QR_SUFFIXES:
            raise GatewayFileError(f"{self.qr} is no picture of a QR code: name it .svg or .png")
        for path in (self.file, self.qr):
            if path is not None and path.exists():
                raise GatewayFileError(f"{path} exists and is not written over: remove it, or name another")
            if path is not None and not path.absolute().parent.is_dir():
                raise GatewayFileError(f"{path} has no folder: make it first")

    def write(self, data: GatewayFile) -> list[str]:
        """Write what was asked for, readable by its owner only; return a sentence about each.

        Raises:
            GatewayFileError: it cannot be written.
        """
        told = []
        try:
            if self.file is not None:
                self.file.touch(mode=0o600)
                self.file.write_text(data.text() + "\n", encoding="utf-8")
                told.append(
                    f"{self.file} holds all that its gateway needs; keep it secret, and delete it afterwards."
                )
            if self.qr is not None:
                self.qr.touch(mode=0o600)
                segno.make(data.portal_url(), micro=False).save(str(self.qr), scale=_QR_SCALE)
                told.append(f"{self.qr} opens the gateway's set-up page with the same data; it is as secret.")
        except OSError as error:
            raise GatewayFileError(f"{error.filename} cannot be written: {error.strerror}") from error
        return told


def broker_for_devices(config: Config, given: str | None) -> tuple[str, int, bool]:
    """Return host, port and TLS of the broker as a device reaches it.

    Args:
        config: of the control center.
        given: `mqtts://host:port`, which goes before what the configuration says.

    Raises:
        GatewayFileError: the configuration says an address that no other machine can reach, or `given` is none.
    """
    try:
        if given or config.broker:
            if given and urlsplit(given).username:
                raise GatewayFileError("--broker names no user: the device's own is its name")
            address = parse_broker_url(given or config.broker, plain=True)
            host, port, tls = address.host, address.port, address.tls
        else:
            host, port, tls = config.mqtt_host, config.mqtt_port, bool(config.mqtt_certificate)
    except BrokerUrlError as error:
        raise GatewayFileError(str(error)) from error
    if not given and (host in NOWHERE or is_loopback(host)):
        raise GatewayFileError(
            f"the broker is at {host}, where no gateway can reach it: say how one does, for example "
            "--broker mqtts://loadcenter.lan:8883"
        )
    if not port:
        raise GatewayFileError("the broker takes a free port at each start: give it one with mqtt_port")
    return host, port, tls
