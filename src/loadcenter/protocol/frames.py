"""Frames of the serial line between UNO and gateway: `TYPE SEQ SESSION NUMBER *CRC` (spec/serial.md).

Sans-I/O: bytes in, frames out, and the other way round. `firmware/uno/core/frames.cpp` and
`firmware/nodemcu/gateway/frames.py` read the same lines; `spec/vectors/serial.jsonl` holds all three together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

BAUD = 57_600
"""SER-1."""

UNO_LINE_MAX = 64
"""Longest line that the gateway sends, without its LF (SER-2)."""

GATEWAY_LINE_MAX = 600
"""Longest line that the UNO sends, without its LF: telemetry of eight outlets, each value at its longest (SER-2)."""

_LINE = re.compile(
    rb"(?P<body>(?P<type>[A-Z]) (?P<seq>0|[1-9][0-9]{0,4}) (?P<session>0|[1-9][0-9]{0,4})"
    rb"(?P<numbers>(?: (?:-?(?:0|[1-9][0-9]{0,14})|-))*)) \*(?P<crc>[0-9A-F]{4})"
)
_U16_MAX = 0xFFFF


class FrameError(ValueError):
    """A line that is no frame; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line.

    Attributes:
        type: one capital letter.
        seq: number of the frame, or of what it answers; 0 to 65,535.
        session: number that the UNO drew at its start; 0 to 65,535.
        numbers: what it says, in the order of `spec/serial.toml`; None where that is not known.
    """

    type: str
    seq: int
    session: int
    numbers: tuple[int | None, ...] = ()


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE of `data`: polynomial 0x1021, start 0xFFFF, not reflected (SER-4)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def decode(line: bytes) -> Frame:
    """Return the frame that `line` is, without its LF.

    Raises:
        FrameError: it is none, or its checksum is wrong.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise FrameError(f"{line!r} is not TYPE SEQ SESSION NUMBER *CRC")
    crc = crc16(match["body"])
    if int(match["crc"], 16) != crc:
        raise FrameError(f"{line!r}: the checksum is not {crc:04X}")
    seq, session = int(match["seq"]), int(match["session"])
    if seq > _U16_MAX or session > _U16_MAX:
        raise FrameError(f"{line!r}: a number is above {_U16_MAX}")
    numbers = tuple(None if text == b"-" else int(text) for text in match["numbers"].split())
    return Frame(match["type"].decode("ascii"), seq, session, numbers)


def encode(kind: str, seq: int, session: int, numbers: Sequence[int | None] = ()) -> bytes:
    """Return a line with its LF. None (unknown) is written as `-`."""
    words = [
        kind,
        str(seq),
        str(session),
        *("-" if number is None else str(int(number)) for number in numbers),
    ]
    body = " ".join(words).encode("ascii")
    return body + b" *%04X\n" % crc16(body)


class LineReader:
    """Takes bytes as they come and gives whole frames; throws away the rest up to the next LF (SER-5).

    Args:
        line_max: longest line, without its LF.

    Attributes:
        thrown: lines that were no frame, since the start.
    """

    def __init__(self, line_max: int = GATEWAY_LINE_MAX) -> None:
        self.thrown = 0
        self._line_max = line_max
        self._line = bytearray()
        self._overlong = False

    def take(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes."""
        frames: list[Frame] = []
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            frames.extend(self._end())
        self._add(rest)
        return frames

    def _add(self, piece: bytes) -> None:
        if len(self._line) + len(piece) > self._line_max:
            self._overlong = True
        if not self._overlong:
            self._line += piece

    def _end(self) -> list[Frame]:
        line, overlong = bytes(self._line), self._overlong
        self._line.clear()
        self._overlong = False
        if not line and not overlong:
            return []
        try:
            if not overlong:
                return [decode(line)]
        except FrameError:
            pass
        self.thrown += 1
        return []
