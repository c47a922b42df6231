"""Serves the application until a signal ends it, and says plainly why it cannot."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

_SHUTDOWN_S = 5
"""Open pages are given this long to close."""


_UNSENT_MOST = 128 * 1024
"""Bytes that the kernel takes of a connection beyond those on their way."""


_COLLECTIONS = 20_000, 50, 50
"""When the garbage collector looks (Python: 700, 10, 10). A fold makes a hundred thousand objects that all stay until its
end: with Python's own numbers it was looked through for them over and over, which took two thirds of its time."""


class ListenError(OSError):
    """The web server cannot listen where it should; the message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port` (0: a free one).

    Raises:
        ListenError: it is taken, not allowed, or not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name TCP; without it the body of an answer waits 40 ms for an ACK.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # What lies in the kernel cannot be replaced by something newer, and by default that is megabytes: a page on a slow
    # network fell 14 s behind.
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_MOST)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ListenError(_advice(host, port, error)) from error
    return bound


def _advice(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} on {host} is in use: end the other program, or choose another port with --port"
            )
        case errno.EACCES:
            return f"port {port} needs privileges: choose one above 1023 with --port"
        case _:
            return f"cannot listen on {host}:{port}: {error.strerror or error}; is it an address of this machine?"


class _Server(uvicorn.Server):
    """Uvicorn that tells when it listens, and leaves signals alone.

    Its own signal handlers would end the process before the broker is stopped.
    """

    def __init__(self, config: uvicorn.Config, started: asyncio.Event) -> None:
        super().__init__(config)
        self._started_event = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        # What stands now stays: left to the collector, all of it is looked through every few seconds, which holds up
        # everybody for 130 ms with a thousand PDUs (20 ms without).
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECTIONS)
        self._started_event.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve_until_signal(app: FastAPI, bound: socket.socket, started: asyncio.Event) -> None:
    """Serve `app` on `bound` until SIGINT or SIGTERM; a second signal does not hurry it."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        ws="websockets-sansio",
        ws_max_size=65_536,
        # it would compress each frame once for each page: fifty pages cost more than the network that they save
        ws_per_message_deflate=False,
    )
    server = _Server(config, started)

    def end() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        await server.serve(sockets=[bound])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
