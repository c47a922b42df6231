"""Frames of the line to the UNO (SER-2 to SER-6). Pure; runs under MicroPython and CPython."""

LINE_MAX = 600  # longest line that the UNO sends: telemetry of eight outlets
U16_MAX = 0xFFFF
DIGITS_MAX = 15  # of an energy counter
HEAD = 3  # words in front of the numbers
ZERO = 0x30


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE of `data` (SER-4)."""
    crc = 0xFFFF
    for byte in data:
        x = crc >> 8 ^ byte
        x ^= x >> 4
        crc = (crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF
    return crc


def encode(kind: str, seq: int, session: int, numbers: tuple = ()) -> bytes:
    """Return a frame as a line with checksum and LF; at most 64 bytes without it for what the UNO reads."""
    data = " ".join([kind] + [str(number) for number in (seq, session) + tuple(numbers)]).encode()  # noqa: RUF005
    return data + b" *%04X\n" % crc16(data)


def decode(line: bytes) -> tuple | None:
    """Return (type, seq, session, numbers; None for what is not known), None if `line` is no frame."""
    if line[-6:-4] != b" *" or line[-4:] != b"%04X" % crc16(line[:-6]):
        return None
    words = line[:-6].split(b" ")
    kind = words[0]
    if len(words) < HEAD or len(kind) != 1 or not b"A" <= kind <= b"Z":
        return None
    if not (is_count(words[1]) and is_count(words[2])):
        return None
    seq, session = int(words[1]), int(words[2])
    if seq > U16_MAX or session > U16_MAX:
        return None
    numbers = []
    for word in words[HEAD:]:
        if word != b"-" and not is_count(word[1:] if word[:1] == b"-" else word):
            return None
        numbers.append(None if word == b"-" else int(word))
    return kind.decode(), seq, session, numbers


def is_count(word: bytes) -> bool:
    """Return whether `word` is digits without a leading zero."""
    return word.isdigit() and len(word) <= DIGITS_MAX and (word[0] != ZERO or len(word) == 1)


class Lines:
    """Takes bytes as they come and gives whole frames; throws away the rest up to the next LF (SER-5).

    Attributes:
        thrown: lines that were no frame.
    """

    def __init__(self, line_max: int = LINE_MAX) -> None:
        self.thrown = 0
        self._line_max = line_max
        self._line = b""
        self._spoiled = False

    def take(self, data: bytes) -> list:
        """Return the frames that `data` completes."""
        frames = []
        start = 0
        end = data.find(b"\n")
        while end >= 0:
            self._add(data[start:end])
            frame = self._end()
            if frame:
                frames.append(frame)
            start = end + 1
            end = data.find(b"\n", start)
        self._add(data[start:])
        return frames

    def _add(self, piece: bytes) -> None:
        if len(self._line) + len(piece) > self._line_max:
            self._spoiled = True
            self._line = b""
        if piece and not self._spoiled:
            self._line += piece

    def _end(self) -> tuple | None:
        line, spoiled = self._line, self._spoiled
        self._line = b""
        self._spoiled = False
        if not line and not spoiled:
            return None
        frame = None if spoiled else decode(line)
        if frame is None:
            self.thrown += 1
        return frame
