from dataclasses import replace
from itertools import pairwise

import pytest
from tests.unit.domain.bench import Bench

from loadcenter.domain.commands import Do
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.topology import Source


def config(*priorities, **fields):
    outlets = tuple(OutletConfig(priority=one, limit_ma=10_000, curve_ma=10_000) for one in priorities)
    return PduConfig(outlets=outlets, **fields)


def sheds(bench):
    return [(event.outlet, event.data["reason"]) for event in bench.events("shed")]


def test_over_its_budget_for_a_second_a_source_loses_the_lowest_priority():
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=6000))
    bench.loads_ma = [2000, 2000, 2000, 500]
    bench.run(980)
    assert sheds(bench) == []
    bench.run(60)
    assert sheds(bench) == [(4, "budget")]
    assert bench.on() == (True, True, True, False)
    bench.run(5000)
    assert sheds(bench) == [(4, "budget")]
    [event] = bench.events("shed")
    assert (event.data["total_ma"], event.data["budget_ma"], event.cause) == (6500, 6000, "shed")


def test_far_over_its_budget_it_waits_a_tenth_of_a_second_and_sheds_on_every_300_ms():
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=2000))
    bench.loads_ma = [1500, 1500, 1500, 1500]
    bench.run(1000)
    at_ms = [at for at, event in bench.told if event.code == "shed"]
    assert [event.outlet for event in bench.events("shed")] == [4, 3, 2]
    assert [later - earlier for earlier, later in pairwise(at_ms)] == [300, 300]


def test_an_outlet_that_draws_nothing_a_locked_and_a_protected_one_are_passed_by():
    settings = config(1, 2, 3, 4, budget_main_ma=3200)
    outlets = (*settings.outlets[:2], replace(settings.outlets[2], protected=True), settings.outlets[3])
    bench = Bench(replace(settings, outlets=outlets))
    bench.loads_ma = [1500, 1500, 1500, 100]
    bench.run(1500)
    assert sheds(bench) == [(2, "budget")]


def test_with_only_protected_outlets_left_it_is_told_once_and_again_when_it_is_over():
    settings = config(1, 1, 1, 1, budget_main_ma=2500)
    bench = Bench(replace(settings, outlets=tuple(replace(one, protected=True) for one in settings.outlets)))
    bench.loads_ma = [2000, 1000, 0, 0]
    bench.run(5000)
    assert bench.codes() == ["over_budget"]
    bench.loads_ma = [2000, 0, 0, 0]
    bench.run(100)
    assert bench.codes() == ["over_budget", "within_budget"]


def test_shedding_stops_when_the_total_does_not_fall():
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=3000))
    bench.welded = {4, 3}
    bench.loads_ma = [1000, 1000, 1000, 1000]
    bench.run(3000)
    assert sheds(bench) == [(4, "budget")]
    assert len(bench.events("shed_futile")) == 1


def test_power_counts_as_current_does():
    bench = Bench(config(1, 2, 3, 4, budget_main_mw=500_000))
    bench.power_factor_permille = 1000
    bench.loads_ma = [1000, 1000, 1000, 0]
    bench.run(2000)
    assert sheds(bench) == [(3, "budget")]


def test_back_comes_the_highest_priority_first_one_at_a_time_with_room_to_spare():
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=4000, restore_delay_s=10, min_off_s=1))
    bench.loads_ma = [3000, 1000, 1000, 1000]
    bench.run(3000)
    assert sheds(bench) == [(4, "budget"), (3, "budget")]
    bench.loads_ma[0] = 500
    bench.run(8000)
    assert bench.events("restored") == []
    bench.run(2000)
    assert [event.outlet for event in bench.events("restored")] == [3]
    bench.run(12_000)
    assert [event.outlet for event in bench.events("restored")] == [3]  # 2.5 A + 1.5 A is over nine tenths
    bench.loads_ma[0] = 0
    bench.run(12_000)
    assert [event.outlet for event in bench.events("restored")] == [3, 4]


def test_what_a_person_switches_off_meanwhile_stays_off():
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=3000, restore_delay_s=1, min_off_s=0))
    bench.loads_ma = [2500, 0, 0, 1000]
    bench.run(2000)
    key = bench.order(Do.SWITCH, 4, on=False)
    bench.loads_ma[0] = 100
    bench.run(60_000)
    assert bench.answers(key)[-1] == "confirmed ok"
    assert bench.on()[3] is False
    assert bench.events("restored") == []


def test_a_person_is_told_when_there_is_no_headroom_and_served_when_there_is():
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=3000, restore_delay_s=3600))
    bench.loads_ma = [2500, 0, 0, 1000]
    bench.run(2000)
    refused = bench.order(Do.SWITCH, 4, on=True)
    bench.run(100)
    assert bench.answers(refused) == ["rejected no_headroom"]
    bench.loads_ma[0] = 1000
    bench.run(100)
    taken = bench.order(Do.SWITCH, 4, on=True)
    bench.run(200)
    assert bench.answers(taken)[-1] == "confirmed ok"
    assert bench.on()[3] is True


def test_with_a_transfer_the_other_sources_budget_is_kept_in_the_same_cycle():
    bench = Bench(config(1, 2, 3, 4, budget_backup_ma=2000))
    bench.loads_ma = [900, 900, 900, 900]
    bench.run(3000)
    assert bench.state.standing.shed == (3, 4)
    bench.main.voltage_mv = 0
    bench.run(20)
    assert bench.active is Source.BACKUP
    assert bench.on() == (True, True, False, False)
    assert sheds(bench) == [(3, "budget"), (4, "budget")]


def test_after_an_outage_outlets_close_by_priority_and_only_within_the_budget():
    bench = Bench(config(4, 3, 2, 1, budget_backup_ma=2000))
    bench.loads_ma = [900, 900, 900, 900]
    bench.run(3000)
    bench.main.voltage_mv = bench.backup.voltage_mv = 0
    bench.run(1000)
    bench.forget()
    bench.backup.voltage_mv = 230_000
    bench.run(3000)
    assert bench.on() == (False, False, True, True)
    assert sheds(bench) == [(2, "budget"), (1, "budget")]


@pytest.mark.parametrize("seconds", [60, 600])
def test_nothing_more_happens_while_nothing_changes(seconds):
    bench = Bench(config(1, 2, 3, 4, budget_main_ma=3000, restore_delay_s=5, min_off_s=0))
    bench.loads_ma = [2800, 1000, 1000, 1000]
    bench.step_ms = 100
    bench.run(seconds * 1000)
    assert len(bench.events("shed")) == 3
    assert bench.events("restored") == []
