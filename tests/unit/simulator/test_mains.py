import random

import pytest

from loadcenter.simulator.mains import UNDISTURBED, Disturbance, Supply


def supply(seed=1, nominal_mv=230_000, nominal_mhz=50_000):
    return Supply(nominal_mv, nominal_mhz, random.Random(seed))


@pytest.mark.parametrize(("nominal_mv", "nominal_mhz"), [(230_000, 50_000), (120_000, 60_000)])
def test_an_undisturbed_source_wanders_within_the_good_limits(nominal_mv, nominal_mhz):
    source = supply(nominal_mv=nominal_mv, nominal_mhz=nominal_mhz)
    seen = [source.read(second * 1000) for second in range(3600)]
    assert all(abs(one.voltage_mv - nominal_mv) < 0.02 * nominal_mv for one in seen)
    assert all(abs(one.frequency_mhz - nominal_mhz) <= 20 for one in seen)
    assert len({one.voltage_mv for one in seen}) > 1000


def test_the_same_seed_gives_the_same_source_and_another_seed_another():
    readings = [[supply(seed).read(ms) for ms in (0, 1000, 5000)] for seed in (1, 1, 2)]
    assert readings[0] == readings[1] != readings[2]


def test_a_disturbance_leaves_its_share_of_the_voltage():
    source = supply()
    for permille in (0, 600, 850, 1180):
        source.disturb(Disturbance(permille), 0)
        assert source.read(0).voltage_mv == pytest.approx(230 * permille, rel=0.02, abs=1)
    source.disturb(UNDISTURBED, 10)
    assert source.read(10).voltage_mv == pytest.approx(230_000, rel=0.02)


def test_a_frequency_offset_turns_the_phase():
    source = supply()
    before = source.read(0).phase_mdeg
    source.disturb(Disturbance(offset_mhz=500), 0)
    after = source.read(1000)
    assert after.frequency_mhz == pytest.approx(50_500, abs=20)
    assert (after.phase_mdeg - before) % 360_000 == pytest.approx(180_000, abs=8000)


def test_the_beginning_of_a_disturbance_is_kept_while_it_lasts():
    source = supply()
    source.disturb(Disturbance(0), 100)
    source.disturb(Disturbance(0), 900)
    assert source.disturbed_ms == 100
