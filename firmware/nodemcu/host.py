"""The gateway as a process, under CPython or the Unix port of MicroPython: for tests, and for a UNO on a computer.

    micropython -X heapsize=256k host.py --serial tcp:127.0.0.1:5000 \
        --broker mqtts://pdu-1:password@broker.example:8883 --ca ca.pem --folder records

`--serial` takes `tcp:HOST:PORT`; `--broker` takes `mqtt` or `mqtts`, and user and password percent-encoded.
Further options: `--root NAME`, `--records N` (telemetry held), `--ack-interval SECONDS`,
`--sntp HOST` (asked for the time until the control center tells it).
"""

import asyncio
import random
import sys
import time
from binascii import a2b_base64

sys.path.insert(1, __file__.rpartition("/")[0] + "/gateway" if "/" in __file__ else "gateway")

from app import App

PORTS = {"mqtt": 1883, "mqtts": 8883}
OPTIONS = ("serial", "broker", "ca", "folder", "root", "records", "ack-interval", "sntp")
USAGE = 2


class UsageError(ValueError):
    """The command line cannot be understood; the message says why."""


def options(arguments: list) -> dict:
    """Return the options by their names.

    Raises:
        UsageError: one is unknown or has no value.
    """
    found = {}
    for at in range(0, len(arguments), 2):
        name = arguments[at][2:]
        if not arguments[at].startswith("--") or name not in OPTIONS or at + 1 == len(arguments):
            raise UsageError("%s: known are --%s, each with a value" % (arguments[at], " --".join(OPTIONS)))
        found[name] = arguments[at + 1]
    for name in ("serial", "broker", "folder"):
        if name not in found:
            raise UsageError("--%s is missing" % name)
    return found


def unquoted(text: str) -> str:
    """Return a part of an address without its percent signs."""
    first, *rest = text.split("%")
    return first + "".join([chr(int(part[:2], 16)) + part[2:] for part in rest])


def address(text: str) -> tuple:
    """Return scheme, user, password, host and port of a broker's address.

    Raises:
        UsageError: it is none.
    """
    scheme, _, rest = text.partition("://")
    login, _, place = rest.rpartition("@")
    user, _, password = login.partition(":")
    host, _, port = place.partition(":")
    if scheme not in PORTS or not user or not host or (port and not port.isdigit()):
        raise UsageError("--broker must be mqtt://USER:PASSWORD@HOST:PORT or mqtts://...")
    return scheme, unquoted(user), unquoted(password), host, int(port or PORTS[scheme])


def opener(host: str, port: int, context: object = None) -> object:
    """Return a coroutine function that connects by TCP, over TLS with a context."""

    async def connect() -> tuple:
        if context is None:
            return await asyncio.open_connection(host, port)
        return await asyncio.open_connection(host, port, ssl=context, server_hostname=host)

    return connect


def trusting(authority: str) -> object:
    """Return a TLS context that trusts the certificates of a file in PEM form, and none else.

    Raises:
        UsageError: there is none in it.
    """
    import ssl  # noqa: PLC0415 - a board without TLS need not have it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    with open(authority) as file:
        certificates = file.read().split("-----BEGIN CERTIFICATE-----")[1:]
    if not certificates:
        raise UsageError("%s holds no certificate in PEM form" % authority)
    for text in certificates:  # MicroPython reads them as DER only
        context.load_verify_locations(cadata=a2b_base64(text.split("-----END")[0]))
    return context


def ticks() -> tuple:
    """Return a counter of milliseconds and its period."""
    if hasattr(time, "ticks_ms"):
        return time.ticks_ms, time.ticks_add(0, -1) + 1
    return lambda: int(time.monotonic() * 1000), 1 << 62


def made(given: dict) -> App:
    """Return the gateway that the options describe.

    Raises:
        UsageError: they do not describe one.
    """
    scheme, user, password, host, port = address(given["broker"])
    kind, _, place = given["serial"].partition(":")
    serial_host, _, serial_port = place.partition(":")
    if kind != "tcp" or not serial_port.isdigit():
        raise UsageError("--serial must be tcp:HOST:PORT")
    if scheme == "mqtts" and "ca" not in given:
        raise UsageError("mqtts needs --ca, the file of the authority that is trusted")
    context = trusting(given["ca"]) if scheme == "mqtts" else None
    config = {
        "user": user,
        "password": password,
        "root": given.get("root", "loadcenter"),
        "sntp": given.get("sntp"),
    }
    if "records" in given:
        config["telemetry_records"] = int(given["records"])
    if "ack-interval" in given:
        config["ack_interval_s"] = float(given["ack-interval"])
    return App(
        config,
        given["folder"],
        opener(serial_host, int(serial_port)),
        opener(host, port, context),
        ticks(),
        random.randrange,
    )


def main() -> int:
    """Run it; return the exit status."""
    try:
        app = made(options(sys.argv[1:]))
    except UsageError as error:
        print(error)  # noqa: T201 - a program of the command line
        return USAGE
    asyncio.run(app.run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
