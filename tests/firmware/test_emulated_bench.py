"""Each figure of the firmware is still measured, at a tiny size; what holds at any size is asserted."""

import pytest
from bench import firmware_cost, firmware_faults, firmware_metering, firmware_protection, firmware_transfer

pytestmark = pytest.mark.usefixtures("tools")
TINY = 0.01


def test_losses_are_left_in_time_and_the_ablation_shows_an_overlap():
    found = firmware_transfer.f1(TINY)
    assert found["F1"].value <= 3.6
    assert found["F1_60_percent"].value <= 8
    assert found["F1_contact"].value < 20
    assert found["F1_both_closed"].value == 0
    assert "10 ms: 0 of 2, 0 ms: 2 of 2" in found["F1_both_closed"].ablation


def test_recorded_and_drawn_disturbances_are_judged():
    found = firmware_transfer.f2(0.08)
    assert (found["F2_false"].value, found["F2_missed"].value) == (0, 0)


def test_overcurrents_open_in_time_and_curves_keep_to_theirs():
    found = firmware_protection.f3(TINY)
    assert found["F3"].value <= 2.9
    assert found["F3_harmless"].value == 0
    assert found["F3_curves"].value <= 5


def test_hard_starts_do_not_trip():
    assert firmware_protection.f4(TINY)["F4"].value == 0


def test_metering_is_compared_with_what_flowed():
    found = firmware_metering.f5(0.05)
    assert found["F5_idle"].value == 0
    assert found["F5_from_0.5A_power"].value < 1


def test_cost_stays_within_its_budget():
    found = firmware_cost.f6(0.2)
    assert found["F6_scan"].value <= 6300
    assert found["F6_isr"].value <= 1600
    assert found["F6_cpu"].value <= 95  # the goal of 70 is missed: firmware/uno/README.md
    assert found["F6_ram"].value <= 2048 - 32  # and so is that of 1,536


def test_faults_are_survived():
    assert firmware_faults.noise(0.02)["F13_uart_actuations"].value == 0
    assert firmware_faults.flips(0.005)["F6_flips_unsafe"].value == 0
