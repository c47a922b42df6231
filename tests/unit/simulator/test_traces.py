import gzip
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from loadcenter.simulator.loads import Conditions
from loadcenter.simulator.pdu import PduSpec, VirtualPdu
from loadcenter.simulator.rack import Rack, recorded_layouts
from loadcenter.simulator.traces import (
    HOLD_S,
    MINUTE_HOLD_S,
    Playback,
    Trace,
    TraceError,
    ending_at,
    parse_any,
    parse_minutes,
    parse_tracebase,
)

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "data" / "traces"
MIDNIGHT = datetime(2012, 1, 16, tzinfo=UTC)


def line(second, watts):
    return f"{MIDNIGHT + timedelta(seconds=second):%d/%m/%Y %H:%M:%S};{watts};{watts}"


def generated(seconds=3600, seed=3):
    """Return the lines of a recording with the defects of real ones: gaps, doubles and steps backward."""
    rng, lines, second = random.Random(seed), [], 0
    while second < seconds:
        lines.append(line(second, rng.choice([0, 2, 9, 40, 250])))
        match rng.random():
            case chance if chance < 0.02:
                second += rng.randint(8, 120)  # a gap
            case chance if chance < 0.04:
                lines.append(line(second, 77))  # the same second again
            case chance if chance < 0.05 and second > 5:
                lines.append(line(second - 3, 11))  # a step backward
        second += rng.choice([1, 1, 1, 2, 7])
    return lines


def reference_mwh(lines):
    """Reckon the energy of a recording from its lines alone."""
    known = {}
    for text in lines:
        stamp, watts, _ = text.split(";")
        known[datetime.strptime(stamp, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC).timestamp()] = float(watts)
    seconds = sorted(known)
    return sum(known[a] * min(b - a, 10) for a, b in pairwise(seconds)) / 3.6


def draw_w(load, now_ms):
    return load.draw(Conditions(now_ms, 0, 230_000, 230_000)).power_mw / 1000


def test_a_recording_is_sorted_and_the_last_of_a_double_second_wins():
    trace = parse_tracebase([line(5, 10), line(3, 20), line(5, 30), "", line(4, 40)])
    start = int(MIDNIGHT.timestamp())
    assert trace == Trace((start + 3, start + 4, start + 5), (20, 40, 30), HOLD_S)


@pytest.mark.parametrize(
    "bad", ["x;1;1", "16/01/2012 00:00:00", "16/01/2012 00:00:00;-1;0", "16/01/2012 00:00:00;nan;0"]
)
def test_a_line_that_is_no_reading_is_named(bad):
    with pytest.raises(TraceError, match="line 2"):
        parse_tracebase([line(0, 1), bad])


def test_an_empty_recording_is_refused():
    with pytest.raises(TraceError, match="no line"):
        parse_tracebase([])


def test_the_columns_of_a_minute_file_are_its_recordings():
    traces = parse_any(
        ["Time,Aggregate,Kettle\n", "2013-06-01 00:00:00,245.5,0.0\n", "2013-06-01 00:01:00,2300,2000\n"]
    )
    assert list(traces) == ["Aggregate", "Kettle"]
    assert traces["Kettle"].watts == (0.0, 2000.0)
    assert traces["Kettle"].hold_s == MINUTE_HOLD_S


def test_an_empty_field_of_a_minute_file_is_a_gap():
    traces = parse_minutes(["Time,A,B", "2013-06-01 00:00:00,,1", "2013-06-01 00:01:00,5,2"])
    assert len(traces["A"].seconds) == 1


@pytest.mark.parametrize(
    "lines", [["Date,A"], ["Time"], ["Time,A", "2013-06-01 00:00:00,1,2"], ["Time,A", "x,1"]]
)
def test_a_minute_file_that_is_none_is_named(lines):
    with pytest.raises(TraceError, match="line"):
        parse_minutes(lines)


