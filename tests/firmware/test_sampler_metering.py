"""What is measured of known waveforms: volts, amperes, watts, hertz, and nothing where nothing flows."""

import math
import statistics
from collections.abc import Iterator

import pytest
from tests.firmware.sampling import AMPERE_PER_COUNT, UNKNOWN, Rig, Wave, sine

IDLE_S = 3.0


@pytest.fixture
def rigs() -> Iterator[list[Rig]]:
    made: list[Rig] = []
    yield made
    for rig in made:
        rig.close()


def ready(rigs: list[Rig], **given: object) -> Rig:
    """A rig whose sensors have been idle for some seconds, with its outlets closed."""
    rig = Rig(**given)  # type: ignore[arg-type]
    rigs.append(rig)
    rig.run(IDLE_S)
    rig.permit(outlets=0b1111)
    return rig


def watched(rig: Rig, outlet: int, seconds: int) -> tuple[float, float]:
    """Mean of the readings of so many seconds, in A and W; the first two of them still hold what was before."""
    rig.run(2.0)
    amperes, watts = [], []
    for _ in range(seconds):
        rig.run(1.0)
        seen = rig.outlet(outlet)
        amperes.append(seen.second_ma / 1000)
        watts.append(seen.second_mw / 1000)
    return statistics.mean(amperes), statistics.mean(watts)


@pytest.mark.parametrize(
    ("name", "volts", "hertz"), [("host", 230, 50), ("host-60hz", 120, 60), ("host-mega", 230, 50)]
)
@pytest.mark.parametrize("lag_degrees", [0, 60])
@pytest.mark.parametrize("amperes", [0.5, 4.0, 15.0])
def test_current_and_power_are_those_of_the_waveform(
    rigs: list[Rig], name: str, volts: int, hertz: int, lag_degrees: int, amperes: float
) -> None:
    rig = ready(
        rigs,
        name=name,
        noise_lsb=1.0,
        mains=sine(volts, hertz),
        backup=sine(volts, hertz),
        volt_per_count=volts * math.sqrt(2) / 320,
    )
    rig.loads[3] = sine(amperes, hertz, -lag_degrees)
    seen_a, seen_w = watched(rig, 3, 4)
    assert seen_a == pytest.approx(amperes, rel=0.003)  # one second of this noise is uncertain by 0.2 %
    true_w = volts * amperes * math.cos(math.radians(lag_degrees))
    assert seen_w == pytest.approx(true_w, abs=0.004 * volts * amperes)
    assert rig.source().frequency_mhz == pytest.approx(hertz * 1000, abs=20)


@pytest.mark.parametrize("active", ["main", "backup"])
def test_power_is_that_of_the_active_source(rigs: list[Rig], active: str) -> None:
    rig = ready(rigs, backup=sine(230, 50, 90), noise_lsb=1.0)
    rig.permit(outlets=0b1111, backup=active == "backup")
    rig.loads[1] = sine(2.0, 50, 90 if active == "backup" else 0)
    assert watched(rig, 1, 3)[1] == pytest.approx(460, rel=0.004)


def test_harmonics_count_in_both(rigs: list[Rig]) -> None:
    def distorted(fundamental: Wave, third: Wave, fifth: Wave) -> Wave:
        return lambda t: fundamental(t) + third(t) + fifth(t)

    rig = ready(rigs, noise_lsb=1.0, mains=distorted(sine(230), sine(0), sine(230 * 0.05, 250, 30)))
    rig.loads[2] = distorted(sine(1.0), sine(0.6, 150, 20), sine(0.3, 250, -10))
    seen_a, seen_w = watched(rig, 2, 4)
    assert seen_a == pytest.approx(math.sqrt(1 + 0.36 + 0.09), rel=0.003)
    assert seen_w == pytest.approx(230 + 230 * 0.05 * 0.3 * math.cos(math.radians(40)), rel=0.005)


def test_a_tenth_of_an_ampere_is_seen_in_noise(rigs: list[Rig]) -> None:
    rig = ready(rigs, noise_lsb=1.0)
    rig.loads[4] = sine(0.1)
    assert watched(rig, 4, 10)[0] == pytest.approx(0.1, rel=0.015)


