"""The domain decides by the numbers of `spec/decision.toml`, which the firmware has too."""

from types import ModuleType

import pytest

from loadcenter.domain import (
    curves,
    guarding,
    orders,
    protection,
    qualification,
    quantities,
    rest,
    shedding,
    standing,
    supply,
    thermal,
    transfer,
)
from loadcenter.domain import cycle as cycle_module
from loadcenter.domain.tables import CONSTANTS

MODULES = (
    qualification,
    transfer,
    standing,
    supply,
    cycle_module,
    protection,
    quantities,
    guarding,
    thermal,
    rest,
    curves,
    shedding,
    orders,
)
OTHER_NAMES = {
    "thermal_trip_ppm": "TRIP_PPM",
    "thermal_ratio_most": "RATIO_MOST",
    "curve_step_ms_most": "STEP_MS_MOST",
    "shed_over_ms": "OVER_MS",
    "shed_heavy_ms": "HEAVY_MS",
    "shed_step_ms": "STEP_MS",
}


def homes(name: str) -> list[ModuleType]:
    wanted = OTHER_NAMES.get(name, name.upper())
    return [module for module in MODULES if hasattr(module, wanted)]


@pytest.mark.parametrize("name", [name for name in CONSTANTS if name != "thermal_trip_ma"])
def test_a_constant_of_the_spec_is_that_of_the_domain(name: str) -> None:
    found = {getattr(module, OTHER_NAMES.get(name, name.upper())) for module in homes(name)}
    assert found == {CONSTANTS[name]}


def test_the_current_that_just_trips_is_that_of_the_rating() -> None:
    assert thermal.trip_ma(CONSTANTS["outlet_rating_ma"]) == CONSTANTS["thermal_trip_ma"]
