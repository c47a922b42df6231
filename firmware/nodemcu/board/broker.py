"""The way to the broker: TCP, over TLS where that is configured.

What TLS is worth depends on the chip (docs/build-it/nodemcu.md says it at length): the axTLS of an ESP8266 encrypts and
checks no certificate; the mbedTLS of an ESP32 checks it against `ca.der`.
"""

import asyncio

CA = "/ca.der"


def opener(host: str, port: int, tls: bool) -> object:
    """Return a coroutine function that returns (reader, writer); it raises OSError."""

    async def connect() -> tuple:
        if not tls:
            return await asyncio.open_connection(host, port)
        return await asyncio.open_connection(host, port, ssl=_context(), server_hostname=host)

    return connect


def _context() -> object:
    import ssl  # noqa: PLC0415 - memory that a plain connection does not need

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if hasattr(ssl, "CERT_REQUIRED"):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile=CA)
    else:
        context.verify_mode = ssl.CERT_NONE
    return context
