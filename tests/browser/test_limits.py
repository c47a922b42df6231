"""Limits and priorities: changed on the page, taken over by the device, and a conflict between two people."""

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Visit
from tests.system.centers import DemoCenter, wait_for

PDU = "rack-2"


@pytest.fixture
def page(visited: Visit) -> Page:
    opened = visited.go(f"limits?pdu={PDU}")
    opened.get_by_test_id("priorities").wait_for()
    return opened


def desired(demo: DemoCenter, n: int, name: str) -> object:
    """Return a setting of an outlet, None where it has its default."""
    out = demo.get(f"/pdus/{PDU}/settings")["desired"]["out"]
    return next((one for one in out if one["n"] == n), {}).get(name)


def test_an_outlet_moved_up_is_kept_longer_by_the_device(page: Page, demo: DemoCenter) -> None:
    last = page.get_by_test_id("priorities").get_by_role("listitem").last
    expect(last).to_have_attribute("data-testid", "priority-4")
    for _ in range(3):
        page.get_by_test_id("priority-4-up").click()
    first = page.get_by_test_id("priorities").get_by_role("listitem").first
    expect(first).to_have_attribute("data-testid", "priority-4")
    page.get_by_test_id("protected-1").check()
    page.get_by_test_id("limits-apply").click()
    expect(page.get_by_test_id("limits-apply")).to_be_disabled()
    expect(page.get_by_test_id("settings-standing")).to_contain_text("The PDU runs version")
    assert [desired(demo, n, "priority") for n in (4, 1, 2, 3)] == [1, 2, 3, None]
    assert desired(demo, 1, "protected") is True


def test_an_outlet_is_dragged_to_its_place(page: Page) -> None:
    before = page.get_by_test_id("priorities").get_by_role("listitem").first.get_attribute("data-testid")
    held = "priority-3"
    page.get_by_test_id(held).drag_to(page.get_by_test_id(str(before)))
    first = page.get_by_test_id("priorities").get_by_role("listitem").first
    expect(first).to_have_attribute("data-testid", held)
    page.get_by_test_id("limits-discard").click()
    expect(first).to_have_attribute("data-testid", str(before))


def test_what_is_out_of_range_is_said_and_cannot_be_applied(page: Page) -> None:
    page.get_by_test_id("setting-1-limit_ma").fill("99")
    expect(page.locator(".wrong")).to_have_text("0.1 to 10 A")
    expect(page.get_by_test_id("limits-apply")).to_be_disabled()
    page.get_by_test_id("setting-1-limit_ma").fill("2.5")
    expect(page.get_by_test_id("limits-apply")).to_be_enabled()


def test_what_a_change_would_have_done_is_seen_before_it_is_applied(page: Page, demo: DemoCenter) -> None:
    page.get_by_test_id("limits-pdu").select_option("rack-1")
    page.get_by_test_id("setting-3-limit_ma").fill("0.1")
    page.get_by_test_id("dry-run").click()
    row = page.get_by_test_id("dry-table").get_by_role("row").nth(3)
    expect(row).to_contain_text("0 → 1")
    expect(page.get_by_test_id("limits-apply")).to_be_enabled()
    assert demo.get("/pdus/rack-1")["outlets"][2]["trip"] is None
    page.get_by_test_id("limits-discard").click()
    expect(page.get_by_test_id("dry-table")).to_have_count(0)


def test_of_two_people_who_change_the_same_both_values_are_shown(page: Page, demo: DemoCenter) -> None:
    page.get_by_test_id("setting-2-limit_ma").fill("3")
    page.get_by_test_id("setting-3-limit_ma").fill("3.5")
    version = demo.get(f"/pdus/{PDU}/settings")["desired"]["version"]
    change = {"base_version": version, "out": [{"n": 2, "limit_ma": 2000}]}
    assert demo.http.put(f"/api/v1/pdus/{PDU}/settings", json=change).status_code == 202
    page.get_by_test_id("limits-apply").click()
    conflict = page.get_by_test_id("conflicts")
    expect(conflict).to_contain_text("Theirs: 2 A")
    expect(conflict).to_contain_text("Yours: 3 A")
    expect(conflict.get_by_role("listitem")).to_have_count(1)
    conflict.get_by_role("button", name="Take theirs").click()
    page.get_by_test_id("limits-apply").click()
    wait_for(lambda: desired(demo, 3, "limit_ma") == 3500, demo)
    assert desired(demo, 2, "limit_ma") == 2000


def test_what_does_not_fit_may_displace_what_matters_less(demo: DemoCenter, visited: Visit) -> None:
    # Projector 1.0 A and server 0.6 to 1.2 A: never both within 1.4 A, each of them always.
    demo.command("/pdus/rack-3/outlets/1/commands", {"do": "off", "confirm": True})
    demo.command("/pdus/rack-3/outlets/2/commands", {"do": "off"})
    base = demo.get("/pdus/rack-3/settings")["desired"]["version"]
    out = [{"n": 2, "priority": 1}, {"n": 3, "priority": 7}]
    change = {"base_version": base, "pdu": {"budget_main_ma": 1400}, "out": out}
    assert demo.http.put("/api/v1/pdus/rack-3/settings", json=change).status_code == 202
    wait_for(lambda: demo.get("/pdus/rack-3")["settings_version"] == base + 1, demo)
    wait_for(lambda: demo.get("/pdus/rack-3")["outlets"][1]["current_a"] == 0, demo)
    page = visited.go("pdu/rack-3")
    page.get_by_test_id("outlet-2-switch").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Projector would exceed")
    expect(question).to_contain_text("Build server")
    page.get_by_test_id("confirm-ok").click()
    expect(page.get_by_test_id("outlet-2-switch")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_test_id("outlet-3-switch")).to_have_attribute("aria-checked", "false")
