"""Reads a ROMFS image and writes its files into a folder, for a board without a ROM partition and for a host.

Runs under MicroPython and CPython. The format is that of `mpremote romfs build`: records of a kind, a length and a
payload, numbers in seven bits a byte, the highest first.
"""

import os

MAGIC = b"\xd2\xcd\x31"
VERBATIM, FOLDER, FILE = 2, 4, 5
SKIPPED = (0, 1)  # unused, padding
CHUNK = 256
MORE = 0x80  # bit of a byte of a number that another one follows
IS_FOLDER = 0x4000  # of the mode that os.stat tells


class ImageError(ValueError):
    """The image cannot be read; the message says what is wrong."""


def unpack(path: str, folder: str) -> None:
    """Make the folder hold what the image at `path` holds, and nothing else.

    Raises:
        ImageError: it is no ROMFS image.
        OSError: something cannot be read or written.
    """
    with open(path, "rb") as image:
        if image.read(len(MAGIC)) != MAGIC:
            raise ImageError(path + " is no ROMFS image")
        left = _number(image)
        _empty(folder)
        _records(image, image.tell() + left, folder)


def _records(image: object, end: int, folder: str) -> None:
    while image.tell() < end:
        kind = _number(image)
        after = _number(image)
        after += image.tell()
        if kind in (FILE, FOLDER):
            path = folder + "/" + image.read(_number(image)).decode()
            if kind == FILE:
                _copy(image, path)
            else:
                _empty(path)
                _records(image, after, path)
        elif kind not in SKIPPED:
            raise ImageError("the image holds a record of kind %d, which is not known here" % kind)
        image.seek(after)


def _copy(image: object, path: str) -> None:
    if _number(image) != VERBATIM:
        raise ImageError(path + " does not hold its own bytes")
    size = _number(image)
    with open(path, "wb") as file:
        while size:
            chunk = image.read(min(size, CHUNK))
            if not chunk:
                raise ImageError("the image ends within " + path)
            file.write(chunk)
            size -= len(chunk)


def _number(image: object) -> int:
    value = 0
    while True:
        byte = image.read(1)
        if not byte:
            raise ImageError("the image ends too early")
        value = value << 7 | byte[0] & (MORE - 1)
        if byte[0] < MORE:
            return value


def _empty(folder: str) -> None:
    """Make a folder, or take everything out of the one there is."""
    try:
        os.mkdir(folder)
    except OSError:
        for name in os.listdir(folder):  # raises where it is no folder
            path = folder + "/" + name
            if os.stat(path)[0] & IS_FOLDER:
                _empty(path)
                os.rmdir(path)
            else:
                os.remove(path)
