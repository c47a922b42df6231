"""The emulator itself, shown with a small program: what its inputs, contacts, line and memory do."""

import itertools

import pytest

from loadcenter.adapters.emulator import (
    CLOCK_HZ,
    DEAD,
    Board,
    Current,
    Emulator,
    Impedance,
    Kind,
    Part,
    Pin,
    Recording,
    Rectifier,
    RelayModel,
    Reset,
    Sensor,
    Sine,
)
from loadcenter.domain.topology import Source


def ask(unit, letters, wait_s=0.02):
    unit.output()
    unit.send(letters.encode())
    unit.run(wait_s)
    return unit.output().decode()


def conversions(unit):
    text = ask(unit, "a", 0.01)
    return [int(text[at : at + 4], 16) for at in range(0, 24, 4)]


def quiet(unit):
    for outlet in (1, 2, 3, 4):
        unit.current_sensor(outlet, Sensor(noise_lsb=0))
    for source in Source:
        unit.voltage_sensor(source, Sensor(noise_lsb=0))


def closings(unit, part):
    return [one.cycle for one in unit.events(Kind.CONTACT) if (one.index, one.value) == (part, 1)]


def test_a_voltage_reads_as_the_exact_code_of_the_adc(unit):
    quiet(unit)
    for volts in range(-500, 501, 50):
        unit.feed(Source.MAIN, Sine(0, offset=volts))
        unit.run(0.002)
        volts_at_pin = 2.5 + volts * unit.board.volt_per_volt
        assert conversions(unit)[4] == min(1023, int(volts_at_pin / 5 * 1024 + 1e-9))


def test_an_outlet_carries_its_loads_current_only_while_its_contacts_are_closed(unit):
    unit.plug(1, Impedance(57.5))
    unit.run(0.1)
    assert unit.truth().current_a[0] == 0
    ask(unit, "I1", 0.1)
    unit.truth()
    unit.run(0.2)
    truth = unit.truth()
    assert truth.current_a[0] == pytest.approx(4.0, rel=1e-3)
    assert truth.power_w[0] == pytest.approx(920, rel=1e-3)
    ask(unit, "i", 0.1)
    unit.truth()
    unit.run(0.2)
    assert unit.truth().current_a[0] == 0


def test_the_current_is_that_of_the_source_connected(unit):
    unit.feed(Source.BACKUP, Sine(115, 50))
    unit.plug(2, Impedance(57.5))
    ask(unit, "I2C", 0.1)
    unit.truth()
    unit.run(0.2)
    assert unit.connected is Source.BACKUP
    assert unit.truth().current_a[1] == pytest.approx(2.0, rel=1e-3)


def test_an_inductive_load_lags_as_reckoned(unit):
    ohm, ohm_reactive = 40.0, 30.0
    unit.plug(1, Impedance(ohm, ohm_reactive / (100 * 3.14159265)))
    ask(unit, "I1", 0.3)
    unit.truth()
    unit.run(0.2)
    truth = unit.truth()
    assert truth.current_a[0] == pytest.approx(230 / 50, rel=2e-3)
    assert truth.power_w[0] == pytest.approx(230 / 50 * 230 * 0.8, rel=2e-3)


def test_a_rectifier_draws_a_first_charge_and_then_pulses(unit):
    unit.plug(1, Rectifier(watt=60, farad=220e-6, ohm=10))
    ask(unit, "I1", 0.05)
    first = unit.truth().peak_a[0]
    unit.run(0.3)
    unit.truth()
    unit.run(0.2)
    truth = unit.truth()
    assert first > 10
    assert truth.peak_a[0] < first / 2
    assert 60 < truth.power_w[0] < 70


def test_a_starting_load_draws_a_multiple_that_fades(unit):
    unit.plug(1, Impedance(230, start_factor=6, start_hold_s=0.2))
    ask(unit, "I1", 0.02)
    unit.truth()
    unit.run(0.1)
    assert unit.truth().current_a[0] == pytest.approx(6, rel=0.05)
    unit.run(0.2)
    unit.truth()
    unit.run(0.1)
    assert unit.truth().current_a[0] == pytest.approx(1, rel=0.05)


