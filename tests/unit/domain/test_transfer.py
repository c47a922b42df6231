from pathlib import Path

import pytest
from tests.unit.domain.bench import NOMINAL_MV, Bench

from loadcenter.domain import cycle, transfer
from loadcenter.domain.commands import Do
from loadcenter.domain.events import Cause
from loadcenter.domain.qualification import LADDER
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Grade, Source
from loadcenter.domain.transfer_table import (
    ISOLATOR_CLOSED,
    TABLE,
    Effect,
    IllegalTriggerError,
    Mode,
    Trigger,
    advance,
)

MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def rows(monkeypatch):
    """The rows of the table that a test has reached."""
    reached = set()

    def advance_and_note(mode, trigger):
        reached.add((mode, trigger))
        return advance(mode, trigger)

    monkeypatch.setattr(transfer, "advance", advance_and_note)
    return reached


def mode(bench):
    return bench.state.transfer.mode


def run_to(bench, wanted, limit_ms=10_000):
    end_ms = bench.now_ms + limit_ms
    while mode(bench) is not wanted:
        assert bench.now_ms < end_ms, f"never {wanted}"
        bench.run(bench.step_ms)
    return bench


# -- start


def test_starts_isolated_and_connects_to_the_preferred_source_when_it_is_usable():
    bench = Bench(settled=False)
    assert mode(bench) is Mode.ISOLATED
    run_to(bench, Mode.CLOSED)
    assert 60 <= bench.now_ms <= 160
    assert bench.active is Source.MAIN
    assert "transfer" not in bench.codes()


def test_starts_on_the_other_source_when_the_preferred_one_is_away():
    bench = Bench(settled=False)
    bench.main.voltage_mv = 0
    bench.run(3000)
    assert bench.active is Source.BACKUP
    [event] = bench.events("transfer")
    assert (event.cause, event.data["to"], event.data["result"]) == ("start_up", "backup", "confirmed")


def test_a_preferred_backup_is_chosen_at_start():
    bench = Bench(PduConfig(preferred=Source.BACKUP), settled=False).run(3000)
    assert bench.active is Source.BACKUP


def test_without_a_usable_source_the_isolator_stays_open():
    bench = Bench(settled=False)
    bench.main.voltage_mv = bench.backup.voltage_mv = 190_000
    bench.run(5000)
    assert not bench.state.drives.isolator_closed
    assert bench.codes() == ["outage"]


# -- leaving a bad source


def test_a_lost_source_is_left_at_once_with_the_isolator_closed():
    bench = Bench()
    bench.main.voltage_mv = 0
    bench.run(20)
    assert bench.active is Source.BACKUP
    assert bench.state.drives.isolator_closed
    bench.run(40)
    [event] = bench.events("transfer")
    assert event.cause == "source_lost"
    assert (event.data["from"], event.data["to"], event.data["result"]) == ("main", "backup", "confirmed")
    assert (event.data["rung"], event.data["measured_mv"]) == ("amplitude_65", 0)
    assert event.data["detection_us"] == event.data["command_us"] == 4000
    assert (event.data["main_before_mv"], event.data["backup_after_mv"]) == (0, NOMINAL_MV)


@pytest.mark.parametrize(
    ("volts", "after_ms"), [(180, 200), (195, 3000), (205, 60_000), (262, 500), (280, 0)]
)
def test_a_source_outside_its_limits_is_left_after_the_time_of_its_rung(volts, after_ms):
    bench = Bench()
    bench.main.voltage_mv = volts * 1000
    start_ms = bench.now_ms + bench.step_ms
    run_to(bench, Mode.OPENING, after_ms + 1000)
    assert bench.now_ms - start_ms == after_ms
    bench.run(100)
    assert bench.active is Source.BACKUP
    assert bench.events("transfer")[0].cause == ("overvoltage" if volts > 230 else "source_lost")


def test_between_two_live_sources_the_changeover_moves_only_with_the_isolator_open():
    bench = Bench()
    bench.main.voltage_mv = 180_000
    seen = []
    for _ in range(40):
        before = bench.active
        bench.run(20)
        if bench.active is not before:
            seen.append(bench.state.drives.isolator_closed)
    assert seen == [False]


