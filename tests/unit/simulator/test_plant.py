import random

import pytest

from loadcenter.domain.pdu import Drives
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.topology import Source
from loadcenter.simulator.contacts import RelayPair, Timing
from loadcenter.simulator.loads import CATALOG, Heater
from loadcenter.simulator.mains import UNDISTURBED, Disturbance
from loadcenter.simulator.plant import DETECTION_MS, Plant

CONFIG = PduConfig((OutletConfig(),) * 2)
ON = Drives(Source.MAIN, isolator_closed=True, outlets=(True, True))
OFF = Drives(Source.MAIN, isolator_closed=False, outlets=(False, False))


def plant(loads=None, now_ms=0, **fields):
    return Plant(
        CONFIG, loads or [Heater(500), CATALOG["pc"](1)], random.Random(5), [0, 100], now_ms, **fields
    )


@pytest.fixture
def live():
    made = plant()
    made.read(0)
    made.drive(ON, 0)
    made.read(50)
    return made


def test_with_everything_open_nothing_flows():
    inputs = plant().read(0)
    assert inputs.currents_ma == (0, 0)
    assert not inputs.live
    assert inputs.main.voltage_mv == pytest.approx(230_000, rel=0.02)


def test_relays_follow_their_drive_within_their_times():
    made = plant()
    made.read(0)
    made.drive(ON, 0)
    assert not made.read(2).live
    assert made.read(14).live
    assert all(made.read(14).currents_ma)
    made.drive(OFF, 100)
    assert made.read(101).live
    assert made.read(111).currents_ma == (0, 0)


def test_the_same_object_comes_back_while_nothing_can_have_changed(live):
    inputs = live.read(60)
    assert live.read(80) is inputs
    assert live.read(999) is inputs
    assert live.read(1000) is not inputs


def test_a_disturbance_is_seen_at_the_next_look(live):
    live.supplies[Source.MAIN].disturb(Disturbance(850), 100)
    live.touch()
    assert live.read(100).main.voltage_mv == pytest.approx(195_500, rel=0.02)


def test_a_lost_amplitude_is_detected_after_its_latency(live):
    live.supplies[Source.MAIN].disturb(Disturbance(600), 100)
    live.touch()
    assert not live.read(100 + DETECTION_MS - 1).main.amplitude_lost
    main = live.read(100 + DETECTION_MS).main
    assert main.amplitude_lost
    assert main.detection_us == DETECTION_MS * 1000
    live.supplies[Source.MAIN].disturb(UNDISTURBED, 200)
    live.touch()
    assert not live.read(200).main.amplitude_lost


def test_a_dead_source_has_no_frequency_and_no_angle(live):
    assert live.read(60).phase_mdeg is not None
    live.supplies[Source.BACKUP].disturb(Disturbance(0), 100)
    live.touch()
    inputs = live.read(200)
    assert inputs.backup.frequency_mhz is None
    assert inputs.phase_mdeg is None


def test_energy_is_power_times_time_to_the_last_milliwatt(live):
    live.sample(60)
    expected, now_ms = 0, 60
    for _ in range(100):
        power_mw = round(500_000 * (live.read(now_ms).main.voltage_mv / 230_000) ** 2)
        step_ms = min(20, 1000 - now_ms % 1000)
        expected += power_mw * step_ms
        now_ms += step_ms
    [heater, _] = live.sample(now_ms)
    assert live.plugs[0].energy_mw_ms == 0
    assert heater.power_mw == round(expected / (now_ms - 60))
    assert live.plugs[0].counter.energy_mwh * 3_600_000 + live.plugs[0].counter.remainder_mw_ms >= expected


def test_counters_go_on_from_what_was_kept():
    made = plant()
    assert [one.energy_mwh for one in made.sample(1000)] == [0, 100]


def test_an_overload_adds_its_current(live):
    before = live.read(60).currents_ma
    live.plugs[0].extra_ma = 6000
    live.touch()
    assert live.read(60).currents_ma == (before[0] + 6000, before[1])


def test_a_motor_start_lasts_its_time_and_no_longer(live):
    before = live.read(60).currents_ma
    live.plugs[1].motor_until_ms = 460
    live.touch()
    assert live.read(80).currents_ma[1] == before[1] + 9000
    assert live.read(459).currents_ma[1] == before[1] + 9000
    assert live.read(460).currents_ma[1] == before[1]


def test_a_welded_relay_carries_current_when_it_is_released(live):
    live.plugs[0].contact.welded = True
    live.drive(Drives(Source.MAIN, isolator_closed=True, outlets=(False, False)), 100)
    assert live.read(200).currents_ma[0] > 0
    assert live.read(200).currents_ma[1] == 0


def test_the_bus_is_dead_while_the_changeover_flies():
    made = plant(changeover=RelayPair(Timing(8, 8, 2), Timing(8, 8, 2), dead_ms=10))
    made.read(0)
    made.drive(ON, 0)
    assert made.read(50).live
    made.drive(Drives(Source.BACKUP, isolator_closed=True, outlets=(True, True)), 100)
    seen = [made.read(ms).live for ms in range(100, 140)]
    assert seen == [True] * 8 + [False] * 12 + [True] * 20
    assert made.changeover.violations == 0
