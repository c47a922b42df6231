import re
from pathlib import Path

import pytest

from loadcenter.domain.topology import PDU_ID_PATTERN, Source
from loadcenter.simulator.rack import DISTURBANCES, OVERLOAD_MA, Rack, default_layouts
from loadcenter.simulator.scenarios import SCENARIOS


@pytest.fixture
def rack():
    made = Rack(default_layouts(3, 1), 1, 0)
    advance(made, 5000)
    return made


def advance(rack, duration_ms):
    for pdu in rack.pdus.values():
        pdu.advance(pdu.now_ms + duration_ms)


def latched(rack, pdu_id):
    return [
        number
        for number, outlet in enumerate(rack.pdus[pdu_id].state.outlets, 1)
        if outlet.memory.latch is not None
    ]


def test_every_pdu_and_outlet_has_a_name_of_its_own():
    layouts = default_layouts(7, 1)
    assert len({layout.name for layout in layouts}) == 7
    assert [layout.pdu_id for layout in layouts] == [f"rack-{n}" for n in range(1, 8)]
    for layout in layouts:
        assert len({outlet.name for outlet in layout.outlets}) == 4


def test_names_on_the_wire_fit_the_contract():

    assert all(re.fullmatch(PDU_ID_PATTERN, layout.pdu_id) for layout in default_layouts(120, 1))


def test_an_hour_of_the_default_rack_trips_nothing():
    rack = Rack(default_layouts(3, 1), 1, 0, step_ms=1000)
    advance(rack, 3_600_000)
    assert [latched(rack, pdu_id) for pdu_id in rack.pdus] == [[], [], []]


def test_the_same_seed_gives_the_same_rack(rack):
    other = Rack(default_layouts(3, 1), 1, 0)
    advance(other, 5000)
    for pdu_id, pdu in rack.pdus.items():
        assert pdu.plant.read(pdu.now_ms) == other.pdus[pdu_id].plant.read(pdu.now_ms)


@pytest.mark.parametrize(
    ("disturbance", "source", "permille"),
    [
        ("main_outage", Source.MAIN, 0),
        ("backup_outage", Source.BACKUP, 0),
        ("sag", Source.MAIN, 600),
        ("brownout", Source.MAIN, 850),
        ("swell", Source.MAIN, 1180),
    ],
)
def test_a_source_is_disturbed_while_it_lasts(rack, disturbance, source, permille):
    supply = rack.pdus["rack-1"].plant.supplies[source]
    rack.start("rack-1", disturbance, None)
    assert supply.disturbance.level_permille == permille
    assert rack.active("rack-1") == {disturbance: None}
    rack.stop("rack-1", disturbance)
    assert supply.disturbance.level_permille == 1000
    assert rack.active("rack-1") == {}


def test_an_outage_counts_before_a_sag_and_the_sag_is_back_after_it(rack):
    supply = rack.pdus["rack-1"].plant.supplies[Source.MAIN]
    rack.start("rack-1", "sag", None)
    rack.start("rack-1", "main_outage", None)
    assert supply.disturbance.level_permille == 0
    rack.stop("rack-1", "main_outage")
    assert supply.disturbance.level_permille == 600


def test_one_pdu_is_broken_and_the_others_are_not(rack):
    rack.start("rack-2", "main_outage", None)
    advance(rack, 1000)
    assert [pdu.state.drives.changeover.value for pdu in rack.pdus.values()] == ["main", "backup", "main"]


def test_an_overload_trips_its_outlet_and_can_move_to_another(rack):
    rack.start("rack-1", "overload", 2)
    rack.start("rack-1", "overload", 3)
    assert [plug.extra_ma for plug in rack.pdus["rack-1"].plant.plugs] == [0, 0, OVERLOAD_MA, 0]
    advance(rack, 3000)
    assert latched(rack, "rack-1") == [3]


def test_a_motor_start_trips_nothing_and_is_over_by_itself(rack):
    rack.start("rack-1", "motor_start", 3)
    assert max(rack.pdus["rack-1"].plant.read(rack.pdus["rack-1"].now_ms).currents_ma) > 9000
    advance(rack, 5000)
    assert latched(rack, "rack-1") == []
    assert rack.active("rack-1") == {}


def test_a_cut_network_is_told_to_whoever_carries_the_messages(rack):
    rack.start("rack-1", "network", None)
    assert [rack.network_up(pdu_id) for pdu_id in rack.pdus] == [False, True, True]
    rack.stop("rack-1", "network")
    assert rack.network_up("rack-1")


@pytest.mark.parametrize("disturbance", ["gateway_restart", "power_cycle"])
def test_a_restart_is_a_new_boot_that_wants_a_new_connection(rack, disturbance):
    pdu = rack.pdus["rack-1"]
    pdu.connected(pdu.now_ms)
    rack.start("rack-1", disturbance, None)
    assert pdu.boot == 2
    assert not pdu.is_connected


@pytest.mark.parametrize(
    ("pdu_id", "disturbance", "outlet"),
    [
        ("rack-9", "sag", None),
        ("rack-1", "earthquake", None),
        ("rack-1", "overload", None),
        ("rack-1", "overload", 0),
        ("rack-1", "weld", 5),
    ],
)
def test_what_is_not_there_cannot_be_broken(rack, pdu_id, disturbance, outlet):
    with pytest.raises(KeyError):
        rack.start(pdu_id, disturbance, outlet)
    assert all(rack.active(known) == {} for known in rack.pdus)


def test_mending_what_is_whole_does_nothing(rack):
    rack.stop("rack-1", "sag")
    with pytest.raises(KeyError):
        rack.stop("rack-1", "earthquake")


def test_every_disturbance_can_be_started(rack):
    assert rack.disturbances() == DISTURBANCES
    for one in DISTURBANCES:
        rack.start("rack-3", one.id, 1 if one.needs_outlet else None)
        assert (one.id in rack.active("rack-3")) is one.lasts


def test_a_rack_goes_on_from_what_it_saved(rack):
    rack.start("rack-1", "overload", 2)
    advance(rack, 3000)
    later = Rack(default_layouts(3, 1), 1, 0, saved=rack.saved())
    assert latched(later, "rack-1") == [2]
    assert [pdu.boot for pdu in later.pdus.values()] == [2, 2, 2]


# -- docs/simulator.md


@pytest.fixture(scope="module")
def page():
    return (Path(__file__).resolve().parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_the_docs_list_every_disturbance_and_every_scenario(page):
    for one in DISTURBANCES:
        assert f"| `{one.id}` | {one.label} | {one.hint} |" in page
    for scenario in SCENARIOS:
        assert f"| `{scenario.name}` | {scenario.tells} |" in page


def test_the_example_in_the_docs_runs(page):
    exec(page.split("```python\n")[1].split("```")[0], {})