def test_a_planned_transfer_opens_the_isolator_for_40_ms():
    bench = Bench()
    bench.order(Do.TRANSFER, source=Source.BACKUP)
    open_ms = 0
    for _ in range(20):
        bench.run(20)
        open_ms += 0 if bench.state.drives.isolator_closed else 20
    assert open_ms == 40


def test_a_planned_transfer_waits_a_release_and_a_half_cycle_and_lasts_46_ms():
    bench = Bench(step_ms=1)
    bench.order(Do.TRANSFER, source=Source.BACKUP)
    run_to(bench, Mode.OPENING)
    open_ms, position_ms = bench.now_ms, None
    while mode(bench) is not Mode.CLOSED:
        bench.run(1)
        if position_ms is None and bench.active is Source.BACKUP:
            position_ms = bench.now_ms
    assert (position_ms - open_ms, bench.now_ms - open_ms) == (20, 46)


@pytest.mark.parametrize(("millivolts", "first"), [(80_500, Mode.SWINGING), (80_730, Mode.OPENING)])
def test_up_to_35_percent_of_its_voltage_a_source_is_left_with_the_loads_on(millivolts, first):
    bench = Bench()
    bench.main.voltage_mv = millivolts
    bench.run(bench.step_ms)
    assert mode(bench) is first


def test_the_chain_of_causes_leads_from_the_measurement_to_the_transfer():
    bench = Bench()
    first = bench.state.emitted
    bench.main.voltage_mv = 280_000
    bench.run(200)
    assert bench.codes() == ["overvoltage", "source_lost", "transfer", "redundancy_lost"]
    assert [event.because for _, event in bench.told] == [None, first, first + 1, first + 1]


# -- both bad


def test_with_both_bad_an_undervoltage_stays_closed():
    bench = Bench()
    bench.main.voltage_mv = bench.backup.voltage_mv = 180_000
    bench.run(5000)
    assert mode(bench) is Mode.CLOSED
    assert bench.active is Source.MAIN


def test_with_both_bad_an_overvoltage_isolates_after_three_half_cycles():
    bench = Bench()
    bench.backup.voltage_mv = 0
    bench.run(1000)
    bench.main.voltage_mv = 280_000
    start_ms = bench.now_ms + bench.step_ms
    run_to(bench, Mode.ISOLATED)
    assert 30 <= bench.now_ms - start_ms <= 30 + 20


def test_after_an_overvoltage_the_source_must_be_good_to_be_connected_again():
    bench = Bench()
    bench.backup.voltage_mv = 0
    bench.main.voltage_mv = 280_000
    bench.run(1000)
    bench.main.voltage_mv = 250_000
    bench.run(5000)
    assert mode(bench) is Mode.ISOLATED
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(1900)
    assert mode(bench) is Mode.ISOLATED
    bench.run(400)
    assert mode(bench) is Mode.CLOSED


def test_after_an_overvoltage_a_usable_other_source_is_taken():
    bench = Bench()
    bench.backup.voltage_mv = 0
    bench.main.voltage_mv = 280_000
    bench.run(1000)
    bench.backup.voltage_mv = 250_000
    bench.run(400)
    assert bench.active is Source.BACKUP
    assert bench.events("transfer")[-1].cause == "overvoltage"


# -- back to the preferred source


def test_returns_after_the_preferred_source_was_good_for_the_delay():
    bench = Bench()
    bench.main.voltage_mv = 0
    bench.run(1000)
    bench.main.voltage_mv = NOMINAL_MV
    start_ms = bench.now_ms + bench.step_ms
    run_to(bench, Mode.OPENING, 40_000)
    assert bench.now_ms - start_ms == 30_000
    bench.run(100)
    assert bench.events("transfer")[-1].cause == "retransfer"


def test_a_dip_of_the_preferred_source_starts_the_delay_anew():
    bench = Bench()
    bench.main.voltage_mv = 0
    bench.run(1000)
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(20_000)
    bench.main.voltage_mv = 210_000
    bench.run(100)
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(29_000)
    assert bench.active is Source.BACKUP
    bench.run(2000)
    assert bench.active is Source.MAIN


