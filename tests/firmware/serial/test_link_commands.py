"""What the UNO makes of commands, and what it does not."""

import pytest
from tests.firmware.line import ACCEPTED, CONFIRMED, REJECTED, code, result, verb
from tests.firmware.named import encode

OFF = {"do": "switch", "out": 2, "on": 0}


def test_a_command_is_handed_on_once_and_answered_as_it_goes(line):
    """SER-21."""
    seq = line.give("C", OFF)
    line.passes()
    (command,) = line.commands()
    assert (verb(command.verb), command.outlet, command.on, command.emergency) == ("switch", 2, 0, 0)
    assert command.key == seq % 256
    line.shim.link_answer(command.key, ACCEPTED, 0)
    assert line.answer_in(line.passes(200), seq).fields == {"status": "accepted", "code": "0"}
    line.shim.link_answer(command.key, CONFIRMED, 0)
    assert line.answer_in(line.passes(200), seq).fields == {"status": "confirmed", "code": "0"}


def test_a_copy_is_answered_as_the_first_was_and_moves_nothing(line):
    """SER-21."""
    seq = line.give("C", OFF)
    line.passes()
    (command,) = line.commands()
    line.shim.link_answer(command.key, REJECTED, code("result", "latched"))
    first = line.answer_in(line.passes(200), seq)
    line.give("C", OFF, seq=seq)
    assert line.answer_in(line.passes(200), seq) == first
    assert line.commands() == []


def test_a_copy_that_comes_before_the_answer_waits_for_it(line):
    """SER-21."""
    seq = line.give("C", OFF)
    line.give("C", OFF, seq=seq)
    assert line.answer_in(line.passes(200), seq) is None
    assert len(line.commands()) == 1


@pytest.mark.parametrize("kind", ["C", "S", "X"])
def test_a_frame_of_another_session_acts_on_nothing(line, kind):
    """SER-10."""
    fields = {"C": OFF, "S": {"version": 4, "begin": 1}, "X": {"out": 0}}[kind]
    line.feed(encode(kind, 1, line.session ^ 1, fields))
    answer = line.answer_in(line.passes(200), 1)
    assert answer.fields == {"status": "rejected", "code": result("other_boot")}
    assert line.commands() == []
    assert line.shim.link_emergency() == 0
    assert line.ask("C", OFF) is None, "the number was not taken"


def test_an_old_number_that_is_forgotten_is_refused(line):
    """SER-21."""
    line.seq = 40
    line.give("C", OFF)
    line.passes()
    line.commands()
    line.give("C", OFF, seq=39)
    assert line.answer_in(line.passes(200), 39).fields["code"] == result("repeated")
    assert line.commands() == []


def test_numbers_roll_over(line):
    """SER-3."""
    for seq in (30_000, 60_000, 65_535, 0, 1):
        line.give("C", OFF, seq=seq)
        line.passes()
        (command,) = line.commands()
        line.shim.link_answer(command.key, CONFIRMED, 0)
        assert line.answer_in(line.passes(200), seq) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"do": "dance"},
        {"do": "switch", "out": 2},
        {"do": "switch", "on": 1},
        {"do": "switch", "out": 2, "on": 2},
        {"do": "switch", "out": 999, "on": 1},
        {"do": "cycle", "out": 2},
        {"do": "cycle", "out": 2, "off_ms": 999},
        {"do": "cycle", "out": 2, "off_ms": 3_600_001},
        {"do": "transfer"},
        {"do": "transfer", "src": 2},
        {"do": "energy", "out": 2, "e_mwh": 2**48},
    ],
)
def test_what_misses_a_field_or_has_a_bad_one_is_malformed(line, fields):
    answer = line.ask("C", fields)
    assert answer.fields == {"status": "rejected", "code": result("malformed")}
    assert line.commands() == []


@pytest.mark.parametrize("outlet", [0, 5, 255])
def test_an_outlet_that_is_not_there_is_refused(line, outlet):
    answer = line.ask("C", {"do": "switch", "out": outlet, "on": 1})
    assert answer.fields == {"status": "rejected", "code": result("no_such_outlet")}


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"do": "cycle", "out": 4, "off_ms": 3_600_000}, "cycle", {"outlet": 4, "off_ms": 3_600_000}),
        ({"do": "reset_trip", "out": 1}, "reset_trip", {"outlet": 1}),
        ({"do": "lock", "out": 3, "on": 1}, "lock", {"outlet": 3, "on": 1}),
        ({"do": "transfer", "src": "backup"}, "transfer", {"source": 1}),
        ({"do": "clear_lockout", "mood": "fine"}, "clear_lockout", {}),
    ],
)
def test_every_command_arrives_with_its_fields(line, fields, name, expected):
    """SER-6 as well: numbers that nobody asks for are ignored."""
    line.give("C", fields)
    line.passes()
    (command,) = line.commands()
    assert verb(command.verb) == name
    assert {key: getattr(command, key) for key in expected} == expected


def test_a_command_beyond_what_can_wait_is_taken_when_it_comes_again(line):
    """SER-21: nothing is taken that could not be answered."""
    seqs = [line.give("C", OFF) for _ in range(4)]
    line.passes(3)
    assert [command.key for command in line.commands()] == seqs[:3]
    line.give("C", OFF, seq=seqs[3])
    line.passes()
    assert [command.key for command in line.commands()] == seqs[3:]


def test_orders_under_way_are_never_forgotten_for_newer_ones(line):
    """SER-21."""
    waiting = []
    for _ in range(6):
        line.give("C", OFF)
        line.passes()
        waiting += line.commands()
    assert len(waiting) == 6
    assert line.ask("C", OFF) is None
    assert line.commands() == []
    line.shim.link_answer(waiting[0].key, CONFIRMED, 0)
    assert line.answer_in(line.passes(200), 1).fields["status"] == "confirmed"


def test_lines_that_are_thrown_away_are_counted(line):
    """SER-5, SER-6."""
    line.feed(b"garbage\nC 1 1234 do=switch out=2 on=0 *0000\n" + encode("Z", 1, line.session))
    line.passes()
    assert (line.shim.link_thrown(), line.shim.link_unknown()) == (2, 1)
    assert line.commands() == []


def test_the_energy_that_the_gateway_has_seen_counts_where_it_is_more(line):
    """SER-42."""
    answer = line.ask("C", {"do": "energy", "out": 2, "e_mwh": 2**48 - 1})
    assert answer.fields == {"status": "confirmed", "code": "0"}
    line.ask("C", {"do": "energy", "out": 2, "e_mwh": 5})
    assert [line.shim.link_energy(outlet) for outlet in (1, 2)] == [0, 2**48 - 1]
    assert line.commands() == []
