"""The real firmware in the emulator: what it does from power-on until its loads run."""

import itertools

import pytest
from tests.firmware.rig import number

from loadcenter.adapters.emulator import CLOCK_HZ, DEAD, Kind, Part, Sine
from loadcenter.domain.topology import Source

USABLE_S = 0.06
SEQUENCE_S = 0.25


def test_without_mains_nothing_closes(power):
    rig = power()
    rig.run(3)
    assert not rig.events(Kind.PIN)
    assert rig.hello is not None


@pytest.mark.parametrize("build", ["uno", "uno-60hz", "uno-pair", "mega"])
def test_the_bus_is_connected_once_a_source_has_been_usable_for_long_enough(power, build):
    rig = power(build)
    rig.run(1)
    fed_s = rig.emulator.now_s
    rig.emulator.mains()
    assert rig.until(lambda: rig.emulator.isolator_closed, 3)
    assert rig.emulator.connected is Source.MAIN
    assert rig.first(Kind.PIN, Part.ISOLATOR, 1, fed_s) - fed_s >= USABLE_S


def test_with_a_backup_alone_it_starts_on_the_backup(power):
    rig = power()
    rig.emulator.feed(Source.BACKUP, Sine(230))
    assert rig.until(lambda: rig.emulator.isolator_closed, 5)
    assert rig.emulator.connected is Source.BACKUP
    assert abs(rig.emulator.truth().source_v[0]) < 1


def test_a_marginal_source_is_not_connected(power):
    rig = power()
    rig.emulator.feed(Source.MAIN, Sine(230 * 0.6))
    rig.run(5)
    assert not rig.events(Kind.PIN)


def test_after_an_outage_loads_come_back_one_after_the_other(rig):
    emulator = rig.emulator
    rig.run(3)  # wishes are written
    emulator.power_off()
    for source in Source:
        emulator.feed(source, DEAD)
    rig.run(2)
    assert not any(emulator.closed(outlet) for outlet in rig.outlets)
    emulator.power_on()
    emulator.mains()
    back_s = emulator.now_s
    assert rig.until(lambda: all(emulator.closed(outlet) for outlet in rig.outlets), 10)
    pins = [
        one.cycle / CLOCK_HZ for one in rig.events(Kind.PIN, since_s=back_s) if one.value and one.index > 2
    ]
    assert len(pins) == len(rig.outlets)
    assert all(after - before >= SEQUENCE_S * 0.95 for before, after in itertools.pairwise(pins))


def test_it_reports_what_stands_at_its_inputs(rig):
    rig.run(3)
    said = rig.telemetry
    assert number(said, "v_mv.main") == pytest.approx(230_000, rel=0.003)
    assert number(said, "f_mhz.backup") == pytest.approx(50_000, abs=30)
    assert number(said, "i_ma.3") == pytest.approx(2000, rel=0.01)
    assert number(said, "p_mw.3") == pytest.approx(460_000, rel=0.01)
    assert (said.fields["active"], said.fields["live"], said.fields["on.1"]) == ("main", "1", "1")