def test_without_auto_retransfer_it_stays():
    bench = Bench(PduConfig(auto_retransfer=False))
    bench.main.voltage_mv = 0
    bench.run(1000)
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(120_000)
    assert bench.active is Source.BACKUP


# -- manual transfers


def test_a_manual_transfer_is_answered_when_its_effect_is_seen():
    bench = Bench()
    key = bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(40)
    assert bench.answers(key) == ["accepted ok"]
    bench.run(60)
    assert bench.answers(key) == ["accepted ok", "confirmed ok"]
    assert bench.events("transfer")[0].cause == "manual"


def test_a_manual_transfer_is_not_undone_by_itself():
    bench = Bench()
    bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(5 * MINUTE_MS)
    assert bench.active is Source.BACKUP


def test_once_the_chosen_source_was_lost_returns_are_automatic_again():
    bench = Bench()
    bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(1000)
    bench.backup.voltage_mv = 0
    bench.run(1000)
    bench.backup.voltage_mv = NOMINAL_MV
    bench.main.voltage_mv = 0
    bench.run(1000)
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(31_000)
    assert bench.active is Source.MAIN


@pytest.mark.parametrize(
    ("source", "millivolts", "code"),
    [
        (Source.MAIN, NOMINAL_MV, "already"),
        (Source.BACKUP, 250_000, "source_not_good"),
        (Source.BACKUP, 0, "source_not_good"),
    ],
)
def test_a_manual_transfer_that_makes_no_sense_is_refused(source, millivolts, code):
    bench = Bench()
    bench.backup.voltage_mv = millivolts
    bench.run(1000)
    key = bench.order(Do.TRANSFER, source=source)
    bench.run(200)
    assert bench.answers(key) == [f"rejected {code}"]
    assert bench.active is Source.MAIN


def test_a_target_lost_on_the_way_is_turned_away_from():
    bench = Bench(step_ms=5)
    key = bench.order(Do.TRANSFER, source=Source.BACKUP)
    run_to(bench, Mode.OPENING)
    bench.backup.voltage_mv = 0
    bench.run(200)
    assert bench.active is Source.MAIN
    assert mode(bench) is Mode.CLOSED
    assert bench.answers(key) == ["accepted ok", "rejected source_not_good"]
    assert bench.events("transfer") == []


def test_a_manual_transfer_that_comes_back_does_not_hold_the_source_that_nobody_chose():
    bench = Bench()
    bench.main.voltage_mv = 0
    bench.run(2000)
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(4000)
    key = bench.order(Do.TRANSFER, source=Source.MAIN)
    run_to(bench, Mode.OPENING)
    bench.main.voltage_mv = 0
    bench.run(400)
    assert bench.answers(key) == ["accepted ok", "rejected source_not_good"]
    assert bench.active is Source.BACKUP
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(40_000)
    assert bench.active is Source.MAIN


def test_a_second_manual_transfer_takes_the_place_of_the_first():
    bench = Bench()
    first = bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(60)
    second = bench.order(Do.TRANSFER, source=Source.MAIN)
    bench.run(300)
    assert bench.answers(first) == ["accepted ok", "rejected superseded"]
    assert bench.answers(second) == ["accepted ok", "confirmed ok"]
    assert bench.active is Source.MAIN


def test_a_transfer_without_effect_on_the_bus_is_told_as_contradicted(monkeypatch):
    bench = Bench()
    key = bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(20)
    monkeypatch.setattr("tests.unit.domain.bench.LIVE_MV", 10**9)
    bench.run(100)
    assert bench.events("transfer")[0].data["result"] == "contradicted"
    assert bench.answers(key)[-1] == "rejected not_confirmed"


def test_a_transfer_onto_a_source_that_is_gone_meanwhile_is_unverified():
    bench = Bench(step_ms=5)
    bench.main.voltage_mv = 0
    run_to(bench, Mode.SWINGING)
    bench.backup.voltage_mv = 0
    bench.run(50)
    assert bench.events("transfer")[0].data["result"] == "unverified"


# -- overcurrent


