"""Analytics over weeks of readings: figures, comparison, both languages, nothing for axe to find."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import WIDTHS, Visit, log_in, visit
from tests.browser.seeded import SeededCenter, days_ago
from tests.browser.test_accessibility import fits, violations_everywhere

from loadcenter.adapters.web.static_files import View

DAYS = 15


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededCenter]:
    if not View().built:
        pytest.skip("the view is not built: make web")
    with SeededCenter(tmp_path_factory.mktemp("seeded"), DAYS) as center:
        yield center


@pytest.fixture
def opened(browser: Browser, seeded: SeededCenter) -> Iterator[Visit]:
    # axe-core may be put into the page
    made = visit(browser, seeded, bypass_csp=True, locale="en-GB")
    log_in(made.page)
    made.page.get_by_test_id("pdu-card-rack-1").wait_for()
    yield made
    made.context.close()
    assert made.complaints == []


def week() -> str:
    return f"analytics?pdu=rack-1&since={days_ago(7)}&until={days_ago(0)}"


def test_the_page_shows_what_the_server_reckons(opened: Visit, seeded: SeededCenter) -> None:
    page = opened.go(week())
    page.get_by_test_id("analytics-report").wait_for()
    report = seeded.get("/analytics/energy", pdu="rack-1", since=days_ago(7), until=days_ago(0))
    energy = report["total"]["total_kwh"]
    expect(page.get_by_test_id("analytics-energy")).to_contain_text(f"{energy:.2f} kWh")
    expect(page.get_by_test_id("analytics-cost")).to_contain_text("€")
    assert len(report["days"]) == 7
    assert report["total"]["cost_low"] > 0
    for name in ("Server", "Kettle", "Fridge", "Television"):
        expect(page.get_by_role("rowheader", name=name)).to_be_visible()


def test_days_are_chosen_and_stand_in_the_address(opened: Visit) -> None:
    page = opened.go(week())
    page.get_by_test_id("analytics-report").wait_for()
    page.get_by_test_id("analytics-from").fill(days_ago(3))
    expect(page).to_have_url(
        opened.page.url.split("#")[0] + f"#/analytics?pdu=rack-1&since={days_ago(3)}&until={days_ago(0)}"
    )
    page.get_by_role("radio", name="7 days").check(force=True)
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("region", name="Energy by day")).to_be_visible()


def test_it_speaks_german(browser: Browser, seeded: SeededCenter) -> None:
    made = visit(browser, seeded, locale="de-AT")
    log_in(made.page)
    made.page.get_by_test_id("pdu-card-rack-1").wait_for()
    page = made.go(week())
    expect(page.get_by_role("heading", level=2, name="Spannungsqualität")).to_be_visible()
    assert made.complaints == []
    made.context.close()


def test_axe_finds_nothing_and_all_fits(opened: Visit) -> None:
    page = opened.go(week())
    page.get_by_test_id("analytics-report").wait_for()
    page.get_by_text("As a table").first.click()
    assert violations_everywhere(page) == {}
    page.set_viewport_size(WIDTHS["phone"])
    assert fits(page)


def test_days_before_the_first_reading_show_that_nothing_is_known(opened: Visit) -> None:
    page = opened.go("analytics?pdu=rack-1&since=2020-01-01&until=2020-02-01")
    expect(page.get_by_text("No readings in this period.")).to_be_visible()
    expect(page.get_by_text("No ten-minute value.").first).to_be_visible()
