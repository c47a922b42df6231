"""Waves, loads and sensors as the C part takes them."""

import math

import pytest

from loadcenter.adapters.emulator import (
    Current,
    Harmonic,
    Impedance,
    Part,
    Recording,
    Rectifier,
    RelayModel,
    Sensor,
    Sine,
)


def test_a_sine_is_given_by_its_rms():
    struct = Sine(230, 50, phase_deg=90, harmonics=(Harmonic(5, 0.07, 180),)).struct()
    assert struct.amplitude == pytest.approx(325.27, abs=0.01)
    assert struct.phase == pytest.approx(math.pi / 2)
    assert (struct.harmonic_count, struct.harmonics[0].order, struct.harmonics[0].phase) == (1, 5, math.pi)
    assert struct.loop_from == -1


def test_more_harmonics_than_there_is_room_for_are_refused():
    with pytest.raises(ValueError, match="at most 6"):
        Sine(230, harmonics=(Harmonic(3, 0.01),) * 7).struct()


def test_a_recording_keeps_its_samples():
    struct = Recording([0.0, 1.0, -1.0], 1000, scale=2, loop_from=1).struct()
    assert struct.samples[:3] == [0, 1, -1]
    assert (struct.sample_count, struct.amplitude, struct.loop_from) == (3, 2, 1)


@pytest.mark.parametrize("recording", [Recording([1.0], 10), Recording([1.0, 2.0], 10, loop_from=1)])
def test_a_recording_of_less_than_two_samples_is_refused(recording):
    with pytest.raises(ValueError, match="at least two"):
        recording.struct()


def test_loads_say_what_they_are():
    assert Impedance(10, 0.1, start_factor=6, start_hold_s=0.3).struct().start_factor == 6
    assert Rectifier(60, 1e-4, 10).struct().kind == 1
    struct = Current(Sine(2), from_start=True).struct()
    assert (struct.kind, struct.from_start) == (2, 1)
    assert struct.wave.amplitude == pytest.approx(2 * 2**0.5)


def test_a_sensor_may_be_wrong_or_stuck():
    struct = Sensor(gain=1.02, zero_offset_v=0.05, stuck_v=0).struct(1, 2, 0.1, ratiometric=True)
    assert struct.volt_per_unit == pytest.approx(0.102)
    assert struct.zero_ratio == pytest.approx(0.51)
    assert struct.stuck_v == 0
    assert Sensor().struct(1, 2, 0.1, ratiometric=True).stuck_v < 0


def test_a_relay_is_given_in_milliseconds():
    struct = RelayModel(operate_ms=10, release_ms=3, bounce_ms=0.5, throw_welded=1).struct()
    assert (struct.operate, struct.release, struct.bounce, struct.throw_welded) == (160_000, 48_000, 8_000, 1)
    assert RelayModel().struct().throw_welded == -1


def test_outlets_are_counted_from_one():
    assert Part.outlet(1) is Part.OUTLET_1
    assert Part.outlet(8) is Part.OUTLET_8
