import pytest

from loadcenter.domain.commands import (
    CYCLE_OFF_MS_MAX,
    CYCLE_OFF_MS_MIN,
    CommandStatus,
    Do,
    Order,
    OrderError,
    check_order,
)
from loadcenter.domain.topology import Source

COMPLETE = {
    Do.SWITCH: Order(Do.SWITCH, 1, on=True),
    Do.CYCLE: Order(Do.CYCLE, 1, off_ms=5000),
    Do.RESET_TRIP: Order(Do.RESET_TRIP, 1),
    Do.LOCK: Order(Do.LOCK, 1, on=False),
    Do.TRANSFER: Order(Do.TRANSFER, source=Source.BACKUP),
    Do.CLEAR_LOCKOUT: Order(Do.CLEAR_LOCKOUT),
}


@pytest.mark.parametrize("do", Do)
def test_a_complete_order_comes_back_unchanged(do):
    assert check_order(COMPLETE[do]) is COMPLETE[do]


@pytest.mark.parametrize(
    ("order", "missing"),
    [
        (Order(Do.SWITCH, 1), "on: true or false"),
        (Order(Do.SWITCH, on=True), "an outlet"),
        (Order(Do.LOCK, 1), "on: true or false"),
        (Order(Do.CYCLE, off_ms=5000), "an outlet"),
        (Order(Do.CYCLE, 1), "off_ms between 1000 and 3600000"),
        (Order(Do.CYCLE, 1, off_ms=CYCLE_OFF_MS_MIN - 1), "off_ms between"),
        (Order(Do.CYCLE, 1, off_ms=CYCLE_OFF_MS_MAX + 1), "off_ms between"),
        (Order(Do.RESET_TRIP), "an outlet"),
        (Order(Do.TRANSFER), "main or backup"),
    ],
)
def test_an_incomplete_order_names_what_it_misses(order, missing):
    with pytest.raises(OrderError, match=missing):
        check_order(order)


def test_an_order_ends_in_confirmed_rejected_expired_or_unknown():
    assert {status for status in CommandStatus if status.final} == {
        CommandStatus.CONFIRMED,
        CommandStatus.REJECTED,
        CommandStatus.EXPIRED,
        CommandStatus.UNKNOWN,
    }
