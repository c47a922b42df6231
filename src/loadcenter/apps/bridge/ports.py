"""Where the serial line of a unit comes out: a TCP port of this machine, or a pseudo-terminal. Nothing here waits."""

import os
import select
import socket
import tty
from collections.abc import Callable
from typing import Protocol

MOST_BYTES = 256
"""Taken at once: a longer burst waits in the system's buffers, as the line of 57,600 baud makes it wait."""

LOCALHOST = "127.0.0.1"


class Port(Protocol):
    """A place where the other side of a serial line can be reached."""

    @property
    def address(self) -> str:
        """What to connect to."""
        ...

    def take(self) -> bytes:
        """Return what has come in, at most `MOST_BYTES`; empty if nothing has."""
        ...

    def give(self, data: bytes) -> None:
        """Send as much as goes at once; the rest is lost, as on a line that nobody reads."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class TcpPort:
    """A TCP port of this machine for one client at a time; another may come when that has gone.

    Args:
        port: its number; 0 takes a free one.
        tell: is told of clients.

    Raises:
        OSError: the port is in use.
    """

    def __init__(self, port: int, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._listener = socket.create_server((LOCALHOST, port), backlog=1)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def take(self) -> bytes:
        """Return what the client has sent."""
        self._welcome()
        if self._client is None:
            return b""
        try:
            data = self._client.recv(MOST_BYTES)
        except BlockingIOError:
            return b""
        except ConnectionError:
            data = b""
        if not data:
            self._part()
        return data

    def give(self, data: bytes) -> None:
        """Send to the client, if there is one."""
        if self._client is None or not data:
            return
        try:
            self._client.send(data)
        except BlockingIOError:
            return
        except ConnectionError:
            self._part()

    def close(self) -> None:
        """End the port, and the connection of its client."""
        if self._client is not None:
            self._client.close()
        self._listener.close()

    def _welcome(self) -> None:
        try:
            client, (host, port) = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        if self._client is not None:
            client.close()
            self._tell(f"refused {host}:{port}: one client at a time")
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._tell(f"{host}:{port} is connected")

    def _part(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._tell("the client has gone")


class PtyPort:
    """A pseudo-terminal: programs that want a serial port open it as one."""

    def __init__(self) -> None:
        # The far end stays open here too, so that programs may come and go.
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)

    @property
    def address(self) -> str:
        """Path of the device."""
        return os.ttyname(self._far)

    def take(self) -> bytes:
        """Return what was written to the device."""
        try:
            return os.read(self._near, MOST_BYTES)
        except BlockingIOError:
            return b""

    def give(self, data: bytes) -> None:
        """Let the device be read; when nobody does, its buffer fills and the rest is lost."""
        try:
            os.write(self._near, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """End it."""
        os.close(self._near)
        os.close(self._far)


class Keyboard:
    """Lines from a descriptor: a terminal, a pipe, or nothing.

    Args:
        descriptor: None is nothing.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._begun = b""

    def take(self) -> list[str]:
        """Return the lines that have come in whole."""
        if self._descriptor is None or not select.select([self._descriptor], [], [], 0)[0]:
            return []
        data = os.read(self._descriptor, MOST_BYTES)
        if not data:  # its end: the unit goes on without
            self._descriptor = None
            return []
        *lines, self._begun = (self._begun + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]
