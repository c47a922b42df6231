"""An order is carried out once or not at all, and ends once, whatever the serial line does."""

import random
import re

import pytest
from tests.firmware.line import Line
from tests.firmware.nodemcu.down_rig import Rig, clear

CONFIRMED = [("confirmed", "ok")]


def deaf(_data: bytes) -> bytes:
    return b""


def test_an_order_is_carried_out_once_and_ends_once(joined):
    """SER-21, MQTT-43, MQTT-44."""
    joined.order(1)
    joined.run(1000)
    assert [(out, on) for out, on, _ in joined.moved] == [(2, False)]
    assert [answer["status"] for answer in joined.answers] == ["accepted", "confirmed"]
    state = joined.device.state()
    assert state["n"] == 1
    assert state["out"][1] == {"n": 2, "on": False, "cause": "person_off", "by": "ada", "limit_ma": 4000}


@pytest.mark.parametrize("harm", ["lost", "changed", "noise"])
@pytest.mark.parametrize("way", ["down", "up"])
def test_no_single_byte_that_is_harmed_makes_it_two_or_none(shim, way, harm):
    """SER-5, SER-21: each byte of the order and of its answers, one after the other."""
    wanted = rb"C \d+ \d+ 1 2 0 \*....\n" if way == "down" else rb"R \d+ \d+ [12] 0 \*....\n"
    for at in range(100):
        rig = Rig(Line(shim))
        rig.run(600)  # the line is quiet now, so that each answer is a line of its own
        harmed = Harmed(wanted, at, harm)
        setattr(rig, way, harmed)
        rig.order(1)
        rig.run(2500)
        assert [(out, on) for out, on, _ in rig.moved] == [(2, False)], at
        assert rig.ends() == {"o1": CONFIRMED}, at
        if not harmed.done:
            break
    assert at > (30 if way == "up" else 15), "each byte was harmed"


class Harmed:
    """Harms one byte of the lines that are looked for, counted over all of them."""

    def __init__(self, wanted: bytes, at: int, harm: str) -> None:
        self.wanted, self.left, self.harm = re.compile(wanted), at, harm
        self.held = b""
        self.done = False

    def __call__(self, data: bytes) -> bytes:
        self.held += data
        *lines, self.held = self.held.split(b"\n")
        return b"".join(self._line(line + b"\n") for line in lines)

    def _line(self, line: bytes) -> bytes:
        if self.done or not self.wanted.fullmatch(line):
            return line
        if self.left >= len(line):
            self.left -= len(line)
            return line
        self.done, at = True, self.left
        instead = {"lost": b"", "changed": bytes((line[at] ^ 1,)), "noise": b"\xff" + line[at : at + 1]}[
            self.harm
        ]
        return line[:at] + instead + line[at + 1 :]


def test_under_heavy_noise_every_order_ends_once_and_none_is_carried_out_twice_or_late(joined):
    """SER-10, SER-21, MQTT-45."""
    rng = random.Random(4)

    def noise(data: bytes) -> bytes:
        return bytes(byte ^ (1 << rng.randrange(8)) if rng.random() < 0.01 else byte for byte in data)

    joined.up = joined.down = noise
    last_ms = {}
    for n in range(1, 61):
        last_ms[n] = joined.now_ms + 1500
        joined.order(n, out=1 + n % 4, on=bool(n % 3), lasts_ms=1500)
        joined.run(rng.randrange(100, 900))
    joined.up = joined.down = clear
    joined.run(4000)
    ends = joined.ends()
    assert set(ends) == {f"o{n}" for n in range(1, 61)}
    assert {len(end) for end in ends.values()} == {1}
    confirmed = [name for name, end in ends.items() if end == CONFIRMED]
    assert len(joined.moved) == len(confirmed) + sum(
        end == [("rejected", "not_confirmed")] for end in ends.values()
    )
    assert len(confirmed) > 30
    for (_, _, at_ms), name in zip(
        joined.moved, sorted(confirmed, key=lambda one: int(one[1:])), strict=False
    ):
        assert at_ms <= last_ms[int(name[1:])] + 5


def test_an_order_that_waits_while_the_uno_is_silent_expires(joined):
    """MQTT-41: nothing is carried out late."""
    joined.up = joined.down = deaf
    joined.run(4000)
    joined.order(1, lasts_ms=2000)
    joined.run(3000)
    joined.up = joined.down = clear
    joined.run(3000)
    assert joined.moved == []
    assert joined.ends() == {"o1": [("expired", "expired")]}


def test_an_order_that_was_taken_while_nobody_heard_the_answer_is_confirmed_later(joined):
    """SER-11, SER-21, SER-25: the hello tells that it was taken; asking again moves nothing."""
    joined.up = deaf
    joined.order(1)
    joined.run(5000)
    assert joined.ends() == {}
    joined.up = clear
    joined.run(2500)
    assert len(joined.moved) == 1
    assert joined.ends() == {"o1": CONFIRMED}


