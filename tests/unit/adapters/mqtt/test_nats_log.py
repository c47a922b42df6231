import logging

import pytest

from loadcenter.adapters.mqtt.nats_log import BrokerLog, parse_line


def line(level: str, text: str = "something") -> str:
    return f"[9696] 2026/11/24 06:09:16.258795 [{level}] {text}\n"


@pytest.mark.parametrize(
    ("said", "level", "text"),
    [
        (line("INF", "Server is ready"), logging.DEBUG, "Server is ready"),
        (line("WRN"), logging.WARNING, "something"),
        (line("ERR"), logging.WARNING, "something"),
        (line("FTL"), logging.ERROR, "something"),
        (line("XYZ"), logging.DEBUG, "something"),
        ("nats-server: x.conf:1:2: bad\n", logging.ERROR, "nats-server: x.conf:1:2: bad"),
        (line("ERR", "a\x1b[31mb"), logging.WARNING, "a?[31mb"),
        ("", logging.ERROR, ""),
    ],
)
def test_a_line_has_a_level_and_a_harmless_text(said, level, text):
    assert parse_line(said) == (level, text)


def test_a_long_line_is_cut():
    assert len(parse_line(line("ERR", "x" * 5000))[1]) == 301


async def test_warnings_are_limited_and_the_rest_is_counted(caplog):
    log = BrokerLog(logging.getLogger("broker-test"))
    for _ in range(50):
        log.take(line("ERR"))
    assert len(caplog.records) == 20
    log.refill()
    assert caplog.records[-1].getMessage() == "broker: 30 more warnings were left out"
    log.take(line("ERR"))
    assert len(caplog.records) == 22
    log.close()


async def test_the_last_fatal_line_is_remembered():
    log = BrokerLog(logging.getLogger("broker-test"))
    log.take(line("FTL", "cannot listen"))
    log.take(line("INF", "bye"))
    assert log.fatal == "cannot listen"
    log.close()
