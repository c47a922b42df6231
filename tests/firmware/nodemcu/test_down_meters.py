"""Energy counters go nowhere but up, also when UNO and gateway lose their supply at once."""

from itertools import pairwise

import pytest
from tests.firmware.line import Line
from tests.firmware.nodemcu.down_rig import Rig
from tests.firmware.nodemcu.modules import load


def consume(rig: Rig, watts: int, lasts_s: int) -> None:
    """Let outlet 1 take so much power for a while."""
    rig.line.reading("p_mw", 1, watts * 1000)
    for _ in range(lasts_s):
        rig.line.shim.link_count(1, watts * 1000, 500)
        rig.line.shim.link_count(1, watts * 1000, 500)
        rig.run(1000, step_ms=50)


def told(rig: Rig) -> list[int]:
    return [sample[4][0][3] for sample in rig.records.samples]


@pytest.mark.parametrize("watts", [5, 300, 2000])
def test_a_cut_of_both_never_lets_a_counter_go_back(shim, tmp_path, watts):
    """MQTT-21, SER-42, SER-44: and it is ahead by no more than a minute of power."""
    rig = Rig(Line(shim), folder=tmp_path)
    rig.run(1500)
    consume(rig, watts, 100)
    before = told(rig)[-1]
    rig.start_uno(noise=5)
    rig.start_gateway()
    rig.run(1500)
    consume(rig, watts, 20)
    assert all(first <= second for first, second in pairwise(told(rig)))
    most = max(1600, watts * 1000 * 64 // 3600)  # 90 W stood there at first
    assert told(rig)[-1] <= before + most + watts * 1000 * 25 // 3600 + 1
    assert rig.line.shim.link_energy(1) == told(rig)[-1], "the UNO goes on from there"


def test_a_gateway_that_starts_alone_believes_the_uno(shim, tmp_path):
    """SER-10: the session is the same, so nothing was lost."""
    rig = Rig(Line(shim), folder=tmp_path)
    rig.run(1500)
    consume(rig, 300, 20)
    before = told(rig)[-1]
    rig.start_gateway()
    rig.run(2500)
    assert told(rig)[-1] == before == rig.line.shim.link_energy(1)


def test_a_cut_before_the_uno_has_heard_where_it_stood_changes_nothing(shim, tmp_path):
    """SER-42."""
    rig = Rig(Line(shim), folder=tmp_path)
    rig.run(1500)
    consume(rig, 2000, 30)
    rig.start_uno(noise=5)
    rig.start_gateway()
    rig.down = lambda data: b"" if data[:2] == b"C " else data
    rig.run(2500)
    rig.start_gateway()
    rig.down = lambda data: data
    rig.run(2500)
    assert all(first <= second for first, second in pairwise(told(rig)))


def test_a_write_that_is_cut_at_any_byte_leaves_the_one_before(tmp_path):
    meters = load("meters").Meters
    for session in (1, 2):
        meters(str(tmp_path)).tell(session, [5000, 7000], [100_000, None])
    files = sorted(
        tmp_path.iterdir(), key=lambda path: meters(str(tmp_path))._number % 2 != int(path.name[-1])
    )
    whole = files[0].read_bytes()
    for cut in range(len(whole)):
        files[0].write_bytes(whole[:cut])
        assert meters(str(tmp_path)).session == 1
        files[0].write_bytes(whole[:cut] + b"\xff" * (len(whole) - cut))
        assert meters(str(tmp_path)).session == 1
    files[0].write_bytes(whole)
    kept = meters(str(tmp_path))
    assert (kept.session, kept.reached(2, 2)) == (2, [0, 0])
    assert kept.reached(3, 2) == [6777, 8000]
    assert kept.reached(3, 4) == [0, 0, 0, 0], "another board"


def test_flash_is_written_once_a_minute_of_power_at_most(tmp_path, monkeypatch):
    meters = load("meters").Meters(str(tmp_path))
    for second in range(3600):
        meters.tell(9, [second * 300_000 // 3600], [300_000])
    assert 50 <= meters._number <= 60


def test_a_flash_that_takes_nothing_is_counted(tmp_path):
    meters = load("meters").Meters(str(tmp_path / "missing"))
    meters.tell(1, [5], [0])
    assert meters.unwritten == 1
