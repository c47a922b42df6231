"""A demo as a person starts it, and Debian's Chromium to look at it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from tests.brokers import free_port
from tests.system.centers import PASSWORD, wait_for

from loadcenter.adapters.web.static_files import View

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
WIDTHS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}


@dataclass
class Demo:
    """`loadcenter demo` on one port and folder over all its lives."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        env = {**os.environ, "LOADCENTER_ADMIN_PASSWORD": PASSWORD}
        command = [
            sys.executable,
            "-m",
            "loadcenter",
            "demo",
            "--port",
            str(self.port),
            "--data",
            str(self.folder),
        ]
        with (self.folder.parent / "demo.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
        wait_for(self._ready, bound_s=60)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder.parent / "demo.log").read_text()
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False


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
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if not View().built:
        pytest.skip("the view is not built: make web")
    made = Demo(tmp_path_factory.mktemp("demo") / "data")
    made.start()
    yield made
    made.stop()


@dataclass
class Visit:
    """A page of the demo, with everything that its console complained about."""

    page: Page
    context: BrowserContext
    complaints: list[str]


def visit(browser: Browser, demo: Demo, **options: Any) -> Visit:
    """Open the page in a context of its own; reduced motion keeps it still."""
    context = browser.new_context(**{"viewport": WIDTHS["desktop"], "reduced_motion": "reduce", **options})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        # Chromium notes each answer of 401 or 409 as an error of its own; those are looked at in the page.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(demo.url)
    return Visit(page, context, complaints)


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_test_id("login-username").fill("admin")
    page.get_by_test_id("login-password").fill(password)
    page.get_by_test_id("login-submit").click()


@pytest.fixture
def visited(browser: Browser, demo: Demo) -> Iterator[Visit]:
    """The overview, logged in; ends with a look at the console: no error, no violation of the CSP."""
    opened = visit(browser, demo)
    log_in(opened.page)
    opened.page.get_by_test_id("pdu-card-rack-1").wait_for()
    yield opened
    opened.context.close()
    assert opened.complaints == []
