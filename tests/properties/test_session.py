"""However records arrive, each number is taken once and in order, and everything arrives in the end (MQTT-12)."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from loadcenter.protocol.session import Ahead, Duplicate, Taken, judge

Span = tuple[int, int]


@st.composite
def streams(draw: st.DrawFn) -> list[Span]:
    """Return a stream without holes: single records, with thinned or gap records among them."""
    lengths = draw(st.lists(st.one_of(st.just(1), st.integers(1, 12)), min_size=1, max_size=30))
    spans, first = [], 1
    for length in lengths:
        spans.append((first, first + length - 1))
        first += length
    return spans


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Span], list[Span]]:
    """Return a stream, and its records each 1 to 3 times in any order."""
    spans = draw(streams())
    copies = [span for span in spans for _ in range(draw(st.integers(1, 3)))]
    return spans, draw(st.permutations(copies))


def take(position: int, spans: Sequence[Span], taken: list[Span]) -> int:
    """Judge each span, note what is taken, and return the position after them."""
    for first, seq in spans:
        match judge(position, first, seq):
            case Taken(start, end):
                taken.append((start, end))
                position = end
            case Duplicate():
                assert seq <= position
            case Ahead(told):
                assert told == position < first - 1
    return position


def resend_until_stored(spans: Sequence[Span], arrivals: Sequence[Span]) -> list[Span]:
    """Play the arrivals, then what a device does: send all that is not acknowledged, oldest first."""
    taken: list[Span] = []
    position = take(0, arrivals, taken)
    assert take(position, [span for span in spans if span[1] > position], taken) == spans[-1][1]
    return taken


@given(deliveries())
def test_every_number_is_taken_exactly_once_and_in_order(delivery):
    spans, arrivals = delivery
    numbers = [n for first, seq in resend_until_stored(spans, arrivals) for n in range(first, seq + 1)]
    assert numbers == list(range(1, spans[-1][1] + 1))


@given(deliveries())
def test_the_position_never_goes_back(delivery):
    _, arrivals = delivery
    position = 0
    for span in arrivals:
        after = take(position, [span], [])
        assert after >= position
        position = after


@given(deliveries(), st.integers(1, 5))
def test_thinning_what_was_stored_already_takes_nothing_twice(delivery, width):
    """MQTT-13: the device merged records whose ack was lost."""
    spans, arrivals = delivery
    taken: list[Span] = []
    position = take(0, arrivals, taken)
    merged = [
        (group[0][0], group[-1][1]) for group in (spans[i : i + width] for i in range(0, len(spans), width))
    ]
    take(position, merged, taken)
    numbers = [n for first, seq in taken for n in range(first, seq + 1)]
    assert numbers == list(range(1, spans[-1][1] + 1))