def test_a_value_is_held_to_the_next_but_not_over_a_long_gap():
    playback = ending_at(parse_tracebase([line(0, 100), line(3, 50), line(30, 70), line(31, 0)]), 31_000)
    assert [draw_w(playback, ms) for ms in (0, 2999, 3000, 12_999)] == [100, 100, 50, 50]
    assert [draw_w(playback, ms) for ms in (13_000, 29_999)] == [0, 0]
    assert [draw_w(playback, ms) for ms in (30_000, 31_000, 99_000, -1)] == [70, 0, 0, 0]


def test_a_looped_recording_begins_anew():
    playback = Playback(
        parse_tracebase([line(0, 100), line(5, 50), line(9, 0)]), int(MIDNIGHT.timestamp()) * 1000, loop=True
    )
    assert [draw_w(playback, ms) for ms in (0, 5000, 9000, 14_000)] == [100, 50, 100, 50]


def test_the_energy_of_a_recording_follows_the_rule():
    lines = generated()
    assert parse_tracebase(lines).energy_mwh == pytest.approx(reference_mwh(lines))


def replay(named, span_s, step_ms=1000):
    """Return the energy counters in mWh after playing recordings that end `span_s` after the start."""
    playbacks = [(name, ending_at(trace, span_s * 1000)) for name, trace in named]
    rack = Rack(recorded_layouts(playbacks), 1, 0, step_ms=step_ms)
    [pdu] = rack.pdus.values()
    pdu.advance((span_s + 1) * 1000)
    assert all(outlet.memory.latch is None for outlet in pdu.state.outlets)
    return [plug.counter.energy_mwh for plug in pdu.plant.plugs]


@pytest.mark.parametrize("step_ms", [20, 1000])
def test_a_generated_recording_ends_in_the_counter_with_its_energy(step_ms):
    lines = generated(1200)
    [energy_mwh] = replay([("made", parse_tracebase(lines))], 1300, step_ms)
    assert energy_mwh == pytest.approx(reference_mwh(lines), rel=0.001)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings in {RECORDINGS}")
def test_recorded_appliances_end_in_the_counters_with_their_energy():
    names = ("PC-Desktop_59ADA7", "Router_B8148C", "Refrigerator_599393", "Monitor-TFT_599185")
    texts = []
    for name in names:
        with gzip.open(RECORDINGS / f"tracebase_{name}_2012.01.16.csv.gz", "rt", encoding="utf-8") as file:
            texts.append(file.read().splitlines()[:15_000])
    named = [(name, parse_tracebase(lines)) for name, lines in zip(names, texts, strict=True)]
    counters = replay(named, 50_000)
    for energy_mwh, lines in zip(counters, texts, strict=True):
        assert energy_mwh == pytest.approx(reference_mwh(lines), rel=0.001)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings in {RECORDINGS}")
@pytest.mark.parametrize("name", ["UKDALE_House2_2013-06_1min", "REFIT_House20_2014-10_1min"])
def test_recorded_minutes_can_be_read(name):
    with gzip.open(RECORDINGS / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        traces = parse_any(file.read().splitlines())
    assert list(traces) == ["Aggregate", "Kettle", "Dishwasher", "WashingMachine", "Microwave"]
    assert len(traces["Kettle"].seconds) > 40_000
    assert traces["Kettle"].peak_w > 2500


def test_a_large_appliance_gets_an_outlet_that_carries_it():
    named = [
        ("Kettle", ending_at(Trace((0, 60), (2000.0, 0.0)), 0)),
        ("Lamp", ending_at(Trace((0, 60), (9.0, 0.0)), 0)),
    ]
    [layout] = recorded_layouts(named)
    assert [outlet.limit_ma for outlet in layout.outlets] == [10_000, 4000]


def test_more_recordings_than_outlets_make_more_pdus():
    named = [(f"Device {n}", ending_at(Trace((0, 60), (9.0, 0.0)), 0)) for n in range(6)]
    assert [len(layout.outlets) for layout in recorded_layouts(named)] == [4, 2]


def test_a_spec_whose_loads_and_settings_differ_in_number_is_refused():
    with pytest.raises(ValueError, match="1 loads for 4 outlets"):
        VirtualPdu(PduSpec("rack-1", [ending_at(Trace((0, 60), (9.0, 0.0)), 0)]), 1, 0)
