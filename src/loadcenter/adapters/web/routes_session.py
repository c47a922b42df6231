"""Log-in and log-out."""

from fastapi import APIRouter, Request, Response

from loadcenter.adapters.web.gate import COOKIE, Known, check_origin
from loadcenter.adapters.web.models import SessionIn, SessionOut
from loadcenter.services.accounts import Accounts


def session_routes(accounts: Accounts, *, demo: bool, version: str) -> APIRouter:
    """Return the routes under `/session`."""
    router = APIRouter(tags=["session"])

    @router.post("/session")
    async def log_in(request: Request, response: Response, body: SessionIn) -> SessionOut:
        """Log in; the cookie that comes back is the session."""
        check_origin(request)
        peer = request.client.host if request.client else ""
        login = await accounts.login(body.username, body.password, peer)
        response.set_cookie(
            COOKIE,
            login.token,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path="/",
        )
        return SessionOut(user=login.user, expires_ms=login.expires_ms, demo=demo, version=version)

    @router.get("/session")
    async def who_am_i(visitor: Known) -> SessionOut:
        """Tell who is logged in."""
        return SessionOut(user=visitor.user, expires_ms=visitor.expires_ms, demo=demo, version=version)

    @router.delete("/session", status_code=204)
    async def log_out(visitor: Known, response: Response) -> None:
        """End the session."""
        response.delete_cookie(COOKIE, path="/")
        if visitor.token:
            await accounts.logout(visitor.token)

    return router
