"""Memory that is not needed any more goes back to the system."""

import ctypes
from contextlib import suppress
from typing import Final

M_TRIM_THRESHOLD: Final = -1
"""From malloc.h of glibc."""
KEPT_BYTES: Final = 1 << 20


def give_memory_back() -> None:
    """Let glibc keep at most `KEPT_BYTES` of freed memory at the end of its heap; other C libraries are left alone.

    By itself glibc keeps twice the largest block that was ever freed: 20 MB after the start of a demo.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
