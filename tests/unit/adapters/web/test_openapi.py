"""The description that the API gives of itself, against docs/api.md."""

import re
from pathlib import Path

import pytest
from tests.fakes.builders import Center
from tests.unit.adapters.web.conftest import FakePlant, Site

DOCS = Path(__file__).resolve().parents[4] / "docs" / "api.md"
METHODS = ("GET", "POST", "PUT", "DELETE")


def documented() -> set[str]:
    """Return "METHOD /path" of every route that docs/api.md names; parameters are written {}."""
    text = DOCS.read_text(encoding="utf-8")
    named = re.findall(rf"`({'|'.join(METHODS)}) (/[^`?\s]*)", text)
    found = {f"{method} {re.sub(r'{[^}]*}', '{}', path)}" for method, path in named}
    if "`DELETE` the same" in text:
        found.add("DELETE /demo/pdus/{}/disturbances/{}")
    return found


def described(site: Site) -> set[str]:
    paths = site.app.openapi()["paths"]
    return {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path.removeprefix('/api/v1'))}"
        for path, operations in paths.items()
        for method in operations
    }


def test_the_description_and_docs_name_the_same_routes(center: Center) -> None:
    assert described(Site(center, FakePlant())) == documented()


def test_without_a_simulator_the_demo_is_not_described(site: Site) -> None:
    assert not any("/demo" in route for route in described(site))


def test_it_is_openapi_3_1_and_every_operation_says_what_it_does(site: Site) -> None:
    document = site.app.openapi()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"


@pytest.mark.parametrize("shape", ["PduOut", "OutletOut", "EventOut", "AlarmOut", "CommandOut"])
def test_every_field_of_a_shape_stands_in_docs(site: Site, shape: str) -> None:
    name = shape.removesuffix("Out")
    text = DOCS.read_text(encoding="utf-8")
    block = re.search(rf"^{name} = {{(.*?)(?=^\w+ *=|^```)", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    for field in site.app.openapi()["components"]["schemas"][shape]["properties"]:
        assert re.search(rf"\b{field}\b", block[1]), field
