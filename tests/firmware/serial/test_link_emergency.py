"""Emergency off over the serial line: SER-22."""

import pytest
from tests.firmware.line import CONFIRMED, result
from tests.firmware.named import encode

ON = {"do": "switch", "out": 2, "on": 1}


@pytest.mark.parametrize(("outlet", "pins"), [(0, 0b1111), (1, 0b0001), (4, 0b1000)])
def test_the_pins_open_in_the_pass_that_reads_the_line(line, outlet, pins):
    """SER-22."""
    line.give("X", {"out": outlet})
    line.passes()
    assert line.shim.link_emergency() == pins
    assert line.shim.link_emergency() == 0
    (command,) = line.commands()
    assert (command.outlet, command.on, command.emergency) == (outlet, 0, 1)


def test_it_goes_ahead_of_what_waits(line):
    """SER-22: what was asked before it does not come after it."""
    before = [line.give("C", ON) for _ in range(3)]
    line.give("X", {"out": 0})
    line.passes()
    commands = line.commands()
    assert [command.emergency for command in commands] == [1]
    frames = line.passes(80)
    assert {line.answer_in(frames, seq).fields["code"] for seq in before} == {result("superseded")}


def test_it_is_never_held_back_by_commands_without_an_answer(line):
    """SER-22."""
    for _ in range(6):
        line.give("C", ON)
        line.passes()
        line.commands()
    seq = line.give("X", {"out": 0})
    line.passes()
    assert line.shim.link_emergency() == 0b1111
    line.shim.link_answer(seq % 256, CONFIRMED, 0)
    assert line.answer_in(line.passes(200), seq).fields["status"] == "confirmed"


def test_it_is_never_held_back_by_settings_on_their_way(line):
    """SER-22."""
    line.give("S", {"version": 4, "begin": 1})
    line.passes()
    line.give("X", {"out": 0})
    line.passes()
    assert line.shim.link_emergency() == 0b1111


def test_it_acts_with_an_old_number_too(line):
    """SER-22: an old number can do nothing here but open outlets."""
    line.seq = 100
    line.give("C", ON)
    line.passes()
    line.give("X", {"out": 0}, seq=7)
    line.passes()
    assert line.shim.link_emergency() == 0b1111


def test_a_copy_opens_nothing_again(line):
    """SER-21."""
    seq = line.give("X", {"out": 0})
    line.passes()
    line.shim.link_emergency()
    line.commands()
    line.give("X", {"out": 0}, seq=seq)
    line.passes()
    assert (line.shim.link_emergency(), line.commands()) == (0, [])


@pytest.mark.parametrize(("fields", "code"), [({}, "malformed"), ({"out": 9}, "no_such_outlet")])
def test_one_that_cannot_be_read_opens_nothing(line, fields, code):
    assert line.ask("X", fields).fields == {"status": "rejected", "code": result(code)}
    assert line.shim.link_emergency() == 0


def test_it_is_read_in_the_same_pass_as_what_is_ahead_of_it(line):
    """SER-22: whatever is in the ring of the UART is read at once."""
    line.feed(b"\x00garbage" * 5 + b"\n" + encode("X", 1, line.session, {"out": 3}))
    line.passes()
    assert line.shim.link_emergency() == 0b0100
