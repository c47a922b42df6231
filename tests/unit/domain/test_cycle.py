from dataclasses import replace
from itertools import pairwise

import pytest
from tests.unit.domain.bench import NOMINAL_MV, Bench

from loadcenter.domain import cycle
from loadcenter.domain.commands import Do
from loadcenter.domain.events import Cause
from loadcenter.domain.memory import OutletMemory, PduMemory
from loadcenter.domain.outlet import RULES, OutletState, Rank, arbitrate
from loadcenter.domain.protection import Latch, Trip
from loadcenter.domain.settings import OutletConfig, PduConfig, PowerOn

ALL_ON = (True,) * 4
LATCH = Latch(Trip.OVERCURRENT, 6200, 4000, 2000)


def cause(bench, outlet):
    return cycle.snapshot(bench.state).outlets[outlet - 1].cause


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def tripped(bench):
    bench.loads_ma[1] = 6200
    bench.run(3000)
    bench.loads_ma[1] = 500
    bench.run(100)
    return bench


# -- start and sequence


def test_outlets_close_one_after_the_other_after_start():
    bench = Bench(settled=False).run(3000)
    times = [at_ms for at_ms, event in bench.told if event.code == "switched"]
    assert [event.outlet for event in bench.events("switched")] == [1, 2, 3, 4]
    assert all(after - at >= 250 for at, after in pairwise(times))
    assert {event.cause for event in bench.events("switched")} == {Cause.RESTORE}


def test_nothing_closes_before_the_bus_is_live():
    bench = Bench(settled=False)
    bench.main.voltage_mv = bench.backup.voltage_mv = 0
    bench.run(5000)
    assert not any(bench.on())


def test_policies_decide_what_is_on_after_start():
    policies = (PowerOn.ALWAYS_ON, PowerOn.ALWAYS_OFF, PowerOn.LAST_STATE, PowerOn.LAST_STATE)
    config = PduConfig(tuple(OutletConfig(power_on=policy) for policy in policies))
    off = OutletMemory(wanted=False, cause=Cause.PERSON_OFF, by="anna")
    bench = Bench(config, PduMemory((off, OutletMemory(), off, OutletMemory())))
    assert bench.on() == (True, False, False, True)
    assert cause(bench, 3) is Cause.PERSON_OFF


def test_at_rest_the_same_state_comes_back(bench):
    inputs = bench.measured()
    state, outputs = cycle.step(bench.state, inputs, bench.config, bench.now_ms + 20)
    assert state is bench.state
    assert (outputs.events, outputs.results) == ((), ())


# -- orders


def test_a_relay_that_becomes_too_hot_at_rest_trips_in_the_same_step():
    settings = OutletConfig(limit_ma=10_000, curve_ma=10_000)
    memory = PduMemory((OutletMemory(heat_pct=75),) * 4)
    bench = Bench(PduConfig(outlets=(settings,) * 4), memory)
    bench.loads_ma = [5000, 0, 0, 0]
    bench.run(1000)
    while not bench.told:
        assert not bench.state.outlets[0].guard.heat.trips
        bench.run(20)
    assert bench.events("trip")[0].data["trip"] == "thermal"


def test_a_person_switches_off_and_on(bench):
    off = bench.order(Do.SWITCH, 2, on=False)
    bench.run(200)
    assert bench.on() == (True, False, True, True)
    assert cause(bench, 2) is Cause.PERSON_OFF
    on = bench.order(Do.SWITCH, 2, on=True)
    bench.run(400)
    assert bench.on() == ALL_ON
    assert bench.answers(off) == bench.answers(on) == ["accepted ok", "confirmed ok"]
    assert [(event.data["on"], event.data["by"]) for event in bench.events("switched")] == [
        (False, "anna"),
        (True, "anna"),
    ]


def test_a_power_cycle_of_an_outlet_pauses_and_returns(bench):
    key = bench.order(Do.CYCLE, 3, off_ms=1000)
    bench.run(500)
    assert bench.on() == (True, True, False, True)
    assert bench.answers(key) == ["accepted ok"]
    bench.run(700)
    assert bench.on() == ALL_ON
    assert bench.answers(key) == ["accepted ok", "confirmed ok"]