def test_a_recording_begins_with_the_voltage_and_repeats_its_end(unit):
    unit.plug(1, Current(Recording([5.0, 5.0, 1.0, 1.0, 1.0], 10.0, loop_from=2), from_start=True))
    ask(unit, "I1", 0.1)
    assert unit.current_a(1) == pytest.approx(5)
    unit.run(0.2)
    assert unit.current_a(1) == pytest.approx(1)
    unit.run(3)
    assert unit.current_a(1) == pytest.approx(1)


def test_a_weak_source_sags_under_a_short(unit):
    unit.source_resistance(Source.MAIN, 1.5)
    unit.plug(1, Impedance(1.0))
    ask(unit, "I1", 0.1)
    unit.truth()
    unit.run(0.2)
    assert unit.truth().source_v == pytest.approx((92, 230), rel=2e-3)


def test_a_wave_goes_on_from_the_phase_that_it_had(unit):
    unit.feed(Source.MAIN, DEAD, at_s=1.003)
    unit.feed(Source.MAIN, Sine(230, 50), at_s=1.0075)
    unit.run_to(2.005)
    # 2.005 s is a quarter of a cycle after a zero crossing of the first wave.
    assert unit.source_v(Source.MAIN) == pytest.approx(230 * 2**0.5, rel=1e-2)


def test_notch_offset_decay_and_flicker_shape_a_wave(unit):
    unit.feed(Source.MAIN, Sine(230, 50, continues=False, notch_depth=1, notch_deg=90, notch_ms=0.5))
    unit.feed(Source.BACKUP, Sine(230, 50, continues=False, decay_s=0.02, flicker=0.1, flicker_hz=10))
    began = unit.now_s
    unit.run_to(began + 0.00515)
    assert unit.source_v(Source.MAIN) == pytest.approx(0)
    unit.run_to(began + 0.025)
    assert unit.source_v(Source.BACKUP) == pytest.approx(325.27 * 2.718281828**-1.25 * 1.1, rel=1e-2)


def test_the_supply_scales_what_an_absolute_sensor_reads(unit):
    quiet(unit)
    unit.feed(Source.MAIN, Sine(0, offset=200))
    unit.run(0.01)
    before = conversions(unit)
    unit.supply([(0, 5.15)])
    unit.run(0.01)
    after = conversions(unit)
    assert after[0] == before[0] == 512
    assert after[4] - 512 == pytest.approx((before[4] - 512) / 1.03, abs=1.1)


@pytest.mark.parametrize("volts", [0.0, 2.0, 5.0])
def test_a_stuck_sensor_reads_the_same_for_ever(unit, volts):
    unit.current_sensor(1, Sensor(stuck_v=volts, noise_lsb=0))
    unit.run(0.01)
    assert conversions(unit)[0] == min(1023, int(volts / 5 * 1024))


def test_noise_and_spikes_are_those_asked_for(unit):
    unit.current_sensor(1, Sensor(noise_lsb=4))
    unit.current_sensor(2, Sensor(noise_lsb=0, spike_per_million=500_000))
    seen = []
    for _ in range(60):
        unit.run(0.001)
        seen.append(conversions(unit))
    first = [one[0] for one in seen]
    assert 2 < (sum((code - 512) ** 2 for code in first) / len(first)) ** 0.5 < 6
    assert {one[1] for one in seen} == {0, 512, 1023}


def test_a_contact_makes_after_its_time_and_bounces_no_longer_than_said(unit):
    unit.relay(Part.outlet(1), RelayModel(operate_ms=9, release_ms=4, bounce_ms=3))
    ask(unit, "1", 0.05)
    (pin,) = (one for one in unit.events(Kind.PIN) if one.index == Part.outlet(1))
    made = closings(unit, Part.outlet(1))
    assert (made[0] - pin.cycle) / CLOCK_HZ == pytest.approx(0.009, abs=1e-6)
    assert len(made) > 1
    assert (made[-1] - made[0]) / CLOCK_HZ <= 0.003
    ask(unit, "q", 0.05)
    assert not unit.closed(1)


def test_welded_and_stuck_contacts_heed_no_coil(unit):
    unit.relay(Part.outlet(1), RelayModel(welded=True))
    unit.relay(Part.outlet(2), RelayModel(stuck_open=True))
    ask(unit, "I12", 0.1)
    ask(unit, "q", 0.1)
    assert unit.closed(1)
    assert not unit.closed(2)


