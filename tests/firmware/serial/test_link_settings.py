"""New settings over the serial line: all of a version or none, in two copies."""

import tomllib
from itertools import accumulate

import pytest
from tests.firmware.line import SPEC, Line, code, result

ROWS = [
    point
    for point in tomllib.loads((SPEC / "points.toml").read_text(encoding="utf-8"))["point"]
    if point["access"] == "rw"
]


def scale(point):
    return 1000 if point["unit"] == "mW" else 1


def size(point):
    top = len(point["choices"]) if "choices" in point else point["range"][1] // scale(point)
    return next(width for width in (1, 2) if top < 256**width)


def number(point, value):
    """Return a value as it is kept: a power in whole watts."""
    return point["choices"].index(value) if "choices" in point else int(value) // scale(point)


def unpack(line):
    """Return every setting that runs, by name."""
    of_pdu = [point for point in ROWS if point["per"] == "pdu"]
    of_outlet = [point for point in ROWS if point["per"] == "outlet"]
    layout = [(point, point["id"]) for point in of_pdu]
    for outlet in range(1, line.shim.link_outlets() + 1):
        layout += [(point, f"{point['id']}.{outlet}") for point in of_outlet]
    image = line.settings()
    ends = list(accumulate(size(point) for point, _ in layout))
    assert ends[-1] == len(image)
    return {
        name: int.from_bytes(image[end - size(point) : end], "little")
        for (point, name), end in zip(layout, ends, strict=True)
    }


def factory(line):
    outlets = range(1, line.shim.link_outlets() + 1)
    found = {}
    for point in ROWS:
        value = number(point, point["default"])
        names = [point["id"]] if point["per"] == "pdu" else [f"{point['id']}.{outlet}" for outlet in outlets]
        found |= dict.fromkeys(names, value)
    return found


def test_a_new_pdu_runs_the_defaults_of_the_points(line):
    """SER-43."""
    assert unpack(line) == factory(line)
    assert line.shim.link_version() == 0


def test_a_version_is_applied_as_a_whole_at_its_end(line):
    """SER-40."""
    before = unpack(line)
    assert line.ask("S", {"version": 4, "begin": 1}, passes=200).type == "A"
    assert line.ask("S", {"version": 4, "limit_ma.1": 2500}).type == "A"
    assert line.ask("S", {"version": 4, "preferred": "backup"}).type == "A"
    assert unpack(line) == before
    assert line.ask("S", {"version": 4, "end": 1}).type == "A"
    assert unpack(line) == {**before, "limit_ma.1": 2500, "preferred": 1}
    assert line.shim.link_version() == 4
    line.acknowledge_all()
    applied = [
        frame for frame in line.sent if frame.fields.get("code") == str(code("event", "settings_applied"))
    ]
    assert {frame.fields["data"] for frame in applied} == {"4"}


def test_what_a_version_leaves_out_has_its_default(line):
    """SER-40, as MQTT-50 says."""
    line.apply(4, limit_ma__1=2500, sequence_ms=0)
    line.apply(5, sequence_ms=500)
    assert unpack(line) == {**factory(line), "sequence_ms": 500}


def test_settings_survive_a_loss_of_supply(line):
    """SER-43."""
    line.apply(4, limit_ma__4=2500, budget_backup_mw=1_000_000, power_on__2="always_off")
    applied = unpack(line)
    line.start()
    assert unpack(line) == applied
    assert line.shim.link_version() == 4


@pytest.mark.parametrize("point", ROWS, ids=[point["id"] for point in ROWS])
def test_each_setting_takes_its_range_and_nothing_else(line, point):
    """SER-41."""
    name = point["id"] if point["per"] == "pdu" else f"{point['id']}.3"
    if "choices" in point:
        good, bad = point["choices"], [len(point["choices"])]
    else:
        low, high = point["range"]
        good, bad = (
            [low, high],
            [high + scale(point), scale(point) * (2**32 - 1), *([low - scale(point)] if low else [])],
        )
    for version, value in enumerate(good, 1):
        assert line.apply(version, **{name: value}).type == "A"
        assert unpack(line)[name] == number(point, value)
    before = unpack(line)
    for version, value in enumerate(bad, 10):
        answer = line.apply(version, **{name: value})
        assert answer.fields == {"status": "rejected", "code": result("malformed")}
    assert unpack(line) == before
    assert line.shim.link_version() == len(good)


def test_a_refused_value_refuses_all_of_its_version(line):
    """SER-41."""
    before = unpack(line)
    assert line.apply(4, limit_ma__1=2500, limit_ma__2=10_001).type == "R"
    assert line.ask("S", {"version": 4, "end": 1}).fields == {
        "status": "rejected",
        "code": result("malformed"),
    }
    assert unpack(line) == before


