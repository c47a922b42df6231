"""docs/api.md lists every route of the application and no other, and every error code that it can answer."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from fastapi.routing import APIWebSocketRoute

from loadcenter.adapters.web import models
from loadcenter.adapters.web.app import BASE, Served, make_app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
WEB = ROOT / "src" / "loadcenter" / "adapters" / "web"
METHODS = "GET|POST|PUT|PATCH|DELETE"

ROUTE = re.compile(rf"`({METHODS}|WebSocket) (/[^\s`?]*)")
"""A route as the page writes it: `GET /pdus/{pdu_id}`, with what follows it."""


def served(*, demo: bool) -> Served:
    """Everything that the application is made of, as far as listing its routes asks."""
    parts = {
        name: Mock()
        for name in (
            "shapes",
            "hub",
            "accounts",
            "store",
            "history",
            "exporter",
            "registry",
            "updates",
            "tuning",
            "analytics",
            "schedules",
        )
    }
    return Served(**parts, checks=dict, metrics=str, version="0", plant=Mock() if demo else None)


def real_routes(*, demo: bool = True) -> set[tuple[str, str]]:
    """Return (method, path) of every route, as the OpenAPI document and the router tell; paths without the base."""
    app = make_app(served(demo=demo))
    paths = app.openapi()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    routes |= {("WebSocket", one.path) for one in app.routes if isinstance(one, APIWebSocketRoute)}
    return {(method, path.removeprefix(BASE)) for method, path in routes}


def documented_routes() -> set[tuple[str, str]]:
    return {(found[1], found[2].removeprefix(BASE)) for found in ROUTE.finditer(PAGE)}


def test_the_page_lists_the_routes_that_there_are_and_no_other():
    assert documented_routes() == real_routes()


def test_the_page_says_which_routes_only_a_demo_has():
    only_demo = real_routes() - real_routes(demo=False)
    assert only_demo
    section = PAGE.split("## Demo only")[1].split("\n## ")[0]
    assert {(found[1], found[2]) for found in ROUTE.finditer(section)} == only_demo


def codes_in_source() -> Iterator[tuple[str, int]]:
    """Yield (code, status) of every problem that the source names."""
    for path in WEB.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("ProblemError"), [ast.Constant(status), ast.Constant(code), *_]):
                    yield code, status
                case ast.Call(ast.Name("not_found"), [ast.Constant(code), *_]):
                    yield code, 404


def documented_codes() -> set[tuple[str, int]]:
    section = PAGE.split("## Errors")[1].split("\n## ")[0]
    return {
        (code, int(status))
        for code, status in re.findall(r"^\| `(\w+)` \| (\d{3}) \|", section, re.MULTILINE)
    }


def test_the_page_lists_every_error_code_and_no_other():
    assert documented_codes() == set(codes_in_source())


SHAPES = {
    "Pdu": models.PduOut,
    "Outlet": models.OutletOut,
    "Command": models.CommandOut,
    "Event": models.EventOut,
    "Alarm": models.AlarmOut,
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_page_names_every_field_of(name):
    block = re.search(rf"^{name} = \{{(.*?)^\}}", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None, f"docs/api.md describes no {name}"
    words = set(re.findall(r"\b[a-z_]+\b", block[1]))
    assert set(SHAPES[name].model_fields) - words == set()


def test_the_page_names_the_code_of_what_the_http_layer_refuses():
    assert "the code `http`" in PAGE
