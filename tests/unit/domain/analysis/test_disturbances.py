"""Events of a source as dips, swells and interruptions, in the classes of EN 50160."""

import pytest

from loadcenter.domain.analysis.disturbances import Disturbance, Kind, Noted, classified, disturbances
from loadcenter.domain.events import EventCode
from loadcenter.domain.qualification import LADDER
from loadcenter.domain.topology import Source

MAIN, BACKUP = Source.MAIN, Source.BACKUP
NOMINAL = 230_000
END = 10_000_000


def lost(ts_ms: int, rung: str, measured_mv: int, source: Source = MAIN) -> Noted:
    dwell_ms = next((one.dwell_ms for one in LADDER if one.name == rung), 0)
    data = {"rung": rung, "measured_mv": measured_mv, "dwell_ms": dwell_ms}
    return Noted(ts_ms, EventCode.SOURCE_LOST, source, data=data)


def restored(ts_ms: int, source: Source = MAIN) -> Noted:
    return Noted(ts_ms, EventCode.SOURCE_RESTORED, source)


def test_a_dip_begins_with_the_violation_and_ends_when_the_source_was_good_again() -> None:
    [found] = disturbances([lost(1_200, "under_80", 160_000), restored(4_000)], MAIN, END)
    assert found == Disturbance(MAIN, 1_000, 2_000, ended=True, over=False, extreme_mv=160_000)
    assert found.duration_ms == 1_000


def test_the_other_source_and_frequencies_are_passed_by() -> None:
    events = [
        lost(1_000, "under_80", 1, BACKUP),
        Noted(2_000, EventCode.SOURCE_LOST, MAIN, data={"rung": "frequency_3hz", "measured_mhz": 46_000}),
        restored(9_000),
        lost(10_000, "rung of a newer device", 1),
        Noted(11_000, "phase_lost"),
    ]
    assert disturbances(events, MAIN, END) == []


def test_a_start_of_the_pdu_leaves_the_end_unknown() -> None:
    events = [
        lost(5_000, "amplitude_65", 100_000),
        Noted(9_000, EventCode.BOOT),
        lost(20_000, "over_110", 260_000),
    ]
    first, second = disturbances(events, MAIN, END)
    assert (first.since_ms, first.until_ms, first.ended) == (5_000, 9_000, False)
    assert (second.until_ms, second.ended, second.over) == (END, False, True)


def test_an_end_told_before_the_dwell_is_over_makes_no_negative_time() -> None:
    [found] = disturbances([lost(10_000, "amplitude_65", 0), restored(10_500)], MAIN, END)
    assert found.duration_ms == 0


def of(duration_ms: int, percent: float, *, over: bool = False) -> Disturbance:
    return Disturbance(MAIN, 0, duration_ms, ended=True, over=over, extreme_mv=round(percent * NOMINAL / 100))


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (of(60_000, 89.9), Kind.DIP),
        (of(60_001, 89.9), Kind.UNDERVOLTAGE),
        (of(100, 5), Kind.DIP),
        (of(100, 4.9), Kind.INTERRUPTION),
        (of(10**7, 0), Kind.INTERRUPTION),
        (of(60_000, 115, over=True), Kind.SWELL),
        (of(60_001, 115, over=True), Kind.OVERVOLTAGE),
    ],
)
def test_what_a_disturbance_is_called(one: Disturbance, kind: Kind) -> None:
    assert one.kind(NOMINAL) is kind


def test_the_tables_of_the_standard() -> None:
    found = [
        of(200, 80),
        of(201, 79.9),
        of(1_000, 69.9),
        of(5_001, 39.9),
        of(60_000, 5),
        of(500, 120, over=True),
        of(5_001, 119.9, over=True),
        of(180_000, 1),
        of(180_001, 1),
        of(90_000, 85),
    ]
    counted = classified(found, NOMINAL)
    assert counted.dips == [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 2]]
    assert counted.swells == [[1, 0, 0], [0, 0, 1]]
    assert (counted.short_interruptions, counted.long_interruptions) == (1, 1)
    assert (counted.undervoltages, counted.overvoltages) == (1, 0)


def test_readings_within_it_deepen_a_dip_and_raise_a_swell() -> None:
    assert of(100, 60).seen(9_000, 231_000).extreme_mv == 9_000
    assert of(100, 60).seen(229_000, 231_000).extreme_mv == 138_000
    assert of(100, 112, over=True).seen(229_000, 280_000).extreme_mv == 280_000
