"""Each number of the line becomes the word that the spec has for it, and what it has none for is left out."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from tests.firmware.line import SPEC, code
from tests.firmware.nodemcu.modules import load

SERIAL = tomllib.loads((SPEC / "serial.toml").read_text(encoding="utf-8"))
CODES = tomllib.loads((SPEC / "codes.toml").read_text(encoding="utf-8"))["code"]
SCHEMA = json.loads((SPEC / "schema" / "v1" / "event.json").read_text(encoding="utf-8"))
ENVELOPE = {"v": 1, "boot": 7, "seq": 3, "up_ms": 5}


@pytest.fixture(scope="module")
def translate():
    return load("translate")


def test_places_in_telemetry_are_those_of_the_spec(translate):
    """SER-12."""
    keys = {
        per: [row["key"] for row in SERIAL["telemetry"] if row["per"] == per]
        for per in ("pdu", "source", "outlet")
    }
    assert [key.upper() for key in keys["pdu"][:10]] == [
        *(
            "UP_MS",
            "SETTINGS",
            "THROWN",
            "UNKNOWN",
            "LOST",
            "DROPPED",
            "ACTIVE",
            "LIVE",
            "ISOLATOR",
            "LOCKOUT",
        )
    ]
    assert [getattr(translate, key.upper()) for key in keys["pdu"][:10]] == list(range(10))
    assert len(keys["pdu"]) == translate.SOURCES_AT
    assert keys["source"] == ["v_mv", "f_mhz", "grade"]
    assert (translate.GRADE, translate.SOURCE_NUMBERS) == (2, 3)
    assert keys["outlet"] == ["on", "cause", "trip", "lock", "i_ma", "p_mw", "e_mwh"]
    assert len(keys["outlet"]) == translate.OUTLET_NUMBERS


@pytest.mark.parametrize("row", SERIAL["event"], ids=[row["name"] for row in SERIAL["event"]])
def test_every_event_is_one_of_the_contract(translate, row):
    """SER-13, MQTT-35."""
    told = translate.event([0, code("event", row["name"]), 2, 1, 20, 0, *([1] * len(row["data"]))], 230_000)
    jsonschema.validate({**ENVELOPE, **told}, SCHEMA)
    assert (told["code"], told["out"], told["src"], told["cause"]) == (row["name"], 2, "main", "source_lost")
    names = {key.partition(":")[0] for key in row["data"]} - {"measured"}
    assert names <= set(told.get("data", {}))
    for key in row["data"]:
        name, _, words = key.partition(":")
        if words:
            table = SERIAL["words"].get(words)
            expected = (
                table[1]
                if table
                else next(one["name"] for one in CODES if (one["category"], one["number"]) == (words, 1))
            )
            assert told["data"][name] == expected


@pytest.mark.parametrize(
    ("event", "numbers", "data"),
    [
        ("trip", (1, 6120), {"trip": "overcurrent", "i_ma": 6120}),
        ("trip", (4, 900_000), {"trip": "overpower", "p_mw": 900_000}),
        (
            "source_lost",
            (5, 46_000),
            {"rung": "frequency_3hz", "dwell_ms": 1000, "limit_mhz": 3000, "measured_mhz": 46_000},
        ),
        (
            "overvoltage",
            (2, 280_000),
            {"rung": "over_120", "dwell_ms": 0, "limit_mv": 276_000, "measured_mv": 280_000},
        ),
        ("source_lost", (99, 1), {"rung": "99", "measured_mv": 1}),
        ("switched", (0,), {"on": False}),
        ("boot", (), {}),
        ("outage_end", (300, 7), {"outage_ms": 300}),
        (
            "transfer",
            (0, 3200, 3200, 101_300, 229_800, 0, None, None),
            {"main_before_mv": 101_300, "backup_after_mv": None},
        ),
    ],
)
def test_what_was_measured_has_its_name_and_unit(translate, event, numbers, data):
    """SER-13, MQTT-35."""
    told = translate.event([0, code("event", event), 0, 2, 0, 0, *numbers], 230_000)
    assert told.get("data", {}).items() >= data.items()
    assert "out" not in told
    assert "cause" not in told


def test_numbers_behind_those_that_are_known_are_ignored(translate):
    """SER-6."""
    told = translate.event([0, code("event", "redundancy_lost"), 0, 0, 0, 0, 5, 6], 230_000)
    assert told == {"code": "redundancy_lost"}


def test_a_code_that_is_not_known_has_no_words(translate):
    """SER-6."""
    assert translate.event([0, 250, 0, 0, 0, 0], 230_000) is None
    assert translate.event([0, 0, 0, 0, 0, 0], 230_000) is None


def test_a_state_says_trip_lock_and_who(translate):
    """MQTT-30."""
    head = [0, 3, 0, 0, 0, 0, 1, 0, 0, 1, None, None, None, 0, None, 0, 230_000, 50_000, 1]
    numbers = [*head, 0, 1, 1, 0, 0, 0, 9, 1, 5, None, 1, 400, 90_000, 8]
    assert translate.is_whole(numbers, 2)
    assert not translate.is_whole(numbers, 3)
    assert not translate.is_whole([None, *numbers[1:]], 2)
    state = translate.state(numbers, 2, {1: "ada", 2: "bob"})
    assert state["out"] == [
        {"n": 1, "on": False, "cause": "protection", "trip": "overcurrent"},
        {"n": 2, "on": True, "cause": "person_on", "by": "bob", "lock": True},
    ]
    assert (state["active"], state["live"], state["isolator"], state["lockout"]) == (
        "backup",
        False,
        "open",
        True,
    )
    assert state["src"] == {"main": "bad", "backup": "usable"}


def test_versions_are_said_as_people_say_them(translate):
    assert [translate.firmware(number) for number in (100, 10_203, 0)] == ["0.1.0", "1.2.3", "0.0.0"]


def test_the_gateway_has_the_version_of_the_package():
    from loadcenter import __version__

    app = Path(load("app").__file__).read_text(encoding="utf-8")
    assert f'VERSION = "{__version__}"' in app


def test_readings_keep_to_the_ranges_of_the_contract(translate):
    """MQTT-22: what flows back counts as none, and what cannot be is not known."""
    points = {
        one["id"]: one["range"]
        for one in tomllib.loads((SPEC / "points.toml").read_text())["point"]
        if "range" in one
    }
    highest = (translate.VOLTAGE_MAX_MV, translate.FREQUENCY_MAX_MHZ, translate.CURRENT_MAX_MA)
    assert highest == tuple(points[key][1] for key in ("v_mv", "f_mhz", "i_ma"))
    assert (points["p_mw"][1], points["e_mwh"][1]) == (translate.POWER_MAX_MW, translate.ENERGY_MAX_MWH)
    head = [0, 3, 0, 0, 0, 0, 1, 1, 1, 0, None, None, None, 400_001, 50_000, 0, 230_000, 80_001, 1]
    numbers = [*head, 1, 1, None, 0, 100_001, 5, 9, 1, 5, None, 0, 400, -90_000, 8]
    _, _, main, other, outlets = translate.sample(numbers, 2, [9, 8], stale=False)
    assert (main, other) == ((None, 50_000, 2), (230_000, None, 0))
    assert outlets == [(True, None, 5, 9, 2), (True, 400, 0, 8, 0)]
