"""What a board does once its image runs: the set-up page, or the gateway with all its parts."""

import asyncio
import http.client
import json
import threading
import time
from pathlib import Path

import pytest
from tests.brokers import free_port
from tests.firmware.nodemcu.board_fakes import Board, ResetError
from tests.firmware.nodemcu.modules import BOARD, GATEWAY, load_anew

CONFIG = {
    "pdu": "rack-1",
    "password": "of the device",
    "update_key": "ab" * 32,
    "host": "broker.lan",
    "port": 1883,
    "tls": False,
    "root": "loadcenter",
    "wifi": [["home", "of the network"]],
}


class EndedError(Exception):
    """The gateway has worked long enough for the test."""


class Slots:
    """Images of which nothing is on trial."""

    on_trial = False
    outcome = None


class Started:
    """The program of a board with its folder."""

    def __init__(self, monkeypatch, home: Path) -> None:
        self.home = home
        self.board = Board(monkeypatch)
        for folder in (GATEWAY, BOARD):
            monkeypatch.syspath_prepend(str(folder))  # some modules are imported only when they are needed
        self.module = load_anew(monkeypatch, "start")
        monkeypatch.setattr(self.module, "HOME", str(home))
        (home / "setup.json").write_text('{"password": "of this board"}')

    def configure(self) -> None:
        (self.home / "config.json").write_text(json.dumps(CONFIG))


@pytest.fixture
def started(monkeypatch, tmp_path) -> Started:
    return Started(monkeypatch, tmp_path)


@pytest.fixture
def page(monkeypatch, started):
    """Put the set-up page where a test can reach it, and return its port."""
    setup = load_anew(monkeypatch, "setup_network")
    port = free_port()
    for name, value in {"ADDRESS": "127.0.0.1", "HTTP_PORT": port, "DNS_PORT": 0, "FAREWELL_S": 0}.items():
        monkeypatch.setattr(setup, name, value)
    return port


@pytest.fixture
def working(monkeypatch):
    """Return a function that lets the gateway work, with its real parts, until `met`."""

    def let(started: Started, met) -> object:
        import app

        found = []

        async def run(self) -> None:
            found.append(self)
            for _ in range(2_000):
                await asyncio.sleep(0.001)
                if met(self):
                    raise EndedError
            pytest.fail("it did not come to it")

        monkeypatch.setattr(app.App, "run", run)
        with pytest.raises(EndedError):
            started.module.main(Slots())
        return found[0]

    return let


def save(port: int, body: dict) -> None:
    """Fill in the page, as soon as it is there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("POST", "/config", json.dumps(body))
            assert connection.getresponse().status == 200
        except ConnectionRefusedError:
            continue
        else:
            return
        finally:
            connection.close()


def test_without_a_configuration_the_set_up_page_is_open_until_there_is_one(started, page):
    person = threading.Thread(target=save, args=(page, CONFIG), daemon=True)
    person.start()
    started.module.main(Slots())
    person.join()
    assert json.loads((started.home / "config.json").read_text()) == CONFIG
    assert started.board.point.settings["essid"] == "Loadcenter-12ABCD"


def test_with_a_configuration_the_page_is_open_for_a_while_if_the_button_asked_for_it(
    started, page, monkeypatch
):
    started.configure()
    monkeypatch.setattr(started.module, "PORTAL_S", 0.01)
    (started.home / "portal.now").touch()
    started.module.main(Slots())
    assert started.board.point.on
    assert not (started.home / "portal.now").exists(), "asked once, it is not open again at the next start"
    assert json.loads((started.home / "config.json").read_text()) == CONFIG


def test_with_a_configuration_the_gateway_works_and_joins_its_network(started, working):
    started.configure()
    started.board.station.air = [(b"home", -60)]
    started.board.station.passwords = {"home": "of the network"}
    app = working(started, lambda _: started.board.station.isconnected())
    assert (app.uplink._login, app.uplink._base) == (("rack-1", "of the device"), "loadcenter/v1/rack-1/")
    assert started.board.station.settings == {"dhcp_hostname": "rack-1"}
    assert (started.home / "records").is_dir()


@pytest.mark.parametrize(
    ("joined", "born", "connected", "code"),
    [
        (False, False, False, "wifi"),
        (True, False, False, "unit"),
        (True, True, False, "broker"),
        (True, True, True, "well"),
    ],
)
async def test_the_lamp_tells_the_nearest_thing_that_is_missing(started, joined, born, connected, code):
    class Part:
        pass

    wifi, app, led, said = Part(), Part(), Part(), asyncio.Event()
    wifi.joined = joined
    app.device, app.uplink = Part(), Part()
    app.device.birth = lambda: {"fw": "1"} if born else None
    app.uplink.connected = connected
    told = []
    led.say = lambda word: (told.append(word), said.set())
    work = asyncio.create_task(started.module._tell(led, wifi, app))
    await said.wait()
    work.cancel()
    assert told == [code]


async def test_the_button_asks_the_next_start_for_the_page(started, monkeypatch):
    started.board.levels[0] = 0

    async def at_once(_: float) -> None:
        pass

    monkeypatch.setattr(asyncio, "sleep", at_once)
    with pytest.raises(ResetError):
        await started.module._serve_button()
    assert (started.home / "portal.now").exists()


async def test_the_serial_line_takes_the_uart_away_from_the_repl(started, monkeypatch):
    import os

    taken = []
    machine = __import__("sys").modules["machine"]
    monkeypatch.setattr(os, "dupterm", lambda *given: taken.append(given), raising=False)
    monkeypatch.setattr(machine, "UART", lambda number, **how: (number, how), raising=False)
    monkeypatch.setattr(asyncio, "StreamReader", lambda uart: uart)
    reader, writer = await load_anew(monkeypatch, "unit_line").open_line()
    assert taken == [(None, 1)]
    assert reader is writer
    assert reader == (0, {"baudrate": 57600, "rxbuf": 512})
