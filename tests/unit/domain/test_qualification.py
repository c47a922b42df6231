import pytest
from tests.unit.domain.bench import NOMINAL_MV, reading

from loadcenter.domain.qualification import LADDER, UNSEEN, Sense, SourceInput, Way, qualify
from loadcenter.domain.topology import Grade

STEP_MS = 20


def play(sense, source, from_ms, duration_ms, *, step_ms=STEP_MS, nominal_mv=NOMINAL_MV, nominal_mhz=50_000):
    """Return the sense after `source` was seen for `duration_ms`, and when its grade changed."""
    changes = {}
    for now_ms in range(from_ms, from_ms + duration_ms + 1, step_ms):
        before, sense = sense, qualify(sense, source, nominal_mv, nominal_mhz, now_ms)
        if before.grade is not sense.grade:
            changes[sense.grade] = now_ms - from_ms
    return sense, changes


@pytest.fixture
def good():
    return play(UNSEEN, reading(NOMINAL_MV), 0, 3000)[0]


def test_a_new_source_is_bad_then_usable_then_good():
    sense, changes = play(UNSEEN, reading(NOMINAL_MV), 0, 3000)
    assert changes == {Grade.USABLE: 60, Grade.GOOD: 2000}
    assert sense.departure is None


def test_steady_good_readings_change_nothing(good):
    assert qualify(good, reading(NOMINAL_MV + 5000), NOMINAL_MV, 50_000, 9000) is good


@pytest.mark.parametrize("volts", [213.9, 246.1])
def test_the_good_limits_are_7_percent(volts):
    inside = round(volts * 1000) + (100 if volts < 230 else -100)
    assert play(UNSEEN, reading(inside), 0, 3000)[0].grade is Grade.GOOD
    outside = round(volts * 1000) - (230 if volts < 230 else -230)
    assert play(UNSEEN, reading(outside), 0, 3000)[0].grade is Grade.USABLE


@pytest.mark.parametrize(
    ("mhz", "grade"), [(51_500, Grade.GOOD), (51_501, Grade.USABLE), (53_001, Grade.BAD)]
)
def test_frequency_limits_are_1_5_and_3_hertz(mhz, grade):
    assert play(UNSEEN, SourceInput(NOMINAL_MV, mhz), 0, 3000)[0].grade is grade


RUNGS = {
    "amplitude_65": reading(0),
    "under_72": SourceInput(165_599, 50_000),
    "over_120": SourceInput(276_230, 50_000),
    "under_80": SourceInput(183_999, 50_000),
    "over_113": SourceInput(260_130, 50_000),
    "frequency_3hz": SourceInput(NOMINAL_MV, 46_999),
    "under_87": SourceInput(200_099, 50_000),
    "under_90": SourceInput(206_999, 50_000),
    "over_110": SourceInput(253_230, 50_000),
}


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.name)
def test_each_rung_is_left_after_its_time_and_not_before(good, rung):
    sense, changes = play(good, RUNGS[rung.name], 5000, rung.dwell_ms + 100)
    assert changes[Grade.BAD] == rung.dwell_ms
    assert sense.departure is not None
    assert sense.departure.rung is rung


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.name)
def test_a_departure_carries_the_numbers_compared(good, rung):
    sense, _ = play(good, RUNGS[rung.name], 5000, rung.dwell_ms + 100)
    numbers = sense.departure.numbers
    assert numbers["rung"] == rung.name
    assert numbers["dwell_ms"] == rung.dwell_ms
    unit = "mhz" if rung.way is Way.FREQUENCY else "mv"
    below = rung.way in (Way.LOST, Way.UNDER) or rung.name == "frequency_3hz"
    assert (numbers[f"measured_{unit}"] < numbers[f"limit_{unit}"]) is below


def test_a_dip_shorter_than_its_rung_is_ridden_through(good):
    dipped, changes = play(good, SourceInput(180_000, 50_000), 5000, 180)
    assert Grade.BAD not in changes
    assert play(dipped, reading(NOMINAL_MV), 5200, 2000)[0].grade is Grade.GOOD


def test_between_leave_and_return_limits_a_bad_source_stays_bad(good):
    bad, _ = play(good, SourceInput(195_000, 50_000), 5000, 3100)
    assert bad.grade is Grade.BAD
    assert play(bad, SourceInput(206_000, 50_000), 9000, 5000)[0].grade is Grade.BAD
    assert play(bad, SourceInput(208_000, 50_000), 9000, 5000)[0].grade is Grade.USABLE


def test_the_way_of_a_departure_follows_a_source_that_turns(good):
    bad, _ = play(good, reading(0), 5000, 100)
    assert bad.departure.rung.way is Way.LOST
    swollen, _ = play(bad, SourceInput(280_000, 50_000), 6000, 40)
    assert swollen.departure.rung.name == "over_120"


def test_a_dead_source_has_no_frequency_to_be_left_for(good):
    sense, _ = play(good, SourceInput(100_000, 10_000), 5000, 2000)
    assert sense.departure.rung.name == "under_72"


def test_the_latency_of_the_detector_is_its_own(good):
    lost, _ = play(good, reading(0), 5000, 0)
    assert lost.departure.detection_us == 4000
    sagged, _ = play(good, SourceInput(180_000, 50_000), 5000, 200)
    assert sagged.departure.detection_us == 200_000


def test_at_120_volts_and_60_hertz_the_same_shares_hold():
    north = {"nominal_mv": 120_000, "nominal_mhz": 60_000}
    sense, _ = play(UNSEEN, SourceInput(120_000, 60_000), 0, 3000, **north)
    assert sense.grade is Grade.GOOD
    assert play(sense, SourceInput(86_000, 60_000), 4000, 40, **north)[1] == {Grade.USABLE: 0, Grade.BAD: 20}
    assert play(Sense(), SourceInput(120_000, 50_000), 0, 3000, **north)[0].grade is Grade.BAD


@pytest.mark.parametrize("step_ms", [1, 7, 20, 100])
def test_any_step_length_finds_the_same_within_a_step(good, step_ms):
    _, changes = play(good, SourceInput(180_000, 50_000), 5000, 1000, step_ms=step_ms)
    assert 200 <= changes[Grade.BAD] < 200 + step_ms