def test_a_persons_off_ends_a_power_cycle_under_way(bench):
    cycled = bench.order(Do.CYCLE, 3, off_ms=1000)
    bench.run(500)
    bench.order(Do.SWITCH, 3, on=False)
    bench.run(5000)
    assert bench.on() == (True, True, False, True)
    assert bench.answers(cycled) == ["accepted ok", "rejected superseded"]


def test_a_persons_on_ends_the_pause_of_a_power_cycle_at_once(bench):
    bench.order(Do.CYCLE, 3, off_ms=60_000)
    bench.run(500)
    bench.order(Do.SWITCH, 3, on=True)
    bench.run(100)
    assert bench.on() == ALL_ON


def test_a_persons_off_ends_the_wait_for_a_turn():
    bench = Bench(PduConfig(sequence_ms=2000), settled=False).run(1000)
    assert bench.on() == (True, False, False, False)
    bench.order(Do.SWITCH, 3, on=False)
    bench.run(10_000)
    assert bench.on() == (True, True, False, True)


def test_a_persons_off_during_an_outage_holds_when_the_bus_returns(bench):
    bench.main.voltage_mv = bench.backup.voltage_mv = 0
    bench.run(1000)
    key = bench.order(Do.SWITCH, 1, on=False)
    bench.run(200)
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(5000)
    assert bench.on() == (False, True, True, True)
    assert bench.answers(key)[-1] == "confirmed ok"


def test_a_persons_on_during_an_outage_is_confirmed_when_it_is_seen(bench):
    bench.order(Do.SWITCH, 1, on=False)
    bench.run(200)
    bench.main.voltage_mv = bench.backup.voltage_mv = 0
    bench.run(1000)
    key = bench.order(Do.SWITCH, 1, on=True)
    bench.run(1000)
    assert bench.answers(key) == ["accepted ok"]
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(5000)
    assert bench.on() == ALL_ON
    assert bench.answers(key) == ["accepted ok", "confirmed ok"]


def test_an_off_through_a_welded_relay_is_not_confirmed(bench):
    bench.welded = {2}
    key = bench.order(Do.SWITCH, 2, on=False)
    bench.run(1000)
    assert bench.answers(key) == ["accepted ok", "rejected not_confirmed"]
    [event] = bench.events("relay_welded")
    assert (event.outlet, event.data["i_ma"], event.cause) == (2, 500, Cause.PERSON_OFF)


def test_a_later_order_takes_the_place_of_an_earlier_one(bench):
    first = bench.order(Do.SWITCH, 2, on=False)
    bench.run(20)
    second = bench.order(Do.SWITCH, 2, on=True)
    bench.run(500)
    assert bench.answers(first) == ["accepted ok", "rejected superseded"]
    assert bench.answers(second) == ["accepted ok", "confirmed ok"]


def test_several_orders_of_one_step_are_taken_in_turn(bench):
    keys = [bench.order(Do.SWITCH, outlet, on=False) for outlet in (1, 2, 3)]
    keys.append(bench.order(Do.SWITCH, 1, on=True))
    bench.run(500)
    assert [bench.answers(key)[-1] for key in keys] == [
        "rejected superseded",
        "confirmed ok",
        "confirmed ok",
        "confirmed ok",
    ]
    assert bench.on() == (True, False, False, True)


def test_a_refused_order_changes_nothing(bench):
    before = bench.state
    key = bench.order(Do.SWITCH, 9, on=True)
    bench.run(20)
    assert bench.answers(key) == ["rejected no_such_outlet"]
    assert bench.state.outlets == before.outlets
    assert bench.told == []


# -- protection


