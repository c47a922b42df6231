"""apps/bridge/told.py"""

from loadcenter.adapters.emulator import CLOCK_HZ, Event, Kind, Part, Reset
from loadcenter.apps.bridge.told import Teller


def lines(*events, pair=False):
    return Teller(pair=pair).lines([Event(CLOCK_HZ, *event) for event in events])


def test_a_pin_is_told_by_the_name_of_the_board():
    assert lines((Kind.PIN, Part.outlet(3), 1)) == ["    1.0000 s  pin  outlet_3 on"]
    assert lines((Kind.PIN, Part.CHANGEOVER, 0)) == ["    1.0000 s  pin  changeover off"]
    assert lines((Kind.PIN, Part.CHANGEOVER, 0), pair=True) == ["    1.0000 s  pin  main_relay off"]


def test_of_a_bus_that_bounces_only_what_it_comes_to_is_told():
    teller = Teller(pair=False)
    bounces = [Event(n, Kind.BUS, 0, value) for n, value in enumerate((0, -1, 0, -1, 0))]
    assert teller.lines(bounces) == ["    0.0000 s  the bus is on main"]
    assert teller.lines(bounces) == []


def test_a_start_is_told_with_its_causes():
    assert lines((Kind.RESET, Reset.WATCHDOG, 0)) == ["    1.0000 s  start, by watchdog"]
    assert lines((Kind.RESET, Reset.BROWN_OUT | Reset.EXTERNAL, 0)) == [
        "    1.0000 s  start, by external and brown-out"
    ]


def test_sources_that_come_together_are_told_loudly():
    assert "BOTH SOURCES" in lines((Kind.BOTH, 0, 1))[0]


def test_what_is_of_no_interest_is_not_told():
    assert lines((Kind.CONTACT, Part.ISOLATOR, 1), (Kind.EEPROM, 4, 255)) == []
