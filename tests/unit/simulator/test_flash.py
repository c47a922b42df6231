import pytest

from loadcenter.domain.events import Cause
from loadcenter.domain.memory import OutletMemory, PduMemory
from loadcenter.domain.protection import Latch, Trip
from loadcenter.simulator.flash import Flash, FlashError, kept_outlets, read_flash, recalled, write_flash

MEMORY = PduMemory(
    (
        OutletMemory(latch=Latch(Trip.OVERCURRENT, 6200, 4000, 2000), wanted=False, cause=Cause.PROTECTION),
        OutletMemory(wanted=False, cause=Cause.PERSON_OFF, by="anna", locked=True),
    )
)


def test_what_is_written_is_read_again():
    flash = Flash(7, 88, kept_outlets(MEMORY, [10, 20]), [], {"version": 3, "pdu": {}, "out": []})
    assert read_flash(write_flash(flash)) == flash
    assert recalled(flash.outlets, 2) == MEMORY
    assert [one.energy_mwh for one in flash.outlets] == [10, 20]


def test_a_new_device_remembers_nothing():
    assert recalled([], 2) == PduMemory((OutletMemory(), OutletMemory()))
    assert Flash().boot == 0


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"boot":"x"}', b'{"outlets":[{}]}'])
def test_other_bytes_are_refused_with_what_to_do(data):
    with pytest.raises(FlashError, match="delete it"):
        read_flash(data)
