"""Events wait in the UNO until they are acknowledged."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.firmware.line import UNKNOWN, Line, code, told
from tests.firmware.named import encode


def events(frames):
    return [frame for frame in frames if frame.type == "E"]


def test_the_first_event_of_a_start_tells_why(line):
    """SER-20."""
    (event,) = events(line.passes(80))
    assert event.seq == 1
    assert event.fields == {"up_ms": "0", "code": "1", "data": "1,1"}
    assert told(event) == {"reset_cause": "power", "resets": "1"}


def test_the_oldest_is_sent_again_each_second_until_it_is_acknowledged(line):
    """SER-20."""
    line.note("switched", (1, 0), outlet=2)
    frames = events(line.passes(3500))
    assert [frame.seq for frame in frames] == [1, 1, 1, 1]
    line.give("A", seq=1)
    assert [frame.seq for frame in events(line.passes(100))] == [2]


def test_an_acknowledgement_of_another_session_or_number_is_ignored(line):
    """SER-20."""
    line.passes(80)
    line.feed(encode("A", 1, line.session ^ 1))
    line.give("A", seq=2)
    assert [frame.seq for frame in events(line.passes(1100))] == [1]


def test_an_event_tells_where_why_and_what_led_to_it(line):
    """SER-13."""
    line.acknowledge_all()
    first = line.note("source_lost", (0, 101_300), source=1)
    line.note(
        "transfer",
        (0, 3200, 3600, 101_300, 229_800, 0, 229_600, UNKNOWN),
        source=2,
        cause=code("cause", "source_lost"),
        because=1,
    )
    frames = events(line.passes(40))
    assert frames[0].fields["src"] == "main"
    assert told(frames[0]) == {"rung": "0", "measured": "101300"}
    line.give("A", seq=first)
    (transfer,) = events(line.passes(80))
    assert transfer.fields["src"] == "backup"
    assert transfer.fields["cause"] == str(code("cause", "source_lost"))
    assert transfer.fields["because"] == str(first)
    assert told(transfer)["result"] == "confirmed"
    assert told(transfer)["detection_us"] == "3200"
    assert told(transfer)["phase_mdeg"] == "-"


def test_sixteen_events_of_the_usual_mix_are_held(line):
    """SER-20."""
    line.acknowledge_all()
    for _ in range(4):
        line.note("source_lost", (1, 151_300), source=1)
        line.note("transfer", (0, 3200, 3600, 151_300, 229_800, 400, 229_600, -120_000), source=2, cause=20)
        line.note("source_restored", source=1, because=2)
        line.note("switched", (1,), outlet=1, cause=5)
    first = events(line.passes(60))[0]
    assert first.seq == 2, "the oldest is still the first of them"


def test_seven_events_of_the_largest_kind_are_held(line):
    """SER-20."""
    line.acknowledge_all()
    largest = (1, 60_000_000, 60_013_000, 299_000, 299_000, 299_000, 299_000, -180_000)
    for _ in range(7):
        line.note("transfer", largest, source=2, cause=20, because=255)
    assert events(line.passes(60))[0].seq == 2


def test_what_finds_no_room_pushes_out_the_oldest_and_is_counted(line):
    """SER-20."""
    for _ in range(60):
        line.note("switched", (1, 0), outlet=1)
    frames = line.passes(1500)
    telemetry = [frame for frame in frames if frame.type == "T"][-1]
    dropped = int(telemetry.fields["dropped"])
    assert events(frames)[-1].seq == dropped + 1
    assert 60 - dropped >= 16


def test_a_line_is_spoiled_when_its_event_goes_while_it_is_sent(line):
    """SER-5: half an event is never taken for a whole one."""
    line.passes(80)
    thrown = line.reader.thrown
    line.note("switched", (1, 0), outlet=1)
    line.give("A", seq=1)
    line.passes(2)  # the head of event 2 is on its way
    line.give("A", seq=2)
    frames = line.passes(100)
    assert events(frames) == []
    assert line.reader.thrown == thrown + 1


NUMBERS = st.lists(
    st.one_of(st.integers(-(2**31), 2**31 - 1), st.sampled_from([0, 1, -1, 63, 64, -64, -65, UNKNOWN])),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_numbers_come_out_as_they_went_in(shim, rows):
    line = Line(shim)
    line.acknowledge_all()
    for row in rows:
        line.note("transfer", tuple(row))
    got = {}
    for _ in range(40):
        for frame in events(line.passes(30)):
            got[frame.seq] = frame.fields.get("data")
            line.give("A", seq=frame.seq)
    assert got
    for seq, data in got.items():
        numbers = ["-" if number == UNKNOWN else str(number) for number in rows[seq - 2]]
        assert data == (",".join(numbers) or None)
