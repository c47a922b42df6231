"""The gateway as a whole bears lines that break, tells of a broker that is away, and does not outlive a dead task."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.firmware.nodemcu.modules import load
from tests.firmware.nodemcu.up_rig import play, uptime


class Writer:
    """A serial line that takes everything, or breaks."""

    def __init__(self) -> None:
        self.broken = self.closed = False
        self.sent = b""

    def write(self, data: bytes) -> None:
        if self.broken:
            raise ConnectionResetError("gone")
        self.sent += data

    def close(self) -> None:
        self.closed = True


class Lines:
    """Opens one serial line after the other."""

    def __init__(self) -> None:
        self.opened: list[tuple[asyncio.StreamReader, Writer]] = []
        self.missing = 0

    async def open(self) -> tuple[asyncio.StreamReader, Writer]:
        if self.missing:
            self.missing -= 1
            raise FileNotFoundError("no such port")
        self.opened.append((asyncio.StreamReader(), Writer()))
        return self.opened[-1]


async def no_broker() -> Any:
    raise ConnectionRefusedError("nobody listens")


def made(folder: Path, lines: Lines, **more: Any) -> Any:
    config = {"user": "pdu-1", "password": "secret"}
    return load("app").App(config, str(folder), lines.open, no_broker, (uptime, 1 << 62), lambda _: 0, **more)


async def passes(app: Any, lasts_s: float) -> asyncio.Task[None]:
    running = asyncio.ensure_future(app.run())
    await asyncio.sleep(lasts_s)
    return running


def test_a_serial_line_that_breaks_is_opened_again(tmp_path):
    """SER-24."""

    async def course() -> None:
        lines = Lines()
        lines.missing = 2
        app = made(tmp_path, lines)
        running = await passes(app, 2.5)
        lines.opened[0][0].feed_eof()
        await asyncio.sleep(1.5)
        assert [writer.closed for _, writer in lines.opened] == [True, False]
        assert lines.opened[1][1].sent.startswith(b"Q ")
        lines.opened[1][1].broken = True
        app.device.command(b'{"v":1}', False)
        await asyncio.sleep(2)
        assert not running.done()

    play(course)


def test_a_task_that_dies_is_told_and_ends_the_gateway(tmp_path, capsys):
    async def course() -> None:
        app = made(tmp_path, Lines())

        def break_down(_data: bytes) -> None:
            raise ZeroDivisionError("broken")

        app.device.hear = break_down
        lines = app._open_serial.__self__
        running = await passes(app, 0.5)
        lines.opened[0][0].feed_data(b"x")
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running, 1)

    play(course)
    assert "the task line died: ZeroDivisionError" in capsys.readouterr().out


def test_the_watchdog_is_fed_as_long_as_the_clock_runs(tmp_path):
    async def course() -> None:
        beats = count()
        running = await passes(made(tmp_path, Lines(), beat=lambda: next(beats)), 2)
        assert 35 <= next(beats) <= 45
        running.cancel()

    play(course)


def test_a_broker_that_is_away_for_long_is_an_event_and_so_is_its_return(tmp_path):
    async def course() -> None:
        app = made(tmp_path, Lines())
        told: list[dict[str, Any]] = []
        app.device.unit.note = told.append
        running = await passes(app, 30)
        assert [one["data"]["link"] for one in told] == ["unit"], "it was never there"
        app.uplink.connected, app.uplink.connects = True, 1
        await asyncio.sleep(1)
        app.uplink.connected, app.uplink.reason = False, "the broker is silent"
        await asyncio.sleep(8)
        assert len(told) == 1, "a short absence is none"
        await asyncio.sleep(5)
        assert told[1] == {"code": "link_lost", "data": {"link": "broker", "reason": "the broker is silent"}}
        app.uplink.connected = True
        await asyncio.sleep(1)
        assert told[2:] == [{"code": "link_found", "data": {"link": "broker"}}]
        running.cancel()

    play(course)


def test_a_birth_tells_how_the_lines_have_been(tmp_path):
    """MQTT-2, MQTT-25."""

    async def course() -> None:
        app = made(tmp_path, Lines())
        frames = load("frames")
        app.device.hear(b"garbage\n")
        app.device.hear(frames.encode("H", 1, 5, (1, 1, 230_000, 50_000, 4000, 16_000, 1, 1, 0, 100)))
        app.device.hear(frames.encode("T", 2, 5, (*[0] * 13, *[0] * 6, *[0] * 7)))
        app.uplink.connects, app.uplink.drops, app.uplink.reason = 3, 2, "the broker is silent"
        birth = app.device.birth()
        assert birth["line"] == {"thrown": 1, "odd": 0, "restarts": 0, "unanswered": 0}
        assert birth["link"] == {"connects": 3, "drops": 2, "reason": "the broker is silent"}

    play(course)
