"""Every page is clean: axe-core finds nothing in both themes on phone and desktop, all fits, no rule of the CSP breaks."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    page.get_by_role("region", name="Table").get_by_role("table").wait_for()


def show_events(page: Page) -> None:
    page.get_by_test_id("event-row").first.wait_for()
    page.get_by_test_id("alarm-row").first.wait_for()


def show_heading(page: Page) -> None:
    page.get_by_role("heading", level=1).wait_for()


def edit_schedule(page: Page) -> None:
    page.get_by_test_id("week").wait_for()
    page.get_by_test_id("schedule-add").click()
    page.get_by_test_id("schedule-name").fill("Bench")
    page.get_by_test_id("target-rack-1-1").check()
    page.get_by_test_id("schedule-preview").get_by_role("listitem").first.wait_for()


def move_outlet(page: Page) -> None:
    page.get_by_test_id("priority-1-down").click()
    page.get_by_test_id("setting-1-limit_ma").fill("99")


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "overview": ("", show_heading),
    "pdu": ("pdu/rack-1", show_outlets),
    "schedules": ("schedules", edit_schedule),
    "limits": ("limits", move_outlet),
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


@contextmanager
def entered(browser: Browser, demo: DemoCenter, **options: Any) -> Iterator[Visit]:
    opened = visit(browser, demo, **options)
    opened.page.get_by_test_id("login-username").wait_for()
    log_in(opened.page)
    opened.page.get_by_test_id("pdu-card-rack-1").wait_for()
    yield opened
    opened.context.close()


@pytest.fixture(scope="module")
def bypassing(browser: Browser, lively: DemoCenter) -> Iterator[Visit]:
    """A visit in which axe-core may be put into the page."""
    with entered(browser, lively, bypass_csp=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def on_a_phone(browser: Browser, lively: DemoCenter) -> Iterator[Visit]:
    with entered(browser, lively, viewport=WIDTHS["phone"]) as opened:
        yield opened


@contextmanager
def shown(opened: Visit, name: str) -> Iterator[Page]:
    """Show a page in a tab of its own."""
    fragment, prepare = PAGES[name]
    page = opened.tab(fragment)
    prepare(page)
    yield page
    page.close()


def violations(page: Page) -> list[str]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make web")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found


def violations_everywhere(page: Page) -> dict[str, list[str]]:
    """Return what axe-core finds, by theme and width, without those where it finds nothing."""
    found = {}
    for theme, (width, size) in itertools.product(THEMES, WIDTHS.items()):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(size)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        found[f"{theme} {width}"] = violations(page)
    return {key: seen for key, seen in found.items() if seen}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(bypassing: Visit, name: str) -> None:
    with shown(bypassing, name) as page:
        assert violations_everywhere(page) == {}


def test_axe_finds_nothing_at_the_login_and_would_if_there_were_something(
    browser: Browser, demo: DemoCenter
) -> None:
    opened = visit(browser, demo, bypass_csp=True)
    opened.page.get_by_test_id("login-username").wait_for()
    assert violations_everywhere(opened.page) == {}
    opened.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(one.startswith("button-name") for one in violations(opened.page))
    opened.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_breaks_no_rule(on_a_phone: Visit, name: str) -> None:
    with shown(on_a_phone, name) as page:
        assert page.viewport_size == WIDTHS["phone"]
        assert fits(page)
        assert page.title().endswith("Loadcenter")
    assert on_a_phone.complaints == []


def test_the_login_fits_and_lets_no_script_of_somebody_else_run(browser: Browser, demo: DemoCenter) -> None:
    opened = visit(browser, demo, viewport=WIDTHS["phone"])
    page = opened.page
    page.get_by_test_id("login-username").wait_for()
    assert fits(page)
    assert opened.complaints == []
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.intruder = true';
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.intruder") is None
    opened.context.close()
    assert any("Content Security Policy" in one for one in opened.complaints), "a violation would not be seen"