def test_an_order_that_never_arrived_is_sent_no_more_when_its_time_is_over(joined):
    """SER-11, MQTT-41."""
    joined.down = deaf
    joined.order(1, lasts_ms=1000)
    joined.run(2500)
    joined.down = clear
    joined.run(2500)
    assert joined.moved == []
    assert joined.ends() == {"o1": [("expired", "expired")]}


def test_an_order_that_never_arrived_is_sent_again_while_there_is_time(joined):
    """SER-21."""
    joined.down = deaf
    joined.order(1, lasts_ms=9000)
    joined.run(2000)
    joined.down = clear
    joined.run(2500)
    assert len(joined.moved) == 1
    assert joined.ends() == {"o1": CONFIRMED}


def test_a_reset_of_the_uno_ends_what_was_under_way_and_repeats_nothing(joined):
    """SER-10, MQTT-44: whether it was carried out is not known."""
    joined.order(1)
    joined.run(20)
    assert len(joined.moved) == 1
    joined.start_uno(noise=99)
    joined.run(4000)
    assert len(joined.moved) == 1
    assert joined.ends() == {"o1": [("rejected", "not_confirmed")]}


def test_a_gateway_that_starts_anew_goes_on_from_the_newest_number(joined):
    """SER-11."""
    for n in (1, 2):
        joined.order(n)
        joined.run(300)
    joined.start_gateway()
    joined.records.boot += 1
    joined.run(1500)
    joined.order(1, out=3)
    joined.run(1000)
    assert [out for out, _, _ in joined.moved] == [2, 2, 3]
    assert joined.ends()["o1"] == CONFIRMED * 2


def test_numbers_go_over_their_end(shim):
    """SER-3, SER-21."""
    line = Line(shim)
    rig = Rig(line)
    for seq in (30_000, 60_000, 65_532):
        line.give("C", {"do": "switch", "out": 1, "on": 0}, seq=seq)
        rig.run(100)
    rig.start_gateway()
    rig.run(1500)
    rig.moved.clear()
    for n in range(1, 7):
        rig.order(n, on=bool(n % 2))
        rig.run(500)
    assert len(rig.moved) == 6
    assert set(map(tuple, rig.ends().values())) == {tuple(CONFIRMED)}


def test_emergency_off_goes_ahead_and_ends_what_waits(joined):
    """SER-22."""
    told = []
    joined.down = deaf
    joined.order(1)
    joined.order(2, out=3)
    joined.run(100)
    joined.device.unit.emergency(0, lambda *end: told.append(end))
    joined.down = clear
    joined.run(1500)
    assert joined.moved[0][:2] == (0, False)
    assert told[-1][0] == "confirmed"
    assert joined.ends()["o2"] == [("rejected", "superseded")]
    assert joined.ends()["o1"] == [("rejected", "superseded")]


def test_an_emergency_is_not_for_later(shim):
    """SER-22, SER-24."""
    rig = Rig(Line(shim))
    told = []
    rig.device.unit.emergency(0, lambda *end: told.append(end))
    rig.run(2000)
    assert told == [("rejected", "offline")]
    assert rig.moved == []


def test_too_many_orders_at_once_are_refused_and_none_is_forgotten(joined):
    """MQTT-44."""
    joined.up = deaf
    for n in range(1, 41):
        joined.order(n, lasts_ms=1000)
    joined.run(3000)
    joined.up = clear
    joined.run(6000)
    ends = joined.ends()
    assert joined.device.orders.dropped + len(ends) == 40
    assert {len(end) for end in ends.values()} == {1}
    assert len(joined.moved) == 1


def test_a_retained_order_is_refused_and_told(joined):
    """MQTT-42."""
    joined.device.command(
        b'{"v":1,"id":"a","boot":7,"n":1,"exp_up_ms":99999,"do":"switch","out":1,"on":false}', True
    )
    joined.device.command(b"[[[[", False)
    joined.run(500)
    assert joined.moved == []
    assert joined.ends() == {"a": [("rejected", "retained")]}
    codes = [event["data"]["code"] for event in joined.records.told("command_refused")]
    assert codes == ["retained", "malformed"]


def test_a_boot_whose_number_rises_counts_its_orders_anew(joined):
    """MQTT-41: the flash was erased, and the control center knew this boot's number already."""
    joined.order(5)
    joined.run(500)
    joined.records.boot = 14
    assert joined.device.state()["n"] == 0
    joined.order(1, on=True)
    joined.run(500)
    assert [on for _, on, _ in joined.moved] == [False, True]
    joined.order(6, boot=7)
    joined.run(500)
    assert joined.ends()["o6"] == [("rejected", "other_boot")]
