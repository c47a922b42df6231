"""A broker and its links in memory, with the sessions, retained messages, wills and redelivery of MQTT 3.1.1."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from loadcenter.adapters.mqtt.inbox import Inbox, WhenFull
from loadcenter.services.ports import DeliveryToken, LinkDownError, LinkState, Message


@dataclass(frozen=True, slots=True)
class Publication:
    """One message as a client gave it to the broker."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    client_id: str = ""


@dataclass(slots=True)
class Session:
    """What the broker keeps of a client; `away` messages are those not handed to a connection."""

    persistent: bool
    subscriptions: tuple[tuple[str, int], ...] = ()
    away: deque[Message] = field(default_factory=deque)
    in_flight: dict[int, Message] = field(default_factory=dict)
    last_mid: int = 0


def matches(pattern: str, topic: str) -> bool:
    """Return whether an MQTT filter covers a topic."""
    wanted, levels = pattern.split("/"), topic.split("/")
    for i, level in enumerate(wanted):
        if level == "#":
            return True
        if i >= len(levels) or level not in ("+", levels[i]):
            return False
    return len(wanted) == len(levels)


class FakeBroker:
    """An MQTT broker in memory.

    Attributes:
        log: everything published, in order.
        retained: the retained message of each topic.
        users: passwords by user name; None lets everybody in.
        open_links: links that are open, connected or not.
    """

    def __init__(self, users: dict[str, str] | None = None) -> None:
        self.users = users
        self.log: list[Publication] = []
        self.retained: dict[str, bytes] = {}
        self.running = True
        self.open_links: list[FakeLink] = []
        self._sessions: dict[str, Session] = {}
        self._links: dict[str, FakeLink] = {}

    def link(
        self,
        client_id: str,
        *subscriptions: tuple[str, int],
        persistent: bool = False,
        inbox_limit: int = 1000,
        when_full: WhenFull = WhenFull.STOP_READING,
        username: str = "",
        password: str = "",
        will: Publication | None = None,
    ) -> "FakeLink":
        """Return a link that is not yet open; use it as `async with`, or call `open()` and `close()`."""
        inbox = Inbox(inbox_limit, when_full)
        return FakeLink(
            self,
            client_id,
            subscriptions,
            persistent=persistent,
            inbox=inbox,
            credentials=(username, password),
            will=will,
        )

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, client_id: str = ""
    ) -> None:
        """Take a message as from any client."""
        self.log.append(Publication(topic, payload, qos, retain, client_id))
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        for name, session in self._sessions.items():
            self._route(name, session, topic, payload, qos)

    def payloads(self, topic: str) -> list[bytes]:
        """Return what was published on a topic, oldest first."""
        return [published.payload for published in self.log if published.topic == topic]

    def unacked(self, client_id: str) -> int:
        """Return how many deliveries of a client wait for their PUBACK."""
        return len(self._sessions[client_id].in_flight)

    def stop(self) -> None:
        """Go away; persistent sessions and retained messages are kept (on a disk, so to say)."""
        self.running = False
        for link in list(self._links.values()):
            link.lose("the broker is not there: start it")

    def start(self) -> None:
        """Come back; links that are open connect at once."""
        self.running = True
        for link in list(self.open_links):
            link.connect()

    def sever(self, client_id: str) -> None:
        """Cut a client's connection: its will is published, and it connects again at once."""
        link = self._links[client_id]
        link.lose("the connection was lost")
        if link.will:
            self.publish(link.will.topic, link.will.payload, qos=link.will.qos, retain=link.will.retain)
        link.connect()

    # -- between broker and links

    def admit(self, link: "FakeLink") -> str:
        """Return why a link may not connect now; empty when it may."""
        if not self.running:
            return "the broker is not there: start it"
        username, password = link.credentials
        if self.users is not None and (username not in self.users or self.users[username] != password):
            return f"the broker refused user '{username}': check user name and password"
        return ""

    def attach(self, link: "FakeLink") -> Session:
        """Give a link its session, redeliver what it did not acknowledge, then what is retained."""
        if taken_over := self._links.get(link.client_id):
            taken_over.lose("another client took over the client id")
        session = self._sessions.get(link.client_id)
        if session is None or not link.persistent or not session.persistent:
            session = self._sessions[link.client_id] = Session(link.persistent)
        session.subscriptions = link.subscriptions
        # What was sent because it was retained is not sent twice: it comes with the new subscription.
        again = [message for message in (*session.in_flight.values(), *session.away) if not message.retained]
        session.away = deque(again)
        session.in_flight.clear()
        for topic, payload in self.retained.items():
            if (qos := _granted(session, topic)) is not None:
                session.away.append(_message(topic, payload, qos, retained=True))
        self._links[link.client_id] = link
        return session

    def detach(self, link: "FakeLink") -> None:
        """Take a link away; a clean session ends with it, and a persistent one keeps only QoS 1."""
        if self._links.get(link.client_id) is not link:
            return
        del self._links[link.client_id]
        session = self._sessions[link.client_id]
        if session.persistent:
            session.away = deque(message for message in session.away if message.token)
        else:
            del self._sessions[link.client_id]

    def _route(self, client_id: str, session: Session, topic: str, payload: bytes, qos: int) -> None:
        granted = _granted(session, topic)
        if granted is None:
            return
        link = self._links.get(client_id)
        if link is not None or min(qos, granted) > 0:
            session.away.append(_message(topic, payload, min(qos, granted), retained=False))
        if link is not None:
            link.fill()


