"""The description that the API gives of itself; `tests/docs` compares it with docs/api.md."""

from tests.fakes.builders import Center
from tests.unit.adapters.web.conftest import FakePlant, Site


def test_it_is_openapi_3_1_and_every_operation_says_what_it_does(center: Center) -> None:
    document = Site(center, FakePlant()).app.openapi()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.2.3"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"


def test_no_two_operations_have_the_same_name(site: Site) -> None:
    paths = site.app.openapi()["paths"].values()
    names = [operation["operationId"] for operations in paths for operation in operations.values()]
    assert len(names) == len(set(names))


def test_without_a_simulator_the_demo_is_not_described(site: Site) -> None:
    assert not any("/demo" in path for path in site.app.openapi()["paths"])
