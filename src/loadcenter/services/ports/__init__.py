"""What the use cases need from the world. Adapters implement these; tests use fakes; both pass one suite."""

from loadcenter.services.ports.broker import (
    DeliveryToken,
    Link,
    LinkDownError,
    LinkState,
    Message,
)
from loadcenter.services.ports.clock import Calendar, Clock
from loadcenter.services.ports.control import ControlStore, DrawColumns, GroupRow, PlanRow, SiteRow
from loadcenter.services.ports.people import Passwords
from loadcenter.services.ports.plant import Disturbance, Plant
from loadcenter.services.ports.rows import (
    AlarmRow,
    CommandRow,
    DeviceRow,
    EventFilter,
    GapRow,
    IngestBatch,
    Position,
    QuarantineRow,
    RawOutlet,
    RawRecord,
    RawSource,
    RollupKey,
    SessionRow,
    StoredEvent,
    UserRow,
)
from loadcenter.services.ports.store import (
    PositionConflictError,
    Store,
    StoreDataError,
    StoreError,
    StoreUnavailableError,
)

__all__ = [
    "AlarmRow",
    "Calendar",
    "Clock",
    "CommandRow",
    "ControlStore",
    "DeliveryToken",
    "DeviceRow",
    "Disturbance",
    "DrawColumns",
    "EventFilter",
    "GapRow",
    "GroupRow",
    "IngestBatch",
    "Link",
    "LinkDownError",
    "LinkState",
    "Message",
    "Passwords",
    "PlanRow",
    "Plant",
    "Position",
    "PositionConflictError",
    "QuarantineRow",
    "RawOutlet",
    "RawRecord",
    "RawSource",
    "RollupKey",
    "SessionRow",
    "SiteRow",
    "Store",
    "StoreDataError",
    "StoreError",
    "StoreUnavailableError",
    "StoredEvent",
    "UserRow",
]
