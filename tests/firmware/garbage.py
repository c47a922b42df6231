"""Bytes that no gateway means, at the speed of the line, and what may come of them: nothing."""

import random
from collections.abc import Iterator

from tests.firmware.rig import Rig

from loadcenter.adapters.emulator import Kind
from loadcenter.protocol.frames import encode

PIECE = 600
KINDS = "CSXQATHER"
NUMBERS = (0, 1, 2, 3, 4, 5, 7, 9, 100, 101, 255, 2500, 2**24 - 1, 2**32 - 1, 2**32, None)


def garbage(rng: random.Random, count: int, session: int) -> Iterator[bytes]:
    """Yield at least `count` bytes in pieces: noise, text, broken frames, and frames of right checksum but another session."""
    sent = 0
    while sent < count:
        piece = _piece(rng, session)
        sent += len(piece)
        yield piece


def _piece(rng: random.Random, session: int) -> bytes:
    match rng.randrange(5):
        case 0:
            return rng.randbytes(rng.randrange(1, PIECE))
        case 1:
            return bytes(rng.randrange(0x20, 0x7F) for _ in range(rng.randrange(PIECE))) + b"\n"
        case 2:
            return b"\n" * rng.randrange(40) + rng.randbytes(3)
        case 3:
            frame = bytearray(_frame(rng, session))
            frame[rng.randrange(len(frame) - 1)] ^= 1 << rng.randrange(8)
            return bytes(frame)
        case _:
            return _frame(rng, (session + rng.randrange(1, 0x10000)) & 0xFFFF)


def _frame(rng: random.Random, session: int) -> bytes:
    numbers = [rng.choice(NUMBERS) for _ in range(rng.randrange(5))]
    return encode(rng.choice(KINDS), rng.randrange(0x10000), session, numbers)


def quiet_after(rig: Rig, pieces: Iterator[bytes]) -> bool:
    """Return whether no relay was driven otherwise and no reset came while the pieces were on the line."""
    at_s = rig.emulator.now_s
    for piece in pieces:
        rig.emulator.send(piece)
        while rig.emulator.unsent:
            rig.emulator.run(0.02)
    rig.run(1)
    return not rig.events(Kind.PIN, Kind.RESET, Kind.CRASH, since_s=at_s)