def test_a_trip_opens_and_latches_with_its_numbers(bench):
    bench.loads_ma[1] = 6200
    start_ms = bench.now_ms + bench.step_ms
    bench.run(3000)
    [(at_ms, event)] = bench.told
    assert at_ms - start_ms == 2000
    assert (event.code, event.outlet, event.cause) == ("trip", 2, Cause.PROTECTION)
    assert event.data == {"trip": "overcurrent", "i_ma": 6200, "limit_ma": 4000, "limit_ms": 2000}
    assert bench.on() == (True, False, True, True)


def test_a_tripped_outlet_is_not_switched_on_before_a_person_resets_it(tripped):
    refused = tripped.order(Do.SWITCH, 2, on=True)
    refused_cycle = tripped.order(Do.CYCLE, 2, off_ms=1000)
    tripped.run(2000)
    assert tripped.answers(refused) == tripped.answers(refused_cycle) == ["rejected latched"]
    reset = tripped.order(Do.RESET_TRIP, 2)
    tripped.run(2000)
    assert tripped.answers(reset) == ["accepted ok", "confirmed ok"]
    assert not tripped.on()[1], "a reset does not switch on"
    tripped.order(Do.SWITCH, 2, on=True)
    tripped.run(500)
    assert tripped.on() == ALL_ON
    assert tripped.events("trip_reset")[0].data["by"] == "anna"


def test_what_a_fault_drew_does_not_keep_the_outlet_off_for_want_of_headroom():
    bench = Bench()
    bench.loads_ma[1] = 12_000
    bench.run(3000)
    assert not bench.on()[1]
    bench.loads_ma = [3000, 500, 3000, 3000]  # no room for 12 A within the budget of 16 A
    bench.order(Do.RESET_TRIP, 2)
    bench.run(500)
    closed = bench.order(Do.SWITCH, 2, on=True)
    bench.run(500)
    assert bench.answers(closed) == ["accepted ok", "confirmed ok"]


@pytest.mark.parametrize("policy", PowerOn)
def test_a_latch_outlives_the_supply_under_every_policy(policy):
    config = PduConfig((OutletConfig(power_on=policy),) * 2)
    memory = PduMemory((OutletMemory(latch=LATCH), OutletMemory()))
    bench = Bench(config, memory)
    for _ in range(3):
        bench.power_cycle().run(5000)
        assert not bench.on()[0]
        assert cause(bench, 1) is Cause.PROTECTION


def test_a_trip_ends_the_orders_under_way(bench):
    bench.loads_ma[2] = 6200
    bench.run(1980)
    key = bench.order(Do.SWITCH, 3, on=False)
    again = bench.order(Do.SWITCH, 3, on=True)
    bench.run(20)
    assert bench.answers(key)[-1] == "rejected superseded"
    assert not bench.events("trip")
    bench.run(40)
    assert bench.answers(again)[-1] == "rejected latched"


def test_a_locked_outlet_still_trips(bench):
    bench.order(Do.LOCK, 2, on=True)
    bench.loads_ma[1] = 6200
    bench.run(3000)
    assert not bench.on()[1]


# -- lock


@pytest.mark.parametrize(
    ("do", "fields"), [(Do.SWITCH, {"on": False}), (Do.SWITCH, {"on": True}), (Do.CYCLE, {"off_ms": 1000})]
)
def test_a_locked_outlet_refuses_to_be_switched(bench, do, fields):
    locked = bench.order(Do.LOCK, 1, on=True)
    bench.run(100)
    refused = bench.order(do, 1, **fields)
    bench.run(2000)
    assert bench.answers(locked)[-1] == "confirmed ok"
    assert bench.answers(refused) == ["rejected locked"]
    assert bench.on() == ALL_ON
    assert cause(bench, 1) is Cause.LOCK


def test_an_unlocked_outlet_can_be_switched_again(bench):
    bench.order(Do.LOCK, 1, on=True)
    bench.run(100)
    bench.order(Do.LOCK, 1, on=False)
    bench.order(Do.SWITCH, 1, on=False)
    bench.run(100)
    assert not bench.on()[0]


