"""How a link behaves."""

from dataclasses import dataclass
from typing import NamedTuple

from loadcenter.adapters.mqtt.inbox import WhenFull

_QOS = (0, 1)


class Will(NamedTuple):
    """What the broker publishes when this client's connection breaks."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """Settings of one link.

    Attributes:
        client_id: unique at the broker; a second client with it throws out the first. For a persistent session it is
            the session's name, so it must stay the same. Whoever has credentials can take over an id that they can
            guess: that of the control center should carry a random part.
        subscriptions: (filter, QoS 0 or 1), made again at each connect.
        persistent: the broker keeps the session, and with it messages of QoS 1, while the link is away.
        when_full: what a full inbox does.
        inbox_limit: messages that may wait in the inbox (1 or more; 0.5-1 kB each). One that stops reading when it is full
            holds up the answers to messages of QoS 1 that this link publishes, too.
        will: published by the broker when the connection breaks.
        keepalive_s: the longest silence (5..600 s). After it the broker is pinged, after 1.5 times it the broker gives
            the client up. A consumer that leaves a full inbox alone for longer loses the connection; in a persistent
            session the messages come again.
        connect_timeout_s: longest wait for TCP and TLS, and again for CONNACK and SUBACK.
        publish_timeout_s: longest wait for a PUBACK, or at QoS 0 for the socket to take the message.
        backoff_min_s: wait before the first new attempt; doubled each time, shortened by up to half at random.
        backoff_max_s: longest wait between attempts.
    """

    client_id: str
    subscriptions: tuple[tuple[str, int], ...] = ()
    persistent: bool = False
    when_full: WhenFull = WhenFull.STOP_READING
    inbox_limit: int = 1000
    will: Will | None = None
    keepalive_s: int = 30
    connect_timeout_s: float = 5.0
    publish_timeout_s: float = 10.0
    backoff_min_s: float = 0.2
    backoff_max_s: float = 5.0

    def __post_init__(self) -> None:
        if not self.client_id:
            raise ValueError("a link needs a client id")
        if any(qos not in _QOS for _, qos in self.subscriptions):
            raise ValueError("a link subscribes at QoS 0 or 1: QoS 2 is not part of the contract")
        if not 5 <= self.keepalive_s <= 600:  # noqa: PLR2004
            raise ValueError(f"keepalive_s is 5 to 600, not {self.keepalive_s}")
