"""What the embedded broker says, passed on to our log: at fitting levels and in bounded amounts."""

import asyncio
import logging
import re

_LINE = re.compile(r"\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] (?P<text>.*)", re.DOTALL)
_LEVELS = {
    "FTL": logging.ERROR,
    "ERR": logging.WARNING,  # mostly what a client did wrong: a bad password, a foreign topic
    "WRN": logging.WARNING,
    "INF": logging.DEBUG,
}
_LONGEST = 300
"""Characters of a line that are kept: a client chooses part of the text."""
_BURST = 20
_REFILL_S = 10.0
"""At most `_BURST` warnings in each `_REFILL_S`: one faulty device must not fill a disk."""


class BrokerLog:
    """Takes lines of `nats-server` and logs them.

    Attributes:
        fatal: the last line that explains an end of the server; empty if there was none.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.fatal = ""
        self._budget = _BURST
        self._suppressed = 0
        self._refill: asyncio.TimerHandle | None = None

    def take(self, line: str) -> str:
        """Log a line and return its text, without time and process id."""
        level, text = parse_line(line)
        if level >= logging.ERROR:
            self.fatal = text
        if level < logging.WARNING:
            self._logger.log(level, "broker: %s", text)
        elif self._budget > 0:
            self._budget -= 1
            self._logger.log(level, "broker: %s", text)
        else:
            self._suppressed += 1
        if self._budget < _BURST and self._refill is None:
            self._refill = asyncio.get_running_loop().call_later(_REFILL_S, self.refill)
        return text

    def refill(self) -> None:
        """Allow further warnings, and say how many were left out."""
        self.close()
        self._budget = _BURST
        if self._suppressed:
            self._logger.warning("broker: %d more warnings were left out", self._suppressed)
            self._suppressed = 0

    def close(self) -> None:
        """End the timer."""
        if self._refill is not None:
            self._refill.cancel()
            self._refill = None


def parse_line(line: str) -> tuple[int, str]:
    """Return level (of `logging`) and text of a line.

    One of another form comes from before the server's log exists: it could not start.
    """
    match = _LINE.match(line)
    level, text = (match["level"], match["text"]) if match else ("FTL", line)
    text = "".join(char if char.isprintable() else "?" for char in text.strip())
    return _LEVELS.get(level, logging.DEBUG), text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
