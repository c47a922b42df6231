"""Schedules carried out: decided and given once, through restarts, people, PDUs and databases that are away."""

import contextlib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.fakes.builders import START_MS, Center, result, running, state, status

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.schedules import Act, Cheapest, ClockMoment, Days, Plan, Span
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports import StoreUnavailableError
from loadcenter.services.ports.schedules import MarkKind, PriceRow, RunFilter, RunRow, ScheduleRow
from loadcenter.services.scheduler import Scheduler
from loadcenter.services.schedules import Draft, Schedules
from loadcenter.services.schedules_week import Weeks

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PLACE = OutletId("rack-1", 1)
FIRST = date(2027, 1, 15)  # START_MS is 09:00 of it in Vienna
EVENING = Plan(
    (PLACE,),
    Act.ON,
    Days(FIRST, "FREQ=DAILY"),
    Span(ClockMoment(10 * 60), ClockMoment(12 * 60)),
    "Europe/Vienna",
)
BEGIN, END = START_MS + HOUR, START_MS + 3 * HOUR


def off_state(**changed: Any) -> dict[str, Any]:
    return {"out": [{"n": n, "on": False, "cause": "restore", **changed} for n in (1, 2)]}


class Rig:
    """A control center with the evening schedule, whose PDU is there with everything off."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self.seen = 0

    async def add(self, plan: Plan = EVENING, name: str = "Evening") -> ScheduleRow:
        return await self.center.schedules.add(Draft(name, plan), "ada")

    async def until(self, at_ms: int) -> None:
        """Let time pass, with a look at every instant that the scheduler asks for."""
        center = self.center
        while True:
            away = center.store.away is not None
            with contextlib.suppress(StoreUnavailableError):
                await center.scheduler.look()
            now_ms = center.clock.now_ms()
            if now_ms >= at_ms:
                return
            following_ms = now_ms + 5_000 if away else max(now_ms + 1, center.scheduler._next_ms)
            await center.clock.advance(min(at_ms, following_ms) - now_ms)

    async def answer(self, word: str = "confirmed", code: str = "ok") -> None:
        """Let the PDU answer every order that it has not answered yet."""
        sent = self.center.sent("command")
        for one in sent[self.seen :]:
            await self.center.hear("result", result(one["id"], word, code))
        self.seen = len(sent)

    def orders(self) -> list[tuple[int, bool, str]]:
        return [(one["out"], one["on"], one["by"]) for one in self.center.sent("command")]

    async def runs(self) -> list[tuple[str, str, str]]:
        """Return (edge, result, code) of all runs, the oldest first."""
        rows = await self.center.store.schedules.runs(RunFilter())
        return [(one.key.edge.value, one.past.result.value, one.past.code) for one in reversed(rows)]

    async def switch(self, *, on: bool) -> None:
        await self.center.dispatch.submit("rack-1", Order(Do.SWITCH, 1, on=on, by="ada"), None)

    async def reports(self, **outlet: Any) -> None:
        await self.center.hear("state", state(up_ms=300, **off_state(**outlet)))


@pytest.fixture
async def rig(center: Center) -> Rig:
    await center.greet(**off_state())
    return Rig(center)


async def test_an_occurrence_switches_at_its_beginning_and_its_end(rig: Rig) -> None:
    await rig.add()
    await rig.until(BEGIN - 1)
    assert rig.orders() == []
    await rig.until(BEGIN)
    assert rig.orders() == [(1, True, "schedule:Evening")]
    assert await rig.runs() == [("begin", "sent", "")]
    await rig.answer()
    await rig.until(END)
    await rig.answer()
    await rig.until(END + 2_000)
    assert rig.orders() == [(1, True, "schedule:Evening"), (1, False, "schedule:Evening")]
    assert await rig.runs() == [("begin", "done", ""), ("end", "done", "")]


@pytest.mark.parametrize(
    ("word", "code", "told"),
    [
        ("rejected", "latched", ("begin", "refused", "latched")),
        ("rejected", "already", ("begin", "done", "")),
        ("rejected", "superseded", ("begin", "overridden", "superseded")),
        ("expired", "expired", ("begin", "refused", "expired")),
    ],
)
async def test_the_answer_of_the_pdu_is_the_result(
    rig: Rig, word: str, code: str, told: tuple[str, str, str]
) -> None:
    await rig.add()
    await rig.until(BEGIN)
    await rig.answer(word, code)
    await rig.until(BEGIN + 2_000)
    assert await rig.runs() == [told]


async def test_without_an_answer_it_is_unknown_until_a_late_one_settles_it(rig: Rig) -> None:
    await rig.add()
    await rig.until(BEGIN)
    async with running(rig.center.dispatch.run):
        await rig.center.clock.advance(15_000)
    await rig.until(BEGIN + 30_000)
    assert await rig.runs() == [("begin", "unknown", "")]
    await rig.answer()
    await rig.until(BEGIN + 32_000)
    assert await rig.runs() == [("begin", "done", "")]


async def test_what_the_control_center_refuses_is_told_with_its_code(rig: Rig) -> None:
    await rig.add()
    await rig.reports(lock=True)
    await rig.until(BEGIN + 2_000)
    assert (rig.orders(), await rig.runs()) == ([], [("begin", "refused", "locked")])


async def test_what_is_shed_is_not_switched_on(rig: Rig) -> None:
    await rig.add()
    await rig.reports(cause="shed")
    await rig.until(BEGIN + 2_000)
    assert (rig.orders(), await rig.runs()) == ([], [("begin", "refused", "no_headroom")])


@pytest.mark.parametrize("on", [False, True])
async def test_a_person_takes_over_what_is_running_and_not_the_next_day(rig: Rig, on: bool) -> None:
    await rig.add()
    await rig.until(BEGIN)
    await rig.answer()
    await rig.until(BEGIN + HOUR)
    await rig.reports(on=not on, cause="person_on" if not on else "person_off", by="schedule:Evening")
    await rig.switch(on=on)
    await rig.answer()
    await rig.until(END + 2_000)
    assert await rig.runs() == [
        ("begin", "done", ""),
        ("end", "overridden", "person_on" if on else "person_off"),
    ]
    await rig.reports(cause="person_off", by="ada")
    await rig.until(BEGIN + DAY)
    assert rig.orders()[2:] == [(1, True, "schedule:Evening")]


async def test_an_off_of_what_is_off_already_is_an_intention_too(rig: Rig) -> None:
    await rig.add(Plan((PLACE,), Act.OFF, EVENING.days, EVENING.timing, EVENING.zone))
    await rig.until(BEGIN)
    await rig.answer()
    await rig.reports(cause="person_off", by="bob")
    await rig.switch(on=False)
    await rig.until(END + 2_000)
    assert await rig.runs() == [("begin", "done", ""), ("end", "overridden", "person_off")]


async def test_what_a_person_has_taken_over_is_remembered_over_a_restart(rig: Rig) -> None:
    await rig.add()
    await rig.until(BEGIN)
    await rig.answer()
    await rig.reports(on=True, cause="person_on", by="schedule:Evening")
    await rig.switch(on=False)
    await rig.until(BEGIN + 2_000)
    marks = await rig.center.store.schedules.marks()
    assert [(one.kind, one.place, one.by) for one in marks] == [(MarkKind.PERSON_OFF, PLACE, "ada")]


async def test_a_person_who_comes_before_a_late_run_ends_it(rig: Rig) -> None:
    await rig.add()
    rig.center.store.away = "gone"
    await rig.until(BEGIN + 5_000)
    await rig.switch(on=False)
    rig.center.store.away = None
    await rig.until(BEGIN + 20_000)
    assert [one[1] for one in rig.orders()] == [False]
    assert await rig.runs() == [("begin", "overridden", "person_off")]


async def test_while_the_database_is_away_nothing_is_decided_and_then_it_is_late(rig: Rig) -> None:
    await rig.add()
    await rig.until(BEGIN - 1)
    rig.center.store.away = "gone"
    await rig.until(BEGIN + MINUTE)
    assert rig.orders() == []
    rig.center.store.away = None
    await rig.until(BEGIN + 2 * MINUTE)
    await rig.answer()
    await rig.until(BEGIN + 3 * MINUTE)
    assert await rig.runs() == [("begin", "late", "")]


async def test_it_runs_by_itself_and_says_once_that_it_waits_for_the_database(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.until(BEGIN - 5_000)
    await rig.add()
    rig.center.store.away = "gone"
    async with running(rig.center.scheduler.run):
        await rig.center.clock.advance(7_500)
        assert sum("schedules wait for the database" in one.message for one in caplog.records) == 1
        rig.center.store.away = None
        await rig.center.clock.advance(1_000)
    assert rig.orders() == [(1, True, "schedule:Evening")]


async def test_a_run_waits_for_its_pdu_as_long_as_it_may_be_late(rig: Rig) -> None:
    await rig.add()
    await rig.center.hear("status", status("offline"))
    await rig.until(BEGIN + 10 * MINUTE)
    assert (rig.orders(), await rig.runs()) == ([], [])
    await rig.center.hear("status", status("online"))
    await rig.until(BEGIN + 11 * MINUTE)
    await rig.answer()
    await rig.until(BEGIN + 12 * MINUTE)
    assert await rig.runs() == [("begin", "late", "")]


async def test_a_pdu_that_does_not_come_is_told_as_such(rig: Rig) -> None:
    await rig.add()
    await rig.center.hear("status", status("offline"))
    await rig.until(BEGIN + 16 * MINUTE)
    assert await rig.runs() == [("begin", "refused", "offline")]
    await rig.until(END + 16 * MINUTE)
    assert await rig.runs() == [("begin", "refused", "offline"), ("end", "refused", "offline")]


async def test_a_schedule_that_is_added_while_it_would_run_begins_with_the_next_occurrence(rig: Rig) -> None:
    await rig.until(BEGIN + MINUTE)
    await rig.add()
    await rig.until(END + MINUTE)
    assert (rig.orders(), await rig.runs()) == ([], [])
    await rig.until(BEGIN + DAY)
    assert len(rig.orders()) == 1


async def test_a_disabled_schedule_and_a_skipped_occurrence_switch_nothing(rig: Rig) -> None:
    kept = await rig.add()
    await rig.center.schedules.skip(kept.id, BEGIN, "ada")
    await rig.until(END + MINUTE)
    assert (rig.orders(), await rig.runs()) == ([], [("begin", "skipped", ""), ("end", "skipped", "")])
    await rig.center.schedules.change(kept.id, 1, Draft("Evening", EVENING, enabled=False), "ada")
    await rig.until(END + DAY)
    assert rig.orders() == []


async def test_an_outlet_held_off_is_not_switched_on(rig: Rig) -> None:
    await rig.add()
    await rig.center.schedules.hold(PLACE, "ada")
    await rig.until(BEGIN + MINUTE)
    assert (rig.orders(), await rig.runs()) == ([], [("begin", "refused", "held_off")])


@pytest.mark.parametrize("back_ms", [20_000, HOUR, 10 * DAY])
async def test_a_clock_that_is_set_back_repeats_nothing_and_stops_nothing(rig: Rig, back_ms: int) -> None:
    await rig.add()
    await rig.until(BEGIN)
    await rig.answer()
    rig.center.clock.skew_ms -= back_ms
    await rig.until(BEGIN + 2_000)
    assert len([one for one in rig.orders() if one[1]]) == 1
    await rig.until(END)
    assert [one[1] for one in rig.orders()] == [True, False]


async def test_what_was_missed_by_a_clock_that_was_wrong_still_happens(rig: Rig) -> None:
    await rig.add()
    await rig.until(START_MS + 1)
    rig.center.clock.skew_ms += 5 * HOUR
    await rig.until(START_MS + 5 * HOUR + 2)
    assert await rig.runs() == [("begin", "missed", ""), ("end", "missed", "")]
    rig.center.clock.skew_ms -= 5 * HOUR
    await rig.until(BEGIN)
    assert [one[1] for one in rig.orders()] == [True]


async def test_the_cheapest_hours_are_chosen_when_their_time_begins_and_stay_so(rig: Rig) -> None:
    cheap = Cheapest(16 * 60, HOUR, 6 * HOUR)  # within 10:00 and 16:00
    await rig.center.store.schedules.put_prices([PriceRow(START_MS + 2 * HOUR, START_MS + 3 * HOUR, 5)])
    await rig.center.schedules.load()
    await rig.add(Plan((PLACE,), Act.ON, EVENING.days, cheap, EVENING.zone))
    await rig.until(BEGIN + MINUTE)
    await rig.center.schedules.add_prices("2027-01-15T13:00+00:00,0.000001")
    await rig.until(START_MS + 7 * HOUR)
    spans = [one for one in await rig.center.store.schedules.marks() if one.kind is MarkKind.SPAN]
    assert [(one.start_ms, one.at_ms, one.by) for one in spans] == [
        (START_MS + 2 * HOUR, START_MS + 3 * HOUR, "2027-01-15")
    ]
    assert [one[1] for one in rig.orders()] == [True, False]


async def test_a_choice_made_while_the_database_is_away_is_written_when_it_is_back(rig: Rig) -> None:
    cheap = Cheapest(16 * 60, HOUR, 6 * HOUR)
    await rig.add(Plan((PLACE,), Act.ON, EVENING.days, cheap, EVENING.zone))
    await rig.until(BEGIN - 1)
    rig.center.store.away = "gone"
    await rig.until(BEGIN + MINUTE)
    rig.center.store.away = None
    await rig.until(BEGIN + 2 * MINUTE)
    (mark,) = await rig.center.store.schedules.marks()
    assert (mark.kind, mark.start_ms, mark.at_ms) == (MarkKind.SPAN, BEGIN, BEGIN + HOUR)


async def test_a_schedule_that_cannot_come_about_any_more_is_left_out_and_said(
    center: Center, caplog: pytest.LogCaptureFixture
) -> None:
    for number, zone in enumerate(("Mars/Base", "Europe/Vienna")):
        plan = replace(EVENING, zone=zone)
        row = ScheduleRow(f"s-{number}", f"In {zone}", 1, True, plan, START_MS, START_MS, START_MS, "ada")
        await center.store.schedules.put_schedule(row, 0)
    await center.schedules.load()
    assert [(one.name, one.enabled) for one in center.schedules.rows()] == [
        ("In Europe/Vienna", True),
        ("In Mars/Base", False),
    ]
    assert "schedule 'In Mars/Base' cannot come about and is left out" in caplog.text
    await center.scheduler.look()
    week = await Weeks(center.schedules).between(START_MS, START_MS + DAY)
    assert {one.name for one in week.items} == {"In Europe/Vienna"}


# ---- restarts ---------------------------------------------------------------------------------------------------------


async def restarted(center: Center) -> Scheduler:
    """Return the scheduler of a control center that was started again on the same database."""
    parts = center.schedules
    schedules = Schedules(center.store.schedules, center.clock, center.fleet, parts.almanac, parts._prices)
    await schedules.load()
    return Scheduler(
        schedules, center.store.schedules, center.clock, center.fleet, center.dispatch, center.announcer
    )


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "when", ["before the decision is written", "after it, nothing sent", "after it was sent"]
)
async def test_a_kill_at_any_instant_leaves_one_order(
    center: Center, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    await center.greet(**off_state())
    await center.schedules.add(Draft("Evening", EVENING), "ada")
    await center.scheduler.look()
    await center.clock.advance(BEGIN - START_MS)
    store, submit = center.store.schedules, center.dispatch.submit

    async def killed(*args: Any, **options: Any) -> Any:
        if when == "after it was sent":
            await submit(*args, **options)
        raise Killed

    with monkeypatch.context() as patched:
        if when == "before the decision is written":
            patched.setattr(store, "decide", killed)
        else:
            patched.setattr(center.dispatch, "submit", killed)
        with pytest.raises(Killed):
            await center.scheduler.look()
    second = await restarted(center)
    await second.look()
    await second.look()
    assert [one["on"] for one in center.sent("command")] == [True]
    (run,) = await store.runs(RunFilter())
    assert run.past.result == "sent"
    await center.hear("result", result(center.sent("command")[0]["id"], "confirmed"))
    await second.look()
    (run,) = await store.runs(RunFilter())
    assert run.past.result == "done"


@pytest.mark.parametrize(("sent", "told"), [(False, "missed"), (True, "done")])
async def test_what_was_under_way_too_long_ago_is_told_by_what_became_of_it(
    center: Center, monkeypatch: pytest.MonkeyPatch, sent: bool, told: str
) -> None:
    await center.greet(**off_state())
    await center.schedules.add(Draft("Evening", EVENING), "ada")
    await center.clock.advance(BEGIN - START_MS)
    submit = center.dispatch.submit

    async def killed(*args: Any, **options: Any) -> Any:
        if sent:
            await submit(*args, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(center.dispatch, "submit", killed)
        with pytest.raises(Killed):
            await center.scheduler.look()
    for one in center.sent("command"):
        await center.hear("result", result(one["id"], "confirmed"))
    await center.clock.advance(30 * MINUTE)
    await (await restarted(center)).look()
    (run,) = await center.store.schedules.runs(RunFilter())
    assert run.past.result == told


async def test_runs_of_long_ago_are_forgotten(rig: Rig) -> None:
    await rig.add()
    await rig.until(BEGIN)
    await rig.answer()
    rig.center.clock.skew_ms += 402 * DAY
    await rig.until(rig.center.clock.now_ms())
    rows: list[RunRow] = await rig.center.store.schedules.runs(RunFilter(until_ms=END + 1))
    assert rows == []
