"""Events in flash: whole after a cut at any byte, bounded, and never silently less (MQTT-15, MQTT-16, MQTT-17)."""

import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.firmware.nodemcu.modules import load

ring_module, boxes_module = load("ring"), load("boxes")
Clock = load("clock").Clock


class Cut(Exception):  # noqa: N818 - it is no error
    """The power goes."""


class Flash(ring_module.Ring):
    """A ring that writes down what it does to its files, and can lose its power or be full."""

    def __init__(self, folder: str, log: list[tuple[str, bytes | None]] | None = None) -> None:
        super().__init__(folder)
        self.log = [] if log is None else log
        self.full = False

    def _write(self, name, data):
        if self.full:
            raise OSError(28, "no space left")
        self.log.append((Path(name).name, data))
        super()._write(name, data)

    def _remove(self, name):
        self.log.append((Path(name).name, None))
        return super()._remove(name)


def start(folder: Path, ring: Any = None, **options: Any) -> Any:
    """Return the boxes of one more boot."""
    return boxes_module.Boxes(str(folder), Clock(lambda: 1000), lambda n: n // 2, ring=ring, **options)


def everything(boxes: Any) -> list[dict[str, Any]]:
    """Return the event records that are held, in the order in which they are sent."""
    found = []
    while (record := boxes.next()) is not None:
        if record[0] == "event":
            found.append(json.loads(record[1]))
            ack(boxes, found[-1]["boot"], found[-1]["seq"])
    return found


def ack(boxes: Any, boot: int, event: int) -> bool:
    return boxes.ack(json.dumps({"v": 1, "boot": boot, "telemetry": 0, "event": event}).encode())


def numbers(events: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    return [(event["boot"], event.get("from", event["seq"]), event["seq"]) for event in events]


def replay(folder: Path, log: list[tuple[str, bytes | None]], size: int) -> int:
    """Make the folder what it was after `size` bytes were written; return how many whole steps that were."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for step, (name, data) in enumerate(log):
        if data is None:
            (folder / name).unlink()
            continue
        with (folder / name).open("ab") as file:
            file.write(data[:size])
        size -= len(data)
        if size < 0:
            return step
    return len(log)


def test_a_cut_at_any_byte_loses_and_doubles_nothing(tmp_path, monkeypatch):
    """Two boots that write, are acknowledged, and begin new files: cut after every single byte."""
    for module in (ring_module, load("journal")):
        monkeypatch.setattr(module, "SEGMENT", 240)
    log: list[tuple[str, bytes | None]] = []
    safe: list[tuple[int, set[tuple[int, int]], set[tuple[int, int]]]] = []  # (steps, kept, stored)
    kept: set[tuple[int, int]] = set()
    stored: set[tuple[int, int]] = set()
    for boot in (1, 2):
        boxes = start(tmp_path / "ring", Flash(str(tmp_path / "ring"), log))
        kept.add((boot, 1))
        safe.append((len(log), set(kept), set(stored)))
        for n in range(2, 7):
            boxes.add_event({"code": "switched", "out": n}, unit=(7, n))
            kept.add((boot, n))
            safe.append((len(log), set(kept), set(stored)))
            boxes.add_telemetry((False, True, (1, 1, 0), (1, 1, 0), ()))
            if n % 3 == 0:
                ack(boxes, boot, n - 1)
                stored |= {(boot, seq) for seq in range(1, n)}
                safe.append((len(log), set(kept), set(stored)))
    size = sum(len(data) for _, data in log if data)
    assert len({name for name, _ in log}) > 4
    assert any(data is None for _, data in log)
    for cut in range(size + 1):
        steps = replay(tmp_path / "cut", log, cut)
        boxes = start(tmp_path / "cut")
        found = numbers(everything(boxes))
        before = max(
            (moment for moment in safe if moment[0] <= steps), default=(0, set(), set()), key=lambda m: m[0]
        )
        held = {(boot, seq) for boot, first, seq in found for seq in range(first, seq + 1)}
        assert before[1] - before[2] <= held | stored, (cut, found)
        assert len(found) == len(set(found))
        assert all(first == seq for _, first, seq in found), (cut, found)  # no gap
        assert found == sorted(found)
        known = max((boot for boot, _ in before[1]), default=0)
        assert found[-1] in {(known + 1, 1, 1), (known + 2, 1, 1)}
        assert boxes.boot == found[-1][0]


def test_a_cut_while_a_boot_begins_leaves_it_begun_or_not(tmp_path):
    """The closing of the boot before is never lost with it (MQTT-16)."""
    log: list[tuple[str, bytes | None]] = []
    first = start(tmp_path / "ring", Flash(str(tmp_path / "ring"), log))
    first.add_telemetry((False, True, (1, 1, 0), (1, 1, 0), ()))
    before = sum(len(data) for _, data in log if data)
    start(tmp_path / "ring", Flash(str(tmp_path / "ring"), log))
    for cut in range(before, sum(len(data) for _, data in log if data) + 1):
        replay(tmp_path / "cut", log, cut)
        events = everything(start(tmp_path / "cut"))
        closed = [event["data"]["closes"] for event in events[1:]]
        assert [one["boot"] for one in closed] == list(range(1, len(events)))
        assert closed[0]["telemetry"] == 32


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_a_gap_or_nothing_but_never_a_wrong_event(tmp_path_factory, place, flip):
    """The CRC of each record finds it."""
    folder = tmp_path_factory.mktemp("flash") / "ring"
    boxes = start(folder)
    for n in range(2, 40):
        boxes.add_event({"code": "switched", "out": n})
    file = max(folder.iterdir())
    data = bytearray(file.read_bytes())
    data[place % len(data)] ^= flip
    file.write_bytes(data)
    events = everything(start(folder))
    for event in events:
        if event["boot"] == 1 and "gap" not in event:
            assert event["seq"] == 1 or event["out"] == event["seq"]
    spans = [one for one in numbers(events) if one[0] == 1]
    assert all(later[1] == sooner[2] + 1 for sooner, later in itertools.pairwise(spans))


def test_a_ring_that_is_full_announces_what_it_lost(tmp_path):
    """MQTT-17: the oldest events become one gap, also over a restart, and flash holds no more than it may."""
    folder = tmp_path / "ring"
    boxes = start(folder)
    for n in range(2, 1500):
        boxes.add_event({"code": "switched", "out": 1, "data": {"n": n, "text": "x" * 60}})
    assert len(list(folder.iterdir())) <= 9
    assert boxes.held[1] <= 300
    again = start(folder)
    events = everything(again)
    gap, rest = events[0], events[1:]
    assert (gap["from"], gap["gap"]) == (1, {"reason": "overflow", "count": gap["seq"]})
    assert numbers(rest) == [(1, n, n) for n in range(gap["seq"] + 1, 1500)] + [(2, 1, 1)]
    assert len(rest) > 150


def test_files_are_written_in_turn_and_go_when_all_in_them_is_stored(tmp_path):
    """Flash wears evenly: no file is written twice from its beginning."""
    folder = tmp_path / "ring"
    boxes = start(folder)
    for n in range(2, 2000):
        boxes.add_event({"code": "switched", "out": 1})
        ack(boxes, 1, n - n % 5)
    files = sorted(int(path.name.removeprefix("ring.")) for path in folder.iterdir())
    assert len(files) <= 2
    assert files[-1] > 10


def test_a_flash_that_takes_nothing_leaves_events_in_memory(tmp_path):
    """They are sent all the same; only a power cut would lose them, and the count of failures tells."""
    ring = Flash(str(tmp_path / "ring"))
    boxes = start(tmp_path / "ring", ring)
    ring.full = True
    for n in range(2, 6):
        assert boxes.add_event({"code": "switched", "out": n}) == n
    assert boxes.unwritten == 4
    ring.full = False
    boxes.add_event({"code": "switched", "out": 6})
    assert numbers(everything(boxes)) == [(1, n, n) for n in range(1, 7)]


def test_a_flash_that_stays_full_keeps_the_newest_in_memory(tmp_path):
    ring = Flash(str(tmp_path / "ring"))
    boxes = start(tmp_path / "ring", ring)
    ring.full = True
    for n in range(2, 100):
        boxes.add_event({"code": "switched", "out": n})
    events = everything(boxes)
    assert events[0]["gap"]["reason"] == "overflow"
    assert numbers(events)[-1] == (1, 99, 99)
    assert len(events) <= 18


def test_boots_in_vain_are_all_kept_and_sent_in_order(tmp_path):
    """Twenty starts without a control center: each tells of the one before."""
    for _ in range(20):
        boxes = start(tmp_path / "ring")
    events = everything(boxes)
    assert numbers(events) == [(boot, 1, 1) for boot in range(1, 21)]
    assert len(list((tmp_path / "ring").iterdir())) == 1


def test_boots_too_long_ago_are_counted(tmp_path):
    """Bounded memory: what is gone without a gap is told by the next start."""
    for _ in range(60):
        boxes = start(tmp_path / "ring")
    events = everything(boxes)
    assert events[-1]["data"]["dropped"] >= 1
    assert events[-1]["boot"] == 60
    assert len(events) == 49


def test_an_event_is_dated_by_the_clock_of_its_time(tmp_path):
    """MQTT-4: one of an earlier boot keeps the time that was known then."""
    boxes = start(tmp_path / "ring")
    boxes._clock.set(1_767_225_600_000)
    boxes.add_event({"code": "switched", "out": 1}, up_ms=500)
    boxes = start(tmp_path / "ring")
    events = everything(boxes)
    assert "ts_ms" not in events[0]
    assert events[1]["ts_ms"] == 1_767_225_600_000 - 500
    assert "ts_ms" not in events[2]


def test_an_event_that_is_too_long_is_refused(tmp_path):
    boxes = start(tmp_path / "ring")
    with pytest.raises(ValueError, match="at most 1024 are kept"):
        boxes.add_event({"code": "switched", "data": {"text": "x" * 2000}})
    assert numbers(everything(boxes)) == [(1, 1, 1)]


def test_random_courses_end_with_all_that_is_not_stored(tmp_path):
    """Starts, events, acks and lost acks in any order: what is held is what was added and not acknowledged."""
    for seed in range(25):
        chance = random.Random(seed)
        folder = tmp_path / str(seed)
        boxes = start(folder)
        held = {(1, 1)}
        for _ in range(150):
            match chance.choice("eeeeaas"):
                case "e":
                    held.add((boxes.boot, boxes.add_event({"code": "switched", "out": 1})))
                case "a":
                    boot, seq = chance.choice(sorted(held)) if held else (boxes.boot, 0)
                    if boot == min((one for one, _ in held), default=boot):
                        ack(boxes, boot, seq)
                        held -= {(boot, n) for n in range(1, seq + 1)}
                case "s":
                    boxes = start(folder)
                    held.add((boxes.boot, 1))
        assert {(boot, seq) for boot, _, seq in numbers(everything(boxes))} == held
