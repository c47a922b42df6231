import pytest

from loadcenter.domain.energy import COUNTER_MAX_MWH, EnergyCounter, counter_delta_mwh


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour() -> None:
    assert EnergyCounter().add(1_000_000, 3_600_000) == EnergyCounter(1_000_000, 0)


def test_what_is_less_than_a_milliwatt_hour_is_carried() -> None:
    counter = EnergyCounter()
    for _ in range(3600):
        counter = counter.add(1, 1000)
    assert counter == EnergyCounter(1, 0)


def test_ten_watts_still_count_where_a_float_sum_stands_still() -> None:
    full = EnergyCounter(100_000_000)
    assert full.add(10_000, 1000) == EnergyCounter(100_000_002, 2_800_000)


@pytest.mark.parametrize(("power_mw", "duration_ms"), [(-1, 1000), (1000, -1)])
def test_energy_does_not_go_backward(power_mw: int, duration_ms: int) -> None:
    with pytest.raises(ValueError, match="only goes forward"):
        EnergyCounter().add(power_mw, duration_ms)


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [(0, 0, 0), (100, 150, 50), (100, 0, 0), (100, 30, 30), (0, COUNTER_MAX_MWH, COUNTER_MAX_MWH)],
)
def test_a_difference_counts_from_zero_after_a_reset(before: int, after: int, delta: int) -> None:
    assert counter_delta_mwh(before, after) == delta
