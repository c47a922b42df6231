"""Where the broker is and how it is spoken to: `mqtt://user:password@host:port` and `mqtts://…`."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

PLAIN_PORT = 1883
"""Registered for MQTT (IANA)."""
TLS_PORT = 8883
"""Registered for MQTT over TLS (IANA)."""


class BrokerUrlError(ValueError):
    """The address of the broker cannot be used. The message says how to write it."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker, with the credentials to use there.

    Attributes:
        host: name or address, an IPv6 address without brackets.
        port: TCP port.
        tls: whether the connection is encrypted and the broker's certificate checked.
        username: empty for none.
        password: empty for none; never printed.
        ca_file: certificates to trust instead of the system's; only with TLS.
        insecure: take any certificate. The link warns at each connect.
        pinned: `ca_file` is the broker's own certificate, so the name in it does not matter.
    """

    host: str
    port: int
    tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    insecure: bool = False
    pinned: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse_broker_url(
    url: str, *, plain: bool = False, ca_file: Path | None = None, insecure: bool = False
) -> BrokerAddress:
    """Return the address that `url` names; the port is 1883, or 8883 with TLS, if it names none.

    Args:
        url: `mqtt://` or `mqtts://`, then `user:password@` (percent-encoded) if wanted, host, and `:port` if wanted.
        plain: allow `mqtt://` to another machine, where anybody on the way reads passwords and switches outlets.
        ca_file: certificates to trust instead of the system's.
        insecure: take any certificate.

    Raises:
        BrokerUrlError: it is not such a URL, or plain to another machine without `plain`.
    """
    parts = _split(url)
    tls = parts.scheme == "mqtts"
    host = parts.hostname or ""
    if not tls and (ca_file or insecure):
        raise BrokerUrlError("a CA file or `insecure` means nothing without TLS: write mqtts://")
    if not tls and not plain and not is_loopback(host):
        raise BrokerUrlError(
            f"mqtt://{host} would send passwords unencrypted over the network: write mqtts://{host}, "
            "or allow it with `plain = true`"
        )
    port = parts.port if parts.port is not None else (TLS_PORT if tls else PLAIN_PORT)
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return BrokerAddress(host, port, tls, username, password, ca_file, insecure)


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine by name or address, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    expected = "expected mqtts://user:password@host:port"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BrokerUrlError(f"not the address of a broker ({error}): {expected}") from error
    if parts.scheme not in ("mqtt", "mqtts"):
        raise BrokerUrlError(f"not the address of a broker (scheme '{parts.scheme}'): {expected}")
    if not parts.hostname:
        raise BrokerUrlError(f"not the address of a broker (no host): {expected}")
    if port == 0:
        raise BrokerUrlError(f"not the address of a broker (port 0): {expected}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BrokerUrlError(
            f"not the address of a broker (something follows the host): {expected}, with @ / # ? : in user name "
            "and password percent-encoded"
        )
    return parts
