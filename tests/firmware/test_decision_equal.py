"""Firmware and domain decide the same: fed with the same random courses, they never differ."""

import os

import pytest
from tests.firmware.decision_course import (
    Course,
    Dim,
    LockedOut,
    Nervous,
    Stubborn,
    Turned,
    Unplugged,
    Warm,
    WrongGrid,
)
from tests.firmware.decision_twin import UNO_BUILD, Build, Twin, drives_of, memory_of, standing_of, told_of

from loadcenter.domain import cycle
from loadcenter.domain.memory import OutletMemory, PduMemory
from loadcenter.domain.outlet import Rank
from loadcenter.domain.pdu import GivenOrder
from loadcenter.domain.qualification import LADDER
from loadcenter.domain.transfer_table import TABLE

STEPS = int(os.environ.get("STEPS", "60000"))
"""In all; the published figure is made with STEPS=1000000."""

COURSES = 12
OTHER_COURSES = 3
FIRST_SEED = int(os.environ.get("SEED", "1"))
RESTART_EVERY = 2500


def play(course: Course, steps: int, *, build: Build = UNO_BUILD, sanitized: bool = False) -> set[str]:
    """Play a course to both and compare after each step; return the codes of what was told."""
    memory = PduMemory((OutletMemory(),) * course.outlets)
    told: set[str] = set()
    state, twin = None, None
    for number in range(steps):
        if number % RESTART_EVERY == 0:  # the supply is cut, and comes back
            memory = memory if state is None else state.memory
            state = cycle.start(memory, course.config, course.now_ms)
            twin = Twin(memory, course.config, course.now_ms, build=build, sanitized=sanitized)
        assert state is not None
        assert twin is not None
        inputs = course.step(state.drives, state.standing)
        orders = [(number * 2 + at & 0xFF, order) for at, order in enumerate(course.orders())]
        given = tuple(GivenOrder(str(key), order) for key, order in orders)
        before = state.emitted
        asked = cycle.PduInputs(**{**fields(inputs), "orders": given})
        state, outputs = cycle.step(state, asked, course.config, course.now_ms)
        twin.step(inputs, orders, course.config, course.now_ms)
        where = f"seed {course.seed}, step {number}, at {course.now_ms} ms"
        events = [told_of(event, before + at) for at, event in enumerate(outputs.events)]
        assert twin.events == events, where
        assert twin.drives == drives_of(state.drives), where
        assert twin.standing == standing_of(state.standing), where
        results = [(int(one.key), one.status.value, one.code.value) for one in outputs.results]
        assert sorted(twin.answers) == sorted(results), where
        assert twin.memory == memory_of(state.memory), where
        told |= {event.code for event in events}
    return told


def fields(inputs: cycle.PduInputs) -> dict[str, object]:
    return {name: getattr(inputs, name) for name in cycle.PduInputs.__dataclass_fields__}


@pytest.fixture(scope="module")
def told() -> set[str]:
    found: set[str] = set()
    for seed in range(FIRST_SEED, FIRST_SEED + COURSES):
        found |= play(Course(seed), STEPS // COURSES)
    for course in (
        Dim(1),
        WrongGrid(1),
        Unplugged(1),
        LockedOut(1),
        Stubborn(1),
        Warm(1),
        Warm(2),
        Turned(1),
    ):
        found |= play(course, 12_000 if isinstance(course, Turned) else 2400)
    for seed in range(12):
        found |= play(Nervous(seed), 2400)
    return found


def test_they_never_differ_and_every_event_was_told(told: set[str]) -> None:
    beside = {
        "boot",
        "settings_applied",
        "settings_refused",
        "command_refused",
        "self_test_failed",
        "link_lost",
        "link_found",
    }
    missing = {code.value for code in cycle.EventCode} - beside - told
    assert missing == set()


def test_every_row_rung_and_rank_was_reached(told: set[str]) -> None:
    rows, rungs, ranks = Twin(PduMemory((OutletMemory(),) * 4), cycle.PduConfig(), 0).coverage
    assert rows == (1 << len(TABLE)) - 1
    assert rungs == (1 << len(LADDER)) - 1
    spoken = [rank for rank in Rank if rank is not Rank.SCHEDULE]
    assert ranks == sum(1 << rank for rank in spoken)


@pytest.mark.parametrize(
    ("build", "supply"),
    [
        (Build(("LOADCENTER_MEGA",), 8), {}),
        (Build(("LOADCENTER_60HZ",)), {"nominal_mv": 120_000, "nominal_mhz": 60_000}),
        (Build(("LOADCENTER_MEGA", "LOADCENTER_60HZ"), 8), {"nominal_mv": 120_000, "nominal_mhz": 60_000}),
    ],
    ids=["eight outlets", "120 V and 60 Hz", "both"],
)
def test_the_builds_for_other_boards_and_grids_never_differ_either(build, supply):
    for seed in range(FIRST_SEED, FIRST_SEED + OTHER_COURSES):
        play(Course(seed, outlets=build.outlets, **supply), STEPS // 20 // OTHER_COURSES, build=build)


def test_no_step_does_what_the_language_leaves_undefined() -> None:
    play(Course(1000 + FIRST_SEED), STEPS // 40, sanitized=True)
