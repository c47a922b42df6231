"""Events: what has happened at a PDU, with cause and the numbers compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from loadcenter.domain.topology import Source

Detail: TypeAlias = int | str | bool | list["Detail"] | Mapping[str, "Detail"] | None
"""What an event's data may hold: numbers in wire units (the key ends in the unit) and words."""


class Severity(StrEnum):
    """How much an event matters to a person."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class EventCode(StrEnum):
    """Events of `spec/codes.toml`, category event."""

    BOOT = "boot"
    SOURCE_LOST = "source_lost"
    SOURCE_RESTORED = "source_restored"
    TRANSFER = "transfer"
    OUTAGE = "outage"
    OUTAGE_END = "outage_end"
    TRIP = "trip"
    TRIP_RESET = "trip_reset"
    SWITCHED = "switched"
    OVERVOLTAGE = "overvoltage"
    UNDERVOLTAGE = "undervoltage"
    RELAY_WELDED = "relay_welded"
    SETTINGS_APPLIED = "settings_applied"
    SETTINGS_REFUSED = "settings_refused"
    COMMAND_REFUSED = "command_refused"
    TRANSFER_LOCKOUT = "transfer_lockout"
    REDUNDANCY_LOST = "redundancy_lost"
    REDUNDANCY_RESTORED = "redundancy_restored"
    SHED = "shed"
    RESTORED = "restored"
    OVER_BUDGET = "over_budget"
    WITHIN_BUDGET = "within_budget"
    SHED_FUTILE = "shed_futile"
    LIMIT_EXCEEDED = "limit_exceeded"
    LIMIT_CLEARED = "limit_cleared"
    BREAKER_FAILURE = "breaker_failure"
    SUSPECTED_OPEN = "suspected_open"
    SENSOR_FAULT = "sensor_fault"
    SENSOR_RESTORED = "sensor_restored"
    LOCKOUT_END = "lockout_end"
    LOCKED = "locked"
    NOMINAL_MISMATCH = "nominal_mismatch"
    SELF_TEST_FAILED = "self_test_failed"
    LINK_LOST = "link_lost"
    LINK_FOUND = "link_found"


SEVERITY: Mapping[EventCode, Severity] = {
    EventCode.BOOT: Severity.INFO,
    EventCode.SOURCE_LOST: Severity.WARNING,
    EventCode.SOURCE_RESTORED: Severity.INFO,
    EventCode.TRANSFER: Severity.WARNING,
    EventCode.OUTAGE: Severity.CRITICAL,
    EventCode.OUTAGE_END: Severity.INFO,
    EventCode.TRIP: Severity.CRITICAL,
    EventCode.TRIP_RESET: Severity.INFO,
    EventCode.SWITCHED: Severity.INFO,
    EventCode.OVERVOLTAGE: Severity.CRITICAL,
    EventCode.UNDERVOLTAGE: Severity.WARNING,
    EventCode.RELAY_WELDED: Severity.CRITICAL,
    EventCode.SETTINGS_APPLIED: Severity.INFO,
    EventCode.SETTINGS_REFUSED: Severity.WARNING,
    EventCode.COMMAND_REFUSED: Severity.WARNING,
    EventCode.TRANSFER_LOCKOUT: Severity.WARNING,
    EventCode.REDUNDANCY_LOST: Severity.WARNING,
    EventCode.REDUNDANCY_RESTORED: Severity.INFO,
    EventCode.SHED: Severity.WARNING,
    EventCode.RESTORED: Severity.INFO,
    EventCode.OVER_BUDGET: Severity.CRITICAL,
    EventCode.WITHIN_BUDGET: Severity.INFO,
    EventCode.SHED_FUTILE: Severity.WARNING,
    EventCode.LIMIT_EXCEEDED: Severity.WARNING,
    EventCode.LIMIT_CLEARED: Severity.INFO,
    EventCode.BREAKER_FAILURE: Severity.CRITICAL,
    EventCode.SUSPECTED_OPEN: Severity.WARNING,
    EventCode.SENSOR_FAULT: Severity.CRITICAL,
    EventCode.SENSOR_RESTORED: Severity.INFO,
    EventCode.LOCKOUT_END: Severity.INFO,
    EventCode.LOCKED: Severity.INFO,
    EventCode.NOMINAL_MISMATCH: Severity.CRITICAL,
    EventCode.SELF_TEST_FAILED: Severity.CRITICAL,
    EventCode.LINK_LOST: Severity.WARNING,
    EventCode.LINK_FOUND: Severity.INFO,
}
"""Severity of each event; `tests/docs` holds it equal to `spec/codes.toml`."""


class Cause(StrEnum):
    """Why something is as it is, or was done: `spec/codes.toml`, category cause."""

    PROTECTION = "protection"
    LOCK = "lock"
    PERSON_OFF = "person_off"
    SHED = "shed"
    PERSON_ON = "person_on"
    SCHEDULE = "schedule"
    RESTORE = "restore"
    SOURCE_LOST = "source_lost"
    OVERVOLTAGE = "overvoltage"
    RETRANSFER = "retransfer"
    MANUAL = "manual"
    START_UP = "start_up"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has happened.

    Attributes:
        code: what.
        outlet: which outlet it concerns, None for the whole PDU.
        source: which source it concerns.
        cause: why.
        data: the numbers compared, in wire units.
        because: position in the same list of the event that led to this one, None if none did.
    """

    code: EventCode
    outlet: int | None = None
    source: Source | None = None
    cause: Cause | None = None
    data: Mapping[str, Detail] = field(default_factory=dict)
    because: int | None = None