def test_a_setting_of_an_outlet_that_is_not_there_refuses_all(line):
    """SER-41."""
    answer = line.apply(4, limit_ma__5=2500)
    assert answer.fields == {"status": "rejected", "code": result("malformed")}


def test_a_setting_that_is_not_known_is_passed_over(line):
    """SER-6: a gateway may know more than this firmware."""
    assert line.apply(4, colour=3, limit_ma__1=2500).type == "A"
    assert unpack(line)["limit_ma.1"] == 2500


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 4, "limit_ma.1": 2500},
        {"version": 4, "end": 1},
        {"version": 2**31, "begin": 1},
    ],
)
def test_what_does_not_belong_to_a_version_is_refused(line, fields):
    """SER-40."""
    assert line.ask("S", fields).fields == {"status": "rejected", "code": result("malformed")}


def test_a_copy_is_answered_and_changes_nothing(line):
    """SER-21."""
    line.ask("S", {"version": 4, "begin": 1})
    seq = line.give("S", {"version": 4, "limit_ma.1": 2500})
    first = line.answer_in(line.passes(200), seq)
    writes = sum(line.shim.link_eeprom_writes()[0:4096])
    line.give("S", {"version": 4, "limit_ma.1": 2600}, seq=seq)
    assert line.answer_in(line.passes(200), seq) == first
    assert sum(line.shim.link_eeprom_writes()[0:4096]) == writes


def test_a_frame_that_comes_while_one_is_worked_on_is_not_lost_but_comes_again(line):
    """SER-21."""
    line.give("S", {"version": 4, "begin": 1})
    early = line.give("S", {"version": 4, "limit_ma.1": 2500})
    assert line.answer_in(line.passes(300), early) is None
    line.give("S", {"version": 4, "limit_ma.1": 2500}, seq=early)
    assert line.answer_in(line.passes(200), early).type == "A"


def test_a_write_that_is_cut_at_any_byte_leaves_a_whole_version(shim):
    """SER-43."""
    line = Line(shim)
    line.apply(4, limit_ma__1=2500, curve__2="ei")
    old = unpack(line)
    line.passes(500)
    image = line.eeprom()
    counted = sum(line.shim.link_eeprom_writes()[0:4096])
    line.apply(5, limit_ma__1=3000, limit_mw__4=100_000)
    new = unpack(line)
    writes = sum(line.shim.link_eeprom_writes()[0:4096]) - counted
    assert writes > 10
    for cut in range(writes + 1):
        line.set_eeprom(image)
        line.shim.link_eeprom_cut(0)
        line.start()
        line.seq = 0
        line.shim.link_eeprom_cut(cut)
        answer = line.apply(5, limit_ma__1=3000, limit_mw__4=100_000)
        line.shim.link_eeprom_cut(2**32 - 1)
        line.start()
        found = (line.shim.link_version(), unpack(line))
        assert found in ((4, old), (5, new)), cut
        if answer is not None and answer.type == "A":
            assert found == (5, new), cut


def test_one_damaged_copy_leaves_the_other_and_two_leave_the_factory(line):
    """SER-43."""
    line.apply(4, limit_ma__1=2500)
    line.apply(5, limit_ma__1=3000)
    copy = line.shim.link_settings_copy()
    versions = set()
    for damaged in ((0,), (1,), (0, 1)):
        image = bytearray(line.eeprom())
        kept = bytes(image)
        for at in damaged:
            image[copy * at + 20] ^= 0x10
        line.set_eeprom(bytes(image))
        line.start()
        versions.add(line.shim.link_version())
        line.set_eeprom(kept)
    assert versions == {4, 5, 0}


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xA5])
def test_an_eeprom_of_one_value_holds_nothing(line, fill):
    """SER-43."""
    line.set_eeprom(bytes([fill]) * 4096)
    line.start()
    assert unpack(line) == factory(line)
    assert line.shim.link_starts() == 1
    assert line.kept(1)[:2] == (True, False)


def test_versions_alternate_between_the_copies(line):
    """The cells wear evenly, and the one before stays."""
    for version in range(1, 21):
        assert line.apply(version, sequence_ms=version).type == "A"
        line.start()
        line.seq = 0
        assert line.shim.link_version() == version
    writes = line.shim.link_eeprom_writes()
    copy = line.shim.link_settings_copy()
    assert max(writes[0:copy]) <= 21
    assert max(writes[copy : 2 * copy]) <= 21
