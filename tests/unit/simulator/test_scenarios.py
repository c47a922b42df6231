from itertools import pairwise

import pytest

from loadcenter.simulator.scenarios import BY_NAME, SCENARIOS, Break, Order, run

SETTLED_MS = 5000
EVERY_SCENARIO = {scenario.name for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def records():
    return {scenario.name: run(scenario) for scenario in SCENARIOS}


def later(record):
    """Return the events after the outlets have come on, as (code, outlet or source, cause)."""
    return [
        (event["code"], event.get("out") or event.get("src"), event.get("cause"))
        for event in record.events
        if event["boot"] > 1 or event["up_ms"] >= SETTLED_MS
    ]


def answers(record):
    return [(one["id"], one["status"], one["code"]) for one in record.results]


def outlets(record, key="on"):
    return [outlet.get(key) for outlet in record.states[-1]["out"]]


def moves(record):
    """Return how often changeover and outlets moved, beside the first closing of the four outlets."""
    counts = {name: count - name.startswith("outlet") for name, count in record.switchings.items()}
    return {name: count for name, count in counts.items() if count}


# -- what holds in each


@pytest.mark.parametrize("name", sorted(EVERY_SCENARIO))
def test_the_same_seed_gives_the_same_record(records, name):
    assert run(BY_NAME[name]) == records[name]


@pytest.mark.parametrize("name", sorted(EVERY_SCENARIO))
def test_records_arrive_without_a_hole(records, name):
    for kept in (records[name].events, records[name].telemetry):
        positions = {}
        for record in kept:
            first = record.get("from", record["seq"])
            assert first <= positions.get(record["boot"], 0) + 1
            positions[record["boot"]] = record["seq"]


@pytest.mark.parametrize("name", sorted(EVERY_SCENARIO))
def test_each_event_names_a_reason_of_its_own_boot(records, name):
    known = set()
    for event in records[name].events:
        because = event.get("because")
        assert because is None or (event["boot"], because) in known
        known.add((event["boot"], event["seq"]))


@pytest.mark.parametrize("name", sorted(EVERY_SCENARIO))
def test_energy_only_goes_forward(records, name):
    counters = [[outlet["e_mwh"] for outlet in one["out"]] for one in records[name].telemetry if "out" in one]
    assert all(b >= a for before, after in pairwise(counters) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_time_lines_rise_and_end_within_their_scenario(scenario):
    times = [at_ms for at_ms, _ in scenario.timeline]
    assert times == sorted(times)
    assert all(0 <= at_ms <= scenario.lasts_ms for at_ms in times)
    assert scenario.tells.endswith(".")
    assert all(isinstance(action, Order | Break) or action.disturbance for _, action in scenario.timeline)


# -- what happens


def test_calm(records):
    record = records["calm"]
    assert later(record) == []
    assert moves(record) == {}
    assert record.codes() == ["boot"] + ["switched"] * 4


def test_outage_and_return(records):
    record = records["outage-and-return"]
    assert later(record) == [
        ("source_lost", "main", None),
        ("transfer", "backup", "source_lost"),
        ("redundancy_lost", "main", None),
        ("redundancy_restored", "main", None),
        ("source_restored", "main", None),
        ("transfer", "main", "retransfer"),
    ]
    assert moves(record) == {"changeover": 2}
    assert outlets(record) == [True] * 4
    lost, back = (event for event in record.events if event["code"] == "transfer")
    assert lost["data"]["command_us"] == 4000
    assert back["up_ms"] - lost["up_ms"] > 50_000 - 100


def test_flapping_main(records):
    record = records["flapping-main"]
    causes = [event["cause"] for event in record.events if event["code"] == "transfer"]
    assert causes.count("retransfer") == 6
    assert causes.count("source_lost") == 7
    assert moves(record) == {"changeover": 13}
    assert record.count("transfer_lockout") == 1
    assert (record.states[-1]["lockout"], record.states[-1]["active"]) == (True, "backup")


def test_brownout(records):
    record = records["brownout"]
    assert later(record)[:3] == [
        ("undervoltage", "main", None),
        ("source_lost", "main", None),
        ("transfer", "backup", "source_lost"),
    ]
    assert record.count("source_lost") == 1, "two seconds at 85 % are ridden through"
    assert moves(record) == {"changeover": 2}
    [lost] = [event for event in record.events if event["code"] == "source_lost"]
    assert lost["data"]["rung"] == "under_87"


def test_overload_trip_reset(records):
    record = records["overload-trip-reset"]
    assert later(record) == [
        ("trip", 3, "protection"),
        ("trip_reset", 3, "person_off"),
        ("switched", 3, "person_on"),
    ]
    assert answers(record) == [
        ("order-1-1", "rejected", "latched"),
        ("order-1-2", "accepted", "ok"),
        ("order-1-2", "confirmed", "ok"),
        ("order-1-3", "accepted", "ok"),
        ("order-1-3", "confirmed", "ok"),
    ]
    assert moves(record) == {"outlet 3": 2}
    assert outlets(record) == [True] * 4


def test_both_sources_lost(records):
    record = records["both-sources-lost"]
    assert later(record) == [
        ("source_lost", "backup", None),
        ("redundancy_lost", "backup", None),
        ("source_lost", "main", None),
        ("outage", "main", None),
        ("outage_end", None, None),
        ("transfer", "backup", "source_lost"),
        ("source_restored", "backup", None),
    ]
    assert moves(record) == {"changeover": 1} | {f"outlet {n}": 2 for n in range(1, 5)}
    assert outlets(record) == [True] * 4


def test_backup_poor(records):
    record = records["backup-poor"]
    assert answers(record) == [("order-1-1", "rejected", "source_not_good")]
    assert moves(record) == {}
    assert record.count("undervoltage") == 1
    assert record.count("transfer") == 0


def test_welded_relay(records):
    record = records["welded-relay"]
    assert later(record) == [("switched", 4, "person_off"), ("relay_welded", 4, "person_off")]
    assert answers(record)[-1] == ("order-1-1", "rejected", "not_confirmed")
    assert not outlets(record)[3]
    assert record.telemetry[-1]["out"][3]["i_ma"] > 200, "shown live"


def test_network_cut(records):
    record = records["network-cut"]
    assert [code for code, _, _ in later(record)].count("transfer") == 2
    assert outlets(record) == [True, False, True, True]
    assert [one["seq"] for one in record.telemetry] == list(range(1, 81))


def test_power_cycle_with_latch(records):
    record = records["power-cycle-with-latch"]
    assert [event["boot"] for event in record.events if event["code"] == "boot"] == [1, 2]
    assert outlets(record) == [False, False, True, True]
    assert outlets(record, "cause") == ["person_off", "protection", "restore", "restore"]
    assert outlets(record, "trip") == [None, "overcurrent", None, None]


def test_manual_transfer(records):
    record = records["manual-transfer"]
    assert later(record) == [("transfer", "backup", "manual"), ("transfer", "main", "manual")]
    assert moves(record) == {"changeover": 2}


def test_swell_with_no_way_out(records):
    record = records["swell-with-no-way-out"]
    codes = [code for code, _, _ in later(record)]
    assert codes == [
        "source_lost",
        "redundancy_lost",
        "overvoltage",
        "source_lost",
        "outage",
        "source_restored",
        "outage_end",
    ]
    assert {state["isolator"] for state in record.states} == {"open", "closed"}
    assert record.states[-1]["isolator"] == "closed"


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_seed_tells_the_same_story(records, seed):
    for name in ("outage-and-return", "both-sources-lost", "overload-trip-reset"):
        assert later(run(BY_NAME[name], seed)) == later(records[name])
