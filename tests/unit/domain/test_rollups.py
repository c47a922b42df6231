import pytest

from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import (
    Counters,
    OutletRollup,
    SourceRollup,
    Stat,
    Tier,
    bucket_start_ms,
    outlet_rollup,
    source_rollup,
)
from loadcenter.domain.topology import Source


def test_a_statistic_of_one_sample_is_that_sample() -> None:
    assert Stat.of(7) == Stat(1, 7, 7, 7)


def test_a_thinned_sample_counts_as_often_as_it_stands_for() -> None:
    thinned = Stat.of(100, 5, 80, 130)
    assert thinned == Stat(5, 80, 130, 500)
    assert thinned.mean == 100


@pytest.mark.parametrize(("value", "weight"), [(None, 1), (None, 9), (5, 0)])
def test_what_is_unknown_counts_nothing(value: int | None, weight: int) -> None:
    assert Stat.of(value, weight) == Stat()
    assert Stat.of(value, weight).mean is None


def test_zero_is_a_value_and_not_unknown() -> None:
    assert Stat.of(0).mean == 0
    assert Stat.of(50).merge(Stat.of(0)) == Stat(2, 0, 50, 50)


def test_nothing_merged_with_something_is_something() -> None:
    assert Stat().merge(Stat.of(-5)) == Stat.of(-5).merge(Stat()) == Stat.of(-5)


def test_the_energy_of_a_span_is_last_minus_first() -> None:
    assert Counters(0, 100, 1000, 150).energy_mwh == 50


def test_energy_between_two_spans_counts_in_their_union() -> None:
    early, late = Counters(0, 100, 1000, 150), Counters(5000, 170, 6000, 190)
    assert early.merge(late) == late.merge(early) == Counters(0, 100, 6000, 190)
    assert early.merge(late).energy_mwh == 90


def test_a_late_reading_within_a_span_is_no_reset() -> None:
    span = Counters(0, 100, 20_000, 120)
    late = Counters(10_000, 110, 10_000, 110)
    assert span.merge(late) == late.merge(span) == span


def test_a_reset_that_the_readings_show_stays_with_their_span() -> None:
    merged = Counters(0, 1000, 10_000, 30, 1500).merge(Counters(20_000, 1540, 30_000, 1550))
    assert merged == Counters(0, 1000, 30_000, 1550, 1500)


def test_a_span_without_a_counter_takes_that_of_the_other() -> None:
    blind = OutletRollup(1000, Stat(), Stat(), Stat(), None)
    seeing = OutletRollup(1000, Stat.of(5), Stat.of(6), Stat.of(7), Counters(0, 1, 0, 1))
    for merged in (blind.merge(seeing), seeing.merge(blind)):
        assert merged == OutletRollup(2000, Stat.of(5), Stat.of(6), Stat.of(7), Counters(0, 1, 0, 1))


def test_the_rollup_of_a_record_stands_for_all_its_samples() -> None:
    reading = OutletReading(1, True, 230_000, 500, 100_000, 900, 90_000, 120_000)
    assert outlet_rollup(reading, 5000, 3, 1000) == OutletRollup(
        3000,
        Stat(3, 90_000, 120_000, 300_000),
        Stat(3, 230_000, 230_000, 690_000),
        Stat(3, 500, 500, 1500),
        Counters(5000, 900, 5000, 900),
    )


def test_the_rollup_of_an_unknown_reading_covers_time_and_nothing_else() -> None:
    reading = OutletReading(1, True, None, None, None, None)
    assert outlet_rollup(reading, 5000, 3, 1000) == OutletRollup(3000, Stat(), Stat(), Stat(), None)


def test_the_rollup_of_a_source() -> None:
    reading = SourceReading(Source.MAIN, 230_000, None)
    assert source_rollup(reading, 2, 1000) == SourceRollup(2000, Stat(2, 230_000, 230_000, 460_000), Stat())


@pytest.mark.parametrize(
    ("tier", "start_ms"),
    [(Tier.MINUTE, 1_699_999_980_000), (Tier.QUARTER, 1_699_999_200_000), (Tier.HOUR, 1_699_999_200_000)],
)
def test_a_bucket_begins_on_its_own_multiple(tier: Tier, start_ms: int) -> None:
    assert bucket_start_ms(1_700_000_000_123, tier) == start_ms
    assert bucket_start_ms(start_ms, tier) == start_ms
    assert bucket_start_ms(start_ms - 1, tier) == start_ms - tier.value * 1000
