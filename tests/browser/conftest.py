"""A demo as a person starts it, and Debian's Chromium to look at it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright
from tests.system.centers import PASSWORD, DemoCenter

from loadcenter.adapters.web.static_files import View

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
WIDTHS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCenter]:
    if not View().built:
        pytest.skip("the view is not built: make web")
    with DemoCenter(tmp_path_factory.mktemp("demo")) as made:
        yield made


@dataclass
class Visit:
    """A page of the demo in a context of its own; `complaints` are of all its tabs: console, CSP, foreign requests."""

    page: Page
    context: BrowserContext
    complaints: list[str]

    def go(self, fragment: str) -> Page:
        """Show another page of the view."""
        self.page.goto(f"{self.page.url.split('#')[0]}#/{fragment}")
        self.page.get_by_role("heading", level=1).first.wait_for()
        return self.page

    def tab(self, fragment: str) -> Page:
        """Open a second tab."""
        page = self.context.new_page()
        page.goto(f"{self.page.url.split('#')[0]}#/{fragment}")
        page.get_by_role("heading", level=1).first.wait_for()
        return page


class Place(Protocol):
    """A control center that can be visited."""

    @property
    def url(self) -> str: ...


def visit(browser: Browser, demo: Place, **options: Any) -> Visit:
    """Open the page in a context of its own; reduced motion keeps it still."""
    context = browser.new_context(**{"viewport": WIDTHS["desktop"], "reduced_motion": "reduce", **options})
    context.set_default_timeout(15_000)
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        # Chromium notes each answer of 401 or 409 as an error of its own; those are looked at in the page.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    def check_target(request: Request) -> None:
        if not request.url.startswith((demo.url, "data:")):
            complaints.append(f"asked another machine: {request.url}")

    context.on("console", complain)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("request", check_target)
    page = context.new_page()
    page.goto(demo.url)
    return Visit(page, context, complaints)


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_test_id("login-username").fill("admin")
    page.get_by_test_id("login-password").fill(password)
    page.get_by_test_id("login-submit").click()


@pytest.fixture
def visited(browser: Browser, demo: DemoCenter) -> Iterator[Visit]:
    """The overview, logged in; ends with a look at the console: no error, no violation of the CSP."""
    opened = visit(browser, demo)
    log_in(opened.page)
    opened.page.get_by_test_id("pdu-card-rack-1").wait_for()
    yield opened
    opened.context.close()
    assert opened.complaints == []
