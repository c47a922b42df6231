"""The application over fakes: an HTTP client without sockets, and a WebSocket driven by hand."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Self

import httpx
import pytest
from fastapi import FastAPI
from tests.fakes.builders import Center

from loadcenter.adapters.files import FORMATS
from loadcenter.adapters.web.app import Served, make_app
from loadcenter.adapters.web.live import Hub
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.services.export import Exporter
from loadcenter.services.ports import Disturbance

PASSWORD = "a good password"
HOST = "rack.example"
OWN = f"http://{HOST}"


class FakePlant:
    """A plant that only remembers what was broken."""

    def __init__(self) -> None:
        self.broken: dict[str, dict[str, int | None]] = {}

    def disturbances(self) -> Sequence[Disturbance]:
        return [
            Disturbance("drop_main", "Drop MAIN", "watch it"),
            Disturbance("overload", "Overload", "hot", True),
        ]

    def active(self, pdu_id: str) -> Mapping[str, int | None]:
        if pdu_id != "rack-1":
            raise KeyError(pdu_id)
        return self.broken.get(pdu_id, {})

    def start(self, pdu_id: str, disturbance: str, outlet: int | None) -> None:
        if pdu_id != "rack-1" or disturbance not in {one.id for one in self.disturbances()}:
            raise KeyError(disturbance)
        self.broken.setdefault(pdu_id, {})[disturbance] = outlet

    def stop(self, pdu_id: str, disturbance: str) -> None:
        self.broken.get(pdu_id, {}).pop(disturbance, None)


class Site:
    """A control center with its application."""

    def __init__(self, center: Center, plant: FakePlant | None = None) -> None:
        self.center = center
        self.plant = plant
        self.shapes = Shapes(
            center.fleet,
            center.alarming,
            center.dispatch,
            center.today,
            center.news,
            center.clock,
            center.deciding,
        )
        self.hub = Hub(center.announcer, self.shapes)
        self.app: FastAPI = make_app(
            Served(
                self.shapes,
                self.hub,
                center.accounts,
                center.store,
                center.history,
                Exporter(center.store, FORMATS),
                center.registry,
                center.updates,
                center.tuning,
                center.analytics,
                center.schedules,
                checks=center.watch.checks,
                metrics=lambda: "# EOF\n",
                version="1.2.3",
                plant=plant,
            )
        )

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Return a client without a session."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.7", 5))
        return httpx.AsyncClient(transport=transport, base_url=OWN, **options)

    def socket(self, query: str = "", **headers: str) -> "Socket":
        """Return a WebSocket to the live page, to be used as `async with`."""
        return Socket(self.app, query, {"host": HOST, **headers})


class Socket:
    """One WebSocket, driven through the ASGI interface.

    Attributes:
        close_code: why the server closed it, None while it is open.
        gate: when cleared the client takes nothing, as a browser that hangs.
    """

    def __init__(self, app: FastAPI, query: str, headers: Mapping[str, str]) -> None:
        self._app = app
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": "/api/v1/live",
            "raw_path": b"/api/v1/live",
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.7", 5),
            "server": (HOST, 80),
            "subprotocols": [],
        }
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: deque[dict[str, Any]] = deque()
        self.gate = asyncio.Event()
        self.gate.set()
        self.accepted = False
        self.close_code: int | None = None

    async def __aenter__(self) -> Self:
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._app(self._scope, self._to_app.get, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        self.leave()
        await self._task

    def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def next(self) -> dict[str, Any]:
        """Return the next message that is no ping."""
        while not self._heard:
            async with asyncio.timeout(10):
                sent = await self._from_app.get()
            self._heard.extend(one for one in json.loads(sent["text"]) if one["type"] != "ping")
        return self._heard.popleft()

    async def ended(self) -> int | None:
        """Return the code with which the server closed the socket."""
        await self._task
        return self.close_code

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.close_code = message["code"]
        else:
            await self.gate.wait()
            self._from_app.put_nowait(message)


@pytest.fixture
async def center() -> Center:
    made = await Center().open("rack-1")
    await made.accounts.ensure_admin(PASSWORD)
    return made


@pytest.fixture
async def site(center: Center) -> Site:
    return Site(center)


@pytest.fixture
async def anonymous(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not logged in."""
    async with site.client() as client:
        yield client


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in."""
    async with site.client() as client:
        answer = await client.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200
        yield client
