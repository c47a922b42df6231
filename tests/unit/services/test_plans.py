"""Orders for later are given once, at their time, unless something ends them."""

import pytest
from tests.fakes.builders import Center, running, state

from loadcenter.domain.commands import Do, Order, OrderError
from loadcenter.domain.plans import DELAY_S_MOST, StepStatus
from loadcenter.domain.topology import OutletId
from loadcenter.services.plans import Plans

OFF = Order(Do.SWITCH, 1, on=False, by="ada")
ON = Order(Do.SWITCH, 1, on=True, by="ada")


@pytest.fixture
async def ready(center: Center) -> Center:
    await center.greet()
    return center


def restarted(center: Center) -> Plans:
    return Plans(center.store, center.clock, center.fleet, center.dispatch, center.announcer)


def statuses(plans: Plans, plan_id: str) -> list[str]:
    return [step.status.value for step in plans.plan(plan_id).steps]


async def test_a_delayed_order_is_given_at_its_time(ready: Center) -> None:
    plans = ready.deciding.plans
    plan = await plans.add([("rack-1", OFF)], 30_000, 0, "ada")
    assert plans.next_for(OutletId("rack-1", 1)) == plan.steps[0]
    async with running(plans.run):
        await ready.clock.advance(29_000)
        assert ready.sent("command") == []
        await ready.clock.advance(2_000)
    [sent] = ready.sent("command")
    assert (sent["out"], sent["on"], sent["by"]) == (1, False, "ada")
    assert plans.plan(plan.plan_id).steps[0].command_id == sent["id"]
    assert plans.next_for(OutletId("rack-1", 1)) is None


async def test_a_restart_neither_loses_nor_repeats_an_order(ready: Center) -> None:
    plan = await ready.deciding.plans.add(
        [("rack-1", OFF), ("rack-1", Order(Do.SWITCH, 2, on=False))], 1_000, 10_000, "ada"
    )
    async with running(ready.deciding.plans.run):
        await ready.clock.advance(2_000)
    plans = restarted(ready)
    await plans.load()
    async with running(plans.run):
        await ready.clock.advance(30_000)
    assert [one["out"] for one in ready.sent("command")] == [1, 2]
    assert statuses(plans, plan.plan_id) == ["given", "given"]


async def test_an_order_that_is_more_than_a_minute_late_is_missed(ready: Center) -> None:
    plan = await ready.deciding.plans.add([("rack-1", OFF)], 1_000, 0, "ada")
    await ready.clock.advance(120_000)
    plans = restarted(ready)
    await plans.load()
    await plans.look()
    assert statuses(plans, plan.plan_id) == ["missed"]
    assert ready.sent("command") == []


async def test_an_order_is_a_little_late_after_a_short_restart(ready: Center) -> None:
    plan = await ready.deciding.plans.add([("rack-1", OFF)], 1_000, 0, "ada")
    await ready.clock.advance(30_000)
    plans = restarted(ready)
    await plans.load()
    await plans.look()
    assert statuses(plans, plan.plan_id) == ["given"]


async def test_a_persons_off_ends_what_waits_for_that_outlet_and_nothing_else(ready: Center) -> None:
    plans = ready.deciding.plans
    other = Order(Do.SWITCH, 2, on=False, by="ada")
    plan = await plans.add([("rack-1", ON), ("rack-1", other)], 60_000, 0, "ada")
    await ready.dispatch.submit("rack-1", OFF, None)
    assert statuses(plans, plan.plan_id) == ["cancelled", "waiting"]
    assert plans.plan(plan.plan_id).steps[0].detail == "rack-1/1 was switched off by ada"
    later = await plans.add([("rack-1", ON)], 60_000, 0, "ada")
    assert statuses(plans, later.plan_id) == ["waiting"]


async def test_an_off_of_a_plan_does_not_end_the_on_that_follows_it(ready: Center) -> None:
    plans = ready.deciding.plans
    plan = await plans.add([("rack-1", OFF), ("rack-1", ON)], 0, 20_000, "ada")
    async with running(plans.run):
        await ready.clock.advance(5_000)
        out = [
            {"n": 1, "on": False, "cause": "person_off", "by": "ada"},
            {"n": 2, "on": True, "cause": "person_on"},
        ]
        await ready.hear("state", state(up_ms=5_000, out=out, n=1))
        await ready.clock.advance(20_000)
    assert statuses(plans, plan.plan_id) == ["given", "given"]
    assert [one["on"] for one in ready.sent("command")] == [False, True]


async def test_an_order_that_the_pdu_would_refuse_is_refused_at_its_time(ready: Center) -> None:
    plans = ready.deciding.plans
    plan = await plans.add([("rack-1", ON)], 1_000, 0, "ada")
    async with running(plans.run):
        await ready.clock.advance(2_000)
    [step] = plans.plan(plan.plan_id).steps
    assert (step.status, step.detail) == (StepStatus.REFUSED, "Outlet 1 is on already.")


async def test_while_the_database_is_away_orders_wait(ready: Center) -> None:
    plans = ready.deciding.plans
    await plans.add([("rack-1", OFF)], 1_000, 0, "ada")
    async with running(plans.run):
        ready.store.away = "disk full"
        await ready.clock.advance(5_000)
        assert ready.sent("command") == []
        ready.store.away = None
        await ready.clock.advance(1_000)
        assert len(ready.sent("command")) == 1


async def test_a_set_clock_does_not_shorten_a_delay(ready: Center) -> None:
    plans = ready.deciding.plans
    await plans.add([("rack-1", OFF)], 60_000, 0, "ada")
    async with running(plans.run):
        ready.clock.skew_ms += 3_600_000
        await ready.clock.advance(50_000)
        assert ready.sent("command") == []
        await ready.clock.advance(11_000)
        assert len(ready.sent("command")) == 1


async def test_plans_are_bounded(ready: Center) -> None:
    plans = ready.deciding.plans
    with pytest.raises(OrderError, match="1 to 200"):
        await plans.add([], 0, 0, "ada")
    with pytest.raises(OrderError, match="within"):
        await plans.add([("rack-1", OFF)], (DELAY_S_MOST + 1) * 1000, 0, "ada")
    for _ in range(105):
        plan = await plans.add([("rack-1", OFF)], 0, 0, "ada")
        await plans.cancel(plan.plan_id, "ada")
    await plans.look()
    assert len(plans.all()) == 100


async def test_the_same_key_gives_the_same_plan(ready: Center) -> None:
    plans = ready.deciding.plans
    first = await plans.add([("rack-1", OFF)], 60_000, 0, "ada", "key")
    assert await plans.add([("rack-1", OFF)], 60_000, 0, "ada", "key") == first
    assert len(plans.all()) == 1
    again = restarted(ready)
    await again.load()
    assert await again.add([("rack-1", OFF)], 60_000, 0, "ada", "key") == first
    with pytest.raises(OrderError, match="other orders"):
        await plans.add([("rack-1", ON)], 60_000, 0, "ada", "key")
