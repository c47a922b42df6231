"""Stories of schedules with a virtual PDU that decides for itself, and the services of the control center, in virtual time.

Orders go through the contract, payloads down and up. Asserted are what became of each run, why the outlet is as it is, and
how often its relay has moved.
"""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from tests.fakes.builders import START_MS, Center, running

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.origin import cause_of
from loadcenter.domain.schedules import Act, ClockMoment, Days, Plan, Span
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.topology import OutletId, Source
from loadcenter.services.ports import Message
from loadcenter.services.ports.schedules import RunFilter, ScheduleRow
from loadcenter.services.scheduler import Scheduler
from loadcenter.services.schedules import Draft, Schedules
from loadcenter.simulator import mains
from loadcenter.simulator.loads import Conditions, Draw
from loadcenter.simulator.pdu import PduSpec, VirtualPdu

PLACE = OutletId("rack-1", 1)
TODAY = date(2027, 1, 15)
NINE = 9 * 60
"""The clock of the site shows 09:00 when a story begins; each of its minutes is a minute of that clock."""


class Steady:
    """A load of 230 W."""

    def draw(self, at: Conditions) -> Draw:
        return Draw(at.voltage_mv, 1_000)


class Story:
    """One PDU with two outlets that are off, and its control center."""

    def __init__(self, center: Center) -> None:
        self.center = center
        config = PduConfig(outlets=(OutletConfig(),) * 2)
        self.pdu = VirtualPdu(
            PduSpec("rack-1", [Steady(), Steady()], config, step_ms=100), 1, center.clock.now_ms()
        )
        self.connected = True
        self.scheduler: Scheduler | None = center.scheduler
        self.moves = 0
        self._carried = 0
        self._time_ms = center.clock.now_ms()

    async def begin(self) -> None:
        await self._hear(self.pdu.connected(self._time_ms))
        await self.run(4)
        for number in (1, 2):
            await self.person(on=False, number=number)
        await self.run(3)
        self.moves = 0

    async def run(self, seconds: int) -> None:
        for _ in range(seconds):
            await self._carry()
            before = self.pdu.state.drives.outlets[0]
            self._time_ms += 1_000
            await self._hear(self.pdu.advance(self._time_ms))
            self.moves += self.pdu.state.drives.outlets[0] is not before
            await self.center.clock.advance(1_000)
            if self.scheduler is not None:
                await self.scheduler.look()

    async def until(self, minute: int, second: int = 3) -> None:
        """Run until so many minutes after nine, as the monotonic clock has it."""
        await self.run((START_MS + minute * 60_000 + second * 1_000 - self._time_ms) // 1_000)

    async def add(
        self, begin: int, end: int | None = None, act: Act = Act.ON, name: str = "Story"
    ) -> ScheduleRow:
        span = Span(ClockMoment(NINE + begin), None if end is None else ClockMoment(NINE + end))
        off_ms = 5_000 if act is Act.CYCLE else None
        plan = Plan((PLACE,), act, Days(TODAY, "FREQ=DAILY"), span, "Europe/Vienna", off_ms)
        return await self.center.schedules.add(Draft(name, plan), "ada")

    async def person(self, *, on: bool, number: int = 1) -> None:
        await self.center.dispatch.submit("rack-1", Order(Do.SWITCH, number, on=on, by="ada"), None)

    async def order(self, do: Do, *, on: bool | None = None) -> None:
        await self.center.dispatch.submit("rack-1", Order(do, 1, on=on, by="ada"), None)

    async def restart(self) -> None:
        """Start the control center again on the same database."""
        old, center = self.center.schedules, self.center
        schedules = Schedules(center.store.schedules, center.clock, center.fleet, old.almanac, old._prices)
        await schedules.load()
        self.scheduler = Scheduler(
            schedules, center.store.schedules, center.clock, center.fleet, center.dispatch, center.announcer
        )

    async def cut(self) -> None:
        """Cut the network of the PDU; the broker publishes its will."""
        self.pdu.disconnected(self._time_ms)
        self.connected = False
        await self.center.fleet.take(Message(self.pdu.will.topic, self.pdu.will.payload, False))

    async def mend(self) -> None:
        self.connected = True
        await self._hear(self.pdu.connected(self._time_ms))

    @property
    def on(self) -> bool:
        return self.pdu.state.drives.outlets[0]

    @property
    def cause(self) -> str:
        state = self.center.fleet.twin("rack-1").outlet_state(1)
        assert state is not None
        return cause_of(state.cause, state.by, on=state.on).value

    async def told(self) -> list[str]:
        rows = await self.center.store.schedules.runs(RunFilter())
        return [f"{one.key.edge} {one.past.result} {one.past.code}".rstrip() for one in reversed(rows)]

    async def _hear(self, messages: object) -> None:
        for one in messages:
            if self.connected:
                await self.center.fleet.take(Message(one.topic, one.payload, False))

    async def _carry(self) -> None:
        log = self.center.broker.log
        for one in log[self._carried :]:
            if "/rack-1/down/" in one.topic and self.connected:
                await self._hear(self.pdu.receive(one.topic, one.payload, False, self._time_ms))
        self._carried = len(log)


@pytest.fixture
async def story() -> AsyncIterator[Story]:
    center = await Center().open("rack-1")
    made = Story(center)
    async with running(center.dispatch.run):
        await made.begin()
        yield made


async def test_on_for_a_minute(story: Story) -> None:
    await story.add(1, 2)
    await story.until(1)
    assert (story.on, story.cause) == (True, "schedule")
    await story.until(2)
    assert (story.on, story.cause, story.moves) == (False, "schedule", 2)
    assert await story.told() == ["begin done", "end done"]


async def test_a_person_switches_off_in_the_middle_and_tomorrow_is_another_day(story: Story) -> None:
    await story.add(1, 3)
    await story.until(2)
    await story.person(on=False)
    await story.until(3)
    assert (story.on, story.cause, story.moves) == (False, "person_off", 2)
    assert await story.told() == ["begin done", "end overridden person_off"]
    await story.add(4, name="Another")
    await story.until(4)
    assert (story.on, story.cause, story.moves) == (True, "schedule", 3)


async def test_a_person_who_switches_it_off_and_on_again_keeps_it_on(story: Story) -> None:
    await story.add(1, 3)
    await story.until(1, 20)
    await story.person(on=False)
    await story.run(5)
    await story.person(on=True)
    await story.until(3)
    assert (story.on, story.cause, story.moves) == (True, "person_on", 3)


async def test_a_locked_outlet_is_left_alone(story: Story) -> None:
    await story.order(Do.LOCK, on=True)
    await story.add(1, 2)
    await story.until(2)
    assert (story.on, story.moves) == (False, 0)
    assert await story.told() == ["begin refused locked", "end refused locked"]


async def test_an_outlet_held_off_is_not_switched_on_until_it_is_released(story: Story) -> None:
    await story.center.schedules.hold(PLACE, "ada")
    await story.add(1, name="First")
    await story.until(1)
    assert (story.on, story.moves) == (False, 0)
    await story.center.schedules.release(PLACE)
    await story.add(2, name="Second")
    await story.until(2)
    assert (story.on, story.moves) == (True, 1)


async def test_the_server_is_dead_over_the_end_which_comes_late(story: Story) -> None:
    await story.add(1, 2)
    await story.until(1)
    story.scheduler = None
    await story.until(4)
    assert story.on
    await story.restart()
    await story.run(5)
    assert (story.on, story.moves) == (False, 2)
    assert await story.told() == ["begin done", "end late"]


async def test_the_server_is_dead_through_all_of_it(story: Story) -> None:
    await story.add(1, 2)
    story.scheduler = None
    await story.until(3)
    await story.restart()
    await story.run(5)
    assert (story.on, story.moves) == (False, 0)
    assert await story.told() == ["begin missed over", "end missed over"]


async def test_the_network_of_the_pdu_is_cut_over_the_beginning(story: Story) -> None:
    await story.add(1, 4)
    await story.cut()
    await story.until(2)
    assert await story.told() == []
    await story.mend()
    await story.run(10)
    assert (story.on, story.moves) == (True, 1)
    assert await story.told() == ["begin late"]


@pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(hours=3)])
async def test_the_clock_is_set_back_in_the_middle(story: Story, back: timedelta) -> None:
    await story.add(1, 5)
    await story.until(2)
    story.center.clock.skew_ms -= round(back.total_seconds() * 1000)
    await story.run(150)
    assert (story.on, story.moves) == (True, 1)
    assert await story.told() == ["begin done"]


