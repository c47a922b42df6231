from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loadcenter.domain.energy import Meter, counter_delta_mwh
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, outlet_rollup, source_rollup
from loadcenter.domain.topology import Source


def unknown_or(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


counters = unknown_or(0, 2**48 - 1) | st.integers(0, 50)  # small ones make resets likely
readings = st.builds(
    OutletReading,
    outlet=st.just(1),
    on=st.booleans(),
    voltage_mv=unknown_or(0, 400_000),
    current_ma=unknown_or(0, 100_000),
    power_mw=unknown_or(0, 40_000_000),
    energy_mwh=counters,
    power_min_mw=st.none(),
    power_max_mw=st.none(),
)


@st.composite
def records(draw: st.DrawFn) -> list[OutletRollup]:
    """Rollups of single records, in order of time; no two at the same instant."""
    drawn = draw(st.lists(st.tuples(readings, st.integers(1, 9)), min_size=1, max_size=30))
    return [outlet_rollup(reading, 10_000 * at, samples, 1000) for at, (reading, samples) in enumerate(drawn)]


def whole(rollups: list[OutletRollup]) -> OutletRollup:
    return reduce(OutletRollup.merge, rollups)


@given(records(), st.data())
def test_it_does_not_matter_how_a_span_is_grouped(rollups: list[OutletRollup], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(rollups)))
    parts = [part for part in (rollups[:cut], rollups[cut:]) if part]
    assert whole([whole(part) for part in parts]) == whole(rollups)


@given(records(), st.data())
def test_merging_is_associative(rollups: list[OutletRollup], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(rollups)))
    second = data.draw(st.integers(first, len(rollups)))
    parts = [whole(part) for part in (rollups[:first], rollups[first:second], rollups[second:]) if part]
    if len(parts) == 3:
        one, two, three = parts
        assert one.merge(two).merge(three) == one.merge(two.merge(three))


@given(records(), st.data())
def test_it_does_not_matter_which_of_two_spans_that_follow_each_other_is_merged_into_which(
    rollups: list[OutletRollup], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(rollups)))
    if 0 < cut < len(rollups):
        early, late = whole(rollups[:cut]), whole(rollups[cut:])
        assert early.merge(late) == late.merge(early)


@given(records(), st.data())
def test_neighbouring_spans_may_come_in_any_order(rollups: list[OutletRollup], data: st.DataObject) -> None:
    """As buckets are filled: whichever pair of neighbours is joined first, the whole is the same."""
    spans = list(rollups)
    while len(spans) > 1:
        at = data.draw(st.integers(0, len(spans) - 2))
        late_first = data.draw(st.booleans())
        pair = spans[at + 1].merge(spans[at]) if late_first else spans[at].merge(spans[at + 1])
        spans[at : at + 2] = [pair]
    assert spans[0] == whole(rollups)


@given(st.lists(counters, min_size=1, max_size=30))
def test_a_meter_counts_the_sum_of_the_differences_across_resets(shown: list[int | None]) -> None:
    known = [one for one in shown if one is not None]
    if not known:
        return
    meter = first = Meter(known[0])
    totals = [(meter := meter.read(one)).total_mwh for one in known]
    assert totals == sorted(totals)
    gone = sum(counter_delta_mwh(before, after) for before, after in pairwise(known))
    assert totals[-1] - first.total_mwh == gone


@given(st.lists(st.tuples(readings, st.integers(0, 5_000_000)), min_size=1, max_size=30), st.randoms())
def test_records_may_come_in_any_order_and_at_any_time(
    drawn: list[tuple[OutletReading, int]], chance
) -> None:
    rollups = [outlet_rollup(reading, ts_ms, 1, 1000) for reading, ts_ms in drawn]
    merged = whole(rollups)
    chance.shuffle(rollups)
    assert whole(rollups) == merged


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=30),
    st.integers(0, 2**47),
    st.randoms(use_true_random=False),
)
def test_late_readings_of_a_rising_counter_may_come_in_any_order(
    rises: list[int], start: int, random
) -> None:
    shown = [start + sum(rises[:at]) for at in range(len(rises))]
    late = [Counters(1000 * at, mwh, 1000 * at, mwh) for at, mwh in enumerate(shown)]
    random.shuffle(late)
    merged = reduce(Counters.merge, late)
    assert merged == Counters(0, shown[0], 1000 * (len(shown) - 1), shown[-1])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 100)), min_size=1, max_size=20))
def test_energy_is_never_negative_however_disordered(disordered: list[tuple[int, int]]) -> None:
    merged = reduce(Counters.merge, (Counters(ts, mwh, ts, mwh) for ts, mwh in disordered))
    assert merged.energy_mwh >= 0


@given(records())
def test_a_span_counts_every_known_value_once(rollups: list[OutletRollup]) -> None:
    merged = whole(rollups)
    assert merged.covered_ms == sum(one.covered_ms for one in rollups)
    known = [one.power for one in rollups if one.power.count]
    assert merged.power.count == sum(one.count for one in known)
    assert merged.power.total == sum(one.total for one in known)
    if known:
        assert merged.power.minimum == min(one.minimum for one in known)
        assert merged.power.maximum == max(one.maximum for one in known)
        assert merged.power.mean is not None
        assert merged.power.minimum <= merged.power.mean <= merged.power.maximum


@given(
    st.lists(st.tuples(unknown_or(0, 400_000), unknown_or(0, 80_000)), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_rollups_of_a_source_merge_in_any_order(values: list[tuple[int | None, int | None]], random) -> None:
    rollups = [source_rollup(SourceReading(Source.MAIN, *value), 1, 1000) for value in values]
    shuffled = list(rollups)
    random.shuffle(shuffled)
    assert reduce(SourceRollup.merge, shuffled) == reduce(SourceRollup.merge, rollups)