def test_a_normally_closed_outlet_is_closed_without_current(probe):
    with Emulator(probe, Board(normally_closed=(3,))) as unit:
        unit.run(0.05)
        assert unit.closed(3)
        ask(unit, "3", 0.1)
        assert not unit.closed(3)


def test_a_changeover_is_between_its_throws_before_it_makes(unit):
    ask(unit, "C", 0.1)
    throws = [one.value for one in unit.events(Kind.CONTACT) if one.index == Part.CHANGEOVER]
    assert throws[:2] == [-1, 1]
    assert throws[-1] == 1
    assert unit.stats().violations == 0


def test_a_source_pair_driven_at_once_is_found_with_both_closed(probe):
    # The program drives the changeover's pin for MAIN and that of the isolator for BACKUP, without a wait.
    with Emulator(probe, Board(backup_relay=Pin("B", 1), isolator=Pin("D", 7))) as unit:
        unit.relay(Part.CHANGEOVER, RelayModel(release_ms=10))
        unit.relay(Part.BACKUP_RELAY, RelayModel(operate_ms=5))
        unit.run(0.02)
        ask(unit, "C", 0.1)
        ask(unit, "cI", 0.1)
        assert unit.stats().violations > 0
        assert unit.connected is Source.BACKUP
        assert unit.events(Kind.BOTH)[-1].value == 0


def test_the_bus_live_input_follows_the_bus(unit):
    unit.feed(Source.MAIN, Sine(0, offset=200))
    assert ask(unit, "t") == "1"
    ask(unit, "I", 0.1)
    assert ask(unit, "t") == "0"


def test_bytes_that_nobody_fetches_are_lost_after_two(unit):
    unit.send(b"dtttt")
    unit.run(0.05)
    assert len(unit.output()) == 2
    assert unit.stats().overruns == 2


def test_bytes_come_at_the_speed_of_the_line(unit):
    unit.send(b"tt" * 50, baud=9600)
    unit.run(0.05)
    assert unit.unsent == pytest.approx(100 - 48, abs=2)
    unit.run(0.08)
    assert len(unit.output()) == 100


def test_an_eeprom_write_takes_its_time_and_outlives_power(unit):
    scans = int(ask(unit, "p", 0.05), 16)
    assert scans * 0.4 == pytest.approx(3.4, abs=0.5)
    unit.power_off()
    unit.run(0.1)
    unit.power_on()
    unit.run(0.02)
    assert unit.output() == b"R0001"
    assert ask(unit, "g") == "005A"


def test_power_that_ends_within_a_write_leaves_neither_value_for_sure(probe):
    left = set()
    for seed in range(12):
        with Emulator(probe, Board(), seed=seed) as unit:
            unit.run(0.02)
            unit.send(b"p")
            assert unit.run_until(
                lambda unit=unit: bool(unit.events(Kind.EEPROM)), within_s=0.05, step_s=1e-4
            )
            unit.power_off()
            left.add(unit.eeprom[0x10])
    assert len(left) > 2


def test_the_watchdog_resets_a_program_that_hangs_and_ram_stays(unit):
    assert ask(unit, "n") == "0001"
    unit.hang()
    unit.run(0.3)
    assert unit.output() == b"R0008"
    assert ask(unit, "n") == "0002"
    assert unit.events(Kind.RESET)[-1].index == Reset.WATCHDOG


def test_a_crash_is_a_hang_that_the_watchdog_ends(unit):
    for bit in range(10, 14):
        unit.flip(0x10000, bit)
    unit.run(0.3)
    assert unit.events(Kind.RESET)[-1].index & Reset.WATCHDOG
    assert ask(unit, "t") == "1"


def test_a_reset_by_the_pin_releases_every_relay(unit):
    ask(unit, "I12C", 0.1)
    unit.reset()
    unit.run(0.05)
    assert unit.output() == b"R0002"
    assert not unit.isolator_closed
    assert unit.connected is Source.MAIN


def test_a_supply_that_dips_holds_the_chip_in_reset(unit):
    now = unit.now_s
    unit.supply([(now + 0.01, 5), (now + 0.02, 3.5), (now + 0.05, 3.5), (now + 0.06, 5)])
    ask(unit, "I", 0.008)
    unit.run(0.04)
    assert not unit.driven(Part.ISOLATOR)
    unit.run(0.05)
    assert unit.output() == b"R0004"
    assert ask(unit, "n") == "0002"


