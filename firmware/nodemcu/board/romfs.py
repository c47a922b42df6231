"""Reads a ROMFS image and writes its files into a folder, for a board without a ROM partition and for a host.

Runs under MicroPython and CPython. The format is that of `mpremote romfs build`: records of a kind, a length and a
payload, numbers in seven bits a byte, the highest first.
"""

import os

MAGIC = b"\xd2\xcd\x31"
VERBATIM, FILE = 2, 5
SKIPPED = (0, 1)  # unused, padding
CHUNK = 256
MORE = 0x80  # bit of a byte of a number that another one follows


class ImageError(ValueError):
    """The image cannot be read; the message says what is wrong."""


def unpack(path: str, folder: str) -> None:
    """Make the folder hold the files of the image at `path`, and no others.

    Raises:
        ImageError: it is no ROMFS image, or one with folders in it.
        OSError: something cannot be read or written.
    """
    with open(path, "rb") as image:
        if image.read(len(MAGIC)) != MAGIC:
            raise ImageError(path + " is no ROMFS image")
        _empty(folder)
        left = _number(image)
        end = image.tell() + left
        while image.tell() < end:
            _record(image, folder)


def _record(image: object, folder: str) -> None:
    kind, size = _number(image), _number(image)
    after = image.tell() + size
    if kind == FILE:
        name = image.read(_number(image)).decode()
        if _number(image) != VERBATIM:
            raise ImageError(name + " does not hold its own bytes")
        _copy(image, folder + "/" + name, _number(image))
    elif kind not in SKIPPED:
        raise ImageError("the image holds a record of kind %d; only files are known here" % kind)
    image.seek(after)


def _copy(image: object, path: str, size: int) -> None:
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
    try:
        os.mkdir(folder)
    except OSError:
        for name in os.listdir(folder):  # raises where it is no folder
            os.remove(folder + "/" + name)
