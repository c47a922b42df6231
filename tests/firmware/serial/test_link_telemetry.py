"""What the UNO says unasked: hello and readings."""

import tomllib
from itertools import pairwise

import pytest
from tests.firmware.line import READINGS, SPEC, Line, code, library

from loadcenter.protocol.frames import GATEWAY_LINE_MAX

POINTS = {
    point["id"]: point
    for point in tomllib.loads((SPEC / "points.toml").read_text(encoding="utf-8"))["point"]
    if point["access"] == "r"
}


def of_type(frames, kind):
    return [frame for frame in frames if frame.type == kind]


def test_the_uno_greets_at_its_start_and_when_it_is_asked(line):
    """SER-11."""
    (hello,) = of_type(line.passes(80), "H")
    assert hello.session == line.session
    assert hello.fields == {
        "v": "1",
        "fw": "100",
        "outlets": "4",
        "nominal_mv": "230000",
        "nominal_mhz": "50000",
        "outlet_ma": "4000",
        "total_ma": "16000",
        "resets": "1",
        "cause": "1",
        "n": "0",
    }
    line.seq = 6
    line.ask("C", {"do": "switch", "out": 1, "on": 1})
    line.give("Q", seq=1)
    frames = line.passes(60)
    assert of_type(frames, "H")[0].fields["n"] == "7"
    assert len(of_type(frames, "T")) == 1


def test_readings_come_once_a_second(line):
    """SER-12."""
    frames = of_type(line.passes(10_500), "T")
    times = [int(frame.fields["up_ms"]) for frame in frames]
    assert len(times) == 10
    assert {after - before for before, after in pairwise(times)} <= {999, 1000, 1001}


def test_what_is_not_known_is_a_dash(line):
    """SER-3."""
    fields = of_type(line.passes(1100), "T")[0].fields
    assert fields["v_mv.main"] == fields["i_ma.3"] == fields["active"] == fields["trip.1"] == "-"


def test_every_reading_of_the_points_is_told(line):
    """SER-12."""
    for name in READINGS:
        for of in range(5):
            line.reading(name, of, 1)
    line.reading("v_mv", 1, 229_800)
    line.reading("p_mw", 4, 61_200)
    fields = of_type(line.passes(1200), "T")[0].fields
    told = {key.partition(".")[0] for key in fields}
    assert set(POINTS) <= told
    per = {"pdu": [""], "source": [".main", ".backup"], "outlet": [".1", ".2", ".3", ".4"]}
    for name, point in POINTS.items():
        assert all(name + of in fields for of in per[point["per"]])
    assert fields["v_mv.backup"] == "229800"
    assert fields["p_mw.4"] == "61200"
    assert fields["active"] == "backup"
    assert fields["cause.1"] == str(code("cause", "protection"))
    assert fields["trip.1"] == str(code("trip", "overcurrent"))
    assert fields["grade.main"] == "usable"


def test_what_is_told_is_what_the_spec_lists(line):
    """SER-12."""
    listed = tomllib.loads((SPEC / "serial.toml").read_text(encoding="utf-8"))["telemetry"]
    fields = of_type(line.passes(1200), "T")[0].fields
    told = list(dict.fromkeys(key.partition(".")[0] for key in fields))
    assert told == [row["key"] for row in listed]


@pytest.mark.parametrize("build", ["host", "host-mega"])
def test_the_longest_line_fits(build):
    """SER-2."""
    line = Line(library(build))
    longest = {"cause": 20, "trip": 7, "active": 1, "grade": 1, "late_us": 999_999, "free_b": 8192}
    longest |= {"lock": 1, "isolator": 1, "lockout": 1, "cpu_permille": 1000}
    longest |= {name: point["range"][1] for name, point in POINTS.items()}
    for name in READINGS:
        for of in range(9):
            line.reading(name, of, longest[name])
    outlets = line.shim.link_outlets()
    for outlet in range(1, outlets + 1):
        line.ask("C", {"do": "energy", "out": outlet, "e_mwh": 2**48 - 1})
    line.passes(1500)
    assert of_type(line.sent, "T")
    assert line.reader.thrown == 0
    assert max(map(len, line.raw.split(b"\n"))) <= GATEWAY_LINE_MAX


def test_two_starts_have_two_sessions_even_when_chance_is_the_same(line):
    """SER-10."""
    seen = set()
    for _ in range(50):
        line.passes(300)
        line.start(noise=1234)
        seen.add(line.session)
    assert len(seen) == 50
