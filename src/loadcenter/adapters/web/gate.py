"""Who may pass: session cookie or bearer token, own origin, security headers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loadcenter.adapters.web.problems import ProblemError, unauthorized
from loadcenter.services.accounts import Accounts

COOKIE = "loadcenter_session"

BODY_MAX = 65_536
"""Largest body of a request; the longest real one (settings of 48 outlets) has a tenth of it."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request; `token` is empty for a bearer."""

    user: str
    token: str
    expires_ms: int


def same_origin(headers: Headers) -> bool:
    """Return whether a request comes from a page of this server, or from no page at all."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


async def visitor_of(connection: HTTPConnection, accounts: Accounts) -> Visitor | None:
    """Return who makes a request, None without a valid session or token.

    Raises:
        StoreUnavailableError: the session is not known here and the database is away.
    """
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        user = accounts.check_bearer(bearer.strip())
        return None if user is None else Visitor(user, "", 0)
    token = connection.cookies.get(COOKIE, "")
    row = await accounts.check(token) if token else None
    return None if row is None else Visitor(row.user, token, row.expires_ms)


async def require_visitor(request: Request) -> Visitor:
    """Let a request pass only with a session and, where it changes something, from our own page.

    Raises:
        ProblemError: 401 without a session, 403 from a foreign page.
    """
    check_origin(request)
    visitor = await visitor_of(request, request.app.state.accounts)
    if visitor is None:
        raise unauthorized()
    return visitor


def check_origin(request: Request) -> None:
    """Refuse a change that a foreign page asks for.

    Raises:
        ProblemError: 403.
    """
    if request.method not in _SAFE_METHODS and not same_origin(request.headers):
        raise ProblemError(
            403,
            "foreign_origin",
            "Foreign origin",
            "The request comes from a page of another site and is refused.",
        )


class BodyLimit:
    """Refuses a body above `BODY_MAX` before it fills the memory; anybody may send one to the log-in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what is read of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > BODY_MAX:
            await _too_large(length).response()(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_MAX:
                # the one family of errors that FastAPI lets through while it reads a body
                raise HTTPException(413, _too_large(str(read)).problem.detail)
            return message

        await self._app(scope, counted, send)


def _too_large(length: str) -> ProblemError:
    detail = f"The request has {length} bytes, at most {BODY_MAX} are read: send less."
    return ProblemError(413, "too_large", "Request too large", detail)


Known = Annotated[Visitor, Depends(require_visitor)]


class SecurityHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
