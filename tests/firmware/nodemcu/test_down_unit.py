"""What the UNO tells reaches the records once, in words; and it is said plainly when it tells nothing."""

import random

import pytest
from tests.firmware.line import Line
from tests.firmware.nodemcu.down_rig import Rig, clear
from tests.firmware.nodemcu.modules import load


def deaf(_data: bytes) -> bytes:
    return b""


def test_birth_and_state_wait_until_the_uno_has_told_both(shim):
    """MQTT-25, MQTT-30, SER-11, SER-12."""
    rig = Rig(Line(shim))
    rig.up = deaf
    rig.run(1500)
    assert (rig.device.birth(), rig.device.state()) == (None, None)
    rig.up = clear
    rig.run(2500)
    birth = rig.device.birth()
    assert birth["nominal"] == {"v_mv": 230_000, "f_mhz": 50_000}
    assert birth["ratings"] == {"outlet_ma": 4000, "total_ma": 16_000}
    whole = {"min_v": 1, "max_v": 1, "outlets": 4, "model": "LC-4", "fw": "0.1.0", "period_ms": 1000}
    assert birth.items() >= whole.items()
    state = rig.device.state()
    assert (state["active"], state["live"], state["isolator"], state["settings"]) == (
        "main",
        True,
        "closed",
        0,
    )
    assert state["src"] == {"main": "good", "backup": "good"}


def test_an_event_is_kept_once_in_words_and_the_uno_forgets_it(joined):
    """SER-13, SER-20, MQTT-35."""
    before = len(joined.records.events)
    joined.line.note("source_lost", (0, 101_300), source=1)
    joined.line.note(
        "transfer", (0, 3200, 35_000, 101_300, 229_800, 0, 229_600), source=2, cause=20, because=1
    )
    joined.run(1500)
    first, second = joined.records.events[before:]
    assert (first["code"], first["src"]) == ("source_lost", "main")
    compared = {"rung": "amplitude_65", "dwell_ms": 0, "limit_mv": 149_500, "measured_mv": 101_300}
    assert first["data"].items() >= compared.items()
    assert first["data"]["unit_session"] == joined.line.session
    assert (second["code"], second["src"], second["cause"]) == ("transfer", "backup", "source_lost")
    assert second["because"] == before + 1
    assert second["data"]["from"] == "main"
    assert (second["data"]["to"], second["data"]["detection_us"]) == ("backup", 3200)
    assert joined.line.shim.link_held() == 0
    joined.run(3000)
    assert len(joined.records.events) == before + 2


def test_an_event_says_when_it_happened_not_when_it_was_heard(joined):
    """SER-13, MQTT-4."""
    joined.up = deaf
    joined.run(2000)
    happened_ms = joined.now_ms
    joined.line.note("switched", (1,), outlet=3, cause=7)
    joined.run(20_000)
    joined.up = clear
    joined.run(3000)
    (told,) = joined.records.told("switched")
    assert abs(told["at"] - happened_ms) <= 100


def test_what_happened_before_the_gateway_was_there_says_how_long(shim):
    """MQTT-4: an uptime is never negative."""
    rig = Rig(Line(shim))
    rig.line.passes(5000, 1)
    rig.run(2500)
    (boot,) = rig.records.told("boot")
    assert boot["at"] == 0
    assert 4500 < boot["data"]["before_ms"] < 5500
    assert (boot["data"]["reset_cause"], boot["data"]["resets"]) == ("power", 1)


def test_an_event_whose_acknowledgement_was_lost_is_not_kept_twice(joined):
    """SER-20: nor by a gateway that was started anew meanwhile."""
    joined.down = deaf
    joined.line.note("switched", (1,), outlet=3, cause=7)
    joined.run(3000)
    joined.start_gateway()
    joined.run(1500)
    joined.down = clear
    joined.run(3000)
    assert len(joined.records.told("switched")) == 1
    joined.line.note("switched", (0,), outlet=3, cause=7)
    joined.run(2000)
    assert len(joined.records.told("switched")) == 2


