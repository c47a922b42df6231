"""The connection to the broker, and what comes in over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message as it came in.

    Attributes:
        topic: full topic.
        payload: bytes as sent.
        retained: the retain flag: stored at the broker before we subscribed.
        token: names the delivery to `Link.ack`; None at QoS 0. It is worthless after a reconnect, and then
            acknowledging it does nothing.
    """

    topic: str
    payload: bytes
    retained: bool = False
    token: "DeliveryToken | None" = None


@dataclass(frozen=True, slots=True)
class DeliveryToken:
    """A delivery within one connection: `generation` counts the connections of a link."""

    generation: int
    mid: int


class LinkState(StrEnum):
    """State of a connection to the broker."""

    CONNECTING = "connecting"
    UP = "up"
    PAUSED = "paused"
    CLOSED = "closed"


class Link(Protocol):
    """One MQTT connection to the broker, which reconnects by itself until it is closed or paused.

    Incoming messages wait in a bounded queue; when it is full the link stops reading from the socket and nothing
    is dropped (QoS 0 messages of a control link drop the oldest instead, and are counted).
    """

    @property
    def state(self) -> LinkState:
        """How the connection is now."""
        ...

    @property
    def generation(self) -> int:
        """Number of the current connection, from 1; 0 before the first."""
        ...

    @property
    def last_error(self) -> str:
        """Why the last attempt failed, with what to do; empty when there was none."""
        ...

    async def receive(self, most: int, linger_ms: int) -> list[Message]:
        """Return at least one message, at most `most`.

        Waits without limit for the first; then up to `linger_ms` for more.
        """
        ...

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message; at QoS 1 return when the broker has taken it.

        Raises:
            LinkDownError: there is no connection; nothing was queued.
        """
        ...

    async def subscribe(self, pattern: str, qos: int) -> None:
        """Have a filter among the subscriptions, now and at each later connect; return when it stands or at once if down."""
        ...

    async def unsubscribe(self, pattern: str) -> None:
        """Have it there no more, now and at each later connect."""
        ...

    def ack(self, tokens: Sequence[DeliveryToken]) -> None:
        """Acknowledge deliveries (PUBACK). Those of an earlier connection are ignored."""
        ...

    async def pause(self) -> None:
        """Go down on purpose: the broker keeps what arrives. Unread messages are forgotten (they come again)."""
        ...

    async def resume(self) -> None:
        """Come back after `pause`."""
        ...

    async def wait_up(self) -> int:
        """Return the generation once the connection is up and subscribed."""
        ...


class LinkDownError(ConnectionError):
    """There is no connection to the broker now. The message says why and what to do."""
