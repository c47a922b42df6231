"""The view: listed once at start, packed at build time, nothing else is ever read."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from loadcenter.adapters.web.static_files import View


@pytest.fixture
def view(tmp_path: Path) -> View:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "index.html").write_text("<!doctype html>")
    for suffix in ("", ".br", ".gz"):
        (folder / "assets" / f"app-1a2b.js{suffix}").write_text(f"app{suffix}")
    return View(folder)


async def body(response: Response) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer, through the ASGI interface."""
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return await asyncio.Future()  # the client stays

    await response({"type": "http", "method": "GET", "headers": []}, receive, send)  # type: ignore[arg-type]
    chunks = b"".join(part.get("body", b"") for part in sent if part["type"] == "http.response.body")  # type: ignore[misc]
    return response.status_code, dict(response.headers), chunks


def request(path: str, encoding: str = "") -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "scheme": "http",
            "server": ("rack.example", 80),
            "query_string": b"",
            "headers": [(b"accept-encoding", encoding.encode())],
        }
    )


@pytest.mark.parametrize("path", ["/", "/index.html"])
async def test_the_page_itself_is_asked_for_each_time(view: View, path: str) -> None:
    status, headers, content = await body(view.answer(request(path)))
    assert (status, content) == (200, b"<!doctype html>")
    assert headers["cache-control"] == "no-cache"
    assert headers["content-type"].startswith("text/html")


async def test_hashed_files_are_kept_for_ever(view: View) -> None:
    _, headers, _ = await body(view.answer(request("/assets/app-1a2b.js")))
    assert headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", b"app"),
        ("identity", b"app"),
        ("gzip, deflate, br", b"app.br"),
        ("gzip", b"app.gz"),
        ("GZIP;q=0.5", b"app.gz"),
        ("br;q=0, gzip", b"app.gz"),
        ("br; q=0.000, gzip;q=0", b"app"),
        ("zstd", b"app"),
    ],
)
async def test_the_best_packing_that_a_browser_takes_is_sent(
    view: View, accepted: str, expected: bytes
) -> None:
    _, headers, content = await body(view.answer(request("/assets/app-1a2b.js", accepted)))
    assert content == expected
    assert headers["vary"] == "Accept-Encoding"
    assert headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert headers.get("content-encoding") == {b"app": None, b"app.br": "br", b"app.gz": "gzip"}[expected]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd",
        "/etc/passwd", "/assets", "/assets/", "/assets/app-1a2b.js.br", "/assets/app-1a2b.js.gz", "/index.html/",
        "/.env", "/\x00", "/static/index.html",
    ],
)  # fmt: skip
async def test_nothing_but_the_listed_files_is_found(view: View, path: str) -> None:
    status, _, content = await body(view.answer(request(path)))
    assert (status, content) == (404, b"Not found.\n")


async def test_a_view_that_is_not_built_says_what_to_do(tmp_path: Path) -> None:
    empty = View(tmp_path)
    status, _, content = await body(empty.answer(request("/")))
    assert not empty.built
    assert status == 503
    assert b"make web" in content


@pytest.mark.parametrize(
    "path", ["/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%5c..%5cetc/passwd"]
)
async def test_no_path_leads_out_of_the_application_either(anonymous: httpx.AsyncClient, path: str) -> None:
    answer = await anonymous.get(path)
    assert answer.status_code in (404, 503)
    assert "root:" not in answer.text


async def test_an_unknown_route_of_the_api_is_a_problem_not_a_page(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/api/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_route")
    assert answer.headers["content-type"] == "application/problem+json"
