"""Which records are taken (MQTT-12, MQTT-13). The vectors in spec/vectors/streams.jsonl hold whole sequences."""

import pytest

from loadcenter.protocol.session import Ahead, Duplicate, Taken, judge


def test_the_next_record_is_taken():
    assert judge(4, 5, 5) == Taken(5, 5)


def test_a_record_that_is_stored_is_a_duplicate():
    assert judge(5, 5, 5) == Duplicate()
    assert judge(9, 3, 7) == Duplicate()


def test_a_record_that_leaves_a_hole_is_ahead_of_the_position():
    assert judge(4, 6, 6) == Ahead(4)
    assert judge(4, 6, 9) == Ahead(4)


def test_of_an_overlap_only_the_part_after_the_position_is_taken():
    assert judge(4, 2, 7) == Taken(5, 7)


def test_the_very_first_record_is_number_1():
    assert judge(0, 1, 1) == Taken(1, 1)
    assert judge(0, 2, 2) == Ahead(0)


@pytest.mark.parametrize(("position", "first", "seq"), [(0, 0, 1), (0, 2, 1), (-1, 1, 1), (0, 0, 0)])
def test_numbers_that_name_no_record_are_an_error(position, first, seq):
    with pytest.raises(ValueError, match="not a record"):
        judge(position, first, seq)
