"""Energy between buckets: nothing twice, nothing lost, gaps apart."""

from hypothesis import given
from hypothesis import strategies as st

from loadcenter.domain.analysis.metering import Gap, Metered, metered
from loadcenter.domain.rollups import Counters, OutletRollup, Stat


def bucket(first_ts_ms: int, first_mwh: int, last_ts_ms: int, last_mwh: int) -> tuple[int, OutletRollup]:
    counters = Counters(first_ts_ms, first_mwh, last_ts_ms, last_mwh)
    return first_ts_ms, OutletRollup(1000, Stat(), Stat(), Stat(), counters)


def test_what_flows_between_two_buckets_belongs_to_the_later_one() -> None:
    found = list(metered([bucket(0, 10, 59_000, 20), bucket(60_000, 21, 119_000, 30)], None))
    assert [(one.energy_mwh, one.gap) for one in found] == [(10, None), (10, None)]


def test_what_flows_in_a_gap_stands_apart() -> None:
    [_, after] = metered([bucket(0, 10, 59_000, 20), bucket(600_000, 50, 610_000, 52)], None)
    assert after == Metered(600_000, after.rollup, 2, Gap(59_000, 600_000, 30))


def test_a_bucket_without_a_counter_has_no_energy_and_is_no_gap() -> None:
    blind = 60_000, OutletRollup(1000, Stat(), Stat(), Stat())
    found = list(metered([bucket(0, 10, 59_000, 20), blind, bucket(90_000, 25, 95_000, 26)], None))
    assert [one.energy_mwh for one in found] == [10, 0, 6]


def test_a_counter_that_began_again_counts_from_zero() -> None:
    [_, after] = metered([bucket(0, 1000, 59_000, 2000), bucket(60_000, 3, 70_000, 8)], None)
    assert after.energy_mwh == 8


@given(st.lists(st.tuples(st.integers(1, 200_000), st.integers(0, 5_000)), min_size=2), st.data())
def test_however_it_is_cut_into_buckets_all_energy_is_there(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    readings, ts_ms, mwh = [], 0, 0
    for step_ms, energy in steps:
        ts_ms, mwh = ts_ms + step_ms, mwh + energy
        readings.append((ts_ms, mwh))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(readings) - 1))))
    groups = [readings[a:b] for a, b in zip([0, *cuts], [*cuts, len(readings)], strict=True)]
    rows = [bucket(*group[0], *group[-1]) for group in groups]
    found = list(metered(rows, None))
    total = sum(one.energy_mwh + (one.gap.energy_mwh if one.gap else 0) for one in found)
    assert total == readings[-1][1] - readings[0][1]
