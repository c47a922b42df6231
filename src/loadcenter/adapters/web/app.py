"""The HTTP application: every route, guarded, with the live WebSocket and the view."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import PlainTextResponse

from loadcenter.adapters.web import problems
from loadcenter.adapters.web.gate import SECURITY_HEADERS, BodyLimit, SecurityHeaders, same_origin, visitor_of
from loadcenter.adapters.web.live import Hub, events_frame
from loadcenter.adapters.web.models import ReadyOut, RowId
from loadcenter.adapters.web.problems import ProblemError, not_found
from loadcenter.adapters.web.routes_analytics import analytics_routes
from loadcenter.adapters.web.routes_commands import command_routes
from loadcenter.adapters.web.routes_demo import demo_routes
from loadcenter.adapters.web.routes_devices import device_routes
from loadcenter.adapters.web.routes_dry_run import dry_run_routes
from loadcenter.adapters.web.routes_export import export_routes
from loadcenter.adapters.web.routes_groups import group_routes
from loadcenter.adapters.web.routes_pdus import pdu_routes
from loadcenter.adapters.web.routes_records import record_routes
from loadcenter.adapters.web.routes_schedules import schedule_routes
from loadcenter.adapters.web.routes_session import session_routes
from loadcenter.adapters.web.routes_settings import setting_routes
from loadcenter.adapters.web.routes_sites import site_routes
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.adapters.web.static_files import View
from loadcenter.services.accounts import Accounts
from loadcenter.services.analytics import Analytics
from loadcenter.services.export import Exporter
from loadcenter.services.history import History
from loadcenter.services.ports import EventFilter, Plant, Store, StoreUnavailableError
from loadcenter.services.registry import Registry
from loadcenter.services.schedules import Schedules
from loadcenter.services.tuning import Tuning
from loadcenter.services.updates import Updates

BASE = "/api/v1"
_RESUME_MAX = 500
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Served:
    """What the application serves.

    Attributes:
        plant: the simulated plant of a demo; None under `serve`, and then its routes do not exist.
        checks: returns, by name, what keeps broker or database from use; "" where all is well.
        metrics: returns the text of `/metrics`.
    """

    shapes: Shapes
    hub: Hub
    accounts: Accounts
    store: Store
    history: History
    exporter: Exporter
    registry: Registry
    updates: Updates
    tuning: Tuning
    analytics: Analytics
    schedules: Schedules
    checks: Callable[[], dict[str, str]]
    metrics: Callable[[], str]
    version: str
    plant: Plant | None = None


def make_app(served: Served) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="Loadcenter",
        version=served.version,
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.accounts = served.accounts
    problems.install(app)
    app.add_exception_handler(Exception, _defect)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)  # added last it stands outermost: every answer passes it
    api = APIRouter(prefix=BASE)
    api.include_router(session_routes(served.accounts, demo=served.plant is not None, version=served.version))
    api.include_router(pdu_routes(served.shapes, served.registry, served.tuning))
    api.include_router(setting_routes())
    api.include_router(command_routes(served.shapes, served.shapes.control.headroom))
    for control_routes in (site_routes, group_routes):
        api.include_router(control_routes(served.shapes, served.shapes.control))
    api.include_router(record_routes(served.shapes, served.store, served.history))
    api.include_router(analytics_routes(served.shapes.fleet, served.analytics))
    api.include_router(schedule_routes(served.schedules))
    api.include_router(dry_run_routes(served.shapes, served.shapes.control, served.schedules))
    api.include_router(export_routes(served.shapes, served.exporter))
    api.include_router(device_routes(served.registry, served.updates, served.store))
    if served.plant is None:
        api.add_api_route("/demo/{path:path}", _no_demo, methods=_METHODS, include_in_schema=False)
    else:
        api.include_router(demo_routes(served.plant, served.shapes.fleet))
    app.include_router(api)
    _add_health(app, served)
    _add_live(app, served)
    _add_view(app)
    return app


async def _no_demo(path: str) -> None:
    raise not_found("no_such_route", f"there is no /api/v1/demo/{path}: nothing is simulated here")


async def _defect(request: Request, error: Exception) -> Response:
    """Answer what nobody expected; it is sent outside of every middleware, so it brings the headers along."""
    del error  # the server logs it with its trace
    detail = f"{request.method} {request.url.path} failed: a defect of the server, whose log says more."
    return ProblemError(500, "defect", "Server error", detail, dict(SECURITY_HEADERS)).response()


def _add_health(app: FastAPI, served: Served) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """Answer while the process runs."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], responses={503: {"model": ReadyOut}})
    async def readyz(response: Response) -> ReadyOut:
        """Tell whether broker and database can be used, and if not, what to do."""
        checks = served.checks()
        ready = not any(checks.values())
        response.status_code = 200 if ready else 503
        return ReadyOut(ready=ready, checks={name: why or "ok" for name, why in checks.items()})

    @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Tell how the server itself is doing, as OpenMetrics; it holds no readings of any PDU."""
        return Response(
            served.metrics(), media_type="application/openmetrics-text; version=1.0.0; charset=utf-8"
        )


def _add_live(app: FastAPI, served: Served) -> None:
    @app.websocket(f"{BASE}/live")
    async def live(socket: WebSocket, after_event: RowId | None = None) -> None:
        """Send a snapshot, then what changes (docs/api.md)."""
        if not same_origin(socket.headers) or await _known(socket, served.accounts) is None:
            await socket.close(_POLICY_VIOLATION)
            return
        await socket.accept()
        async with served.hub.join() as client, asyncio.TaskGroup() as tasks:

            async def listen() -> None:
                while (await socket.receive())["type"] != "websocket.disconnect":
                    pass  # a page has nothing to say here
                sender.cancel()

            async def send() -> None:
                with contextlib.suppress(WebSocketDisconnect):
                    await socket.send_text(await served.hub.snapshot())
                    if after_event is not None:
                        await _resume(socket, served.store, after_event)
                    while True:
                        frame = await client.get()
                        # a page that was logged out meanwhile hears no more
                        if frame.ping and await _known(socket, served.accounts) is None:
                            await socket.close(_POLICY_VIOLATION)
                            listener.cancel()
                            return
                        await socket.send_text(await served.hub.whole(frame))

            sender = tasks.create_task(send())
            listener = tasks.create_task(listen())


async def _known(socket: WebSocket, accounts: Accounts) -> object | None:
    try:
        return await visitor_of(socket, accounts)
    except StoreUnavailableError:
        return None  # the page asks again, and GET /session tells it why


async def _resume(socket: WebSocket, store: Store, after_event: int) -> None:
    try:
        missed = await store.events(EventFilter(after_id=after_event, limit=_RESUME_MAX))
    except StoreUnavailableError:
        return  # the page says that history is paused; events come when the database is back
    if missed:
        await socket.send_text(events_frame(missed))


def _add_view(app: FastAPI) -> None:
    view = View()

    @app.get("/{path:path}", include_in_schema=False)
    async def serve_view(request: Request, path: str) -> Response:
        if path.startswith("api/"):
            raise not_found("no_such_route", f"there is no /{path}")
        return view.answer(request)