def test_events_that_the_uno_had_to_let_go_are_a_gap(joined):
    """SER-20, MQTT-17."""
    joined.down = deaf
    for at in range(40):
        joined.line.note("switched", (at % 2,), outlet=3, cause=7)
    joined.run(500)
    joined.down = clear
    joined.run(6000)
    (gap,) = [event["gap"] for event in joined.records.events if "gap" in event]
    assert gap["reason"] == "overflow"
    assert gap["count"] + len(joined.records.told("switched")) == 40


def test_flash_that_takes_nothing_leaves_the_event_with_the_uno(joined, monkeypatch):
    """SER-20."""

    def full(*_: object) -> int:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(joined.records, "add_event", full)
        joined.line.note("switched", (1,), outlet=3, cause=7)
        joined.run(3000)
    joined.run(2000)
    assert len(joined.records.told("switched")) == 1


def test_a_sample_comes_each_second_whatever_is_asked_between(joined):
    """MQTT-23."""
    before = len(joined.records.samples)
    for n in range(1, 41):
        joined.order(n, on=bool(n % 2))
        joined.run(500)
    assert 19 <= len(joined.records.samples) - before <= 21
    backup, live, main, other, outlets = joined.records.samples[-1]
    assert (backup, live, main, other) == (False, True, (230_000, 50_000, 0), (230_000, 50_000, 0))
    assert outlets[0] == (True, 400, 90_000, 0, 0)


def test_a_sensor_at_fault_is_unknown_and_says_so(joined):
    """MQTT-22."""
    joined.line.reading("i_ma", 2, -(2**31))
    joined.line.reading("p_mw", 2, -(2**31))
    joined.line.reading("f_mhz", 1, -(2**31))
    joined.run(2000)
    _, _, _, other, outlets = joined.records.samples[-1]
    assert outlets[1][1:] == (None, None, 0, 2)
    assert other == (230_000, None, 0), "a dead source has no frequency, and that is no fault"


def test_a_silent_uno_is_told_and_its_readings_are_unknown_not_old(joined):
    """MQTT-22, MQTT-61, SER-24."""
    joined.up = deaf
    joined.run(7000)
    (lost,) = joined.records.told("link_lost")
    assert lost["data"]["link"] == "unit"
    stale = joined.records.samples[-3:]
    assert [one[2] for one in stale] == [(None, None, 1)] * 3
    assert stale[0][4][0] == (True, None, None, 0, 1)
    assert joined.device.state()["q"] == "stale"
    joined.up = clear
    joined.run(2500)
    assert len(joined.records.told("link_found")) == 1
    assert "q" not in joined.device.state()
    assert joined.records.samples[-1][4][0][1] == 400
    assert joined.moved == []


def test_a_uno_that_was_never_there_is_missed(shim):
    """MQTT-25: and there is no birth without it."""
    rig = Rig(Line(shim))
    rig.up = deaf
    rig.run(15_000)
    assert len(rig.records.told("link_lost")) == 1
    assert rig.device.birth() is None
    assert rig.records.samples == []


def test_a_reset_of_the_uno_is_an_event_with_cause_and_count(joined):
    """SER-10, SER-11."""
    changes = joined.device.state_version
    joined.line.start(noise=77, cause=4)
    joined.stand()
    joined.run(3000)
    told = joined.records.told("boot")
    assert [event["data"]["reset_cause"] for event in told] == ["power", "watchdog"]
    assert told[1]["data"]["resets"] == 2
    assert joined.device.unit.restarts == 1
    assert joined.device.state_version > changes


