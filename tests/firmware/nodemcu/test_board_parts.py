"""Wi-Fi, lamp, button, watchdog, the way to the broker, and what a manifest freezes."""

import asyncio
import ssl
from argparse import Namespace

import pytest
from tests.firmware.nodemcu.board_fakes import Board, Pin, Station, Timer
from tests.firmware.nodemcu.modules import BOARD, GATEWAY, NODEMCU, load, load_anew


class Turned:
    """A clock for `asyncio.sleep` that the sleeping itself turns, until `end_s`."""

    def __init__(self, monkeypatch, end_s: float) -> None:
        self.now_s = 0.0
        self.end_s = end_s
        self.at: dict[float, object] = {}
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.now_s += seconds
        for due in [at for at in self.at if at <= self.now_s]:
            self.at.pop(due)()
        if self.now_s >= self.end_s:
            raise asyncio.CancelledError

    async def run(self, work) -> None:
        with pytest.raises(asyncio.CancelledError):
            await work


# ---- Wi-Fi


def wifi(station: Station, *networks: list[str]):
    return load("wifi").Wifi(station, list(networks), "rack-1")


async def test_the_strongest_known_network_is_joined_and_its_strength_told(monkeypatch):
    station = Station()
    station.air = [(b"weak", -80), (b"foreign", -30), (b"strong", -50), (b"\xff", -20)]
    station.passwords = {"weak": "w" * 8, "strong": "s" * 8}
    joined = wifi(station, ["weak", "w" * 8], ["strong", "s" * 8])
    assert joined.rssi() == 0
    await Turned(monkeypatch, 60).run(joined.run())
    assert (station.network, station.tried, joined.rssi()) == ("strong", ["strong"], -50)
    assert station.settings == {"dhcp_hostname": "rack-1"}


async def test_a_network_that_refuses_gives_way_to_the_next_and_is_tried_again(monkeypatch):
    station = Station()
    station.air = [(b"one", -40), (b"two", -60)]
    station.passwords = {"one": "changed!", "two": "t" * 8}
    clock = Turned(monkeypatch, 200)
    clock.at[100] = lambda: station.air.pop() and station.disconnect()
    clock.at[110] = lambda: station.passwords.update(one="o" * 8)
    joined = wifi(station, ["two", "t" * 8], ["one", "o" * 8])
    await clock.run(joined.run())
    assert station.network == "one"
    assert station.tried[:3] == ["one", "two", "one"]
    assert joined.lost == 1


async def test_a_hidden_network_is_tried_last(monkeypatch):
    station = Station()
    station.air = [(b"seen", -90)]
    await Turned(monkeypatch, 60).run(wifi(station, ["hidden", "h" * 8], ["seen", "s" * 8]).run())
    assert station.tried[:2] == ["seen", "hidden"]


# ---- lamp and button


@pytest.mark.parametrize(
    ("code", "lit"),
    [("well", []), ("wifi", [0.15]), ("broker", [0.15] * 2), ("unit", [0.15] * 3), ("portal", [0.6] * 2)],
)
async def test_the_lamp_blinks_its_code_every_three_seconds(monkeypatch, code, lit):
    board = Board(monkeypatch)
    clock = Turned(monkeypatch, 6)
    changes = []
    pin = Pin(board, 2)
    monkeypatch.setattr(pin, "value", lambda level: changes.append((round(clock.now_s, 2), level)))
    led = load("led").Led(pin)
    led.say(code)
    await clock.run(led.run())
    on = [at for at, level in changes if level == 0]
    off = [at for at, level in changes[1:] if level == 1]
    assert [round(end - begin, 2) for begin, end in zip(on, off, strict=True)] == lit * 2
    assert [at for at in on if at >= 3] == [round(at + 3, 2) for at in on if at < 3]


async def test_the_button_counts_only_when_it_is_held_for_five_seconds(monkeypatch):
    board = Board(monkeypatch)
    clock = Turned(monkeypatch, 100)
    board.levels[0] = 0
    clock.at[4] = lambda: board.levels.update({0: 1})
    clock.at[10] = lambda: board.levels.update({0: 0})
    await load("button").held(Pin(board, 0))
    assert 15 <= clock.now_s < 15.5


# ---- watchdog


def test_the_watchdog_bites_after_a_minute_without_food():
    bites = []
    timer = Timer()
    watchdog = load("watchdog").Watchdog(timer, Timer.PERIODIC, lambda: bites.append(1))
    assert (timer.period, timer.mode) == (1000, Timer.PERIODIC)
    for _ in range(59):
        timer.callback(timer)
    watchdog.feed()
    for _ in range(59):
        timer.callback(timer)
    assert bites == []
    timer.callback(timer)
    assert bites == [1]


# ---- the way to the broker


@pytest.fixture
def opened(monkeypatch):
    """Return what `asyncio.open_connection` was called with."""
    calls = []

    async def connect(*place, **given):
        calls.append((place, given))
        return "reader", "writer"

    monkeypatch.setattr(asyncio, "open_connection", connect)
    return calls


async def test_a_plain_connection_has_nothing_to_do_with_tls(opened):
    assert await load("broker").opener("broker.lan", 1883, False)() == ("reader", "writer")
    assert opened == [(("broker.lan", 1883), {})]


async def test_a_certificate_is_checked_where_the_chip_can(opened, monkeypatch):
    read = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda _, cafile: read.append(cafile))
    await load("broker").opener("broker.lan", 8883, True)()
    ((place, given),) = opened
    assert (place, given["server_hostname"]) == (("broker.lan", 8883), "broker.lan")
    assert given["ssl"].verify_mode == ssl.CERT_REQUIRED
    assert read == ["/ca.der"]


async def test_on_an_esp8266_it_is_only_encrypted(opened, monkeypatch):
    monkeypatch.delattr(ssl, "CERT_REQUIRED")
    monkeypatch.setattr(ssl, "SSLContext", lambda protocol: Namespace(protocol=protocol))
    await load("broker").opener("broker.lan", 8883, True)()
    assert opened[0][1]["ssl"].verify_mode == ssl.CERT_NONE


# ---- the board's programs


def test_the_manifest_freezes_every_module():
    frozen = []
    names = {"include": frozen.append, "freeze": lambda folder: frozen.append(NODEMCU / folder)}
    exec((NODEMCU / "manifest.py").read_text(encoding="utf-8"), names)
    assert frozen == ["$(PORT_DIR)/boards/manifest.py", GATEWAY, BOARD]


def test_no_two_modules_of_an_image_have_the_same_name():
    names = [path.stem for path in (*GATEWAY.glob("*.py"), *BOARD.glob("*.py"))]
    assert sorted(names) == sorted(set(names))


async def test_a_board_without_a_configuration_opens_a_network_with_its_own_password(monkeypatch, tmp_path):
    board = Board(monkeypatch)
    board.station.air = [(b"weak", -80), (b"home", -40)]
    (tmp_path / "setup.json").write_text('{"password": "of this board"}')
    module = load_anew(monkeypatch, "setup_network")
    assert module._networks() == ["home", "weak"]
    module._open_point(str(tmp_path))
    assert board.point.settings == {"essid": "Loadcenter-12ABCD", "password": "of this board", "authmode": 3}


def test_without_that_password_no_network_is_opened(monkeypatch, tmp_path):
    board = Board(monkeypatch)
    with pytest.raises(FileNotFoundError):
        load_anew(monkeypatch, "setup_network")._open_point(str(tmp_path))
    assert not board.point.on
