import pytest

from loadcenter.domain.quantities import (
    MW_MS_PER_MWH,
    apparent_power_mva,
    from_milli,
    kwh_from_mwh,
    power_factor,
    to_milli,
)


def test_unknown_stays_unknown():
    assert from_milli(None) is None
    assert kwh_from_mwh(None) is None


@pytest.mark.parametrize(("milli", "unit"), [(0, 0.0), (230_150, 230.15), (1, 0.001)])
def test_milli_units_go_there_and_back(milli, unit):
    assert from_milli(milli) == pytest.approx(unit)
    assert to_milli(unit) == milli


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour():
    assert 1_000_000 * 3_600_000 // MW_MS_PER_MWH == 1_000_000
    assert kwh_from_mwh(1_000_000) == 1.0


def test_apparent_power_is_volts_times_amps():
    assert apparent_power_mva(230_000, 1_000) == 230_000


@pytest.mark.parametrize(
    ("power_mw", "voltage_mv", "current_ma", "expected"),
    [
        (115_000, 230_000, 1000, 0.5),
        (231_000, 230_000, 1000, 1.0),
        (0, 230_000, 1000, 0.0),
        (None, 230_000, 1000, None),
        (0, 230_000, 0, None),
        (0, 0, 100, None),
        (5, 230_000, None, None),
        (1, 3, 300, None),
    ],
)
def test_power_factor_is_between_0_and_1_or_unknown(power_mw, voltage_mv, current_ma, expected):
    assert power_factor(power_mw, voltage_mv, current_ma) == expected
