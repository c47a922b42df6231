"""Frames of the line to the UNO (SER-2 to SER-6). Pure; runs under MicroPython and CPython."""

LINE_MAX = 600  # longest line that the UNO sends: telemetry of eight outlets
U16_MAX = 0xFFFF
U16_DIGITS = 5
DIGITS_MAX = 15  # of an energy counter
HEAD = 3  # words in front of the numbers
DIGITS = "0123456789"


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE of `data`."""
    crc = 0xFFFF
    for byte in data:
        x = crc >> 8 ^ byte
        x ^= x >> 4
        crc = (crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF
    return crc


def encode(body: str) -> bytes:
    """Return `body`, `TYPE SEQ SESSION NUMBER`, as a line with checksum and LF."""
    data = body.encode()
    return data + b" *%04X\n" % crc16(data)


def decode(line: bytes) -> tuple | None:
    """Return (type, seq, session, numbers; None for what is not known), None if `line` is no frame."""
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
    numbers = []
    for word in words[HEAD:]:
        if word != "-" and not is_number(word[1:] if word[:1] == "-" else word):
            return None
        numbers.append(None if word == "-" else int(word))
    return kind, seq, session, numbers


def number(text: str) -> int | None:
    """Return a number of 16 bits, None if `text` is none."""
    if not is_number(text) or len(text) > U16_DIGITS:
        return None
    value = int(text)
    return value if value <= U16_MAX else None


def is_number(text: str) -> bool:
    """Return whether `text` is digits without a leading zero."""
    return 0 < len(text) <= DIGITS_MAX and all(c in DIGITS for c in text) and (text[0] != "0" or text == "0")


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
