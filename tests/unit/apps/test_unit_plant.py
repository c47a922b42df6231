"""apps/unit_plant.py and apps/plants.py: what is broken, and what the emulator and the gateway are told of it."""

import signal

import pytest

from loadcenter.apps.plants import JoinedPlant
from loadcenter.apps.unit_plant import OVERLOAD_W, PDU_ID, UnitPlant
from loadcenter.simulator.rack import Rack, default_layouts


class Told:
    def __init__(self) -> None:
        self.said: list[object] = []
        self.plant = UnitPlant(self.said.append, self.said.append)


@pytest.mark.parametrize(
    ("name", "outlet", "broken", "mended"),
    [
        ("main_outage", None, "main off", "main on"),
        ("sag", None, "main 60", "main on"),
        ("backup_outage", None, "backup off", "backup on"),
        ("overload", 2, f"beside 2 {OVERLOAD_W}", "beside 2 none"),
        ("weld", 3, "weld 3", "free 3"),
        ("network", None, signal.SIGSTOP, signal.SIGCONT),
    ],
)
def test_what_is_broken_is_told_and_taken_back(name, outlet, broken, mended):
    told = Told()
    told.plant.start(PDU_ID, name, outlet)
    assert told.plant.active(PDU_ID) == {name: outlet}
    told.plant.stop(PDU_ID, name)
    told.plant.stop(PDU_ID, name)
    assert told.said == [broken, mended]
    assert told.plant.active(PDU_ID) == {}


@pytest.mark.parametrize(("name", "said"), [("power_cycle", "reset"), ("gateway_restart", signal.SIGKILL)])
def test_what_is_over_at_once_stays_nowhere(name, said):
    told = Told()
    told.plant.start(PDU_ID, name, None)
    assert told.said == [said]
    assert told.plant.active(PDU_ID) == {}


def test_of_two_that_break_the_main_source_the_worse_counts():
    told = Told()
    told.plant.start(PDU_ID, "swell", None)
    told.plant.start(PDU_ID, "main_outage", None)
    told.plant.stop(PDU_ID, "main_outage")
    told.plant.stop(PDU_ID, "swell")
    assert told.said == ["main 118", "main off", "main 118", "main on"]


def test_another_outlet_is_overloaded_in_place_of_the_one_before():
    told = Told()
    told.plant.start(PDU_ID, "overload", 1)
    told.plant.start(PDU_ID, "overload", 4)
    assert told.said[-2:] == ["beside 1 none", f"beside 4 {OVERLOAD_W}"]
    assert told.plant.active(PDU_ID) == {"overload": 4}


def test_a_unit_that_starts_anew_is_told_what_is_still_broken():
    told = Told()
    told.plant.start(PDU_ID, "weld", 3)
    told.plant.start(PDU_ID, "network", None)
    told.plant.start(PDU_ID, "brownout", None)
    assert told.plant.orders_that_stand() == ["weld 3", "main 85"]


@pytest.mark.parametrize(("name", "outlet"), [("overload", None), ("weld", 5), ("earthquake", None)])
def test_what_cannot_be_broken_is_refused(name, outlet):
    told = Told()
    with pytest.raises(KeyError):
        told.plant.start(PDU_ID, name, outlet)
    assert told.said == []
    assert told.plant.active(PDU_ID) == {}


def test_each_pdu_has_its_own_plant():
    told, rack = Told(), Rack(default_layouts(1, 1), 1, 0)
    both = JoinedPlant(rack, told.plant)
    both.start("rack-1", "main_outage", None)
    both.start(PDU_ID, "weld", 1)
    assert both.active("rack-1") == {"main_outage": None} == rack.active("rack-1")
    assert both.active(PDU_ID) == {"weld": 1}
    both.stop(PDU_ID, "weld")
    assert told.said == ["weld 1", "free 1"]
    assert both.disturbances() == rack.disturbances()
    with pytest.raises(KeyError):
        both.active("rack-9")
