"""What a newcomer does in the first five minutes, in a real browser on a real demo."""

import re

from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Visit, log_in, visit
from tests.system.centers import DemoCenter, wait_for


def open_pdu(page: Page, pdu_id: str) -> None:
    page.goto(f"{page.url.split('#')[0]}#/pdu/{pdu_id}")
    page.get_by_test_id("outlet-1").wait_for()


def disturb(page: Page, name: str, outlet: int | None = None) -> None:
    if not page.get_by_test_id(f"break-{name}-start").is_visible():
        page.get_by_test_id("break-open").click()
    if outlet is not None:
        page.get_by_test_id(f"break-{name}-outlet").select_option(str(outlet))
    page.get_by_test_id(f"break-{name}-start").click()


def mend(page: Page, name: str) -> None:
    page.get_by_test_id(f"break-{name}-stop").click()
    page.get_by_test_id(f"break-{name}-start").wait_for()


def confirm_if_asked(page: Page) -> None:
    confirm = page.get_by_test_id("confirm-ok")
    if confirm.is_visible():
        confirm.click()


def test_a_wrong_password_is_said_and_lets_nobody_in(browser: Browser, demo: DemoCenter) -> None:
    opened = visit(browser, demo)
    log_in(opened.page, "not the password")
    expect(opened.page.get_by_role("alert")).to_be_visible()
    expect(opened.page.get_by_test_id("pdu-card-rack-1")).to_have_count(0)
    assert opened.complaints == []
    opened.context.close()


def test_numbers_change_by_themselves(visited: Visit) -> None:
    open_pdu(visited.page, "rack-1")
    # Watts of a load at rest may stay as they are; its volts wander by tenths.
    tile = visited.page.get_by_test_id("outlet-4")

    def volts() -> list[str]:
        return re.findall(r"(\d+\.\d)\sV", tile.inner_text())

    before = wait_for(volts)
    wait_for(lambda: volts() not in ([], before))


def test_an_outlet_follows_what_the_device_confirms(visited: Visit) -> None:
    page = visited.page
    open_pdu(page, "rack-2")
    switch = page.get_by_test_id("outlet-4-switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    confirm_if_asked(page)
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_test_id("outlet-4-why")).to_contain_text("switched off by admin")
    expect(switch).to_have_attribute("aria-busy", "false")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")
    page.goto(f"{page.url.split('#')[0]}#/events")
    expect(page.locator('[data-testid="event-row"][data-code="switched"]').first).to_contain_text("on")


def test_when_main_fails_the_source_changes_and_the_event_appears(visited: Visit) -> None:
    page = visited.page
    open_pdu(page, "rack-1")
    expect(page.get_by_test_id("active-source")).to_contain_text("MAIN")
    disturb(page, "main_outage")
    expect(page.get_by_test_id("active-source")).to_contain_text("BACKUP")
    mend(page, "main_outage")
    page.goto(f"{page.url.split('#')[0]}#/events")
    transfers = page.locator('[data-testid="event-row"][data-code="transfer"]')
    expect(transfers.first).to_contain_text("BACKUP")


def test_an_overload_trips_and_a_person_resets_it(visited: Visit) -> None:
    page = visited.page
    open_pdu(page, "rack-3")
    disturb(page, "overload", outlet=2)
    reset = page.get_by_test_id("outlet-2-reset")
    reset.wait_for()
    expect(page.get_by_test_id("outlet-2-why")).to_contain_text("tripped at")
    mend(page, "overload")
    reset.click()
    confirm_if_asked(page)
    expect(reset).to_have_count(0)
    switch = page.get_by_test_id("outlet-2-switch")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")


def test_a_server_that_stops_and_starts_is_told_and_needs_no_reload(visited: Visit, demo: DemoCenter) -> None:
    page = visited.page
    open_pdu(page, "rack-2")
    page.evaluate("window.marker = 1")
    demo.stop()
    expect(page.get_by_test_id("connection-banner")).to_be_visible()
    expect(page.get_by_test_id("outlet-1-switch")).to_be_disabled()
    demo.start()
    expect(page.get_by_test_id("connection-banner")).to_have_count(0, timeout=30_000)
    expect(page.get_by_test_id("outlet-1-switch")).to_be_enabled()
    assert page.evaluate("window.marker") == 1
    visited.complaints[:] = [one for one in visited.complaints if "WebSocket" not in one]


def test_history_draws_the_last_hour_and_tells_it_as_a_table(visited: Visit) -> None:
    page = visited.page
    page.goto(f"{page.url.split('#')[0]}#/history?pdu=rack-1")
    page.locator("canvas").first.wait_for()
    page.get_by_role("radio", name="Table").check()
    expect(page.locator("table tbody tr").nth(10)).to_be_visible()
