import pytest

from loadcenter.domain.events import Cause
from loadcenter.domain.memory import OutletMemory, restored
from loadcenter.domain.protection import Latch, Trip
from loadcenter.domain.sequencing import Sequence, take_turns
from loadcenter.domain.settings import PowerOn

LATCH = Latch(Trip.OVERCURRENT, 6000, 4000, 2000)


def closings(waiting, sequence_ms, step_ms=20):
    sequence, left, times = Sequence(), set(waiting), {}
    for now_ms in range(0, 10_000, step_ms):
        sequence, closing = take_turns(sequence, left, sequence_ms, now_ms)
        left -= set(closing)
        times |= dict.fromkeys(closing, now_ms)
    return times


def test_outlets_close_one_after_the_other_lowest_first():
    assert closings({3, 1, 2}, 260) == {1: 0, 2: 260, 3: 520}


def test_without_a_delay_all_close_at_once():
    assert closings({1, 2, 3}, 0) == {1: 0, 2: 0, 3: 0}


def test_a_late_comer_waits_for_its_turn_but_not_longer():
    sequence, first = take_turns(Sequence(), [1], 250, 1000)
    assert first == (1,)
    assert take_turns(sequence, [2], 250, 1240) == (sequence, ())
    assert take_turns(sequence, [2], 250, 1250)[1] == (2,)
    assert take_turns(sequence, [2], 250, 60_000)[1] == (2,)


def test_nobody_waiting_changes_nothing():
    sequence = Sequence(17)
    assert take_turns(sequence, (), 250, 99_999) == (sequence, ())


@pytest.mark.parametrize("policy", PowerOn)
def test_a_latched_outlet_stays_off_under_every_policy(policy):
    memory = restored(OutletMemory(wanted=True, latch=LATCH), policy)
    assert not memory.wanted
    assert memory.latch is LATCH


@pytest.mark.parametrize("policy", PowerOn)
@pytest.mark.parametrize("wanted", [True, False])
def test_a_locked_outlet_keeps_its_state_under_every_policy(policy, wanted):
    memory = OutletMemory(wanted=wanted, cause=Cause.PERSON_ON, by="anna", locked=True)
    assert restored(memory, policy) == memory


@pytest.mark.parametrize(
    ("policy", "wanted", "after"),
    [
        (PowerOn.LAST_STATE, True, True),
        (PowerOn.LAST_STATE, False, False),
        (PowerOn.ALWAYS_ON, False, True),
        (PowerOn.ALWAYS_OFF, True, False),
    ],
)
def test_a_policy_says_what_an_outlet_is_after_start(policy, wanted, after):
    cause = Cause.PERSON_ON if wanted else Cause.PERSON_OFF
    assert restored(OutletMemory(wanted=wanted, cause=cause, by="anna"), policy).wanted is after


def test_a_persons_off_is_still_theirs_after_start():
    memory = OutletMemory(wanted=False, cause=Cause.PERSON_OFF, by="anna")
    assert restored(memory, PowerOn.LAST_STATE) == memory
