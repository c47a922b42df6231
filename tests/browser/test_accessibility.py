"""Every page is clean: axe-core finds nothing in both themes on phone and desktop, all fits, no rule of the CSP breaks."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import WIDTHS, Visit, log_in, visit
from tests.system.centers import DemoCenter

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document)).violations.map(
    one => `${one.id}: ${one.help}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`)"""
THEMES = ("light", "dark")


def show_outlets(page: Page) -> None:
    page.get_by_test_id("outlet-1").wait_for()


def ask(page: Page) -> None:
    page.get_by_test_id("outlet-1-switch").click()
    page.get_by_test_id("confirm-cancel").wait_for()


def open_panel(page: Page) -> None:
    page.get_by_test_id("break-open").click()
    page.get_by_test_id("break-main_outage-start").wait_for()


def open_menu(page: Page) -> None:
    page.get_by_role("button", name="Account and display").click()
    page.get_by_role("button", name="Log out").wait_for()


def show_chart(page: Page) -> None:
    page.locator("canvas").first.wait_for()


def show_table(page: Page) -> None:
    page.get_by_role("radio", name="Table").check()
    page.get_by_role("table").wait_for()


def show_events(page: Page) -> None:
    page.get_by_test_id("event-row").first.wait_for()
    page.get_by_test_id("alarm-row").first.wait_for()


def show_heading(page: Page) -> None:
    page.get_by_role("heading", level=1).wait_for()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "login": ("", show_heading),
    "overview": ("", show_heading),
    "pdu": ("pdu/rack-1", show_outlets),
    "pdu that is offline": ("pdu/rack-2", show_outlets),
    "question": ("pdu/rack-1", ask),
    "break panel": ("pdu/rack-1", open_panel),
    "menu": ("", open_menu),
    "history": ("history?pdu=rack-1", show_chart),
    "table": ("history?pdu=rack-1", show_table),
    "events": ("events", show_events),
    "no such page": ("nowhere", show_heading),
    "no such pdu": ("pdu/nothing", show_heading),
}


@pytest.fixture(scope="module")
def lively(demo: DemoCenter) -> DemoCenter:
    """The demo with an alarm, a PDU that is offline and an outlet that is off, so that pages show them."""
    for pdu, name in (("rack-1", "backup_outage"), ("rack-2", "network")):
        assert demo.http.post(f"/api/v1/demo/pdus/{pdu}/disturbances/{name}").status_code == 204
    demo.command("/pdus/rack-1/outlets/4/commands", {"do": "off"})
    return demo


def show(browser: Browser, demo: DemoCenter, name: str, **options: Any) -> Visit:
    fragment, prepare = PAGES[name]
    opened = visit(browser, demo, **options)
    opened.page.get_by_test_id("login-username").wait_for()
    if name != "login":
        log_in(opened.page)
        opened.page.get_by_test_id("pdu-card-rack-1").wait_for()
        opened.go(fragment)
    prepare(opened.page)
    return opened


def violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, lively: DemoCenter, name: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make web")
    opened = show(browser, lively, name, bypass_csp=True)
    found = {}
    for theme, (width, size) in itertools.product(THEMES, WIDTHS.items()):
        opened.page.emulate_media(color_scheme=theme)
        opened.page.set_viewport_size(size)
        expect(opened.page.locator("html")).to_have_attribute("data-theme", theme)
        found[theme, width] = violations(opened.page)
    opened.context.close()
    assert not any(found.values()), found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_breaks_no_rule(browser: Browser, lively: DemoCenter, name: str) -> None:
    opened = show(browser, lively, name, viewport=WIDTHS["phone"])
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= WIDTHS["phone"]["width"]
    assert opened.page.title().endswith("Loadcenter")
    opened.context.close()
    assert opened.complaints == []


def test_axe_sees_what_is_wrong(browser: Browser, demo: DemoCenter) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make web")
    opened = show(browser, demo, "login", bypass_csp=True)
    opened.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(one.startswith("button-name") for one in violations(opened.page))
    opened.context.close()


def test_a_script_of_somebody_else_does_not_run_and_is_seen(browser: Browser, demo: DemoCenter) -> None:
    opened = show(browser, demo, "login")
    opened.page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.intruder = true';
            document.body.append(script);
        }"""
    )
    assert opened.page.evaluate("window.intruder") is None
    opened.context.close()
    assert any("Content Security Policy" in one for one in opened.complaints)
