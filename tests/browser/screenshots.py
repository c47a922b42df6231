"""Takes the pictures of the documents: every page in both themes on a phone and on a desktop.

    python -m tests.browser.screenshots docs/screenshots

Run by `make screenshots`. The demo has lived an hour by then, so that history and events have something to show.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page
from tests.browser.conftest import WIDTHS, chromium, log_in, visit
from tests.browser.seeded import SeededCenter, days_ago
from tests.system.centers import DemoCenter

MOST_BYTES = 300_000
ROUTES = {
    "overview": "",
    "pdu": "pdu/rack-1",
    "history": "history?pdu=rack-1",
    "schedules": "schedules",
    "limits": "limits?pdu=rack-1",
    "events": "events",
}
STILL_MS = 1_500
"""Charts and switches have come to rest by then, and one more second of readings has come."""


def shoot(page: Page, folder: Path, name: str, theme: str) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    path = folder / f"{name}-{width}-{theme}.png"
    page.wait_for_timeout(STILL_MS)
    page.screenshot(path=path)
    size = path.stat().st_size
    assert size <= MOST_BYTES, f"{path} has {size} bytes, more than {MOST_BYTES}"
    print(f"{path} {size // 1000} kB")


def shoot_all(browser: Browser, demo: DemoCenter, folder: Path) -> None:
    # One PDU is on its backup, so that the pictures show an alarm and both colours.
    demo.http.post("/api/v1/demo/pdus/rack-2/disturbances/main_outage").raise_for_status()
    for theme in ("light", "dark"):
        for size in WIDTHS.values():
            opened = visit(browser, demo, color_scheme=theme, viewport=size)
            page = opened.page
            page.get_by_test_id("login-username").wait_for()
            shoot(page, folder, "login", theme)
            log_in(page)
            page.get_by_test_id("pdu-card-rack-1").wait_for()
            for name, route in ROUTES.items():
                page.goto(f"{demo.url}/#/{route}")
                page.get_by_role("heading", level=1).wait_for()
                if name == "history":
                    page.locator("canvas").first.wait_for()
                shoot(page, folder, name, theme)
            page.goto(f"{demo.url}/#/pdu/rack-1")
            page.get_by_test_id("break-open").click()
            page.get_by_test_id("break-close").wait_for()
            shoot(page, folder, "break", theme)
            opened.context.close()


def shoot_analytics(browser: Browser, center: SeededCenter, folder: Path) -> None:
    """The demo has no weeks behind it: analytics is shown over readings made for it."""
    for theme in ("light", "dark"):
        for size in WIDTHS.values():
            opened = visit(browser, center, color_scheme=theme, viewport=size, locale="en-GB")
            page = opened.page
            page.get_by_test_id("login-username").wait_for()
            log_in(page)
            page.get_by_test_id("pdu-card-rack-1").wait_for()
            page.goto(f"{center.url}/#/analytics?pdu=rack-1&since={days_ago(28)}&until={days_ago(0)}")
            page.get_by_test_id("analytics-report").wait_for()
            shoot(page, folder, "analytics", theme)
            opened.context.close()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, chromium() as browser, DemoCenter(Path(data)) as demo:
        shoot_all(browser, demo, folder)
    with tempfile.TemporaryDirectory() as data, chromium() as browser, SeededCenter(Path(data), 60) as center:
        shoot_analytics(browser, center, folder)


if __name__ == "__main__":
    main()
