"""Hundreds of faults at random moments: what is carried out and what is kept is right after all of them.

Noise, cuts of one direction or both, resets of the UNO and of the gateway, against the UNO's own link code.
"""

import ctypes
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from tests.firmware.line import Line
from tests.firmware.nodemcu.down_rig import Rig, clear
from tests.firmware.nodemcu.modules import load

FAULTS = 100
LASTS_MS = 1500
STEP_MS = 10
"""Bytes that went out in time are read in the step behind."""


@dataclass
class Course:
    """A rig under fire, and what ought to have come of it.

    Attributes:
        expiries: until when each order may be begun, by its pause.
        noted: events that the UNO has told itself in its newest start.
    """

    rig: Rig
    rng: random.Random
    n: int = 0
    expiries: dict[int, int] = field(default_factory=dict)
    noted: int = 0

    def fault(self) -> None:
        rng, rig = self.rng, self.rig
        match rng.choice(("noise", "up", "down", "both", "uno", "gateway")):
            case "noise":
                rig.up = rig.down = self._noise
            case "up":
                rig.up = self._deaf
            case "down":
                rig.down = self._deaf
            case "both":
                rig.up = rig.down = self._deaf
            case "uno":
                rig.start_uno(rng.randrange(65_536))
                self.noted = 0
            case _:
                rig.records.boot += 1
                rig.start_gateway()
                self.n = 0

    def _noise(self, data: bytes) -> bytes:
        return bytes(
            byte ^ (1 << self.rng.randrange(8)) if self.rng.random() < 0.003 else byte for byte in data
        )

    @staticmethod
    def _deaf(_data: bytes) -> bytes:
        return b""

    def order(self) -> None:
        self.n += 1
        off_ms = 1000 + len(self.expiries)
        self.expiries[off_ms] = self.rig.now_ms + LASTS_MS
        name = f"b{self.rig.records.boot}-{self.n}"
        out = self.rng.randrange(1, 5)
        self.rig.order(self.n, id=name, do="cycle", off_ms=off_ms, out=out, lasts_ms=LASTS_MS)

    def live(self, lasts_ms: int) -> None:
        """Give orders and let things happen for a while."""
        for _ in range(lasts_ms // 250):
            if self.rng.random() < 0.5:
                self.order()
            if self.rng.random() < 0.3:
                self.rig.line.note("switched", (1,), outlet=self.rng.randrange(1, 5), cause=7)
                self.noted += 1
            self.rig.run(250, step_ms=STEP_MS)


def judge(shim: ctypes.CDLL, seed: int, faults: int) -> None:
    """Let so many faults happen and check what came of it."""
    rig = Rig(Line(shim))
    rig.run(1500)
    course = Course(rig, random.Random(seed))
    for _ in range(faults):
        course.live(1000)
        course.fault()
        course.live(course.rng.choice((250, 1000, 4000)))
        rig.up = rig.down = clear
    course.live(1000)
    rig.run(20_000, step_ms=STEP_MS)

    # Orders: each ends at most once; of the gateway's last start, each ends; what was carried out was in time.
    ends = rig.ends()
    assert {len(end) for end in ends.values()} == {1}
    assert {f"b{rig.records.boot}-{n}" for n in range(1, course.n + 1)} <= set(ends)
    confirmed = sum(end == [("confirmed", "ok")] for end in ends.values())
    assert confirmed > len(course.expiries) // 4
    begun = Counter(off_ms for off_ms, _ in rig.begun)
    assert max(begun.values()) == 1
    assert confirmed <= len(begun)
    late = [off_ms for off_ms, at_ms in rig.begun if at_ms > course.expiries[off_ms] + STEP_MS]
    assert late == []

    # Events: each once, and of the UNO's last start each is kept or told as a gap.
    kept = Counter(event["unit"] for event in rig.records.events if event["unit"])
    assert max(kept.values()) == 1
    last = [event for event in rig.records.events if event["unit"] and event["unit"][0] == rig.line.session]
    first_of_last = rig.records.events.index(last[0])
    gaps = [event["gap"]["count"] for event in rig.records.events[first_of_last:] if "gap" in event]
    assert len(last) + sum(gaps) + (last[0]["unit"][1] - 1) == course.noted + 1, "its boot, and what it told"


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_carried_out_twice_or_late_and_no_event_is_kept_twice_or_lost(shim, seed):
    """SER-5, SER-10, SER-20, SER-21, SER-24, SER-25, MQTT-41, MQTT-44, MQTT-45."""
    judge(shim, seed, FAULTS)


def new_number(self, act, now_ms):
    act.seq = None
    return LINE(self, act, now_ms)


LINE = load("acting").Acting._line
BREAKS = {
    "a new number for each try": ("acting", "Acting", "_line", new_number),
    "no expiry": ("acting", "Act", "is_late", lambda *_: False),
    "no memory of events": ("unit", "Unit", "_missed", lambda *_: 0),
}


@pytest.mark.parametrize(("module", "name", "method", "broken"), BREAKS.values(), ids=BREAKS)
def test_a_gateway_that_breaks_a_rule_is_caught(shim, monkeypatch, module, name, method, broken):
    monkeypatch.setattr(getattr(load(module), name), method, broken)
    with pytest.raises(AssertionError):
        judge(shim, 3, FAULTS // 3)
