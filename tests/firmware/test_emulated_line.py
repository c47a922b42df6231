"""The real firmware in the emulator: its serial line, from the first byte to the contact."""

import math
import random

import pytest
from tests.firmware import words
from tests.firmware.garbage import garbage, quiet_after
from tests.firmware.named import encode
from tests.firmware.waveforms import inductive

from loadcenter.adapters.emulator import CLOCK_HZ, Kind, Part

BYTES = 30_000


def test_it_greets_and_tells_its_readings_each_second(rig):
    rig.run(5)
    assert rig.hello.fields["outlets"] == "4"
    assert len([one for one in rig.frames if one.type == "T"]) >= 5
    assert rig.reader.thrown == 0


CALIBRATED = (
    "LOADCENTER_SOURCE_GAINS=-655",  # -2 %
    "LOADCENTER_OUTLET_GAINS=0,0,983",  # 3 % for outlet 3
    "LOADCENTER_OUTLET_DELAYS_US=0,0,100",  # 1.8 degrees at 50 Hz
)


def test_what_was_found_out_of_its_sensors_is_in_what_a_unit_reports(power):
    rig = power("uno", *CALIBRATED, suffix="calibrated")
    for outlet in (2, 3):
        rig.emulator.plug(outlet, inductive(2, 0.5))
    rig.start_all()
    rig.run(3)
    told = {
        key: int(rig.telemetry.fields[key]) for key in ("v_mv.main", "i_ma.2", "i_ma.3", "p_mw.2", "p_mw.3")
    }
    assert told["v_mv.main"] == pytest.approx(230_000 * 0.98, rel=0.003)
    assert told["i_ma.2"] == pytest.approx(2000, rel=0.005)
    assert told["i_ma.3"] == pytest.approx(2060, rel=0.005)
    assert told["p_mw.2"] == pytest.approx(230_000 * 0.98 * 2 * 0.5, rel=0.01)
    lags = math.cos(math.radians(60 + 1.8))  # what is sampled late seems to lag less than it does
    assert told["p_mw.3"] == pytest.approx(230_000 * 0.98 * 2.06 * lags, rel=0.01)


def test_a_switch_moves_its_contact_and_says_so(rig):
    rig.run(6)
    assert rig.switch(2, on=False).fields["status"] in {"accepted", "confirmed"}
    assert rig.until(lambda: not rig.emulator.closed(2), 1)
    assert all(rig.emulator.closed(outlet) for outlet in (1, 3, 4))


def test_a_command_of_another_session_moves_nothing(rig):
    """SER-10."""
    at_s = rig.emulator.now_s
    rig.emulator.send(encode("C", 900, rig.session ^ 1, {"do": "switch", "out": 1, "on": 0}))
    rig.run(1)
    assert not rig.events(Kind.PIN, since_s=at_s)


@pytest.mark.parametrize("outlet", [0, 3])
def test_emergency_off_opens_within_ten_milliseconds(rig, outlet):
    """SER-22."""
    frame = encode("X", 901, rig.session, {"out": outlet})
    at_s = rig.emulator.now_s + len(frame) * 10 / 57_600
    rig.emulator.send(frame)
    rig.run(0.5)
    opened = {one.index: one.cycle / CLOCK_HZ for one in rig.events(Kind.PIN, since_s=at_s) if not one.value}
    wanted = [Part.outlet(outlet)] if outlet else [Part.outlet(one) for one in rig.outlets]
    assert set(wanted) <= set(opened)
    assert all(opened[part] - at_s <= 0.010 for part in wanted)
    rig.run(1)
    assert not any(rig.emulator.closed(part - Part.ISOLATOR) for part in wanted), "and they stay open"


def test_emergency_off_of_all_is_confirmed_where_some_are_off_already(rig):
    """SER-22."""
    rig.run(6)  # the least time on
    rig.switch(1, on=False)
    rig.run(1)
    frame = rig.order("X", out=0)
    rig.run(1)
    answers = [words.result(one.fields) for one in rig.frames if one.type == "R" and one.seq == frame.seq]
    assert answers[-1] == "confirmed"
    assert not any(rig.emulator.closed(outlet) for outlet in rig.outlets)


def test_garbage_moves_nothing_and_the_line_is_heard_again(rig):
    """SER-5, and SER-10 for frames of right checksum."""
    assert quiet_after(rig, garbage(random.Random(1), BYTES, rig.session))
    assert rig.switch(1, on=False).type == "R"
    assert rig.emulator.stats().crashes == 0


def test_bytes_are_fetched_in_time_under_full_load(rig):
    rig.emulator.send(encode("Q", 1, 0) * 200)
    rig.run(1.5)
    assert rig.emulator.stats().overruns == 0
