"""A device cannot write lines of its own into the log."""

import logging

import pytest
from tests.fakes.builders import Center, result

from loadcenter.apps.log import OneLine


def shown(record: logging.LogRecord) -> str:
    assert OneLine().filter(record)
    return logging.Formatter("%(message)s").format(record)


def record(message: str, *words: object) -> logging.LogRecord:
    return logging.LogRecord("x", logging.WARNING, "x.py", 1, message, words, None)


async def test_the_words_of_a_device_stay_on_the_line_that_tells_of_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    center = await Center().open("rack-1")
    caplog.set_level(logging.INFO)
    await center.hear("result", result("c-1\n12:00 INFO all is well\x1b[2J", "confirmed", "ok"))
    (told,) = [one for one in caplog.records if "not known here" in one.getMessage()]
    assert shown(told).endswith(r"c-1\x0a12:00 INFO all is well\x1b[2J")


def test_all_else_is_shown_as_it_is() -> None:
    assert shown(record("100 %% of '%s'", "Küche")) == "100 % of 'Küche'"
    assert shown(record("100 %")) == "100 %"
