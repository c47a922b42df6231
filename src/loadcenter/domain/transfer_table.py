"""What the transfer switch may do, as a table: the diagram in docs/control.md is drawn from it."""

from collections.abc import Mapping
from enum import StrEnum

from loadcenter.domain.tables import TRANSFER_LASTS_MS, TRANSFER_ROWS


class Mode(StrEnum):
    """What the transfer switch is doing."""

    ISOLATED = "isolated"
    CLOSED = "closed"
    SWINGING = "swinging"
    OPENING = "opening"
    MOVING = "moving"
    CLOSING = "closing"


class Trigger(StrEnum):
    """What makes it do something else."""

    CONNECT = "connect"
    LEAVE = "leave"
    PLAN = "plan"
    ISOLATE = "isolate"
    RETARGET = "retarget"
    ELAPSED = "elapsed"


class Effect(StrEnum):
    """What is done on the way, beside the isolator, which follows from the mode."""

    NONE = "none"
    MOVE = "move"
    SETTLE = "settle"


TABLE: Mapping[tuple[Mode, Trigger], tuple[Mode, Effect]] = {
    (Mode(mode), Trigger(trigger)): (Mode(after), Effect(effect))
    for mode, trigger, after, effect in TRANSFER_ROWS
}
"""(mode, trigger) -> (next mode, effect). What is not in the table is refused."""

ISOLATOR_CLOSED: frozenset[Mode] = frozenset({Mode.CLOSED, Mode.SWINGING, Mode.CLOSING})
"""Modes in which the bus isolator is driven closed."""

LASTS_MS: Mapping[Mode, int] = {Mode(mode): lasts_ms for mode, lasts_ms in TRANSFER_LASTS_MS.items()}
"""How long a mode lasts: release 10 ms and a half cycle; operate 10 ms and bounce 3 ms (behaviour.md, section 2).

`SWINGING` has a half cycle more: in the fast mode the pin waits for a zero of the total current.
"""


class IllegalTriggerError(ValueError):
    """A trigger that the table does not have in this mode; nothing was changed."""


def advance(mode: Mode, trigger: Trigger) -> tuple[Mode, Effect]:
    """Return the row of the table.

    Raises:
        IllegalTriggerError: the table has no such row.
    """
    row = TABLE.get((mode, trigger))
    if row is None:
        raise IllegalTriggerError(f"'{trigger}' does nothing while the transfer switch is {mode}")
    return row
