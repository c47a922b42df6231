"""The real firmware in the emulator: overcurrent, its latch, and what becomes of a short when the source falls."""

import pytest
from tests.firmware.contacts import live_s
from tests.firmware.rig import Rig, forked, spread
from tests.firmware.waveforms import appliance, lamp, motor, resistor, switched_supply

from loadcenter.adapters.emulator import Impedance, Kind, Part, RelayModel, Sine
from loadcenter.domain.topology import Source

PIN_S = 0.0029


def opened(rig: Rig, outlet: int, since_s: float) -> float | None:
    pin_s = rig.first(Kind.PIN, Part.outlet(outlet), 0, since_s)
    return None if pin_s is None else pin_s - since_s


def overload(rig: Rig, multiple: float, phase: float) -> float | None:
    rig.emulator.run(0.01 + phase * rig.board.cycle_s)
    at_s = rig.overload(2, multiple - 0.5)  # beside the 2 A that flow
    rig.emulator.run(0.15)
    return opened(rig, 2, at_s)


@pytest.mark.parametrize("build", ["uno"])
def test_a_strong_overcurrent_opens_its_outlet_in_time_and_a_weak_one_not_at_once(power, build):
    rig = power(build)
    rig.load_all(2.0)
    rig.start_all()
    strong = [(multiple, phase) for multiple in (3.2, 10) for phase in spread(12)]
    delays = forked(lambda case: overload(rig, *case), strong)
    assert None not in delays
    assert max(delays) <= PIN_S
    assert set(forked(lambda phase: overload(rig, 2.25, phase), spread(24))) == {None}


def test_a_trip_is_told_and_stays_until_a_person_resets_it(rig):
    number = rig.emulator.plug(1, resistor(20))
    rig.run(0.5)
    (told,) = rig.told("trip")
    assert (told["out"], told["trip"]) == ("1", "instantaneous")
    rig.emulator.unplug(1, number)
    assert rig.switch(1, on=True).fields["status"] == "rejected"
    rig.run(1)
    assert not rig.emulator.closed(1)
    assert rig.order(do="reset_trip", out=1).fields["status"] == "confirmed"
    rig.run(10)
    rig.switch(1, on=True)
    assert rig.until(lambda: rig.emulator.closed(1), 5)


def test_the_other_outlets_stay_on_when_one_trips(rig):
    at_s = rig.overload(1, 5)
    rig.run(1)
    assert [outlet for outlet in rig.outlets if opened(rig, outlet, at_s) is not None] == [1]
    assert rig.emulator.connected is Source.MAIN


def test_a_lasting_overload_opens_by_the_curve(rig):
    rig.apply({"limit_action.1": "warn", "limit_ma.1": 10_000, "curve.1": "vi", "curve_tms_permille.1": 50})
    rig.run(0.5)
    at_s = rig.overload(1, 1.5)  # 8 A with what flows: twice the setting
    rig.run(1.5)
    assert opened(rig, 1, at_s) == pytest.approx(0.05 * 13.5 / (2 - 1), rel=0.05)
    assert rig.told("trip")[-1]["trip"] == "inverse_time"


@pytest.mark.parametrize(
    "defines", [(), ("LOADCENTER_NORMALLY_CLOSED_OUTLETS=0x0f",)], ids=["open", "closed"]
)
@pytest.mark.parametrize("after_s", [0.02, 0.3, 3.0])
def test_a_latched_outlet_has_no_voltage_after_a_loss_of_power(power, defines, after_s):
    rig = power("uno", *defines, suffix="nc" if defines else "")
    rig.load_all(2.0)
    rig.start_all()
    rig.overload(1, 5)
    rig.run(after_s)
    rig.emulator.power_off()
    rig.run(0.5)
    rig.emulator.power_on()
    back_s = rig.emulator.now_s
    assert rig.until(lambda: rig.emulator.isolator_closed, 5)
    rig.run(5)
    # What cannot be kept is a trip whose first byte was not yet written when power went: 3.4 ms a byte.
    if after_s > 0.1:
        assert live_s(rig, 1, back_s) == 0
        assert live_s(rig, 2, back_s) > 0


def test_a_bolted_short_is_not_carried_to_the_other_source(rig):
    """With the source at 40 % the detector of the source sees a loss, but the short is what has to go first."""
    emulator = rig.emulator
    emulator.source_resistance(Source.MAIN, 0.75)
    at_s = emulator.now_s
    emulator.plug(1, Impedance(0.5))
    rig.run(1)
    assert opened(rig, 1, at_s) <= 0.004
    broken_s = rig.first(Kind.CONTACT, Part.OUTLET_1, 0, at_s)
    moved_s = rig.first(Kind.PIN, Part.CHANGEOVER, 1, at_s)
    assert moved_s is None or moved_s > broken_s
    emulator.truth()
    rig.run(0.5)
    assert emulator.truth().peak_a[0] == 0


@pytest.mark.parametrize("phase", list(spread(4)))
def test_a_short_meets_a_source_that_falls_at_the_same_time(rig, phase):
    emulator = rig.emulator
    emulator.run(phase * rig.board.cycle_s)
    at_s = emulator.now_s
    emulator.plug(1, Impedance(2.0))
    emulator.feed(Source.MAIN, Sine(230 * 0.4, 50))
    rig.run(1)
    broken_s = rig.first(Kind.CONTACT, Part.OUTLET_1, 0, at_s)
    made_s = rig.first(Kind.CONTACT, Part.CHANGEOVER, 1, at_s)
    assert broken_s is not None
    assert made_s is None or made_s > broken_s


def test_an_outlet_that_trips_but_does_not_open_takes_the_isolator_with_it(rig):
    rig.emulator.relay(Part.OUTLET_1, RelayModel(welded=True))
    at_s = rig.overload(1, 5)
    rig.run(1)
    assert rig.first(Kind.PIN, Part.ISOLATOR, 0, at_s) - at_s < 0.15
    assert rig.told("breaker_failure")
    rig.run(5)
    assert not rig.emulator.isolator_closed


def test_an_outlet_that_does_not_open_is_told(rig):
    rig.emulator.relay(Part.OUTLET_1, RelayModel(welded=True))
    rig.run(6)
    rig.switch(1, on=False)
    rig.run(1)
    assert rig.told("relay_welded")[-1]["out"] == "1"
    assert rig.emulator.isolator_closed


LOADS = {
    "kettle": lambda: appliance("kettle_on"),
    "fridge": lambda: appliance("fridge_on"),
    "motor": lambda: motor(1.0),
    "lamp": lambda: lamp(1.0),
    "supply": lambda: switched_supply(150, 30),
}


@pytest.mark.parametrize("load", LOADS)
def test_a_load_that_starts_hard_does_not_trip(power, load):
    rig = power()
    rig.start_all()
    rig.apply({"limit_ma.1": 10_000, "curve_ma.1": 10_000})  # the kettle runs at twice the rating
    rig.emulator.plug(1, LOADS[load]())  # behind a closed relay
    rig.run(4)
    rig.emulator.feed(Source.MAIN, Sine(0))  # a transfer, with its inrush
    rig.run(2)
    rig.switch(1, on=False)
    rig.run(11)
    off_s = rig.emulator.now_s
    rig.switch(1, on=True)
    rig.run(2)
    assert not rig.told("trip")
    assert rig.emulator.closed(1)
    assert opened(rig, 1, off_s) is None
