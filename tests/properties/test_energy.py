from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loadcenter.domain.energy import EnergyCounter, counter_delta_mwh
from loadcenter.domain.quantities import MW_MS_PER_MWH

flows = st.lists(st.tuples(st.integers(0, 40_000_000), st.integers(0, 3_600_000)), max_size=200)


@given(flows)
def test_a_counter_never_goes_down(steps: list[tuple[int, int]]) -> None:
    counter = EnergyCounter()
    for power_mw, duration_ms in steps:
        after = counter.add(power_mw, duration_ms)
        assert after.energy_mwh >= counter.energy_mwh
        assert 0 <= after.remainder_mw_ms < MW_MS_PER_MWH
        counter = after


@given(flows)
def test_nothing_is_lost_by_rounding(steps: list[tuple[int, int]]) -> None:
    counter = EnergyCounter()
    for power_mw, duration_ms in steps:
        counter = counter.add(power_mw, duration_ms)
    kept = counter.energy_mwh * MW_MS_PER_MWH + counter.remainder_mw_ms
    assert kept == sum(power_mw * duration_ms for power_mw, duration_ms in steps)


@given(st.integers(0, 40_000_000), st.lists(st.integers(0, 100_000), max_size=50))
def test_it_does_not_matter_into_how_many_steps_a_time_is_cut(power_mw: int, parts: list[int]) -> None:
    counter = EnergyCounter()
    for part in parts:
        counter = counter.add(power_mw, part)
    assert counter == EnergyCounter().add(power_mw, sum(parts))


@given(st.lists(st.integers(0, 2**48 - 1), min_size=1, max_size=50))
def test_differences_of_a_counter_are_never_negative(readings: list[int]) -> None:
    assert all(counter_delta_mwh(before, after) >= 0 for before, after in pairwise(readings))


@given(st.integers(0, 2**40), st.lists(st.integers(0, 1_000_000), max_size=50))
def test_differences_of_a_rising_counter_add_up_to_its_rise(start: int, rises: list[int]) -> None:
    reading, total = start, 0
    for rise in rises:
        total += counter_delta_mwh(reading, reading + rise)
        reading += rise
    assert total == reading - start
