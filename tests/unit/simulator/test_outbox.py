import random
from itertools import pairwise

import pytest

from loadcenter.simulator.outbox import ACK_INTERVAL_MS, PATIENCE, WINDOW, Outbox

LATE_MS = (PATIENCE + 1) * ACK_INTERVAL_MS


def telemetry(power_mw=1000, v_mv=230_000):
    source = {"v_mv": v_mv, "f_mhz": None}
    return {
        "src": {"main": source, "backup": source},
        "out": [{"n": 1, "i_ma": 5, "p_mw": power_mw, "e_mwh": 1}],
    }


def outbox(count=0, capacity=600, samples=1):
    box = Outbox(3, capacity, random.Random(1))
    for second in range(count):
        box.add(telemetry(), second * 1000, samples)
    return box


def seqs(records):
    return [(record.first, record.seq) for record in records]


def test_records_are_numbered_from_1_and_sent_in_order():
    box = outbox(3)
    assert seqs(box.pull(0)) == [(1, 1), (2, 2), (3, 3)]
    assert box.pull(100) == []


def test_what_is_acknowledged_is_forgotten():
    box = outbox(5)
    box.pull(0)
    box.ack(3, 100)
    assert seqs(box.records) == [(4, 4), (5, 5)]
    assert box.pull(200) == []


def test_no_more_than_a_window_is_in_flight_and_acks_move_it():
    box = outbox(120)
    assert seqs(box.pull(0))[-1] == (WINDOW, WINDOW)
    box.ack(30, 100)
    assert seqs(box.pull(100)) == [(n, n) for n in range(WINDOW + 1, WINDOW + 31)]


def test_without_progress_it_sends_again_from_the_oldest():
    box = outbox(5)
    box.pull(0)
    assert box.pull(PATIENCE * ACK_INTERVAL_MS - 1) == []
    assert seqs(box.pull(LATE_MS)) == [(n, n) for n in range(1, 6)]


def test_repetitions_have_jitter():
    waits = set()
    for seed in range(20):
        box = Outbox(1, 100, random.Random(seed))
        box.add(telemetry(), 0, 1)
        box.pull(0)
        waits.add(next(ms for ms in range(0, LATE_MS + 1, 50) if box.pull(ms)))
    assert len(waits) > 5
    assert min(waits) >= PATIENCE * ACK_INTERVAL_MS


def test_a_new_connection_sends_everything_again_at_once():
    box = outbox(3)
    box.pull(0)
    box.rewind()
    assert seqs(box.pull(100)) == [(1, 1), (2, 2), (3, 3)]


def test_what_is_asked_for_and_no_longer_held_is_announced():
    box = outbox(10)
    box.pull(0)
    box.ack(8, 100)
    box.ack(5, 200)
    assert seqs(box.pull(200)) == [(6, 8), (9, 9), (10, 10)]
    assert box.records[0].body == {"gap": {"reason": "not_held", "count": None}}


def test_an_empty_outbox_announces_what_is_asked_for_too():
    box = outbox(10)
    box.pull(0)
    box.ack(10, 100)
    box.ack(7, 200)
    [gap] = box.pull(200)
    assert (gap.first, gap.seq) == (8, 10)


def test_the_same_question_twice_makes_one_gap():
    box = outbox(10)
    box.ack(8, 100)
    box.ack(5, 200)
    box.ack(5, 300)
    assert seqs(box.records) == [(6, 8), (9, 9), (10, 10)]


def tries(box, answered, times, position=0):
    now_ms = 0
    for _ in range(times):
        box.pull(now_ms)
        if answered:
            box.ack(position, now_ms + 10)
        now_ms += LATE_MS
    return box.pull(now_ms)


def test_a_record_that_is_answered_without_progress_three_times_is_given_up():
    box = outbox(3)
    sent = tries(box, answered=True, times=3)
    assert sent[0].body == {"gap": {"reason": "refused", "count": 1}}
    assert seqs(sent) == [(1, 1), (2, 2), (3, 3)]


def test_without_any_answer_nothing_is_ever_given_up():
    sent = tries(outbox(3), answered=False, times=50)
    assert not any(record.is_gap for record in sent)


def test_a_pause_of_the_server_in_between_starts_the_count_anew():
    box = outbox(3)
    tries(box, answered=True, times=2)
    now_ms = 3 * LATE_MS
    for _ in range(2):
        assert not any(record.is_gap for record in box.pull(now_ms))
        now_ms += LATE_MS
    assert not any(record.is_gap for record in box.records)


def test_a_full_outbox_thins_its_oldest_records_first():
    box = outbox(61, capacity=60)
    assert len(box.records) <= 60
    assert seqs(box.records)[:2] == [(1, 10), (11, 11)]
    assert box.records[0].samples == 10


def test_what_is_in_flight_is_not_altered():
    box = outbox(60, capacity=60)
    sent = box.pull(0)
    assert len(sent) == 30
    box.add(telemetry(), 60_000, 1)
    assert box.records[:30] == sent


@pytest.mark.parametrize("count", [100, 1000, 20_000])
def test_however_long_it_lasts_the_records_stay_bounded_and_without_a_hole(count):
    box = outbox(count, capacity=60)
    assert len(box.records) <= 60
    spans = seqs(box.records)
    assert spans[0][0] == 1
    assert spans[-1][1] == count
    assert all(before[1] + 1 == after[0] for before, after in pairwise(spans))
    lost = sum(record.count for record in box.records if record.is_gap)
    assert lost + sum(record.samples for record in box.records) == count


def test_events_are_never_thinned_but_lost_as_a_gap():
    box = outbox(70, capacity=60, samples=0)
    assert box.records[0].is_gap
    assert box.records[0].count == box.records[0].seq
    assert all(not record.is_gap for record in box.records[1:])
