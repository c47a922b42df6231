"""Energy of buckets from the first and last reading of their counters."""

from loadcenter.domain.rollups import Counters
from loadcenter.services.columns import CounterColumns
from loadcenter.services.energy import Energy, energy_of, falls_between


def span(first_ms: int, first: int, last_ms: int | None = None, last: int | None = None) -> Counters:
    return Counters(
        first_ms, first, first_ms if last_ms is None else last_ms, first if last is None else last
    )


def energy(*spans: Counters | None) -> Energy:
    return energy_of(CounterColumns.of(spans))


def test_a_bucket_holds_what_its_counter_went_on_since_the_bucket_before() -> None:
    found = energy(span(0, 100, 59_000, 159), span(60_000, 160, 119_000, 219))
    assert found == Energy([59, 60], [0, 0])
    assert found.total_mwh == 119


def test_energy_across_a_gap_stands_apart_and_counts_in_the_total() -> None:
    found = energy(span(0, 100), span(600_000, 700, 601_000, 701))
    assert found == Energy([0, 1], [0, 600])
    assert found.total_mwh == 601


def test_a_clock_that_was_set_back_counts_nothing_twice() -> None:
    """The second hour was lived twice: its buckets hold both, and what comes after them begins where the second ended."""
    twice = [span(0, 100, 59_000, 150), span(60_000, 150, 119_000, 210), span(120_000, 160, 170_000, 230)]
    assert energy(*twice, span(175_000, 231)) == Energy([50, 60, 20, 1], [0, 0, 0, 0])
    assert energy(span(0, 500, 1_000, 900), span(100_000, 600, 101_000, 950)) == Energy([400, 50], [0, 0])


def test_a_reset_that_a_bucket_knows_of_counts() -> None:
    assert energy(Counters(0, 500, 2_000, 3, reset_mwh=520)) == Energy([23], [0])


def test_a_bucket_without_a_counter_holds_no_energy_and_breaks_nothing() -> None:
    assert energy(span(0, 100), None, span(2_000, 130)) == Energy([0, 0, 30], [0, 0, 0])


def test_no_buckets_hold_no_energy() -> None:
    assert energy() == Energy([], [])
    assert energy().total_mwh == 0


def test_a_fall_between_buckets_is_noticed_over_one_without_a_counter() -> None:
    assert not falls_between(CounterColumns.of([span(0, 5), None, span(2, 5)]))
    assert not falls_between(CounterColumns.of([span(0, 5, 1, 9), None, span(2, 6), span(3, 5)]))
    assert not falls_between(CounterColumns.of([None]))
    assert falls_between(CounterColumns.of([span(0, 5), None, span(2, 4)]))


def test_counters_of_one_instant_hold_no_energy() -> None:
    assert Counters(5, 70, 5, 70).energy_mwh == 0
