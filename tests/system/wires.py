"""What lies between two parts, to be cut, silenced or filled with noise: a network, and a serial line.

Each runs in a thread of its own, on 127.0.0.1.
"""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Self

POLL_S = 0.02
BLOCK = 65_536


class Passing(StrEnum):
    """What becomes of bytes."""

    ALL = "all"
    NOTHING = "nothing"
    """They vanish; whoever sent them does not notice (a half-open connection, a loose wire)."""
    REFUSED = "refused"
    """Connections end at once."""


class _Threaded:
    """A loop in a thread that ends with its context."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=type(self).__name__)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._close()

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._turn()

    def _turn(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


class Network(_Threaded):
    """A port that leads to another one.

    Args:
        target: port of this machine where connections go.
    """

    def __init__(self, target: int) -> None:
        super().__init__()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._passing = Passing.ALL
        self._part_now = False

    def cut(self) -> None:
        """End every connection, and each new one, until `mend`."""
        self._passing = Passing.REFUSED

    def silence(self) -> None:
        """Let every byte vanish, with the connections standing, until `mend`."""
        self._passing = Passing.NOTHING

    def mend(self) -> None:
        """Carry everything again. Connections that have lost bytes end: their ends would not agree any more."""
        self._part_now = self._passing is Passing.NOTHING
        self._passing = Passing.ALL

    def _turn(self) -> None:
        passing = self._passing
        if passing is Passing.REFUSED or self._part_now:
            self._part_now = False
            self._part()
        ready, _, _ = select.select([self._listener, *self._pairs], [], [], POLL_S)
        for one in ready:
            if one is self._listener:
                self._welcome(passing)
            elif one in self._pairs:
                self._carry(one, passing)

    def _welcome(self, passing: Passing) -> None:
        near, _ = self._listener.accept()
        if passing is Passing.REFUSED:
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:  # nobody is there: as the network says it
            near.close()
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs[near], self._pairs[far] = far, near

    def _carry(self, one: socket.socket, passing: Passing) -> None:
        other = self._pairs[one]
        try:
            data = one.recv(BLOCK)
            if data and passing is Passing.ALL:
                other.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (one, other):
                del self._pairs[end]
                end.close()

    def _part(self) -> None:
        for end in self._pairs:
            end.close()
        self._pairs.clear()

    def _close(self) -> None:
        self._part()
        self._listener.close()


class SerialWire(_Threaded):
    """The line between a unit and its gateway. The unit's end stays connected; the gateway may come and go.

    Args:
        unit: port of the unit's serial line.
        heard: is given every byte that the unit has sent, whether or not it arrives.
        told: is given every byte that the unit gets.
    """

    def __init__(self, unit: int, heard: Callable[[bytes], None], told: Callable[[bytes], None]) -> None:
        super().__init__()
        self._unit = socket.create_connection(("127.0.0.1", unit))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._gateway: socket.socket | None = None
        self._heard, self._told = heard, told
        self._passing = Passing.ALL
        self._noise = b""

    def cut(self) -> None:
        """Let every byte of both directions vanish until `mend`."""
        self._passing = Passing.NOTHING

    def mend(self) -> None:
        self._passing = Passing.ALL

    def add_noise(self, data: bytes) -> None:
        """Put bytes between those of both directions."""
        self._noise = data

    def _turn(self) -> None:
        noise, self._noise = self._noise, b""
        if noise:
            self._give_unit(noise)
            self._give_gateway(noise)
        ends = [self._listener, self._unit, *([self._gateway] if self._gateway else [])]
        ready, _, _ = select.select(ends, [], [], POLL_S)
        if self._listener in ready:
            self._welcome()
        if self._unit in ready:
            data = self._unit.recv(BLOCK)
            if not data:
                self._stop.set()
            self._heard(data)
            self._give_gateway(data)
        if self._gateway and self._gateway in ready:
            self._take_gateway()

    def _welcome(self) -> None:
        gateway, _ = self._listener.accept()
        gateway.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._gateway:
            self._gateway.close()
        self._gateway = gateway

    def _take_gateway(self) -> None:
        assert self._gateway
        try:
            data = self._gateway.recv(BLOCK)
        except OSError:
            data = b""
        if not data:
            self._gateway.close()
            self._gateway = None
        elif self._passing is Passing.ALL:
            self._give_unit(data)

    def _give_unit(self, data: bytes) -> None:
        self._told(data)
        self._unit.sendall(data)

    def _give_gateway(self, data: bytes) -> None:
        if self._gateway and self._passing is Passing.ALL:
            with suppress(OSError):  # it is going: its end is seen at the next turn
                self._gateway.sendall(data)

    def _close(self) -> None:
        for end in (self._unit, self._listener, self._gateway):
            if end:
                end.close()