def test_a_lock_in_the_pause_of_a_power_cycle_keeps_the_outlet_off(bench):
    cycled = bench.order(Do.CYCLE, 1, off_ms=1000)
    bench.run(200)
    bench.order(Do.LOCK, 1, on=True)
    bench.run(5000)
    assert not bench.on()[0]
    assert bench.answers(cycled)[-1] == "rejected superseded"


def test_a_lock_holds_through_a_loss_of_supply(bench):
    bench.order(Do.SWITCH, 2, on=False)
    bench.run(100)
    bench.order(Do.LOCK, 1, on=True)
    bench.order(Do.LOCK, 2, on=True)
    bench.run(100)
    bench.power_cycle().run(5000)
    assert bench.on()[:2] == (True, False)
    assert [one.locked for one in cycle.snapshot(bench.state).outlets[:2]] == [True, True]


# -- the bus


def test_an_outage_opens_everything_and_its_end_closes_in_turn(bench):
    bench.main.voltage_mv = bench.backup.voltage_mv = 0
    bench.run(1000)
    assert not any(bench.on())
    [outage] = bench.events("outage")
    assert outage.data == {"main_mv": 0, "backup_mv": 0, "isolator": "closed"}
    bench.forget()
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(300)
    assert 0 < sum(bench.on()) < 4
    bench.run(1000)
    assert bench.on() == ALL_ON
    [end] = bench.events("outage_end")
    assert end.data["outage_ms"] == 1000
    assert bench.events("switched") == [], "the end of the outage says it"


def test_a_transfer_is_no_outage(bench):
    bench.order(Do.TRANSFER, source=cycle.snapshot(bench.state).active.other)
    bench.run(1000)
    assert bench.codes() == ["transfer"]
    assert bench.on() == ALL_ON


# -- rules


def states():
    return {
        "latched": OutletState(OutletMemory(latch=LATCH, locked=True, cause=Cause.PERSON_OFF)),
        "locked": OutletState(OutletMemory(wanted=False, locked=True, cause=Cause.PERSON_ON)),
        "off": OutletState(OutletMemory(wanted=False, cause=Cause.PERSON_OFF)),
        "on": OutletState(OutletMemory(cause=Cause.PERSON_ON)),
        "restored": OutletState(OutletMemory()),
    }


def test_ranks_follow_each_other_as_the_essay_says():
    assert [rank.name for rank in sorted(Rank)] == [
        "PROTECTION",
        "LOCK_OR_PERSON_OFF",
        "SHED",
        "PERSON_ON",
        "SCHEDULE",
        "RESTORE",
    ]
    ranks = [verdict.rank for verdict in (arbitrate(state) for state in states().values())]
    assert ranks == sorted(ranks)


def test_a_later_rule_never_overrides_an_earlier_one():
    for state in states().values():
        opinions = [verdict for rule in RULES if (verdict := rule(state)) is not None]
        if opinions:
            assert arbitrate(state) == min(opinions, key=lambda verdict: verdict.rank)


def test_what_survives_a_loss_of_supply_is_named(bench):
    assert bench.state.memory == PduMemory(tuple(outlet.memory for outlet in bench.state.outlets))


def test_a_new_limit_counts_at_once(bench):
    bench.config = replace(bench.config, outlets=(OutletConfig(limit_ma=400, limit_ms=100),) * 4)
    bench.run(200)
    assert bench.codes() == ["trip"] * 4


# -- times of the design, to the millisecond


def test_a_bus_that_is_dead_for_100_ms_is_an_outage():
    bench = Bench(step_ms=1)
    bench.main.voltage_mv = bench.backup.voltage_mv = 0
    bench.run(100)
    assert all(bench.on())
    bench.run(1)
    assert not any(bench.on())


def test_an_off_whose_effect_is_not_seen_ends_after_300_ms():
    bench = Bench(step_ms=1)
    bench.welded = {1}
    key = bench.order(Do.SWITCH, 1, on=False)
    bench.run(300)
    assert bench.answers(key) == ["accepted ok"]
    bench.run(1)
    assert bench.answers(key) == ["accepted ok", "rejected not_confirmed"]
