"""From the relay pin to the page and back, with every part a real one (tests/system/chain.py).

The firmware runs in its emulator, the gateway in MicroPython with a bounded heap, Mosquitto speaks TLS and knows each
device, MariaDB keeps what comes, Chromium shows it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import chromium, log_in, visit
from tests.databases import MariaDbServer
from tests.system.chain import PDU, Chain, chain

from loadcenter.adapters.web.static_files import View

METERING_ERROR = 0.015
"""Share that the UNO's power may differ from what flows (figure F5, with its noise)."""


@pytest.fixture(scope="module")
def whole(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    del tools
    with MariaDbServer() as database, chain(tmp_path_factory.mktemp("chain"), database) as made:
        yield made


@dataclass
class Place:
    """Where the page is."""

    url: str


@pytest.fixture(scope="module")
def page(whole: Chain) -> Iterator[Page]:
    if not View().built:
        pytest.skip("the view is not built: make web")
    with chromium() as browser:
        opened = visit(browser, Place(f"http://127.0.0.1:{whole.center.port}"))
        log_in(opened.page)
        opened.page.get_by_test_id(f"pdu-card-{PDU}").wait_for()
        yield opened.page
        opened.context.close()
        assert opened.complaints == []


def show(page: Page, fragment: str) -> None:
    page.goto(f"{page.url.split('#')[0]}#/{fragment}")


def outlet(whole: Chain, n: int) -> dict[str, object]:
    found: dict[str, object] = whole.pdu()["outlets"][n - 1]
    return found


def statuses(whole: Chain) -> list[object]:
    return [one["status"] for one in whole.center.get("/commands", pdu=PDU)["items"]]


def events(whole: Chain, code: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = whole.center.get("/events", pdu=PDU, code=code)["items"]
    return found


def test_a_click_moves_the_relay_and_the_device_confirms_it(whole: Chain, page: Page) -> None:
    show(page, f"pdu/{PDU}")
    switch = page.get_by_test_id("outlet-2-switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    seen = len(whole.unit.printed)
    switch.click()
    whole.unit.see("pin  outlet_2 off", seen)
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_test_id("outlet-2-why")).to_contain_text("switched off by admin")
    switch.click()
    whole.unit.see("pin  outlet_2 on", seen)
    expect(switch).to_have_attribute("aria-checked", "true")
    # The state goes ahead of the answer.
    whole.until(lambda: statuses(whole)[:2] == ["confirmed", "confirmed"])


def test_when_main_is_cut_the_unit_transfers_and_the_record_is_on_the_page(whole: Chain, page: Page) -> None:
    whole.unit.type("main off")
    whole.unit.see("the bus is on backup")
    show(page, f"pdu/{PDU}")
    expect(page.get_by_test_id("active-source")).to_contain_text("BACKUP")
    (transfer,) = whole.until(lambda: events(whole, "transfer"))
    detection_us = transfer["data"]["detection_us"]  # type: ignore[index]
    told = next(one for one in whole.ledger.events.values() if one.fields["code"] == "4")
    assert detection_us == int(told.fields["data"].split(",")[1]) > 0
    (kept,) = whole.sql("SELECT data FROM event WHERE code = 'transfer'")
    assert f'"detection_us": {detection_us}' in kept[0] or f'"detection_us":{detection_us}' in kept[0]
    show(page, "events")
    rows = page.locator('[data-testid="event-row"][data-code="transfer"]')
    expect(rows.first).to_contain_text("BACKUP")
    whole.unit.type("main on")
    whole.until(lambda: whole.pdu()["sources"][0]["grade"] == "good")


def test_an_overload_is_latched_until_a_person_resets_it(whole: Chain, page: Page) -> None:
    show(page, f"pdu/{PDU}")
    seen = len(whole.unit.printed)
    whole.unit.type("load 3 4000")
    whole.unit.see("pin  outlet_3 off", seen)
    expect(page.get_by_test_id("outlet-3-why")).to_contain_text("tripped")
    whole.unit.type("load 3 200")
    refused = whole.center.http.post(f"/api/v1/pdus/{PDU}/outlets/3/commands", json={"do": "on"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "latched"
    page.get_by_test_id("outlet-3-reset").click()
    page.get_by_test_id("confirm-ok").click()
    whole.until(lambda: outlet(whole, 3)["trip"] is None)
    done = whole.center.command(f"/pdus/{PDU}/outlets/3/commands", {"do": "on"})
    assert done["status"] == "confirmed", done


def test_new_settings_reach_the_eeprom_and_outlast_a_reset(whole: Chain) -> None:
    before = whole.center.get(f"/pdus/{PDU}/settings")["desired"]["version"]
    change = {"base_version": before, "out": [{"n": 1, "limit_ma": 2500}]}
    answer = whole.center.http.put(f"/api/v1/pdus/{PDU}/settings", json=change)
    assert answer.status_code == 202, answer.text
    whole.until(lambda: whole.pdu()["settings_version"] == before + 1)
    assert outlet(whole, 1)["limit_a"] == 2.5
    session = whole.ledger.sessions[-1]
    whole.unit.type("reset")
    whole.until(lambda: whole.ledger.sessions[-1] != session and whole.ready())
    whole.until(lambda: whole.ledger.telemetry and whole.ledger.telemetry.session != session)
    assert whole.ledger.telemetry
    assert whole.ledger.telemetry.fields["settings"] == str(before + 1)
    whole.until(lambda: outlet(whole, 1)["on"] is True)


def test_what_is_stored_is_what_flowed(whole: Chain) -> None:
    whole.unit.type("load 4 600")
    seen = len(whole.unit.printed)
    whole.until(lambda: abs((outlet(whole, 4)["power_w"] or 0) - 600) < 60)  # type: ignore[operator]
    (newest,) = whole.sql("SELECT MAX(ts_ms) FROM raw_record")
    since_ms = int(newest[0])
    row = f"FROM raw_record WHERE ts_ms > {since_ms}"
    whole.until(lambda: int(whole.sql(f"SELECT COUNT(*) {row}")[0][0]) >= 5)
    whole.unit.type("show")
    flowed_w = float(whole.unit.see(r"outlet 4 closed +[\d.]+ A +([\d.]+) W", seen)[1])
    ((stored_mw, spread_mwh, seconds),) = whole.sql(
        "SELECT AVG(power_mw_4), MAX(energy_mwh_4) - MIN(energy_mwh_4), (MAX(ts_ms) - MIN(ts_ms)) / 1000 "
        + row
    )
    assert float(stored_mw) / 1000 == pytest.approx(flowed_w, rel=METERING_ERROR)
    assert float(spread_mwh) * 3.6 / float(seconds) == pytest.approx(flowed_w, rel=0.03, abs=1)


def test_nothing_has_been_lost_or_doubled(whole: Chain) -> None:
    whole.until(whole.settled)
    assert whole.ledger.events.keys() >= whole.ledger.taken
    assert len(whole.ledger.taken) >= 5
    assert whole.doubled() == []
    assert not re.search("BOTH SOURCES", "\n".join(whole.unit.printed))
