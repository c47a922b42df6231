"""What the sampler does by itself: leaving a lost source, tripping, and masking what is only inrush."""

import itertools
import math
from collections.abc import Iterator

import pytest
from tests.firmware.sampling import (
    CHANGEOVER_MOVED,
    ISOLATOR_MOVED,
    OUTLETS_MOVED,
    SCAN_S,
    Rig,
    Wave,
    silence,
    sine,
)

PHASES = range(0, 360, 10)
START_S = 0.2
SWUNG = OUTLETS_MOVED | CHANGEOVER_MOVED


@pytest.fixture
def rigs() -> Iterator[list[Rig]]:
    made: list[Rig] = []
    yield made
    for rig in made:
        rig.close()


def ready(rigs: list[Rig], outlets: int = 0b1111, **given: object) -> Rig:
    rig = Rig(**given)  # type: ignore[arg-type]
    rigs.append(rig)
    rig.permit(outlets=outlets, leave=True)
    rig.run(START_S)
    return rig


def changes(before: Wave, after: Wave, at_s: float) -> Wave:
    return lambda t: before(t) if t < at_s else after(t)


def fall(
    rig: Rig, phase: int, residual: float, hertz: float = 50.0, volts: float = 230.0
) -> tuple[int, float]:
    """Let MAIN fall at an angle of its wave. Return what moved, and the time from there to the scan's end in ms."""
    at_s = START_S + phase / 360 / hertz
    rig.mains = changes(sine(volts, hertz), sine(volts * residual, hertz), at_s)
    rig.run(0.03, until_moved=True)
    assert rig.happened, f"{residual} at {phase} degrees was not seen"
    did = rig.happened[-1]
    return did.moved, ((did.scan + 1) * SCAN_S - at_s) * 1000


@pytest.mark.parametrize(("name", "volts", "hertz"), [("host", 230, 50), ("host-60hz", 120, 60)])
@pytest.mark.parametrize("residual", [0.0, 0.3])
def test_a_lost_source_is_swung_away_from_within_nine_scans_at_every_angle(
    rigs: list[Rig], name: str, volts: int, hertz: int, residual: float
) -> None:
    for phase in PHASES:
        given = {"name": name, "mains": sine(volts, hertz), "backup": sine(volts, hertz)}
        rig = ready(rigs, **given, volt_per_count=volts * math.sqrt(2) / 320)
        moved, ms = fall(rig, phase, residual, hertz, volts)
        assert moved == SWUNG, f"at {phase} degrees"
        assert ms <= 9 * 0.4, f"at {phase} degrees"
        assert rig.drives()[0] == 1


def test_what_still_carries_voltage_is_left_by_the_isolator(rigs: list[Rig]) -> None:
    for phase in PHASES:
        rig = ready(rigs)
        moved, ms = fall(rig, phase, 0.5)
        assert moved == ISOLATOR_MOVED, f"at {phase} degrees"
        assert ms <= 9 * 0.4, f"at {phase} degrees"
        assert rig.drives() == (0, 0, 0b1111)


def test_a_deep_sag_above_half_is_left_within_eight_milliseconds(rigs: list[Rig]) -> None:
    for phase in PHASES:
        assert fall(ready(rigs), phase, 0.6)[1] <= 8.0, f"at {phase} degrees"


@pytest.mark.parametrize("hertz", [47.0, 50.0, 53.0])
def test_a_distorted_and_noisy_source_is_not_left(rigs: list[Rig], hertz: float) -> None:
    clean, fifth = sine(230, hertz), sine(230 * 0.07, 5 * hertz, 30)
    rig = ready(rigs, noise_lsb=2.0, mains=lambda t: clean(t) + fifth(t))
    assert not rig.run(5.0, until_moved=True)


