"""Bits that flip in the real firmware: its outputs stay safe, and most of what matters is noticed."""

from collections import Counter

from tests.firmware.flips import Fate, ready, suffer
from tests.firmware.rig import forked

FLIPS = 100


def test_no_flipped_bit_makes_an_output_unsafe(programs):
    rig = ready(programs("uno"))
    found = forked(lambda seed: suffer(rig, seed), range(FLIPS))
    rig.close()
    assert not [one for one in found if one.fate is Fate.UNSAFE]
    assert Counter(one.fate for one in found)[Fate.DETECTED] > 0