def _granted(session: Session, topic: str) -> int | None:
    return max((qos for pattern, qos in session.subscriptions if matches(pattern, topic)), default=None)


_NOT_YET_SENT = DeliveryToken(0, 0)


def _message(topic: str, payload: bytes, qos: int, *, retained: bool) -> Message:
    return Message(topic, payload, retained, _NOT_YET_SENT if qos else None)


class FakeLink:
    """A `ports.Link` to a `FakeBroker`. It connects in `open()` and again at once whenever the broker is there."""

    def __init__(
        self,
        broker: FakeBroker,
        client_id: str,
        subscriptions: tuple[tuple[str, int], ...],
        *,
        persistent: bool,
        inbox: Inbox,
        credentials: tuple[str, str],
        will: Publication | None,
    ) -> None:
        self.client_id = client_id
        self.subscriptions = subscriptions
        self.persistent = persistent
        self.credentials = credentials
        self.will = will
        self._broker = broker
        self._inbox = inbox
        self._session: Session | None = None
        self._state = LinkState.CLOSED
        self._generation = 0
        self._last_error = ""
        self._changed = asyncio.Event()

    @property
    def state(self) -> LinkState:
        return self._state

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def last_error(self) -> str:
        return self._last_error

    @property
    def dropped(self) -> int:
        return self._inbox.dropped

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def open(self) -> None:
        self._state = LinkState.CONNECTING
        self._broker.open_links.append(self)
        self.connect()

    async def close(self) -> None:
        if self in self._broker.open_links:
            self._broker.open_links.remove(self)
        self._go_down(LinkState.CLOSED)
        self._inbox.close()

    async def receive(self, most: int, linger_ms: int) -> list[Message]:
        """Return what is there; the fake does not linger, so that no test depends on a clock."""
        taken = await self._inbox.receive(most, 0)
        self.fill()
        return taken

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        await asyncio.sleep(0)
        if self._session is None:
            raise LinkDownError(f"cannot publish on '{topic}': {self._last_error or self._state}")
        self._broker.publish(topic, payload, qos=qos, retain=retain, client_id=self.client_id)

    async def subscribe(self, pattern: str, qos: int) -> None:
        await self.unsubscribe(pattern)
        self._subscribe_to((*self.subscriptions, (pattern, qos)))

    async def unsubscribe(self, pattern: str) -> None:
        self._subscribe_to(tuple(one for one in self.subscriptions if one[0] != pattern))

    def _subscribe_to(self, subscriptions: tuple[tuple[str, int], ...]) -> None:
        self.subscriptions = subscriptions
        if self._session is not None:
            self._session.subscriptions = subscriptions

    def ack(self, tokens: Sequence[DeliveryToken]) -> None:
        for token in tokens:
            if self._session is not None and token.generation == self._generation:
                self._session.in_flight.pop(token.mid, None)

    async def pause(self) -> None:
        self._go_down(LinkState.PAUSED)
        self._inbox.clear()

    async def resume(self) -> None:
        if self._state is LinkState.PAUSED:
            self._state = LinkState.CONNECTING
            self.connect()

    async def wait_up(self) -> int:
        while self._state is not LinkState.UP:
            if self._state is LinkState.CLOSED:
                raise LinkDownError("the link is closed")
            self._changed.clear()
            await self._changed.wait()
        return self._generation

    # -- called by the broker

    def connect(self) -> None:
        if self._state is not LinkState.CONNECTING:
            return
        self._last_error = self._broker.admit(self)
        if self._last_error:
            return
        self._generation += 1
        self._state = LinkState.UP
        self._session = self._broker.attach(self)
        self._changed.set()
        self.fill()

    def lose(self, reason: str) -> None:
        self._go_down(LinkState.CONNECTING)
        self._last_error = reason

    def fill(self) -> None:
        """Move messages from the session to the inbox while there is room."""
        session = self._session
        while session is not None and session.away and not self._inbox.full:
            message = session.away.popleft()
            if message.token is not None:
                session.last_mid += 1
                session.in_flight[session.last_mid] = message
                token = DeliveryToken(self._generation, session.last_mid)
                message = Message(message.topic, message.payload, message.retained, token)
            self._inbox.put(message)

    def _go_down(self, state: LinkState) -> None:
        self._state = state
        self._changed.set()
        if self.persistent:
            self._inbox.clear()
        if self._session is not None:
            self._session = None
            self._broker.detach(self)