@pytest.mark.parametrize("noise_lsb", [1.0, 4.0])
def test_idle_outlets_read_nothing(rigs: list[Rig], noise_lsb: float) -> None:
    rig = ready(rigs, noise_lsb=noise_lsb)
    rig.run(3.0)
    assert [rig.outlet(k).second_ma for k in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert [rig.outlet(k).second_mw for k in (1, 2, 3, 4)] == [0, 0, 0, 0]


def test_a_half_wave_load_keeps_its_direct_current(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    whole = sine(2.0)
    rig.loads[1] = lambda t: max(0.0, whole(t))
    assert watched(rig, 1, 3)[0] == pytest.approx(math.sqrt(2), rel=0.003)


def test_a_drifting_zero_is_no_current(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.loads[1] = lambda _: 1.4 * AMPERE_PER_COUNT
    assert watched(rig, 1, 3)[0] == 0


@pytest.mark.parametrize("avcc", [4.85, 5.15])
def test_the_supply_of_the_adc_moves_neither_volts_nor_amperes(rigs: list[Rig], avcc: float) -> None:
    rig = ready(rigs, noise_lsb=1.0)
    rig.loads[1] = sine(2.0)
    rig.run(2.0)
    rig.avcc = avcc
    rig.run(20.0)
    amperes, watts = watched(rig, 1, 3)
    assert rig.source().second_mv == pytest.approx(230_000, rel=0.002)
    assert amperes == pytest.approx(2.0, rel=0.002)
    assert watts == pytest.approx(460, rel=0.004)


def test_calibration_corrects_gain_and_delay(rigs: list[Rig]) -> None:
    rig = ready(
        rigs, noise_lsb=1.0, gains=[-655, 0, 492, 0, 0, 0], delays_us=[30, 0, 0, 0], mains=sine(230 * 1.0204)
    )
    rig.loads[1] = sine(2.0 / 1.015, 50, -60 + 360 * 50 * 30e-6)
    amperes, watts = watched(rig, 1, 4)
    assert rig.source().second_mv == pytest.approx(230_000, rel=0.002)
    assert amperes == pytest.approx(2.0, rel=0.002)
    assert watts == pytest.approx(230, rel=0.006)


@pytest.mark.parametrize("degrees", [-150, -30, 0, 30, 150])
def test_the_angle_from_main_to_backup_is_positive_where_backup_is_ahead(
    rigs: list[Rig], degrees: int
) -> None:
    rig = ready(rigs, backup=sine(230, 50, degrees))
    rig.run(0.5)
    assert rig.block().phase_mdeg == pytest.approx(degrees * 1000, abs=400)


@pytest.mark.parametrize("hertz", [47.0, 48.5, 50.0, 51.5, 53.0])
def test_frequency_is_known_to_a_hundredth_of_a_hertz(rigs: list[Rig], hertz: float) -> None:
    rig = ready(rigs, mains=sine(230, hertz))
    rig.run(0.4)
    assert rig.source().frequency_mhz == pytest.approx(hertz * 1000, abs=15)


def test_a_dead_source_has_neither_frequency_nor_angle(rigs: list[Rig]) -> None:
    rig = ready(rigs, backup=sine(0))
    rig.run(0.2)
    assert rig.source(1).frequency_mhz == UNKNOWN
    assert rig.source(1).voltage_mv < 1_500
    assert rig.block().phase_mdeg == UNKNOWN


def test_the_step_tells_the_last_cycle(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.loads[1] = sine(3.0)
    rig.run(0.5)
    rig.loads[1] = sine(6.0)
    rig.run(scans=51)
    assert rig.outlet(1).current_ma == pytest.approx(6000, rel=0.01)
    assert rig.outlet(1).power_mw == pytest.approx(1_380_000, rel=0.02)


def test_half_cycles_tell_a_swell_at_once(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.mains = sine(230 * 1.25)
    rig.run(scans=26)  # a block is whole with the first conversion behind it
    assert rig.source().half_high_mv == pytest.approx(230_000 * 1.25, rel=0.02)


@pytest.mark.parametrize("clipped_peak_a", [27.0, 80.0])
def test_a_cycle_that_clips_counts_as_the_end_of_the_sensor_at_least(
    rigs: list[Rig], clipped_peak_a: float
) -> None:
    rig = ready(rigs)
    rig.permit(outlets=0b0001, masked=0b0001)
    rig.loads[1] = sine(clipped_peak_a / math.sqrt(2))
    rig.run(scans=51)
    assert rig.outlet(1).current_ma >= 17_700


def test_a_sensor_without_any_noise_is_stuck(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.run(2.0)
    assert rig.block().sensor_fault == 0
    rig.noise_lsb = 0.0
    rig.run(3.0)
    assert rig.block().sensor_fault == 0b1111


def test_a_sensor_far_off_its_middle_is_faulty(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    rig.loads[2] = lambda _: -25.0
    rig.run(3.0)
    assert rig.block().sensor_fault == 0b0010


def test_the_bus_is_live_until_its_input_has_been_silent_for_a_cycle(rigs: list[Rig]) -> None:
    rig = ready(rigs)
    assert rig.block().live
    rig.live = False
    rig.run(scans=26)  # a block is whole with the first conversion behind it
    assert rig.block().live
    rig.run(scans=51)
    assert not rig.block().live
