"""Settings reach the UNO as a whole or not at all."""

import json
import tomllib

import pytest
from tests.firmware.line import SPEC, Line
from tests.firmware.nodemcu.down_rig import Rig, clear

POINTS = tomllib.loads((SPEC / "points.toml").read_text(encoding="utf-8"))["point"]
SETTINGS = {
    per: [one for one in POINTS if one["kind"] == "setting" and one["per"] == per]
    for per in ("pdu", "outlet")
}


def deaf(_data: bytes) -> bytes:
    return b""


def other(point):
    """Return a value that is not the default."""
    if "choices" in point:
        return next(choice for choice in point["choices"] if choice != point["default"])
    if point["unit"] == "bool":
        return not point["default"]
    low, high = point["range"]
    return low if point["default"] != low else high


def wire(point, value) -> int:
    """Return a value as the line says it (SER-40)."""
    if "choices" in point:
        return point["choices"].index(value)
    return value // 1000 if point["unit"] == "mW" else int(value)


def test_every_setting_arrives_as_it_was_wanted(shim, joined):
    """MQTT-50, SER-40: the image in the UNO is that of the same settings given by hand."""
    pdu = {point["id"]: other(point) for point in SETTINGS["pdu"]}
    outlet = {point["id"]: other(point) for point in SETTINGS["outlet"]}
    joined.desire(4, pdu, {"n": 3, **outlet})
    joined.run(60_000)
    assert joined.line.shim.link_version() == 4
    assert joined.device.state()["settings"] == 4
    assert joined.device.state()["preferred"] == "backup"
    assert [one["limit_ma"] for one in joined.device.state()["out"]] == [4000, 4000, 100, 4000]
    image = joined.line.settings()

    by_hand = Line(shim)
    frames = [(4, 0)]
    frames += [(4, at, 0, wire(point, pdu[point["id"]])) for at, point in enumerate(SETTINGS["pdu"], 1)]
    frames += [
        (4, at, 3, wire(point, outlet[point["id"]])) for at, point in enumerate(SETTINGS["outlet"], 101)
    ]
    from loadcenter.protocol import frames as raw

    for seq, numbers in enumerate([*frames, (4, 255)], 1):
        by_hand.feed(raw.encode("S", seq, by_hand.session, numbers))
        by_hand.passes(400)
    assert by_hand.settings() == image


@pytest.mark.parametrize(
    ("pdu", "out", "named"),
    [
        ({"sequence_ms": 60_001}, [], "sequence_ms"),
        ({"sequence_ms": True}, [], "sequence_ms"),
        ({"preferred": "both"}, [], "preferred"),
        ({"auto_retransfer": 1}, [], "auto_retransfer"),
        ({}, [{"n": 1, "limit_ma": 99}], "limit_ma"),
        ({}, [{"n": 5, "limit_ma": 100}], "n"),
        ({}, [{"n": 1}, {"n": 1}], "n"),
        ({}, ["one"], "n"),
        ([], [], "pdu"),
        ({}, {}, "out"),
    ],
)
def test_one_value_out_of_range_refuses_all_and_sends_nothing(joined, pdu, out, named):
    """MQTT-50."""
    joined.device.desired(json.dumps({"v": 1, "version": 4, "pdu": pdu, "out": out}).encode())
    joined.run(3000)
    (refused,) = joined.records.told("settings_refused")
    assert (refused["data"]["setting"], refused["data"]["version"]) == (named, 4)
    assert joined.line.shim.link_version() == 0
    joined.device.desired(json.dumps({"v": 1, "version": 4, "pdu": pdu, "out": out}).encode())
    assert len(joined.records.told("settings_refused")) == 1, "once is enough"
    joined.desire(5, {})
    joined.run(5000)
    assert joined.line.shim.link_version() == 5


@pytest.mark.parametrize("payload", [b"{", b"7", b'{"v":2,"version":4}', b'{"v":1,"version":0}', b"[" * 1500])
def test_what_cannot_be_read_is_refused(joined, payload):
    """MQTT-3, MQTT-50."""
    joined.device.desired(payload)
    assert len(joined.records.told("settings_refused")) == 1


def test_a_version_not_above_the_one_in_force_is_ignored(joined):
    """MQTT-50."""
    joined.desire(4, {})
    joined.run(5000)
    joined.desire(4, {"sequence_ms": 1})
    joined.desire(3, {"sequence_ms": 60_001})
    joined.run(5000)
    assert joined.line.shim.link_version() == 4
    assert joined.records.told("settings_refused") == []


@pytest.mark.parametrize("at_ms", [40, 200, 400, 700, 1000])
def test_a_cut_of_the_line_or_a_reset_between_the_pieces_begins_anew(joined, at_ms):
    """SER-40, SER-43: until it is whole, what ran goes on."""
    joined.desire(4, {"sequence_ms": 1, "min_on_s": 9}, {"n": 2, "limit_ma": 2000})
    joined.run(at_ms)
    joined.up = joined.down = deaf
    joined.run(4000)
    joined.up = joined.down = clear
    joined.run(300)
    joined.start_uno(noise=42)
    joined.run(12_000)
    assert joined.line.shim.link_version() == 4
    assert joined.device.state()["out"][1]["limit_ma"] == 2000


def test_orders_are_not_kept_waiting_by_settings(joined):
    """SER-21."""
    joined.desire(4, {point["id"]: other(point) for point in SETTINGS["pdu"]})
    for n in range(1, 6):
        joined.order(n, on=bool(n % 2))
        joined.run(500)
    assert len(joined.moved) == 5
    joined.run(30_000)
    assert joined.line.shim.link_version() == 4


def test_a_uno_that_refuses_a_value_is_believed(joined):
    """SER-41."""
    joined.desire(4, {"sequence_ms": 1}, {"n": 4, "limit_ma": 2000})
    settings = joined.device.unit.settings
    packed = settings._pieces
    settings._pieces = packed[:-6] + bytes((101, 9)) + packed[-4:]
    joined.run(5000)
    (refused,) = joined.records.told("settings_refused")
    assert refused["data"]["code"] == "malformed"
    assert (refused["data"]["setting"], refused["data"]["out"]) == ("limit_ma", 9)
    assert joined.line.shim.link_version() == 0


def test_the_factorys_settings_are_known_and_unknown_ones_are_not_said(joined):
    """MQTT-30."""
    assert joined.device.state()["out"][0]["limit_ma"] == 4000
    joined.desire(4, {}, {"n": 1, "limit_ma": 2000})
    joined.run(5000)
    joined.start_gateway()
    joined.run(2500)
    state = joined.device.state()
    assert state["settings"] == 4
    assert "limit_ma" not in state["out"][0]
    assert "preferred" not in state
    joined.desire(4, {}, {"n": 1, "limit_ma": 2000})  # it is retained, and comes again
    assert joined.device.state()["out"][0]["limit_ma"] == 2000


def test_a_rig_without_a_uno_takes_no_settings(shim):
    """MQTT-50: they are retained, and come again with the connection."""
    rig = Rig(Line(shim))
    rig.desire(4, {})
    assert rig.device.unit.settings.version == 0
