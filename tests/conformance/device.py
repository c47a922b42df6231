"""What the contract suite needs of a device to try it out."""

from typing import Protocol


class Device(Protocol):
    """A device under test, with its own flash: each start is a new boot."""

    pdu_id: str
    outbox: int
    """Telemetry records that it can hold."""

    def start(self) -> None:
        """Power up: connect and speak until killed."""

    def kill(self) -> None:
        """Cut the power: no goodbye to the broker."""
