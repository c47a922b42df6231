"""The flash ring: whole records in a few files, which a cut at any byte leaves whole. MicroPython and CPython.

Files rather than one: each is only added to, and goes away as a whole, so that flash wears evenly. A file system of
the ESP8266 (littlefs) writes what was added when the file is closed.
"""

import os
import struct
from binascii import crc32

HEAD = "<HI"  # length and CRC-32 of what follows
HEAD_SIZE = 6
SEGMENT = 4096  # bytes after which a file is full: one block of an ESP8266's flash
PREFIX = "ring."


class Ring:
    """Records in files `ring.N` of a folder, N rising.

    Read `records()` to its end before the first `append`.

    Attributes:
        newest: number of the newest file, 0 while there is none.
        torn: files in which a record was cut or spoiled; what stood behind it in that file is gone.
    """

    def __init__(self, folder: str) -> None:
        self.torn = 0
        self._folder = folder
        try:
            os.mkdir(folder)
        except OSError:
            os.listdir(folder)  # raises unless it is there
        self._segments = sorted(
            [int(name[len(PREFIX) :]) for name in os.listdir(folder) if name.startswith(PREFIX)]
        )
        self._size = SEGMENT  # of the newest: full until it is known to be whole
        self.newest = self._segments[-1] if self._segments else 0

    def records(self) -> object:
        """Return an iterator over (place, body) of all records, oldest first."""
        for segment in self._segments:
            end = 0
            with open(self._name(segment), "rb") as file:
                body = _read(file)
                while body:
                    yield segment * SEGMENT + end, body
                    end += HEAD_SIZE + len(body)
                    body = _read(file)
            whole = body is None
            self.torn += not whole
            if segment == self.newest and whole:
                self._size = end

    def load(self, place: int) -> bytes | None:
        """Return the body that stands at a place that `append` returned, None if it is gone or spoiled."""
        try:
            with open(self._name(place // SEGMENT), "rb") as file:
                file.seek(place % SEGMENT)
                return _read(file) or None
        except OSError:
            return None

    def room(self, size: int) -> bool:
        """Return whether a body of `size` bytes goes into the newest file; else `turn` must come first."""
        return self._size + HEAD_SIZE + size <= SEGMENT

    def append(self, body: bytes) -> int:
        """Write a record and return its place; it is safe when this returns.

        Raises:
            OSError: it could not be written; the next one goes into a new file.
        """
        place = self.newest * SEGMENT + self._size
        self._size = SEGMENT
        self._write(self._name(self.newest), struct.pack(HEAD, len(body), crc32(body)) + body)
        self._size = place % SEGMENT + HEAD_SIZE + len(body)
        return place

    def turn(self, state: bytes, needed: set) -> None:
        """Begin a new file with `state`, all that is known without the files, and drop those not in `needed`.

        Raises:
            OSError: it could not be written; nothing was dropped.
        """
        self.newest += 1
        self._segments.append(self.newest)
        self._size = 0
        self.append(state)
        for segment in self._segments[:-1]:
            if segment not in needed and self._remove(self._name(segment)):
                self._segments.remove(segment)

    def _name(self, segment: int) -> str:
        return "%s/%s%d" % (self._folder, PREFIX, segment)

    def _write(self, name: str, data: bytes) -> None:
        with open(name, "ab") as file:
            file.write(data)

    def _remove(self, name: str) -> bool:
        try:
            os.remove(name)
        except OSError:
            return False  # the next `turn` tries again
        return True


def _read(file: object) -> bytes | None:
    """Return the next body, None at the end of the file, b"" if it is cut or spoiled."""
    head = file.read(HEAD_SIZE)
    if not head:
        return None
    if len(head) < HEAD_SIZE:
        return b""
    size, check = struct.unpack(HEAD, head)
    if not 0 < size <= SEGMENT:
        return b""
    body = file.read(size)
    return body if len(body) == size and crc32(body) == check else b""
