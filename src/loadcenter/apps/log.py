"""One record of the log is one line, whatever words of a device stand in it."""

import logging
from typing import Final

_ESCAPED: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
"""Control characters of ASCII and Latin-1: they end lines, and drive terminals."""


class OneLine(logging.Filter):
    """Escapes control characters in messages: a device could else write lines of its own into the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass; a traceback keeps its lines."""
        record.msg, record.args = record.getMessage().translate(_ESCAPED), ()
        return True
