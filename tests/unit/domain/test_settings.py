import tomllib
from pathlib import Path

import pytest

from loadcenter.domain.settings import (
    SETTINGS,
    OutletConfig,
    PduConfig,
    Per,
    PowerOn,
    SettingsError,
    apply_settings,
    desired_settings,
)
from loadcenter.domain.topology import Source

SPEC = Path(__file__).resolve().parents[3] / "spec" / "points.toml"
CONFIG = PduConfig()


def points():
    rows = tomllib.loads(SPEC.read_text(encoding="utf-8"))["point"]
    return {(row["per"], row["id"]): row for row in rows if row["access"] == "rw"}


def test_the_table_has_the_settings_of_the_spec_and_no_other():
    assert {(setting.per.value, setting.name) for setting in SETTINGS} == set(points())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_defaults_and_ranges_are_those_of_the_spec(setting):
    point = points()[setting.per.value, setting.name]
    assert setting.default == point["default"]
    if "choices" in point:
        assert list(setting.choices) == point["choices"]
    else:
        assert [setting.low, setting.high] == point["range"]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_new_configuration_has_the_defaults(setting):
    holder = CONFIG if setting.per is Per.PDU else CONFIG.outlets[0]
    assert getattr(holder, setting.name) == setting.default


def test_what_a_version_leaves_out_has_its_default():
    config = PduConfig(sequence_ms=1000, nominal_mv=120_000, nominal_mhz=60_000)
    applied = apply_settings(config, {"version": 4, "pdu": {"preferred": "backup"}, "out": []})
    assert applied == PduConfig(preferred=Source.BACKUP, version=4, nominal_mv=120_000, nominal_mhz=60_000)


def test_settings_of_one_outlet_reach_that_outlet_alone():
    applied = apply_settings(
        CONFIG, {"version": 1, "out": [{"n": 2, "limit_ma": 900, "power_on": "always_off"}]}
    )
    assert isinstance(applied, PduConfig)
    assert applied.outlets[1] == OutletConfig(limit_ma=900, power_on=PowerOn.ALWAYS_OFF)
    assert applied.outlets[0] == OutletConfig()


def test_what_is_written_down_can_be_applied_again():
    config = PduConfig(
        (OutletConfig(1000, 40, PowerOn.ALWAYS_ON), OutletConfig()),
        Source.BACKUP,
        auto_retransfer=False,
        retransfer_delay_s=0,
        max_transfers_per_hour=10,
        sequence_ms=0,
        version=9,
    )
    assert apply_settings(PduConfig((OutletConfig(),) * 2), desired_settings(config), strict=True) == config


@pytest.mark.parametrize(
    ("desired", "named"),
    [
        ({"version": -1}, "version"),
        ({"version": True}, "version"),
        ({"version": 1, "pdu": []}, "pdu"),
        ({"version": 1, "pdu": {"sequence_ms": 60_001}}, "sequence_ms is 60001: it must be 0 to 60000"),
        ({"version": 1, "pdu": {"sequence_ms": 1.5}}, "sequence_ms"),
        ({"version": 1, "pdu": {"sequence_ms": True}}, "sequence_ms"),
        ({"version": 1, "pdu": {"auto_retransfer": 1}}, "auto_retransfer is 1: it must be true or false"),
        ({"version": 1, "pdu": {"preferred": "sun"}}, "one of main, backup"),
        ({"version": 1, "out": {}}, "out"),
        ({"version": 1, "out": [3]}, "out"),
        ({"version": 1, "out": [{"limit_ma": 500}]}, "n is None: it must be 1 to 4"),
        ({"version": 1, "out": [{"n": 5}]}, "n is 5"),
        (
            {"version": 1, "out": [{"n": 3, "limit_ma": 99}]},
            "limit_ma of outlet 3 is 99: it must be 100 to 10000",
        ),
    ],
)
def test_a_value_out_of_range_is_named_with_its_range(desired, named):
    error = apply_settings(CONFIG, desired)
    assert isinstance(error, SettingsError)
    assert named in error.message


def test_an_unknown_name_is_ignored_by_a_device_and_refused_on_a_page():
    desired = {"version": 1, "pdu": {"colour": "red"}, "out": [{"n": 1, "shape": 3}]}
    assert isinstance(apply_settings(CONFIG, desired), PduConfig)
    refused = apply_settings(CONFIG, desired, strict=True)
    assert isinstance(refused, SettingsError)
    assert refused.setting == "colour"
    refused = apply_settings(CONFIG, {"version": 1, "out": desired["out"]}, strict=True)
    assert isinstance(refused, SettingsError)
    assert (refused.setting, refused.outlet) == ("shape", 1)