def test_a_stopped_adc_ends_no_conversion(unit):
    before = unit.stats().isr_mean[21]
    unit.stop_adc()
    unit.run(0.01)
    unit.stats(clear=True)
    unit.run(0.1)
    assert before > 0
    assert 21 not in unit.stats().isr_longest
    unit.stop_adc(False)


def test_a_flipped_bit_changes_a_pin_at_its_cycle(unit):
    port_b = 0x25
    unit.flip(port_b, 1, at_s=unit.now_s + 0.005)
    unit.run(0.004)
    assert not unit.driven(Part.ISOLATOR)
    unit.run(0.002)
    assert unit.driven(Part.ISOLATOR)


def test_runs_of_the_same_seed_are_the_same(probe):
    def log(seed):
        with Emulator(probe, Board(), seed=seed) as unit:
            unit.mains()
            unit.run(0.02)
            ask(unit, "I1a", 0.1)
            return [*unit.events(), unit.output()]

    assert log(3) == log(3)
    assert log(3) != log(4)


def test_cost_is_counted(unit):
    unit.stats(clear=True)
    unit.run(1)
    stats = unit.stats()
    assert stats.scans == pytest.approx(2500, abs=1)
    assert 0.05 < stats.cpu_share < 0.3
    assert stats.isr_longest[21] >= stats.isr_mean[21] > 20
    assert 5_000 < stats.scan_longest < 6_400
    probes = [one.cycle for one in unit.events(Kind.PROBE)][-2000:]
    assert all(
        later - earlier == pytest.approx(6400, abs=100) for earlier, later in itertools.pairwise(probes)
    )


def test_a_file_that_is_no_program_is_refused(tools, tmp_path):
    with pytest.raises(OSError, match="make firmware"):
        Emulator(tmp_path / "none.elf", Board())


def test_a_wave_before_the_last_one_is_refused(unit):
    unit.feed(Source.MAIN, DEAD, at_s=2)
    with pytest.raises(ValueError, match="in order of time"):
        unit.feed(Source.MAIN, DEAD, at_s=1)


def test_a_seventh_load_is_refused(unit):
    numbers = [unit.plug(1, Impedance(100)) for _ in range(6)]
    with pytest.raises(ValueError, match="unplug one"):
        unit.plug(1, Impedance(100))
    unit.unplug(1, numbers[3])
    assert unit.plug(1, Impedance(100)) == numbers[3]


def test_a_symbol_that_is_not_there_is_a_key_error(unit):
    assert unit.symbol("starts") in unit.ram
    assert unit.peek(unit.symbol("starts")) == b"\x01"
    with pytest.raises(KeyError):
        unit.symbol("nothing_of_this_name")


def test_a_trace_holds_the_voltages_at_their_rate(unit):
    unit.trace(5000)
    unit.run(0.1)
    volts = unit.traced(Source.MAIN)
    assert len(volts) == pytest.approx(500, abs=1)
    assert max(volts) == pytest.approx(325, abs=2)
    unit.trace(None)
    unit.run(0.1)
    assert unit.traced(Source.MAIN) == []


def test_a_stack_that_points_nowhere_harms_the_program_alone(unit):
    for bit in range(3, 8):
        unit.flip(0x5E, bit)
    unit.run(0.5)
    unit.reset()
    unit.run(0.02)
    assert ask(unit, "t") == "1"


def test_a_source_may_be_fed_anew_for_as_long_as_it_runs(unit):
    for _ in range(100):
        unit.feed(Source.MAIN, Sine(230.0, 50.0))
        unit.run(0.003)
    assert unit.source_v(Source.MAIN) == pytest.approx(unit.source_v(Source.BACKUP), abs=0.01)
    assert unit.source_v(Source.BACKUP) != 0


def test_a_byte_that_is_watched_is_logged_when_it_changes(unit):
    scans = unit.symbol("scans")
    unit.watch(scans)
    unit.run(0.01)
    seen = [one.value for one in unit.events(Kind.WATCH)]
    assert len(seen) == 25
    assert (seen[-1] - seen[0]) % 256 == 24
    unit.watch(None)
    unit.run(0.01)
    assert len(unit.events(Kind.WATCH)) == 25


def test_what_is_put_into_ram_is_there(unit):
    free = unit.ram[-1] - 400
    unit.poke(free, b"ab")
    unit.run(0.01)
    assert unit.peek(free, 2) == b"ab"
