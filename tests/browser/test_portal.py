"""The set-up page of a gateway in a browser: the QR code fills it in, and what is typed arrives."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import WIDTHS
from tests.browser.test_accessibility import AXE, RUN, THEMES
from tests.firmware.nodemcu.modules import BOARD
from tests.firmware.nodemcu.test_board_portal import HERE, Running

from loadcenter.apps.gateway_file import PORTAL, GatewayFile

DATA = GatewayFile("rack-1", "of the device", "ab" * 32, "loadcenter.lan", 8883, tls=True, root="loadcenter")


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Running]:
    running = Running([sys.executable, str(HERE / "portal_server.py")], BOARD, tmp_path)
    yield running
    running.process.kill()
    running.process.communicate()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDTHS["phone"])
    yield context.new_page()
    context.close()


def scan(page: Page, portal: Running) -> None:
    """Open the address of the QR code, at the port of this test."""
    page.goto(DATA.portal_url().replace(PORTAL, f"http://127.0.0.1:{portal.port}/"))


def test_a_scanned_code_and_a_password_are_all_that_it_takes(page: Page, portal: Running) -> None:
    scan(page, portal)
    assert "#" not in page.url, "the secrets are in the address no longer"
    expect(page.locator("#networks option")).to_have_count(2)
    page.get_by_label("Wi-Fi network").fill("café")
    page.get_by_label("Wi-Fi password").fill("long enough")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    saved = json.loads((portal.folder / "config.json").read_text(encoding="utf-8"))
    assert saved == json.loads(DATA.text()) | {"wifi": [["café", "long enough"]]}


def test_what_does_not_fit_is_said_and_can_be_mended(page: Page, portal: Running) -> None:
    scan(page, portal)
    page.get_by_label("Wi-Fi network").fill("home")
    page.get_by_label("Wi-Fi password").fill("short")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("8 to 63 bytes")
    page.get_by_label("Data of the gateway").fill("something else")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("not what the control center has made")
    assert not (portal.folder / "config.json").exists()


def test_the_data_can_be_chosen_as_a_file(page: Page, portal: Running, tmp_path: Path) -> None:
    (tmp_path / "rack-1.json").write_text(DATA.text())
    page.goto(f"http://127.0.0.1:{portal.port}/")
    page.get_by_label("File with the data").set_input_files(tmp_path / "rack-1.json")
    expect(page.get_by_label("Data of the gateway")).to_have_value(DATA.text())


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_is_clean_and_fits_a_telephone(page: Page, portal: Running, theme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: make web")
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    scan(page, portal)
    page.add_script_tag(path=AXE)
    assert page.evaluate(RUN) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
