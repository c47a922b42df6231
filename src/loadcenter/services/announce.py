"""Who wants to know of a change, told in order and at once. Listeners only note it; they never wait."""

from collections.abc import Callable
from dataclasses import dataclass

from loadcenter.services.ports import AlarmRow, CommandRow, StoredEvent


@dataclass(frozen=True, slots=True)
class PduChanged:
    """What is known of a PDU has changed; `urgent` where a state did, not only readings."""

    pdu_id: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class EventAdded:
    """An event has been stored."""

    event: StoredEvent


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """An alarm has begun, was acknowledged, or has ended."""

    alarm: AlarmRow


@dataclass(frozen=True, slots=True)
class CommandChanged:
    """A command has got further."""

    command: CommandRow


@dataclass(frozen=True, slots=True)
class ServerChanged:
    """Broker or database have gone or come back; the words say why, empty when all is well."""

    broker: str
    database: str


Announcement = PduChanged | EventAdded | AlarmChanged | CommandChanged | ServerChanged


class Announcer:
    """Passes announcements to every listener."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Announcement], None]] = []

    def listen(self, listener: Callable[[Announcement], None]) -> None:
        """Call `listener` with every announcement from now on."""
        self._listeners.append(listener)

    def announce(self, announcement: Announcement) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener(announcement)
