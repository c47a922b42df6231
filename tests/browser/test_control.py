"""A person at the page: who is let in, what a switch may do and what it must not, two tabs, the keyboard alone."""

from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect
from tests.browser.conftest import Visit, log_in, visit
from tests.system.centers import DemoCenter


def switch_of(page: Page, n: int) -> Locator:
    return page.get_by_test_id(f"outlet-{n}-switch")


def expect_on(page: Page, n: int, on: bool) -> None:
    """Wait until the switch shows it and takes the next order."""
    expect(switch_of(page, n)).to_have_attribute("aria-checked", str(on).lower())
    expect(switch_of(page, n)).to_have_attribute("aria-busy", "false")


def outlet(demo: DemoCenter, n: int) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in demo.get("/pdus/rack-1")["outlets"] if one["n"] == n)
    return found


# -- who is let in


def test_the_form_takes_a_second_try_and_gives_a_cookie_that_scripts_cannot_read(
    browser: Browser, demo: DemoCenter
) -> None:
    opened = visit(browser, demo)
    page = opened.page
    log_in(page, "not the password")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    expect(page.get_by_test_id("login-password")).to_be_focused()
    page.get_by_test_id("login-password").fill("")
    log_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert [(one["httpOnly"], one["sameSite"]) for one in opened.context.cookies()] == [(True, "Strict")]
    assert page.evaluate("document.cookie") == ""
    opened.context.close()
    assert opened.complaints == []


def test_logging_out_ends_the_session_in_every_tab(visited: Visit, demo: DemoCenter) -> None:
    other = visited.tab("pdu/rack-1")
    visited.page.get_by_role("button", name="Account and display").click()
    visited.page.get_by_role("button", name="Log out").click()
    for tab in (visited.page, other):
        expect(tab.get_by_test_id("login-password")).to_be_visible()
    assert visited.context.request.get(f"{demo.url}/api/v1/pdus").status == 401


# -- switching


def test_a_switch_is_never_ahead_of_the_device(visited: Visit, demo: DemoCenter) -> None:
    page = visited.go("pdu/rack-1")
    expect_on(page, 3, on=True)
    switch_of(page, 3).click()
    expect_on(page, 3, on=False)
    assert outlet(demo, 3)["on"] is False
    switch_of(page, 3).click()
    expect_on(page, 3, on=True)
    assert outlet(demo, 3)["on"] is True


def test_a_switch_does_not_move_when_the_order_does_not_arrive(visited: Visit, demo: DemoCenter) -> None:
    page = visited.go("pdu/rack-1")
    page.route("**/commands", lambda route: route.abort())
    expect_on(page, 3, on=True)
    switch_of(page, 3).click()
    expect(page.get_by_role("status").filter(has_text="cannot be reached")).to_be_visible()
    expect_on(page, 3, on=True)
    assert outlet(demo, 3)["on"] is True


def test_a_critical_outlet_asks_before_it_goes_off(visited: Visit, demo: DemoCenter) -> None:
    page = visited.go("pdu/rack-1")
    expect_on(page, 1, on=True)
    switch_of(page, 1).click()
    page.get_by_test_id("confirm-cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(switch_of(page, 1)).to_be_focused()
    expect_on(page, 1, on=True)
    assert not [one for one in demo.get("/commands", pdu="rack-1")["items"] if one["outlet"] == 1]
    switch_of(page, 1).click()
    page.get_by_test_id("confirm-ok").click()
    expect_on(page, 1, on=False)
    switch_of(page, 1).click()
    expect_on(page, 1, on=True)


def test_the_keyboard_alone_switches_an_outlet(visited: Visit) -> None:
    page = visited.go("pdu/rack-1")
    expect_on(page, 3, on=True)
    tab_to(page, "outlet-3-switch")
    page.keyboard.press("Space")
    expect_on(page, 3, on=False)
    expect(switch_of(page, 3)).to_be_focused()
    page.keyboard.press("Enter")
    expect_on(page, 3, on=True)


def test_the_keyboard_alone_answers_a_question(visited: Visit) -> None:
    page = visited.go("pdu/rack-1")
    tab_to(page, "outlet-2-switch")
    page.keyboard.press("Space")
    page.get_by_test_id("confirm-ok").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect_on(page, 2, on=True)
    expect(switch_of(page, 2)).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, "confirm-ok")
    page.keyboard.press("Enter")
    expect_on(page, 2, on=False)
    expect(switch_of(page, 2)).to_be_focused()
    page.keyboard.press("Space")
    expect_on(page, 2, on=True)


def tab_to(page: Page, testid: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.dataset.testid") == testid:
            return
    raise AssertionError(f"{testid} cannot be reached by the keyboard")


def test_a_second_tab_sees_what_the_first_one_does(visited: Visit) -> None:
    page, other = visited.go("pdu/rack-1"), visited.tab("pdu/rack-1")
    page.get_by_test_id("outlet-3-lock").click()
    expect(other.get_by_test_id("outlet-3")).to_contain_text("Locked")
    other.get_by_test_id("outlet-3-lock").click()
    expect(page.get_by_test_id("outlet-3")).not_to_contain_text("Locked")


# -- sources


def test_a_person_leaves_the_main_source_and_returns(visited: Visit) -> None:
    page = visited.go("pdu/rack-1")
    for source in ("BACKUP", "MAIN"):
        expect(page.get_by_test_id("transfer")).to_contain_text(f"Transfer to {source}")
        page.get_by_test_id("transfer").click()
        page.get_by_test_id("confirm-ok").click()
        expect(page.get_by_test_id("active-source")).to_have_text(f"On {source}")


# -- history


def test_the_table_shows_what_the_api_says(visited: Visit) -> None:
    page = visited.context.new_page()
    with page.expect_response(lambda answer: "/api/v1/history?" in answer.url) as caught:
        page.goto(f"{visited.page.url.split('#')[0]}#/history?pdu=rack-1&outlets=4")
    told = caught.value.json()["series"][0]
    page.locator("canvas").first.wait_for()
    page.get_by_role("radio", name="Table").check()
    rows = page.get_by_role("region", name="Table").locator("tbody tr")
    rows.first.wait_for()
    shown = rows.evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.textContent))"
    )
    power = told["power_w"]
    wanted = [list(row) for row in zip(power["min"], power["avg"], power["max"], strict=True)]
    shown_w = [[float(cell.replace(",", "")) for cell in row] for row in shown]
    # The newest bucket goes on filling, and the table begins with the newest 200.
    assert len(shown_w) >= 50
    matching = sum(is_written(row, wanted) for row in shown_w)
    assert matching >= len(shown_w) - 2, f"{matching} of {len(shown_w)} rows are of the API"


def is_written(row: list[float], wanted: list[list[float]]) -> bool:
    """Return whether the row is one of those wanted, as far as one decimal below 100 W and none above show it."""
    return any(
        all(
            abs(shown - told) <= (0.051 if told < 100 else 0.51) for shown, told in zip(row, one, strict=True)
        )
        for one in wanted
    )
