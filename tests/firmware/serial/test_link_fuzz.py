"""Nothing that is not a whole acting line of this session moves anything: SER-5, SER-10, SER-21."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.firmware import serial_fuzz
from tests.firmware.line import Line, verb
from tests.firmware.named import encode

LINES = 200_000
VALUES = ("0", "1", "2", "4", "5", "255", "256", "999", "1000", "3600000", "3600001")
VERBS = ("switch", "cycle", "reset_trip", "lock", "transfer", "clear_lockout", "dance")


@pytest.fixture(scope="session")
def fuzzed(shim):
    """Return what came out of a run under the sanitizers, by kind of line."""
    return serial_fuzz.run(LINES, seed=1)


@pytest.mark.parametrize("kind", ["noise", "garbled", "other_session", "idle"])
def test_no_line_that_asks_for_nothing_moves_anything(fuzzed, kind):
    """SER-5, SER-10."""
    found = fuzzed[kind]
    assert (found["commands"], found["emergencies"], found["applied"]) == (0, 0, 0)
    assert found["thrown"] > 1000


def test_the_same_run_sees_what_acting_lines_move(fuzzed):
    """A harness that sees nothing proves nothing."""
    assert fuzzed["acting"]["commands"] > 1000
    assert fuzzed["acting"]["emergencies"] > 1000


def between(text, low, high):
    return text.isdigit() and str(int(text)) == text and low <= int(text) <= high


def expected(fields):
    """Return what a command asks for, as SER-30 and MQTT-40 say; None if it is refused."""
    do = fields.get("do")
    checks = {
        "out": between(fields.get("out", ""), 1, 4),
        "on": fields.get("on") in ("0", "1"),
        "off_ms": between(fields.get("off_ms", ""), 1000, 3_600_000),
        "src": fields.get("src") in ("0", "1"),
    }
    wanted = {
        "switch": ("out", "on"),
        "cycle": ("out", "off_ms"),
        "reset_trip": ("out",),
        "lock": ("out", "on"),
        "transfer": ("src",),
        "clear_lockout": (),
    }.get(do)
    if wanted is None or not all(checks[key] for key in wanted):
        return None
    return do, *(fields[key] for key in wanted)


COMMANDS = st.fixed_dictionaries(
    {"do": st.sampled_from(VERBS)},
    optional={key: st.sampled_from(VALUES) for key in ("out", "on", "off_ms", "src", "mood")},
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(COMMANDS, st.booleans()), max_size=12))
def test_exactly_the_whole_commands_of_this_session_come_out(shim, rows):
    """SER-10, SER-30."""
    line = Line(shim)
    for seq, (fields, ours) in enumerate(rows, 1):
        sent = encode("C", seq, line.session ^ (0 if ours else 0x0101), fields)
        line.feed(sent)
        line.passes(1)
        found = line.commands()
        wanted = expected(fields) if ours else None
        assert [verb(command.verb) for command in found] == ([wanted[0]] if wanted else [])
        for command in found:
            told = {
                "out": str(command.outlet),
                "on": str(command.on),
                "off_ms": str(command.off_ms),
                "src": str(command.source),
            }
            assert all(value in told.values() for value in wanted[1:])
            line.shim.link_answer(command.key, 2, 0)
        line.passes(30)