def test_energy_goes_nowhere_but_up_and_comes_back_to_a_uno_that_lost_it(joined):
    """SER-42, MQTT-21."""
    for _ in range(20):
        joined.line.shim.link_count(1, 3_600_000, 500)
    joined.run(2000)
    reached = joined.records.samples[-1][4][0][3]
    assert reached > 1000
    joined.line.shim.link_eeprom_blank()
    joined.start_uno(noise=5)
    assert joined.line.shim.link_energy(1) == 0
    joined.run(4000)
    assert joined.line.shim.link_energy(1) >= reached
    counters = [sample[4][0][3] for sample in joined.records.samples]
    assert counters == sorted(counters)


def test_the_clock_of_the_uno_rolls_over(shim):
    """SER-12."""
    rig = Rig(Line(shim), uno_ms=2**32 - 4000)
    rig.run(10_000)
    rig.line.note("switched", (1,), outlet=3, cause=7)
    happened_ms = rig.now_ms
    rig.run(1500)
    (told,) = rig.records.told("switched")
    assert abs(told["at"] - happened_ms) <= 100
    assert 10 <= len(rig.records.samples) <= 12
    assert rig.device.unit.restarts == 0


def test_a_uno_of_another_version_is_told_and_nothing_is_done(shim):
    """SER-11."""
    rig = Rig(Line(shim))
    frames = load("frames")
    sent: list[bytes] = []
    rig.device.send = sent.append
    rig.device.hear(frames.encode("H", 1, 5, (2, 4, 230_000, 50_000, 4000, 16_000, 1, 1, 0, 20_000)))
    rig.device.hear(frames.encode("T", 2, 5, (1, 2, 3)))
    birth = rig.device.birth()
    assert (birth["serial_v"], birth["fw"]) == (2, "2.0.0")
    assert rig.device.state() is None
    rig.order(1)
    assert rig.device.results()["code"] == "not_supported"
    assert {line[:1] for line in sent} <= {b"Q"}


@pytest.mark.parametrize("garbage", [b"\x00\xff\xfe" * 99, b"T 1 2 3 *0000\n", b"A" * 700 + b"\n"])
def test_garbage_is_thrown_away_and_counted(joined, garbage):
    """SER-5, SER-6."""
    kept, thrown = len(joined.records.samples), joined.device.unit.lines.thrown
    joined.device.hear(garbage + b"\n")
    joined.run(1500)
    assert joined.device.unit.lines.thrown > thrown
    assert len(joined.records.samples) > kept


def test_frames_that_are_whole_but_not_understood_move_nothing(joined):
    """SER-6."""
    frames = load("frames")
    session = joined.line.session
    for kind, numbers in (("R", ()), ("R", (9, 9)), ("Z", (1,)), ("T", (1,)), ("H", (1,)), ("E", (1, 2))):
        joined.device.hear(frames.encode(kind, 1, session, numbers))
    joined.device.hear(frames.encode("E", 9, session, (1000, 250, 0, 0, 0, 0)))
    joined.run(1500)
    assert joined.device.unit.odd == 6
    assert joined.moved == []


def test_no_frame_that_is_whole_brings_the_gateway_down(joined):
    """SER-6: a UNO that has gone mad, or is of a later firmware."""
    frames, rng = load("frames"), random.Random(6)
    values = (None, -1, 0, 1, 2, 5, 33, 255, 65_535, 2**31, 2**32, 2**48 - 1, -(2**31))
    numbers = list(joined.device.unit.readings.numbers)
    for _ in range(4000):
        kind = rng.choice("HTERAZ")
        session = joined.line.session if rng.random() < 0.9 else rng.randrange(65_536)
        said = [rng.choice(values) for _ in range(rng.randrange(16))]
        if kind == "T":
            said = [rng.choice(values) if rng.random() < 0.1 else number for number in numbers]
        joined.device.hear(
            frames.encode(kind, rng.randrange(65_536), session, ["-" if one is None else one for one in said])
        )
        joined.now_ms += rng.randrange(50)
        joined.device.step()
        joined.device.state()
        joined.device.birth()
    pack = load("samples").pack
    for sample in joined.records.samples:
        pack(1, 1, sample, 0, 0)
