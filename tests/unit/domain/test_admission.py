import pytest

from loadcenter.domain.admission import Admission, OutletSnapshot, PduSnapshot, Refusal, admit
from loadcenter.domain.commands import Do, Order, ResultCode
from loadcenter.domain.events import Cause
from loadcenter.domain.topology import Grade, Source

ON = OutletSnapshot(1, on=True, cause=Cause.RESTORE)
OFF = OutletSnapshot(2, on=False, cause=Cause.PERSON_OFF, by="anna")
WAITING = OutletSnapshot(3, on=False, cause=Cause.PERSON_ON)
TRIPPED = OutletSnapshot(4, on=False, cause=Cause.PROTECTION, trip="overcurrent", numbers={"i_ma": 6200})
LOCKED = OutletSnapshot(5, on=True, cause=Cause.LOCK, locked=True)
UNKNOWN = OutletSnapshot(6, on=None, cause=None)
GOOD = {Source.MAIN: Grade.GOOD, Source.BACKUP: Grade.GOOD}
SHED = OutletSnapshot(8, on=False, cause=Cause.PERSON_OFF, by="site:cellar")
PDU = PduSnapshot((ON, OFF, WAITING, TRIPPED, LOCKED, UNKNOWN, SHED), Source.MAIN, GOOD)


def switch(outlet, on):
    return Order(Do.SWITCH, outlet, on=on)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (switch(1, on=True), ResultCode.ALREADY),
        (switch(1, on=False), None),
        (switch(2, on=True), None),
        (switch(2, on=False), ResultCode.ALREADY),
        (switch(8, on=False), None),
        (switch(3, on=True), None),
        (switch(3, on=False), None),
        (switch(4, on=True), ResultCode.LATCHED),
        (switch(4, on=False), None),
        (switch(5, on=True), ResultCode.LOCKED),
        (switch(5, on=False), ResultCode.LOCKED),
        (switch(6, on=True), ResultCode.UNREPORTED),
        (switch(6, on=False), ResultCode.UNREPORTED),
        (switch(7, on=True), ResultCode.NO_SUCH_OUTLET),
        (Order(Do.CYCLE, 1, off_ms=5000), None),
        (Order(Do.CYCLE, 4, off_ms=5000), ResultCode.LATCHED),
        (Order(Do.CYCLE, 5, off_ms=5000), ResultCode.LOCKED),
        (Order(Do.RESET_TRIP, 4), None),
        (Order(Do.RESET_TRIP, 1), ResultCode.ALREADY),
        (Order(Do.LOCK, 1, on=True), None),
        (Order(Do.LOCK, 1, on=False), ResultCode.ALREADY),
        (Order(Do.LOCK, 5, on=True), ResultCode.ALREADY),
        (Order(Do.LOCK, 5, on=False), None),
        (Order(Do.CLEAR_LOCKOUT), ResultCode.ALREADY),
        (Order(Do.TRANSFER, source=Source.MAIN), ResultCode.ALREADY),
        (Order(Do.TRANSFER, source=Source.BACKUP), None),
    ],
)
def test_an_order_is_admitted_or_refused_with_its_code(order, code):
    verdict = admit(PDU, order)
    if code is None:
        assert verdict == Admission(order)
    else:
        assert isinstance(verdict, Refusal)
        assert verdict.code is code
        assert verdict.message.endswith(".")


@pytest.mark.parametrize("do", Do)
def test_of_a_pdu_that_has_not_reported_nothing_is_assumed(do):
    verdict = admit(None, Order(do, 1, on=True, off_ms=1000, source=Source.MAIN))
    assert isinstance(verdict, Refusal)
    assert verdict.code is ResultCode.UNREPORTED


@pytest.mark.parametrize("grade", [Grade.USABLE, Grade.BAD])
def test_a_transfer_needs_a_good_source(grade):
    pdu = PduSnapshot((ON,), Source.MAIN, {Source.MAIN: Grade.GOOD, Source.BACKUP: grade})
    verdict = admit(pdu, Order(Do.TRANSFER, source=Source.BACKUP))
    assert isinstance(verdict, Refusal)
    assert verdict.code is ResultCode.SOURCE_NOT_GOOD
    assert verdict.numbers == {"src": "backup", "grade": grade.value}


@pytest.mark.parametrize(("known", "code"), [(True, ResultCode.IN_OVERCURRENT), (False, None), (None, None)])
def test_what_the_control_center_does_not_know_does_not_refuse(known, code):
    pdu = PduSnapshot((ON,), Source.MAIN, GOOD, overcurrent=known)
    verdict = admit(pdu, Order(Do.TRANSFER, source=Source.BACKUP))
    assert (verdict.code if isinstance(verdict, Refusal) else None) is code


def test_a_lockout_refuses_transfers_and_can_be_cleared():
    pdu = PduSnapshot((ON,), Source.MAIN, GOOD, lockout=True)
    verdict = admit(pdu, Order(Do.TRANSFER, source=Source.BACKUP))
    assert isinstance(verdict, Refusal)
    assert verdict.code is ResultCode.LOCKOUT
    assert isinstance(admit(pdu, Order(Do.CLEAR_LOCKOUT)), Admission)


def test_a_refusal_for_a_latch_carries_the_numbers_of_the_trip():
    verdict = admit(PDU, switch(4, on=True))
    assert isinstance(verdict, Refusal)
    assert verdict.numbers == {"trip": "overcurrent", "i_ma": 6200}
