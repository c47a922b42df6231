"""Frames of the line to the UNO (SER-2 to SER-6). Pure; runs under MicroPython and CPython."""

LINE_MAX = 1400  # longest line that the UNO sends: telemetry of eight outlets
U16_MAX = 0xFFFF
U16_DIGITS = 5
HEAD = 3  # words in front of the fields
DIGITS = "0123456789"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE of `data`."""
    crc = 0xFFFF
    for byte in data:
        x = crc >> 8 ^ byte
        x ^= x >> 4
        crc = (crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF
    return crc


def encode(body: str) -> bytes:
    """Return `body`, `TYPE SEQ SESSION KEY=VALUE`, as a line with checksum and LF."""
    data = body.encode()
    return data + b" *%04X\n" % crc16(data)


def decode(line: bytes) -> tuple | None:
    """Return (type, seq, session, values by key), None if `line` is no frame."""
    mark = line[-6:-4]
    if mark != b" *" or any(not b" "[0] <= byte <= b"~"[0] for byte in line):
        return None
    if line[-4:] != b"%04X" % crc16(line[:-6]):
        return None
    words = line[:-6].decode().split(" ")
    if len(words) < HEAD:
        return None
    kind, seq, session = words[0], number(words[1]), number(words[2])
    if seq is None or session is None or len(kind) != 1 or not "A" <= kind <= "Z":
        return None
    values = {}
    for word in words[HEAD:]:
        key, equals, value = word.partition("=")
        if not equals or not value or not is_key(key):
            return None
        values[key] = value
    return kind, seq, session, values


def number(text: str) -> int | None:
    """Return a number of 16 bits, None if `text` is none."""
    if (
        not 0 < len(text) <= U16_DIGITS
        or any(c not in DIGITS for c in text)
        or (text[0] == "0" and text != "0")
    ):
        return None
    value = int(text)
    return value if value <= U16_MAX else None


def is_key(text: str) -> bool:
    """Return whether `text` is a key, with or without a name behind a dot."""
    key, dot, of = text.partition(".")
    if not key or key[0] not in LETTERS or any(c not in LETTERS + DIGITS + "_" for c in key):
        return False
    return not dot or (bool(of) and all(c in LETTERS + DIGITS for c in of))


class Lines:
    """Takes bytes as they come and gives whole frames; throws away the rest up to the next LF.

    Attributes:
        thrown: lines that were no frame.
    """

    def __init__(self, line_max: int = LINE_MAX) -> None:
        self.thrown = 0
        self.line_max = line_max
        self.line = b""
        self.spoiled = False

    def take(self, data: bytes) -> list:
        """Return the frames that `data` completes."""
        frames = []
        pieces = data.split(b"\n")
        for at, piece in enumerate(pieces):
            if len(self.line) + len(piece) > self.line_max:
                self.spoiled = True
                self.line = b""
            if not self.spoiled:
                self.line += piece
            if at < len(pieces) - 1:
                frames += self.end()
        return frames

    def end(self) -> list:
        """Return the frame that the line is, if it is one, and begin the next."""
        line, spoiled = self.line, self.spoiled
        self.line = b""
        self.spoiled = False
        if not line and not spoiled:
            return []
        frame = None if spoiled else decode(line)
        if frame is None:
            self.thrown += 1
            return []
        return [frame]
