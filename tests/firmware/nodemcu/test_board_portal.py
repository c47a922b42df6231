"""The set-up page, asked by a real HTTP client under both interpreters."""

import contextlib
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.firmware.nodemcu.images import compiled
from tests.firmware.nodemcu.modules import BOARD, load

HERE = Path(__file__).parent
PAGE = BOARD / "portal.html"
MICROPYTHON = [str(Path(sys.executable).with_name("micropython")), "-X", "heapsize=38k"]
CONFIG = {
    "v": 1,
    "pdu": "rack-1",
    "password": "of the device",
    "update_key": "ab" * 32,
    "host": "loadcenter.lan",
    "port": 8883,
    "tls": True,
    "root": "loadcenter",
    "wifi": [["café", "long enough"]],
}


class Running:
    """The page as a process."""

    def __init__(self, program: list[str], modules: Path, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [*program, str(self.port), str(folder), str(PAGE)],
            env={
                **os.environ,
                "PYTHONPATH": str(modules),
                "MICROPYPATH": f"{modules}:.frozen",
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.process.communicate()[0]

    def ask(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def raw(self, sent: bytes) -> bytes:
        """Return what comes back, until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            client.sendall(sent)
            heard = b""
            with contextlib.suppress(ConnectionResetError):  # closed with something unread
                while piece := client.recv(4096):
                    heard += piece
            return heard


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory) -> Path:
    """Return a folder with the page's modules as they are on a board; the program is started by a file of one line."""
    sources = BOARD / "portal.py", BOARD / "config.py", HERE / "portal_server.py"
    folder = compiled(tmp_path_factory.mktemp("portal") / "mpy", *sources)
    (folder / "begin.py").write_text("import portal_server")
    return folder


@pytest.fixture(params=["micropython", "cpython"])
def running(request, bytecode, tmp_path) -> Iterator[Running]:
    if request.param == "micropython":
        started = Running([*MICROPYTHON, str(bytecode / "begin.py")], bytecode, tmp_path)
    else:
        started = Running([sys.executable, str(HERE / "portal_server.py")], BOARD, tmp_path)
    yield started
    started.process.kill()
    started.process.communicate()


def test_the_page_lists_networks_takes_a_configuration_and_ends(running):
    status, headers, body = running.ask("GET", "/")
    assert (status, headers["Content-Type"], body) == (200, "text/html; charset=utf-8", PAGE.read_bytes())
    status, _, body = running.ask("GET", "/networks")
    assert (status, json.loads(body)) == (200, ["home", "café"])
    status, _, body = running.ask("POST", "/config", json.dumps({**CONFIG, "pdu": "Rack 1"}).encode())
    assert status == 422
    assert "'pdu'" in json.loads(body)["error"]
    status, _, body = running.ask("POST", "/config", json.dumps(CONFIG).encode())
    assert (status, body) == (200, b"{}")
    assert running.process.wait(20) == 0
    assert json.loads((running.folder / "config.json").read_text(encoding="utf-8")) == CONFIG
    assert load("config").load(str(running.folder)) == CONFIG


def test_every_other_request_leads_to_the_page(running):
    for path in ("/generate_204", "/hotspot-detect.html", "/config", "/../config.json"):
        status, headers, _ = running.ask("GET", path)
        assert (status, headers["Location"]) == (302, "http://192.168.4.1/")


def test_what_is_no_request_gets_no_answer_and_does_no_harm(running):
    long = b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 600 + b"\r\n\r\n"
    many = b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 50 + b"\r\n"
    for sent in (
        b"\r\n",
        b"\xff\xfe\r\n\r\n",
        b"GET /\r\n\r\n",
        long,
        many,
        b"POST /config HTTP/1.1\r\nContent-Length: 9999\r\n\r\n",
        b"POST /config HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /config HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        assert running.raw(sent) == b"", sent
    assert running.ask("POST", "/config", b"{")[0] == 400
    assert running.ask("POST", "/config", b"[]")[0] == 422
    assert not (running.folder / "config.json").exists()
    assert running.ask("GET", "/")[0] == 200


# ---- names


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\x00" + struct.pack(">2H", kind, 1)


def test_every_name_is_the_portal():
    asked = query("captive.apple.com")
    answer = load("portal").dns_answer(asked)
    assert answer[:12] == struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0)
    assert answer[12 : len(asked)] == asked[12:]
    assert answer[-4:] == bytes([192, 168, 4, 1])


@pytest.mark.parametrize("length", range(len(query("a.b"))))
def test_a_query_that_is_cut_off_gets_no_answer(length):
    assert load("portal").dns_answer(query("a.b")[:length]) is None


def test_only_questions_for_an_address_are_answered():
    portal = load("portal")
    assert portal.dns_answer(query("a.b", kind=28)) is None
    assert portal.dns_answer(portal.dns_answer(query("a.b"))) is None


async def test_names_are_answered_over_udp():
    import asyncio

    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
    ):
        served.bind(("127.0.0.1", 0))
        served.setblocking(False)
        asking.settimeout(20)
        asking.sendto(query("a.b"), served.getsockname())
        work = asyncio.create_task(load("portal").run_dns(served))
        answer = await asyncio.to_thread(asking.recv, 512)
        work.cancel()
    assert answer == load("portal").dns_answer(query("a.b"))


def test_networks_are_told_once_and_only_where_they_can_be_read():
    assert load("portal").readable([b"home", b"\xff", b"", b"home", "café".encode()]) == ["home", "café"]


# ---- the configuration


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in CONFIG.items() if name != key}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ([], "device add"),
        (without("password"), "'password'"),
        (without("update_key"), "'update_key'"),
        ({**CONFIG, "update_key": "ab"}, "'update_key'"),
        ({**CONFIG, "update_key": "x" * 64}, "'update_key'"),
        ({**CONFIG, "pdu": "Rack"}, "'pdu'"),
        ({**CONFIG, "pdu": "r" * 33}, "'pdu'"),
        ({**CONFIG, "port": 0}, "'port'"),
        ({**CONFIG, "port": True}, "'port'"),
        ({**CONFIG, "tls": "yes"}, "'tls'"),
        ({**CONFIG, "host": ""}, "'host'"),
        ({**CONFIG, "wifi": []}, "one to 4"),
        ({**CONFIG, "wifi": [["a", ""]] * 5}, "one to 4"),
        ({**CONFIG, "wifi": ["ab"]}, "a name and a password"),
        ({**CONFIG, "wifi": [["é" * 17, ""]]}, "1 to 32 bytes"),
        ({**CONFIG, "wifi": [["home", "short"]]}, "8 to 63"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_by_its_key(config, told):
    module = load("config")
    with pytest.raises(module.ConfigError, match=told):
        module.checked(config)


def test_an_open_network_needs_no_password():
    config = {**CONFIG, "wifi": [["home", ""]]}
    assert load("config").checked(config) == config


def test_without_a_configuration_that_can_be_used_there_is_none(tmp_path):
    config = load("config")
    assert config.load(str(tmp_path)) is None
    (tmp_path / "config.json").write_text("{")
    assert config.load(str(tmp_path)) is None
    (tmp_path / "config.json").write_text("{}")
    assert config.load(str(tmp_path)) is None
