"""The real firmware in the emulator: leaving a source, coming back, and staying where it should."""

import pytest
from tests.firmware.rig import Rig, forked, spread

from loadcenter.adapters.emulator import DEAD, Kind, Part, RelayModel, Sine
from loadcenter.domain.topology import Source

PIN_S = 0.0036
CONTACT_S = 0.020
PLANNED_S = 0.060
PHASES = 8


def lose(rig: Rig, source: Source, residual: float, phase: float):
    """Return (pin, contact) in s after `source` fell at a part of its cycle, None for what did not come."""
    at_s = rig.emulator.now_s + 0.02 + phase * rig.board.cycle_s
    rig.emulator.feed(source, Sine(rig.board.nominal_v * residual, rig.board.nominal_hz), at_s=at_s)
    rig.emulator.run_to(at_s + 0.1)
    pin_s, contact_s = rig.left(at_s), rig.settled(Part.CHANGEOVER, int(source is Source.MAIN), at_s)
    assert all(rig.emulator.driven(Part.outlet(outlet)) for outlet in rig.outlets)
    return tuple(None if one is None else one - at_s for one in (pin_s, contact_s))


@pytest.mark.parametrize("build", ["uno", "uno-60hz", "mega"])
@pytest.mark.parametrize("source", Source)
def test_a_lost_source_is_left_in_time_at_every_phase(power, build, source):
    rig = power(build)
    rig.load_all(1.0)
    rig.emulator.relay(Part.CHANGEOVER, RelayModel(operate_ms=10, release_ms=10, bounce_ms=3))
    rig.start_all()
    rig.stand_on(source)
    cases = [(residual, phase) for residual in (0, 0.3) for phase in spread(PHASES)]
    found = forked(lambda case: lose(rig, source, *case), cases)
    for (residual, _), (pin_s, contact_s) in zip(cases, found, strict=True):
        assert pin_s is not None
        assert contact_s is not None
        assert pin_s <= PIN_S
        # From 30 % on the transfer may be a planned one, which opens the isolator first.
        assert contact_s < (CONTACT_S if residual == 0 else PLANNED_S)


def test_a_short_sag_is_ridden_through_and_a_long_one_is_left(rig):
    emulator = rig.emulator
    began_s = emulator.now_s
    for wave, lasts_s in ((Sine(230 * 0.76), 0.15), (Sine(230), 1.0), (Sine(230 * 0.76), 1.0)):
        emulator.feed(Source.MAIN, wave)
        sagged_s = emulator.now_s
        rig.run(lasts_s)
        if lasts_s == 0.15:
            assert rig.left(began_s) is None
    assert rig.emulator.connected is Source.BACKUP
    assert 0.15 < rig.left(sagged_s) - sagged_s < 0.35
    (told,) = rig.told("transfer")
    assert told["result"] == "confirmed"


def test_it_returns_after_the_delay_with_the_isolator_open_meanwhile(rig):
    emulator = rig.emulator
    rig.apply({"retransfer_delay_s": 4})
    emulator.feed(Source.MAIN, DEAD)
    rig.run(1)
    assert emulator.connected is Source.BACKUP
    emulator.feed(Source.MAIN, Sine(230))
    good_s = emulator.now_s
    assert rig.until(lambda: emulator.connected is Source.MAIN, 8)
    back_s = rig.first(Kind.PIN, Part.CHANGEOVER, 0, good_s)
    assert 4.0 <= back_s - good_s <= 4.5
    rig.run(0.5)
    assert rig.first(Kind.CONTACT, Part.ISOLATOR, 0, good_s) < back_s
    assert emulator.isolator_closed
    assert all(emulator.closed(outlet) for outlet in rig.outlets)


def test_a_person_may_transfer_to_a_good_source(rig):
    rig.stand_on(Source.BACKUP)
    assert rig.emulator.isolator_closed
    assert rig.told("transfer")[-1]["result"] == "confirmed"


def test_with_both_sources_gone_it_waits_and_takes_the_first_that_comes(rig):
    emulator = rig.emulator
    for source in Source:
        emulator.feed(source, DEAD)
    rig.run(2)
    assert rig.told("outage")
    emulator.feed(Source.BACKUP, Sine(230))
    assert rig.until(lambda: emulator.connected is Source.BACKUP and abs(emulator.bus_v) > 100, 5)
    assert rig.until(lambda: bool(rig.told("outage_end")), 3)


def test_overvoltage_is_left_for_a_good_source(rig):
    rig.emulator.feed(Source.MAIN, Sine(230 * 1.22))
    at_s = rig.emulator.now_s
    rig.run(0.3)
    assert rig.emulator.connected is Source.BACKUP
    assert rig.left(at_s) - at_s < 0.05


def test_overvoltage_on_both_isolates_until_one_is_good_again(rig):
    emulator = rig.emulator
    for source in Source:
        emulator.feed(source, Sine(230 * 1.25))
    at_s = emulator.now_s
    rig.run(1)
    assert not emulator.isolator_closed
    assert rig.first(Kind.PIN, Part.ISOLATOR, 0, at_s) - at_s < 0.08
    emulator.feed(Source.MAIN, Sine(230))
    assert rig.until(lambda: emulator.isolator_closed, 10)
    assert rig.until(lambda: all(emulator.closed(outlet) for outlet in rig.outlets), 10)


def test_a_source_that_comes_and_goes_is_not_returned_to_for_ever(rig):
    emulator = rig.emulator
    rig.apply({"retransfer_delay_s": 0, "max_transfers_per_hour": 1})
    for _ in range(3):
        emulator.feed(Source.MAIN, DEAD)
        rig.run(3)
        emulator.feed(Source.MAIN, Sine(230))
        rig.run(12)
    assert emulator.connected is Source.BACKUP
    assert rig.told("transfer_lockout")
    rig.order(do="clear_lockout")
    assert rig.until(lambda: emulator.connected is Source.MAIN, 5)


def test_a_contact_that_does_not_follow_is_told(rig):
    rig.emulator.relay(Part.CHANGEOVER, RelayModel(throw_welded=0))
    rig.emulator.feed(Source.MAIN, DEAD)
    rig.run(1)
    assert rig.told("transfer")[-1]["result"] == "contradicted"


@pytest.mark.parametrize("slow", [False, True])
def test_a_source_pair_never_connects_both(power, slow):
    rig = power("uno-pair")
    times = RelayModel(operate_ms=5, release_ms=10, bounce_ms=3) if slow else RelayModel()
    rig.emulator.relay(Part.CHANGEOVER, times)
    rig.emulator.relay(Part.BACKUP_RELAY, times)
    rig.load_all(1.0)
    rig.start_all()
    rig.apply({"retransfer_delay_s": 0})
    for _ in range(2):
        rig.emulator.feed(Source.MAIN, DEAD)
        rig.run(1)
        assert rig.emulator.connected is Source.BACKUP
        rig.emulator.feed(Source.MAIN, Sine(230))
        assert rig.until(lambda: rig.emulator.connected is Source.MAIN, 15)


def test_without_dead_time_the_same_suite_finds_both_connected(programs):
    macros = ("LOADCENTER_DEAD_TIME_MS=0", "LOADCENTER_TEST_BUILD")
    rig = Rig(programs("uno-pair", *macros, suffix="no-dead-time"))
    rig.emulator.relay(Part.CHANGEOVER, RelayModel(release_ms=10))
    rig.emulator.relay(Part.BACKUP_RELAY, RelayModel(operate_ms=5))
    rig.start_all()
    rig.emulator.feed(Source.MAIN, DEAD)
    rig.run(1)
    assert rig.emulator.stats().violations > 0
    rig.close()
