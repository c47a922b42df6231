"""Writes an image into the ROM partition, from where its bytecode runs in place, without a copy in memory."""

import vfs

SEGMENT = 0
SEGMENTS, GET, PREPARE, WRITE, COMPLETE = 1, 2, 3, 4, 5  # operations of vfs.rom_ioctl
CHUNK = 512


def size() -> int:
    """Return the bytes of the partition, 0 where the board has none."""
    if not hasattr(vfs, "rom_ioctl") or vfs.rom_ioctl(SEGMENTS) <= SEGMENT:
        return 0
    return len(vfs.rom_ioctl(GET, SEGMENT))


def place(path: str) -> None:
    """Write the image at `path` into the partition; it is mounted at /rom by the next start.

    Raises:
        OSError: the partition does not take it.
    """
    with open(path, "rb") as image:
        length = image.seek(0, 2)
        image.seek(0)
        _check(vfs.rom_ioctl(PREPARE, SEGMENT, length))
        at = 0
        while chunk := image.read(CHUNK):
            # The flash is written in words.
            _check(vfs.rom_ioctl(WRITE, SEGMENT, at, chunk + bytes(-len(chunk) % 4)))
            at += len(chunk)
        vfs.rom_ioctl(
            COMPLETE, SEGMENT
        )  # an ESP8266 has nothing to complete, and answers that it knows no such operation


def _check(answer: int) -> None:
    if answer < 0:
        raise OSError(-answer)