def test_a_sag_to_four_fifths_is_not_left_at_once(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.mains = sine(230 * 0.8)
    assert not rig.run(1.0, until_moved=True)


def test_nothing_moves_without_leave(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, leave=False)
    rig.mains = silence
    assert not rig.run(0.1, until_moved=True)
    assert rig.source().lost
    assert rig.source().detection_us >= 1200


def test_after_a_transfer_only_two_fifths_are_a_loss(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, leave=True, at_once=400)
    rig.mains = sine(230 * 0.5)
    assert not rig.run(0.1, until_moved=True)
    rig.mains = sine(230 * 0.3)
    assert rig.run(0.1, until_moved=True)


def test_outlets_are_shed_with_the_swing(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, leave=True, shed=0b1010)
    fall(rig, 40, 0.0)
    assert rig.drives() == (1, 1, 0b0101)


def test_what_was_done_since_it_was_seen_is_not_undone(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, leave=True, shed=0b1000)
    fall(rig, 90, 0.0)
    rig.permit(outlets=0b1111, leave=True)
    assert rig.drives() == (1, 1, 0b0111)
    rig.mains = sine(230)
    rig.backup = silence
    assert not rig.run(scans=rig.scans % 25 and 25 - rig.scans % 25, until_moved=True), "twice in a step"


def over(rig: Rig, times: float, phase: int, outlet: int = 1) -> float | None:
    """Let a load draw a multiple of 4 A from an angle on. Return the time to the trip in ms, None without one."""
    at_s = rig.scans * SCAN_S + phase / 360 / 50
    rig.loads[outlet] = changes(sine(1.0), sine(4.0 * times), at_s)
    if not rig.run(0.05, until_moved=True):
        return None
    return ((rig.happened[-1].scan + 1) * SCAN_S - at_s) * 1000


@pytest.mark.parametrize("times", [3.2, 4.0, 6.0, 10.0])
def test_an_overcurrent_trips_within_three_milliseconds_at_every_angle(rigs: list[Rig], times: float) -> None:
    for phase in PHASES:
        rig = ready(rigs)
        took = over(rig, times, phase)
        assert took is not None, f"at {phase} degrees"
        assert took <= 3.3, f"at {phase} degrees"  # to the end of the scan; its pin moves up to 0.4 ms before
        assert rig.drives()[2] == 0b1110
        rig.run(0.02)
        assert rig.outlet(1).peak_ma >= 16_500


def test_below_its_threshold_nothing_trips(rigs: list[Rig]) -> None:
    for phase in PHASES:
        assert over(ready(rigs), 2.3, phase) is None, f"at {phase} degrees"


def test_single_spikes_trip_nothing(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    conversions, wave = itertools.count(), sine(4.0)
    spiked = lambda t: 25.0 if next(conversions) % 101 == 0 else wave(t)  # noqa: E731
    rig.loads = dict.fromkeys((1, 2, 3, 4), spiked)
    assert not rig.run(4.0, until_moved=True)


def test_a_mask_lets_inrush_pass_and_ends(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, masked=0b0001)
    rig.loads[1] = sine(16.0)
    assert not rig.run(0.148, until_moved=True)
    assert rig.run(0.02, until_moved=True)
    assert rig.drives()[2] == 0b1110


def test_a_short_circuit_trips_through_a_mask(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, masked=0b0001)
    rig.loads[1] = sine(150.0)
    assert rig.run(0.03, until_moved=True)
    assert rig.drives()[2] == 0b1110


def test_a_hundred_clipped_samples_end_a_mask(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, masked=0b0001)
    rig.loads[1] = sine(30.0)  # clips for 60 % of the time: below 40 in 50
    assert rig.run(0.14, until_moved=True)


def test_a_quiet_load_masks_itself_once(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b1111, quiet=0b0010)
    rig.loads[2] = sine(16.0)
    assert not rig.run(0.1, until_moved=True)
    rig.permit(outlets=0b1111)
    assert rig.run(0.1, until_moved=True)
    assert rig.drives()[2] == 0b1101


def test_a_swing_masks_every_closed_outlet(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    fall(rig, 0, 0.0)
    rig.loads = {k: sine(16.0) for k in (1, 2, 3, 4)}
    assert not rig.run(0.12, until_moved=True)


def test_a_short_circuit_is_opened_before_its_source_is_left(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    at_s = START_S + 0.003
    rig.permit(outlets=0b1111, leave=True, quiet=0b0001)
    rig.mains = changes(sine(230), sine(230 * 0.4), at_s)
    rig.loads[1] = changes(silence, sine(90.0), at_s)
    rig.run(0.02, until_moved=True)
    assert rig.happened[-1].moved == OUTLETS_MOVED
    assert rig.drives() == (0, 1, 0b1110)


def test_an_open_outlet_trips_nothing(rigs: list[Rig]) -> None:
    rig = ready(rigs, outlets=0)
    rig.loads[1] = sine(40.0)
    assert not rig.run(0.2, until_moved=True)
