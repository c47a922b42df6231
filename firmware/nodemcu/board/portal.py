"""The set-up page of a gateway without a configuration, on an access point of its own (docs/build-it/nodemcu.md).

Runs under MicroPython and CPython. One page, three requests; every other one leads to the page, so that a telephone
shows it by itself ("captive portal"). Nothing secret is ever answered.
"""

import asyncio
import json
import sys

from config import ConfigError, checked

ADDRESS = "192.168.4.1"  # of the access point of an ESP8266
HTTP_PORT, DNS_PORT = 80, 53
PAGE = "portal.html"
BODY_MAX, HEAD_LINES_MAX, LINE_MAX = 2048, 40, 512
PATIENCE_S = 10
CHUNK = 256
DNS_HEAD, DNS_MAX = 12, 256
ONE = b"\x00\x01"  # of a query: one question; its type A and its class IN


class BadRequestError(ValueError):
    """A request is too long or no HTTP; its connection is closed."""


class Portal:
    """Serves the page until a configuration has been saved.

    Args:
        names: function that returns the names of the Wi-Fi networks that are there.
        save: called with a checked configuration.
        page: path of the page; found beside this module's image if it is not given.

    Attributes:
        done: asyncio.Event, set when a configuration has been saved and answered.
    """

    def __init__(self, names: object, save: object, page: str | None = None) -> None:
        self.done = asyncio.Event()
        self._names = names
        self._save = save
        self._page = page or found_page()

    async def serve(self, reader: object, writer: object) -> None:
        """Answer one request and close the connection; raises nothing."""
        try:
            await asyncio.wait_for(self._answer(reader, writer), PATIENCE_S)
        except (OSError, ValueError, EOFError, asyncio.TimeoutError):
            pass  # whoever asked has gone, or speaks something else: the page is asked for again
        writer.close()
        try:
            await writer.wait_closed()  # it is this that closes the socket under MicroPython
        except OSError:
            pass

    async def _answer(self, reader: object, writer: object) -> None:
        method, path, length = await _read_head(reader)
        if (method, path) == ("GET", "/"):
            await self._send_page(writer)
        elif (method, path) == ("GET", "/networks"):
            await _send(writer, "200 OK", json.dumps(self._names()))
        elif (method, path) == ("POST", "/config"):
            await self._configure(writer, await reader.readexactly(length))
        else:
            writer.write(
                b"HTTP/1.0 302 Found\r\nLocation: http://%s/\r\nContent-Length: 0\r\n\r\n" % ADDRESS.encode()
            )
            await writer.drain()

    async def _configure(self, writer: object, body: bytes) -> None:
        try:
            config = checked(json.loads(body))
        except ConfigError as error:
            await _send(writer, "422 Unprocessable Content", json.dumps({"error": str(error)}))
            return
        except ValueError:
            await _send(writer, "400 Bad Request", '{"error": "that is not JSON"}')
            return
        self._save(config)
        await _send(writer, "200 OK", "{}")
        self.done.set()

    async def _send_page(self, writer: object) -> None:
        writer.write(
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n"
        )
        with open(self._page, "rb") as page:
            while chunk := page.read(CHUNK):
                writer.write(chunk)
                await writer.drain()


def readable(names: list) -> list:
    """Return the names of networks, which are bytes, as texts; each once, and without those that are no UTF-8."""
    texts = []
    for name in names:
        try:
            text = name.decode()
        except UnicodeError:
            continue
        if text and text not in texts:
            texts.append(text)
    return texts


def found_page() -> str:
    """Return the path of the page in the image that runs.

    Raises:
        OSError: it has none.
    """
    for folder in sys.path:
        path = folder + "/" + PAGE
        try:
            with open(path, "rb"):
                return path
        except OSError:
            continue
    raise OSError("the image has no " + PAGE)


async def _read_head(reader: object) -> tuple:
    """Return method, path and length of the body.

    Raises:
        BadRequestError: it is no request that this page makes.
    """
    words = (await _line(reader)).split(" ")
    if len(words) != len(("method", "path", "version")):
        raise BadRequestError("no HTTP")
    length = 0
    for _ in range(HEAD_LINES_MAX):
        line = await _line(reader)
        if not line:
            return words[0], words[1], length
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
            if not 0 <= length <= BODY_MAX:
                raise BadRequestError("too long")
    raise BadRequestError("too many headers")


async def _line(reader: object) -> str:
    line = await reader.readline()
    if not line or len(line) > LINE_MAX:
        raise BadRequestError("the connection has ended, or a line is too long")
    return line.decode().strip()


async def _send(writer: object, status: str, text: str) -> None:
    body = text.encode()
    head = "HTTP/1.0 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    writer.write(head.encode() + body)
    await writer.drain()


def dns_answer(query: bytes) -> bytes | None:
    """Return the answer that every name is the portal's, None if `query` asks for something else than an address."""
    end = DNS_HEAD
    while end < len(query) and query[end]:
        end += query[end] + 1
    end += 1
    if len(query) < end + 4 or query[2] & 0x80 or query[4:6] != ONE or query[end : end + 4] != ONE + ONE:
        return None
    address = bytes([int(part) for part in ADDRESS.split(".")])
    # the question again, then one answer: the name of the question (by a pointer), A, IN, 60 s, four bytes
    head = query[:2] + b"\x81\x80" + ONE + ONE + bytes(4)
    return head + query[DNS_HEAD : end + 4] + b"\xc0\x0c" + ONE + ONE + b"\x00\x00\x00\x3c\x00\x04" + address


async def run_dns(socket: object) -> None:
    """Answer queries on a UDP socket that does not block, until cancelled."""
    while True:
        try:
            query, asker = socket.recvfrom(DNS_MAX)
            answer = dns_answer(query)
            if answer:
                socket.sendto(answer, asker)
        except OSError:
            await asyncio.sleep(0.1)  # nothing there
