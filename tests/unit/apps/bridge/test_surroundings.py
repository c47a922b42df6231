"""apps/bridge/surroundings.py, at the terminals of a unit that is not there."""

import math
from dataclasses import dataclass, field

import pytest

from loadcenter.adapters.emulator import Board, Event, Impedance, Kind, Sine
from loadcenter.apps.bridge.surroundings import Surroundings, default_loads, impedance_of, noticeable
from loadcenter.domain.topology import Source
from loadcenter.simulator.loads import Draw, Heater, Motor


@dataclass
class Terminals:
    """Stands in for the emulator: keeps what was fed and plugged in."""

    board: Board = field(default_factory=Board)
    now_s: float = 0.0
    connected: Source | None = Source.MAIN
    waves: dict[Source, list[Sine]] = field(default_factory=lambda: {source: [] for source in Source})
    plugged: dict[int, dict[int, Impedance]] = field(default_factory=dict)
    numbers: int = 0

    def feed(self, source, wave):
        self.waves[source].append(wave)

    def plug(self, outlet, load):
        self.numbers += 1
        self.plugged.setdefault(outlet, {})[self.numbers] = load
        return self.numbers

    def unplug(self, outlet, number):
        del self.plugged[outlet][number]


def surroundings(unit, *loads):
    return Surroundings(unit, loads, seed=1)


def only(plugged):
    (load,) = plugged.values()
    return load


def power_w(load, volts=230.0, hz=50.0):
    reactance = math.tau * hz * load.henry
    return volts**2 * load.ohm / (load.ohm**2 + reactance**2)


def test_both_sources_are_fed_near_their_nominal_values():
    unit = Terminals()
    surroundings(unit, Heater(600)).refresh()
    for (wave,) in unit.waves.values():
        assert wave.rms == pytest.approx(230, rel=0.02)
        assert wave.frequency_hz == pytest.approx(50, abs=0.05)


def test_a_source_that_fails_is_fed_as_dead_at_once():
    unit = Terminals()
    world = surroundings(unit, Heater(600))
    world.refresh()
    unit.now_s = 0.004
    world.disturb(Source.MAIN, 0)
    world.refresh()
    assert unit.waves[Source.MAIN][-1].rms == 0
    assert unit.waves[Source.BACKUP][-1].rms > 220


def test_waves_go_on_in_phase_with_the_one_before():
    unit = Terminals()
    world = surroundings(unit, Heater(600))
    for second in range(5):
        unit.now_s = second
        world.refresh()
    assert len(unit.waves[Source.MAIN]) > 1
    assert all(wave.phase_deg == 0 and wave.continues for wave in unit.waves[Source.MAIN][1:])


def test_a_load_takes_its_power_at_its_power_factor():
    load = impedance_of(Draw(87_000, 582), 230_000, 50_000)
    assert power_w(load) == pytest.approx(87, rel=0.001)
    assert load.henry > 0


def test_a_heater_has_no_inductance():
    assert impedance_of(Draw(600_000, 2609), 230_000, 50_000).henry == 0


def test_another_load_takes_the_place_of_the_one_before():
    unit = Terminals()
    world = surroundings(unit, Heater(600))
    world.refresh()
    world.plug_in(1, 1000.0)
    world.refresh()
    assert power_w(only(unit.plugged[1])) == pytest.approx(1000, rel=0.01)


def test_nothing_can_be_plugged_in():
    unit = Terminals()
    world = surroundings(unit, Heater(600))
    world.refresh()
    world.plug_in(1, None)
    world.refresh()
    assert unit.plugged[1] == {}


def test_a_resistance_beside_a_load_takes_more_until_it_is_pulled_out():
    unit = Terminals()
    world = surroundings(unit, Heater(600))
    world.refresh()
    world.plug_beside(1, 500.0)
    world.plug_beside(1, 2000.0)
    assert sum(map(power_w, unit.plugged[1].values())) == pytest.approx(2600, rel=0.01)
    world.plug_beside(1, None)
    assert power_w(only(unit.plugged[1])) == pytest.approx(600, rel=0.01)


def test_a_load_of_the_catalogue_can_be_plugged_in():
    unit = Terminals()
    world = surroundings(unit, Heater(600))
    world.plug_in(1, "lamp")
    world.refresh()
    assert power_w(only(unit.plugged[1])) == pytest.approx(9.1, rel=0.05)


def test_a_motor_starts_when_its_outlet_comes_under_voltage_and_then_runs():
    unit = Terminals()
    world = surroundings(unit, Motor(87, 650, on_ms=1000, off_ms=0, seed=1))
    unit.now_s = 0.5
    world.refresh()
    at_start = only(unit.plugged[1]).ohm
    world.see([Event(0, Kind.LIVE, 0, 1)])
    unit.now_s = 1.2
    world.refresh()
    assert only(unit.plugged[1]).ohm > 4 * at_start


def test_a_draw_that_hardly_changes_is_left_alone():
    assert not noticeable(Draw(100_000, 500), Draw(100_400, 501))
    assert noticeable(Draw(100_000, 500), Draw(110_000, 550))
    assert noticeable(Draw(0, 0), Draw(1, 1))


def test_each_outlet_has_a_load_at_first():
    assert [len(default_loads(outlets, seed=1)) for outlets in (4, 8)] == [4, 8]
