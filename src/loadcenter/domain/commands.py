"""Orders to a PDU and how they end."""

from dataclasses import dataclass
from enum import StrEnum

from loadcenter.domain.topology import Source

CYCLE_OFF_MS_DEFAULT = 5_000
CYCLE_OFF_MS_MIN = 1_000
CYCLE_OFF_MS_MAX = 3_600_000


class Do(StrEnum):
    """What a command asks for (MQTT-40)."""

    SWITCH = "switch"
    CYCLE = "cycle"
    RESET_TRIP = "reset_trip"
    LOCK = "lock"
    TRANSFER = "transfer"
    CLEAR_LOCKOUT = "clear_lockout"


class ResultCode(StrEnum):
    """How a command ended: `spec/codes.toml`, category result."""

    OK = "ok"
    EXPIRED = "expired"
    OTHER_BOOT = "other_boot"
    REPEATED = "repeated"
    RETAINED = "retained"
    MALFORMED = "malformed"
    NO_SUCH_OUTLET = "no_such_outlet"
    LATCHED = "latched"
    LOCKED = "locked"
    SOURCE_NOT_GOOD = "source_not_good"
    ALREADY = "already"
    LOCKOUT = "lockout"
    NOT_CONFIRMED = "not_confirmed"
    SUPERSEDED = "superseded"
    OFFLINE = "offline"
    UNREPORTED = "unreported"
    IN_OVERCURRENT = "in_overcurrent"
    NOT_SUPPORTED = "not_supported"
    NO_HEADROOM = "no_headroom"


class CommandStatus(StrEnum):
    """The life of a command; the last four are ends, and a late answer settles `unknown`."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether the person who gave the command has their answer."""
        return self not in (CommandStatus.PENDING, CommandStatus.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Order:
    """What a person (or a policy acting for one) asks of a PDU.

    Attributes:
        do: the action.
        outlet: for `switch`, `cycle`, `reset_trip`, `lock`.
        on: wanted state for `switch`; locked or not for `lock`.
        off_ms: length of the pause of `cycle`, 1,000 to 3,600,000 ms.
        source: target of `transfer`.
        by: who asked.
    """

    do: Do
    outlet: int | None = None
    on: bool | None = None
    off_ms: int | None = None
    source: Source | None = None
    by: str = ""


class OrderError(ValueError):
    """An order misses a field or has one out of range; the message names it."""


def check_order(order: Order) -> Order:
    """Return `order` unchanged if it is complete.

    Raises:
        OrderError: a field that its action needs is missing or out of range.
    """
    match order.do:
        case Do.SWITCH | Do.LOCK:
            if order.outlet is None or order.on is None:
                raise OrderError(f"'{order.do}' needs an outlet and on: true or false")
        case Do.CYCLE:
            if order.outlet is None:
                raise OrderError("'cycle' needs an outlet")
            if order.off_ms is None or not CYCLE_OFF_MS_MIN <= order.off_ms <= CYCLE_OFF_MS_MAX:
                raise OrderError(f"'cycle' needs off_ms between {CYCLE_OFF_MS_MIN} and {CYCLE_OFF_MS_MAX}")
        case Do.RESET_TRIP:
            if order.outlet is None:
                raise OrderError("'reset_trip' needs an outlet")
        case Do.TRANSFER:
            if order.source is None:
                raise OrderError("'transfer' needs a source: main or backup")
        case Do.CLEAR_LOCKOUT:
            pass
    return order
