"""axe-core finds nothing on any page, in both themes, on a phone and on a desktop."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import WIDTHS, Demo, log_in, visit

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document)).violations.map(
    one => `${one.id}: ${one.help}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`)"""
ROUTES = {
    "overview": "",
    "pdu": "pdu/rack-1",
    "history": "history?pdu=rack-1",
    "events": "events",
}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found


def options(theme: str, width: str) -> dict[str, Any]:
    return {"color_scheme": theme, "viewport": WIDTHS[width], "bypass_csp": True}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_axe_finds_nothing(browser: Browser, demo: Demo, theme: str, width: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make web")
    opened = visit(browser, demo, **options(theme, width))
    opened.page.get_by_test_id("login-username").wait_for()
    found = {"login": violations(opened.page)}
    log_in(opened.page)
    opened.page.get_by_test_id("pdu-card-rack-1").wait_for()
    for name, route in ROUTES.items():
        opened.page.goto(f"{demo.url}/#/{route}")
        opened.page.get_by_role("heading", level=1).wait_for()
        opened.page.wait_for_load_state("networkidle")
        found[name] = violations(opened.page)
    opened.page.goto(f"{demo.url}/#/pdu/rack-1")
    opened.page.get_by_test_id("break-open").click()
    opened.page.get_by_test_id("break-close").wait_for()
    found["break panel"] = violations(opened.page)
    opened.context.close()
    assert {name: seen for name, seen in found.items() if seen} == {}
