"""The floating-point ladder itself: where it leaves a source, where it does not, and how wide the band between is."""

import math

import pytest
from tests.firmware.reference import RATE_HZ, Line, may_leave, must_leave
from tests.firmware.waveforms import VOLTAGES, mains, recorded, smooth

NOMINAL_V = 230.0


def line(*parts, hz=50.0):
    """Return a voltage of (part of nominal, seconds, Hz) after another, in one phase."""
    volts, angle = [], 0.0
    for level, seconds, own_hz in parts:
        for _ in range(round(seconds * RATE_HZ)):
            angle += math.tau * own_hz / RATE_HZ
            volts.append(level * NOMINAL_V * math.sqrt(2) * math.sin(angle))
    return Line(volts, NOMINAL_V, hz)


@pytest.mark.parametrize(
    ("level", "seconds", "latest_s"),
    [
        (0.0, 0.1, 0.005),
        (0.6, 0.1, 0.012),
        (0.68, 0.1, 0.045),
        (0.75, 0.5, 0.3),
        (0.83, 5, 3.8),
        (1.2, 1, 0.7),
        (1.25, 1, 0.02),
    ],
)
def test_what_is_clearly_outside_must_be_left_in_its_time(level, seconds, latest_s):
    found = must_leave(line((1, 1, 50), (level, seconds, 50)))
    assert found is not None
    assert 0 < found - 1 <= latest_s


@pytest.mark.parametrize(
    ("level", "seconds"), [(0.75, 0.1), (0.84, 1), (0.93, 8), (1.07, 8), (1.12, 0.3), (0.0, 0.0006)]
)
def test_what_is_clearly_inside_must_not_be_left(level, seconds):
    seen = line((1, 1, 50), (level, seconds, 50), (1, 1, 50))
    assert must_leave(seen) is None
    assert not may_leave(seen)


@pytest.mark.parametrize(("level", "seconds"), [(0.80, 1), (0.87, 8), (1.13, 2)])
def test_on_a_limit_itself_either_is_right(level, seconds):
    seen = line((1, 1, 50), (level, seconds, 50))
    assert must_leave(seen) is None
    assert may_leave(seen)


@pytest.mark.parametrize(
    ("hz", "must", "may"), [(47.2, False, False), (47.0, False, True), (46.5, True, True)]
)
def test_frequency_is_left_after_a_second(hz, must, may):
    seen = line((1, 1, 50), (1, 4, hz))
    assert (must_leave(seen) is not None, may_leave(seen)) == (must, may)


@pytest.mark.parametrize("name", VOLTAGES)
def test_each_recording_begins_at_the_phase_that_is_said(name):
    recording = mains(name)
    hz = VOLTAGES[name]
    phase = math.radians(recording.phase_deg(hz))
    cycle = round(recording.rate_hz / hz)
    fit = [math.sin(phase + math.tau * hz * n / recording.rate_hz) for n in range(cycle)]
    product = sum(a * b for a, b in zip(fit, recording.values, strict=False))
    assert product / math.sqrt(sum(a * a for a in fit) * sum(b * b for b in recording.values[:cycle])) > 0.9


def test_smoothing_keeps_the_samples_and_rounds_between_them():
    samples = [math.sin(math.tau * n / 12) for n in range(25)]
    fine = smooth(samples, 4)
    assert fine[::4] == samples
    assert max(abs(value - math.sin(math.tau * n / 48)) for n, value in enumerate(fine[8:-8], 8)) < 0.01


def test_recorded_currents_are_those_of_the_appliances():
    kettle = recorded("kettle_on").values[-400:]
    assert math.sqrt(sum(value * value for value in kettle) / 400) == pytest.approx(8230, rel=0.02)