def test_an_overcurrent_is_not_carried_to_the_other_source():
    bench = Bench()
    bench.loads_ma[0] = 6000
    bench.run(500)
    bench.main.voltage_mv = 180_000
    bench.run(1000)
    assert bench.active is Source.MAIN
    run_to(bench, Mode.OPENING)
    assert bench.codes()[-1] == "trip"


def test_a_manual_transfer_is_refused_during_an_overcurrent():
    bench = Bench()
    bench.loads_ma[0] = 6000
    bench.run(500)
    key = bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(40)
    assert bench.answers(key) == ["rejected in_overcurrent"]


def test_an_overload_whose_source_fails_is_transferred_and_trips_after_its_whole_time():
    bench = Bench()
    bench.loads_ma[0] = 6000
    bench.run(1500)
    bench.main.voltage_mv = 0
    bench.run(1500)
    assert bench.active is Source.BACKUP
    assert "trip" not in bench.codes()
    bench.run(600)
    assert "trip" in bench.codes()


def test_a_tripped_outlet_that_still_carries_current_inhibits_and_a_cleared_one_does_not():
    bench = Bench()
    bench.welded = {1}
    bench.loads_ma[0] = 6000
    while "trip" not in bench.codes():
        bench.run(20)
    refused = bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(20)
    bench.welded = set()
    bench.run(40)
    taken = bench.order(Do.TRANSFER, source=Source.BACKUP)
    bench.run(200)
    assert bench.answers(refused) == ["rejected in_overcurrent"]
    assert bench.answers(taken)[-1] == "confirmed ok"


def test_an_overvoltage_isolates_even_during_an_overcurrent():
    bench = Bench()
    bench.loads_ma[0] = 6000
    bench.run(500)
    bench.main.voltage_mv = 280_000
    bench.run(200)
    assert mode(bench) is Mode.ISOLATED or bench.active is Source.BACKUP
    assert "overvoltage" in bench.codes()


# -- lockout


def lost_and_back(bench, times, back_ms=35_000):
    for _ in range(times):
        bench.main.voltage_mv = 0
        bench.run(1000)
        bench.main.voltage_mv = NOMINAL_MV
        bench.run(back_ms)
    return bench


@pytest.fixture
def locked_out():
    return lost_and_back(Bench(PduConfig(max_transfers_per_hour=2)), 2)


def test_too_many_returns_are_locked_out_with_the_numbers(locked_out):
    [event] = locked_out.events("transfer_lockout")
    assert event.data == {"count": 2, "max_transfers_per_hour": 2}
    lost_and_back(locked_out, 1)
    assert locked_out.active is Source.BACKUP


def test_a_lockout_still_lets_a_bad_source_be_left_but_10_s_apart(locked_out):
    locked_out.main.voltage_mv = 0
    locked_out.run(40)
    assert locked_out.active is Source.BACKUP
    locked_out.main.voltage_mv = NOMINAL_MV
    locked_out.run(3000)
    locked_out.backup.voltage_mv = 0
    locked_out.run(6900)
    assert locked_out.active is Source.BACKUP
    locked_out.run(200)
    assert locked_out.active is Source.MAIN


def test_a_manual_transfer_is_refused_in_a_lockout_until_a_person_clears_it(locked_out):
    refused = locked_out.order(Do.TRANSFER, source=Source.BACKUP)
    locked_out.run(100)
    cleared = locked_out.order(Do.CLEAR_LOCKOUT)
    locked_out.run(100)
    taken = locked_out.order(Do.TRANSFER, source=Source.BACKUP)
    locked_out.run(200)
    assert locked_out.answers(refused) == ["rejected lockout"]
    assert locked_out.answers(cleared) == ["accepted ok", "confirmed ok"]
    assert locked_out.answers(taken)[-1] == "confirmed ok"


def test_a_lockout_ends_by_itself_after_an_hour(locked_out):
    locked_out.main.voltage_mv = 0
    locked_out.run(1000)
    locked_out.main.voltage_mv = NOMINAL_MV
    locked_out.step_ms = 1000
    locked_out.run(59 * MINUTE_MS)
    assert locked_out.active is Source.BACKUP
    locked_out.run(2 * MINUTE_MS)
    assert locked_out.active is Source.MAIN


