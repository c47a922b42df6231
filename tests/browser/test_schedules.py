"""Schedules: made in a form with a preview, seen in the week, dragged, skipped, and a conflict told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Visit
from tests.system.centers import DemoCenter, wait_for


@pytest.fixture
def page(visited: Visit, demo: DemoCenter) -> Page:
    for one in schedules(demo):
        assert demo.http.delete(f"/api/v1/schedules/{one['id']}").status_code == 204
    opened = visited.go("schedules")
    opened.get_by_test_id("week").wait_for()
    return opened


def schedules(demo: DemoCenter) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = demo.get("/schedules")["items"]
    return found


def add(demo: DemoCenter, name: str, outlet: int, do: str, begin: str, end: str) -> dict[str, Any]:
    draft = {
        "name": name,
        "targets": [{"pdu_id": "rack-1", "outlet": outlet}],
        "do": do,
        "days": {"first": "2026-01-05", "rrule": "FREQ=DAILY"},
        "begin": {"at": begin},
        "end": {"at": end},
    }
    answer = demo.http.post("/api/v1/schedules", json=draft)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def blocks(page: Page, schedule: dict[str, Any]) -> Any:
    return page.locator(f"[data-testid^='occurrence-{schedule['id']}-']")


def test_a_schedule_is_made_with_a_preview_and_stands_in_the_week(page: Page, demo: DemoCenter) -> None:
    page.get_by_test_id("schedule-add").click()
    page.get_by_test_id("schedule-name").fill("Work bench")
    page.get_by_test_id("target-rack-1-3").check()
    page.get_by_test_id("schedule-begin").fill("06:30")
    page.get_by_test_id("schedule-end").fill("17:00")
    expect(page.get_by_test_id("schedule-preview").get_by_role("listitem")).to_have_count(5)
    page.get_by_test_id("schedule-save").click()
    expect(page.get_by_test_id("schedule-form")).to_have_count(0)
    (kept,) = schedules(demo)
    assert (kept["begin"]["at"], kept["end"]["at"]) == ("06:30", "17:00")
    assert kept["days"]["rrule"] == "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    page.get_by_role("button", name="Week after").click()
    expect(blocks(page, kept)).to_have_count(5)
    expect(blocks(page, kept).first).to_contain_text("Work bench")


def test_what_cannot_be_is_said_in_the_form_and_nothing_is_kept(page: Page, demo: DemoCenter) -> None:
    page.get_by_test_id("schedule-add").click()
    page.get_by_test_id("schedule-name").fill("Nothing")
    page.get_by_test_id("target-rack-1-3").check()
    page.get_by_test_id("schedule-begin").fill("08:00")
    page.get_by_test_id("schedule-end").fill("08:00")
    page.get_by_test_id("schedule-save").click()
    form = page.get_by_test_id("schedule-form")
    expect(form.get_by_role("alert")).to_be_visible()
    assert schedules(demo) == []


def test_a_block_that_is_dragged_begins_later_with_its_end(page: Page, demo: DemoCenter) -> None:
    made = add(demo, "Lamp", 2, "on", "08:00", "10:00")
    page.reload()
    block = blocks(page, made).nth(3)
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 8, box["y"] + 8 + 26, steps=4)  # an hour
    page.mouse.up()
    wait_for(lambda: schedules(demo)[0]["begin"]["at"] == "09:00", demo)
    assert schedules(demo)[0]["end"]["at"] == "11:00"
    block.focus()
    page.keyboard.press("ArrowUp")
    wait_for(lambda: schedules(demo)[0]["begin"]["at"] == "08:45", demo)


def test_the_next_occurrence_is_left_out_once(page: Page, demo: DemoCenter) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=2)).replace(minute=0)
    made = add(demo, "Once not", 2, "on", f"{soon:%H:%M}", f"{soon + timedelta(hours=1):%H:%M}")
    before = made["next"]["start_ms"]
    page.reload()
    page.get_by_role("button", name="Skip the next occurrence of Once not").click()
    wait_for(lambda: schedules(demo)[0]["next"]["start_ms"] > before, demo)
    expect(page.get_by_test_id(f"schedule-{made['id']}")).to_be_visible()


def test_two_that_contradict_each_other_are_named(page: Page, demo: DemoCenter) -> None:
    add(demo, "Keep on", 2, "on", "12:00", "20:00")
    add(demo, "Save power", 2, "off", "13:00", "15:00")
    page.reload()
    expect(page.get_by_test_id("schedule-conflicts")).to_contain_text("Keep on, Save power")


def test_a_schedule_is_paused_and_deleted(page: Page, demo: DemoCenter) -> None:
    made = add(demo, "Fan", 2, "on", "12:00", "20:00")
    page.reload()
    row = page.get_by_test_id(f"schedule-{made['id']}")
    row.get_by_role("button", name="Pause Fan").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Delete Fan?").click()
    page.get_by_test_id("confirm-ok").click()
    expect(row).to_have_count(0)
    assert schedules(demo) == []
