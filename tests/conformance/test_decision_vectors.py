"""The golden decision traces of spec/vectors: the domain decides as they say, and they reach all that it decides by.

The firmware plays the same traces in tests/firmware/test_decision_vectors.py.
"""

from dataclasses import dataclass, field

import pytest
from tests.firmware.decision_scenarios import SCENES
from tests.firmware.decision_vectors import read, record, replay

from loadcenter.domain import outlet, transfer, transfer_table
from loadcenter.domain.commands import ResultCode
from loadcenter.domain.events import EventCode
from loadcenter.domain.outlet import Rank
from loadcenter.domain.protection import Trip
from loadcenter.domain.qualification import LADDER
from loadcenter.domain.transfer_table import TABLE

TRACES = read()
BESIDE = {
    EventCode.BOOT,
    EventCode.SETTINGS_APPLIED,
    EventCode.SETTINGS_REFUSED,
    EventCode.COMMAND_REFUSED,
    EventCode.SELF_TEST_FAILED,
    EventCode.LINK_LOST,
    EventCode.LINK_FOUND,
}
"""Told by others than the decision layer."""


def said(kind: str) -> list:
    return [one for trace in TRACES for _, changes in trace["then"] for one in changes.get(kind, [])]


def data(name: str) -> set:
    return {event["data"][name] for event in said("events") if name in event.get("data", {})}


@dataclass
class Replayed:
    """What the domain decided at each trace, and which rows of the transfer table and ranks it came by."""

    then: dict[str, list] = field(default_factory=dict)
    rows: set = field(default_factory=set)
    ranks: set = field(default_factory=set)


@pytest.fixture(scope="module")
def replayed():
    found = Replayed()
    advance, rules = transfer_table.advance, outlet.RULES

    def watched_advance(mode, trigger):
        found.rows.add((mode, trigger))
        return advance(mode, trigger)

    def watched(rule):
        def speak(state):
            verdict = rule(state)
            if verdict is not None:
                found.ranks.add(verdict.rank)
            return verdict

        return speak

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "advance", watched_advance)
        patch.setattr(outlet, "RULES", (*(watched(rule) for rule in rules), watched(outlet._restore)))
        for trace in TRACES:
            found.then[trace["name"]] = replay(trace)
    return found


@pytest.mark.parametrize("trace", TRACES, ids=[trace["name"] for trace in TRACES])
def test_the_domain_decides_as_the_trace_says(trace, replayed):
    assert replayed.then[trace["name"]] == trace["then"]


def test_every_row_of_the_table_and_every_rank_is_reached(replayed):
    assert replayed.rows == set(TABLE)
    assert replayed.ranks == set(Rank) - {Rank.SCHEDULE}


def test_the_traces_are_those_of_the_scenes():
    assert [trace["name"] for trace in TRACES] == [scene.name for scene in SCENES]
    assert record(SCENES[0])["given"] == TRACES[0]["given"]


def test_every_event_trip_and_rung_is_told_in_a_trace():
    assert {event["code"] for event in said("events")} == set(EventCode) - BESIDE
    assert data("trip") == set(Trip)
    assert data("rung") == {rung.name for rung in LADDER}


def test_outlets_are_shed_for_each_reason_and_come_back():
    assert data("reason") == {"budget", "limit"}
    codes = {event["code"] for event in said("events")}
    assert {"restored", "shed_futile", "over_budget", "within_budget"} <= codes


def test_every_answer_that_the_decision_layer_gives_is_given():
    beside = {
        "expired",
        "other_boot",
        "repeated",
        "retained",
        "malformed",
        "offline",
        "unreported",
        "not_supported",
    }
    assert {code for _, _, code in said("answers")} == {code.value for code in ResultCode} - beside