async def test_the_clock_jumps_over_all_of_it(story: Story) -> None:
    await story.add(30, 40)
    story.center.clock.skew_ms += 2 * 3_600_000
    await story.run(5)
    assert (story.on, story.moves) == (False, 0)
    assert await story.told() == ["begin missed", "end missed"]


async def test_the_main_source_fails_in_the_middle(story: Story) -> None:
    await story.add(1, 2)
    await story.until(1)
    story.pdu.plant.supplies[Source.MAIN].disturb(mains.Disturbance(0), story.pdu.now_ms)
    story.pdu.plant.touch()
    await story.until(2)
    assert (story.on, story.moves) == (False, 2)
    assert await story.told() == ["begin done", "end done"]


async def test_both_sources_are_away_at_the_beginning_and_it_closes_when_one_returns(story: Story) -> None:
    await story.add(1, 3)
    for source in Source:
        story.pdu.plant.supplies[source].disturb(mains.Disturbance(0), story.pdu.now_ms)
    story.pdu.plant.touch()
    await story.until(1, 30)
    assert not story.on
    for source in Source:
        story.pdu.plant.supplies[source].disturb(mains.Disturbance(1_000), story.pdu.now_ms)
    story.pdu.plant.touch()
    await story.until(2, 30)
    assert (story.on, story.moves) == (True, 1)
    await story.until(3)
    assert (story.on, story.moves) == (False, 2)


async def test_one_schedule_hands_over_to_another_without_a_switching(story: Story) -> None:
    await story.add(1, 2, name="First")
    await story.add(2, 3, name="Second")
    await story.until(2, 20)
    assert (story.on, story.moves) == (True, 1)
    await story.until(3)
    assert (story.on, story.moves) == (False, 2)
    assert await story.told() == ["begin done", "begin done", "end overridden superseded", "end done"]


async def test_a_longer_schedule_keeps_what_a_shorter_one_would_end(story: Story) -> None:
    await story.add(1, 4, name="Long")
    await story.add(2, 3, name="Short")
    await story.until(3, 20)
    assert (story.on, story.moves) == (True, 1)
    await story.until(4)
    assert (story.on, story.moves) == (False, 2)


async def test_a_power_cycle_by_schedule(story: Story) -> None:
    await story.person(on=True)
    await story.run(3)
    await story.add(1, act=Act.CYCLE)
    await story.until(1, 12)
    assert (story.on, story.moves) == (True, 3)
    assert await story.told() == ["begin done"]


async def test_an_outlet_that_is_on_already_is_as_it_shall_be(story: Story) -> None:
    await story.person(on=True)
    await story.run(3)
    await story.add(1, 2)
    await story.until(2)
    assert (story.on, story.moves) == (False, 2)
    assert await story.told() == ["begin done", "end done"]
