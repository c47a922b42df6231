"""Every event has a title and a sentence with its numbers; every refusal says what to do."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.builders import START_MS

from loadcenter.domain.commands import CommandStatus, Do, Order
from loadcenter.domain.events import Cause, EventCode, Severity
from loadcenter.domain.topology import Source
from loadcenter.services.ports import CommandRow, StoredEvent
from loadcenter.services.wording import command_message, event_wording

SPEC = Path(__file__).resolve().parents[3] / "spec" / "codes.toml"
CODES = tomllib.loads(SPEC.read_text(encoding="utf-8"))["code"]


def names(category: str) -> list[str]:
    return [code["name"] for code in CODES if code["category"] == category]


def wording(code: EventCode | str, **changed: Any) -> str:
    return event_wording(StoredEvent("rack-1", START_MS, 1, 1, code, Severity.INFO, **changed)).text


@pytest.mark.parametrize("code", names("event"))
@pytest.mark.parametrize("source", [None, Source.MAIN])
def test_every_event_of_the_contract_has_a_title_and_a_sentence(code: str, source: Source | None) -> None:
    words = event_wording(StoredEvent("rack-1", START_MS, 1, 1, code, Severity.INFO, source=source))
    assert words.title
    assert words.title[0].isupper()
    assert words.text == words.text.strip() != ""
    assert "data." not in words.text
    assert words.remedy != "none"


def test_an_event_of_a_later_version_is_shown_by_its_name() -> None:
    words = event_wording(StoredEvent("rack-1", START_MS, 1, 1, "meteor_strike", Severity.INFO))
    assert (words.title, words.text, words.remedy) == ("Meteor strike", "meteor_strike", "")


@pytest.mark.parametrize(
    ("code", "changed", "expected"),
    [
        (
            EventCode.TRANSFER,
            {"cause": Cause.SOURCE_LOST, "data": {"from": "main", "to": "backup", "detection_us": 3_100, "result": "confirmed"}},
            "MAIN to BACKUP, detected in 3.1 ms, confirmed: the active source was lost or left its limits",
        ),
        (EventCode.TRANSFER, {}, "? to ?"),
        (EventCode.LINK_LOST, {"data": {"link": "unit"}}, "the gateway hears the power unit no more"),
        (EventCode.LINK_FOUND, {"data": {"link": "broker"}}, "the gateway hears the broker again"),
        (
            EventCode.SOURCE_LOST,
            {"source": Source.BACKUP, "data": {"v_mv": 171_400, "limit_mv": 207_000, "dwell_ms": 500}},
            "BACKUP left its limits at 171.4 V (limit 207.0 V for 0.5 s)",
        ),
        (EventCode.SOURCE_LOST, {}, "a source left its limits"),
        (EventCode.SOURCE_RESTORED, {"source": Source.MAIN, "data": {"v_mv": 230_100}}, "MAIN is good again at 230.1 V"),
        (
            EventCode.TRIP,
            {"outlet": 3, "data": {"i_ma": 5_200, "limit_ma": 4_000, "limit_ms": 2_000}},
            "outlet 3 opened and latched at 5.20 A (limit 4.00 A for 2 s)",
        ),
        (EventCode.TRIP, {"outlet": 3, "data": {"i_ma": True}}, "outlet 3 opened and latched"),
        (EventCode.SWITCHED, {"outlet": 1, "data": {"on": True, "by": "ada"}}, "outlet 1 was switched on by ada"),
        (
            EventCode.SWITCHED,
            {"outlet": 1, "cause": Cause.RESTORE, "data": {"on": False}},
            "outlet 1 was switched off: the power-restore policy has set it at start-up",
        ),
        (EventCode.BOOT, {"data": {"reset_cause": "power"}}, "the PDU has started (reset cause: power)"),
        (
            EventCode.COMMAND_REFUSED,
            {"data": {"code": "retained"}},
            "a command was refused: a retained command is never carried out",
        ),
        (EventCode.REDUNDANCY_LOST, {}, "the idle source is not usable: an outage now would not be bridged"),
        (
            EventCode.SHED,
            {"outlet": 4, "source": Source.BACKUP, "data": {"total_ma": 6_500, "budget_ma": 6_000, "total_mw": 1, "budget_mw": 9}},
            "outlet 4 was opened to keep BACKUP within its budget: 6.5 of 6.0 A",
        ),
        (
            EventCode.SHED,
            {"outlet": 4, "data": {"reason": "limit", "i_ma": 4_500, "limit_ma": 4_000, "limit_ms": 2_000}},
            "outlet 4 was opened at its own limit at 4.50 A (limit 4.00 A for 2 s); it stays off until it is switched on",
        ),
        (
            EventCode.OVER_BUDGET,
            {"data": {"total_ma": 1, "budget_ma": 9, "total_mw": 900_000, "budget_mw": 800_000}},
            "only loads that are never shed are left, and they are over the budget: 900.0 of 800.0 W",
        ),
        (
            EventCode.TRIP,
            {"outlet": 1, "data": {"trip": "overpower", "p_mw": 900_000, "limit_mw": 800_000, "limit_ms": 500}},
            "outlet 1 opened and latched at 900 W (limit 800 W for 0.5 s)",
        ),
        (
            EventCode.SHED,
            {"outlet": 2, "data": {"site": "hall", "circuit": "site:hall", "total_ma": 13_500, "budget_ma": 12_000}},
            "outlet 2 was shed by site hall: 13.5 of 12.0 A at site hall",
        ),
        (
            EventCode.RESTORED,
            {"outlet": 2, "data": {"site": "hall", "total_ma": 8_000, "budget_ma": 12_000}},
            "outlet 2 may close again: the site 'hall' has headroom: 8.0 of 12.0 A",
        ),
        (EventCode.LOCKED, {"outlet": 2, "data": {"on": False, "by": "ada"}}, "outlet 2 was unlocked by ada"),
    ],
)  # fmt: skip
def test_a_sentence_holds_the_numbers_compared(
    code: EventCode, changed: dict[str, Any], expected: str
) -> None:
    assert wording(code, **changed) == expected


def row(code: str, detail: str = "") -> CommandRow:
    return CommandRow(
        "c-1", "rack-1", Order(Do.SWITCH, 1, on=True), CommandStatus.REJECTED, code, 1, detail=detail
    )


@pytest.mark.parametrize("code", [name for name in names("result") if name != "ok"])
def test_every_refusal_of_a_command_is_said_in_words(code: str) -> None:
    assert command_message(row(code))
    assert command_message(row(code, "with its own words")) == "with its own words"


def test_a_command_that_ended_well_says_nothing() -> None:
    assert command_message(row("ok")) == command_message(row("")) == ""
