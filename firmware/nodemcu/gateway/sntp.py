"""The time of day by SNTP, for as long as the control center has not told it. MicroPython and CPython.

Anybody can answer on UDP. So an answer only fills a clock that is not set, and `down/time` corrects it (MQTT-55).
"""

import asyncio
import socket
import struct

PORT = 123
SIZE = 48
REQUEST = b"\x23" + bytes(SIZE - 1)  # version 4, client
SERVER, MODE = 4, 7
STRATA = 16  # from here on a server has no time itself
SINCE_1900_S = 2208988800  # at the beginning of 1970, RFC 5905
EARLIEST_S = 1767225600  # 2026: a server that says less has no time
ERA_S = 1 << 32
WAIT_S, PATIENCE = 0.05, 40
PAUSE_S = 64  # the least that RFC 5905 lets a client ask


class Sntp:
    """Asks until the clock is set.

    Args:
        clock: `clock.Clock`.
        exchange: coroutine function (request) -> answer; None when none came; raises OSError.

    Attributes:
        asked: how often it has asked.
    """

    def __init__(self, clock: object, exchange: object) -> None:
        self.asked = 0
        self._clock = clock
        self._exchange = exchange

    async def run(self) -> None:
        """Ask each 64 s while the clock is not set, until cancelled."""
        while True:
            if self._clock.offset_ms is None:
                await self._ask()
            await asyncio.sleep(PAUSE_S)

    async def _ask(self) -> None:
        self.asked += 1
        try:
            ts_ms = read(await self._exchange(REQUEST))
        except OSError:
            return  # no network yet: `asked` tells that it has not worked
        if ts_ms is not None and self._clock.offset_ms is None:
            self._clock.set(ts_ms)


def read(answer: bytes | None) -> int | None:
    """Return the time in an answer, milliseconds UTC since 1970, None if it has none.

    Half of the way there and back is not added: that is below what a record's time is good for.
    """
    if answer is None or len(answer) < SIZE or answer[0] & MODE != SERVER or not 0 < answer[1] < STRATA:
        return None
    seconds, fraction = struct.unpack_from(">II", answer, 40)
    seconds -= SINCE_1900_S
    if seconds < 0:
        seconds += ERA_S  # the counter rolls over in 2036
    return None if seconds < EARLIEST_S else seconds * 1000 + fraction * 1000 // ERA_S


def udp(host: str, port: int = PORT) -> object:
    """Return an `exchange` with a server over UDP, which gives up after 2 s."""

    async def exchange(request: bytes) -> bytes | None:
        address = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1]
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            line.setblocking(False)
            line.sendto(request, address)
            for _ in range(PATIENCE):
                await asyncio.sleep(WAIT_S)
                answer = _received(line)
                if answer is not None:
                    return answer
        finally:
            line.close()
        return None

    return exchange


def _received(line: object) -> bytes | None:
    try:
        return line.recv(SIZE)
    except OSError:
        return None  # nothing yet