# -- redundancy


def test_losing_the_idle_source_is_told_and_so_is_its_return():
    bench = Bench()
    bench.backup.voltage_mv = 0
    bench.run(1000)
    assert bench.codes() == ["source_lost", "redundancy_lost"]
    bench.forget()
    bench.backup.voltage_mv = NOMINAL_MV
    bench.run(3000)
    assert bench.codes() == ["redundancy_restored", "source_restored"]
    assert bench.active is Source.MAIN


def test_a_backup_that_never_was_there_is_told_once():
    bench = Bench(settled=False)
    bench.backup.voltage_mv = 0
    bench.run(900)
    assert "redundancy_lost" not in bench.codes()
    bench.run(60_000)
    assert bench.codes().count("redundancy_lost") == 1


# -- the table


def test_a_trigger_that_the_table_lacks_is_refused_and_changes_nothing():
    illegal = [(m, t) for m in Mode for t in Trigger if (m, t) not in TABLE]
    assert len(illegal) == len(Mode) * len(Trigger) - len(TABLE)
    for m, t in illegal:
        with pytest.raises(IllegalTriggerError, match=t.value):
            advance(m, t)


def test_the_isolator_is_open_wherever_the_changeover_moves_without_load():
    assert {Mode.ISOLATED, Mode.OPENING, Mode.MOVING}.isdisjoint(ISOLATOR_CLOSED)


def test_every_row_of_the_table_is_reached(rows):
    bench = Bench(step_ms=1)  # CONNECT and the ELAPSED of MOVING and CLOSING
    bench.main.voltage_mv = 0
    bench.run(100)  # LEAVE, the ELAPSED of SWINGING
    bench.main.voltage_mv = NOMINAL_MV
    bench.run(3000)
    bench.order(Do.TRANSFER, source=Source.MAIN)
    bench.run(100)  # PLAN, the ELAPSED of OPENING
    bench.backup.voltage_mv = 0
    bench.run(3000)
    bench.main.voltage_mv = 280_000
    bench.run(200)  # ISOLATE from CLOSED
    for lost_in in (Mode.OPENING, Mode.MOVING):  # RETARGET
        bench = Bench(step_ms=1)
        bench.order(Do.TRANSFER, source=Source.BACKUP)
        run_to(bench, lost_in)
        bench.backup.voltage_mv = 0
        bench.run(200)
        assert mode(bench) is Mode.CLOSED
    for swells_in in (Mode.OPENING, Mode.MOVING, Mode.CLOSING, Mode.SWINGING):  # ISOLATE
        bench = Bench(step_ms=1)
        if swells_in is Mode.SWINGING:
            bench.main.voltage_mv = 0
        else:
            bench.order(Do.TRANSFER, source=Source.BACKUP)
        run_to(bench, swells_in)
        bench.main.voltage_mv = 0
        bench.backup.voltage_mv = 280_000
        bench.run(60)
        assert mode(bench) is Mode.ISOLATED, swells_in
    assert rows == set(TABLE)


def test_grades_of_both_sources_stand_in_the_snapshot():
    bench = Bench()
    bench.backup.voltage_mv = 250_000
    bench.run(100)
    snapshot = cycle.snapshot(bench.state)
    assert snapshot.grades == {Source.MAIN: Grade.GOOD, Source.BACKUP: Grade.USABLE}


# -- docs/control.md


@pytest.fixture(scope="module")
def page():
    return (Path(__file__).resolve().parents[3] / "docs" / "control.md").read_text(encoding="utf-8")


def test_the_diagram_in_the_docs_is_the_table(page):
    diagram = page.split("```mermaid\n")[1].split("```")[0].splitlines()
    rows = [
        f"    {before} --> {after}: {trigger}" + ("" if effect is Effect.NONE else f" / {effect}")
        for (before, trigger), (after, effect) in TABLE.items()
    ]
    assert diagram == ["stateDiagram-v2", f"    [*] --> {Mode.ISOLATED}", *rows]


def test_the_docs_list_every_rung_and_every_cause(page):
    listed = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {rung.name for rung in LADDER} <= set(listed)
    assert all(f"`{cause}`" in page for cause in Cause)
