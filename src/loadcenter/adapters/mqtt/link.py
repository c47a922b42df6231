"""A link to the broker that lasts: it connects, subscribes, and does both again whenever the connection ends."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Self

from loadcenter.adapters.mqtt.advice import ConnectionEndedError, SubscribeRefusedError, explain
from loadcenter.adapters.mqtt.connection import Connection
from loadcenter.adapters.mqtt.inbox import Inbox
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import DeliveryToken, LinkDownError, LinkState, Message

_log = logging.getLogger(__name__)
_chance = random.SystemRandom()


def backoff_s(failures: int, shortest_s: float, longest_s: float, chance: float) -> float:
    """Return the wait after `failures` failed attempts in a row (0 or more).

    It doubles from `shortest_s` to `longest_s` and is then shortened by up to half: by `chance` (0..1) of that half,
    so that many clients do not come back at the same instant.
    """
    full_s = min(longest_s, shortest_s * 2.0 ** min(failures, 32))
    return full_s * (1 - chance / 2)


class MqttLink:
    """An MQTT 3.1.1 connection that comes back by itself (`ports.Link`).

    Use it as `async with MqttLink(address, options) as link`: entering does not wait for the broker. All methods
    belong to the thread of the event loop. One task receives; any may publish. Each message with a token must be
    acknowledged, on every kind of link: a broker stops sending when too many are not.

    A connection that ends empties the inbox of a persistent session, whose messages come again; the inbox of a clean
    session keeps what the broker will not repeat.
    """

    def __init__(self, address: BrokerAddress, options: LinkOptions) -> None:
        self._address = address
        self._options = options
        self._inbox = Inbox(options.inbox_limit, options.when_full)
        self._connection: Connection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._state = LinkState.CLOSED
        self._changed = asyncio.Event()
        self._turning = asyncio.Lock()
        self._opened = False
        self._generation = 0
        self._last_error = ""

    @property
    def state(self) -> LinkState:
        """How the connection is now."""
        return self._state

    @property
    def generation(self) -> int:
        """Number of the current connection, from 1; 0 before the first."""
        return self._generation

    @property
    def last_error(self) -> str:
        """Why the last attempt failed, with what to do; empty when there was none or the link is up."""
        return self._last_error

    @property
    def dropped(self) -> int:
        """Messages of QoS 0 dropped since the start because the inbox was full."""
        return self._inbox.dropped

    async def __aenter__(self) -> Self:
        if self._opened:
            raise RuntimeError("a link is opened once")
        self._opened = True
        self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect for good. A `receive` or `wait_up` that waits raises LinkDownError."""
        async with self._turning:
            await self._stop(LinkState.CLOSED)
            self._inbox.close()

    async def receive(self, most: int, linger_ms: int) -> list[Message]:
        """Return 1..`most` messages, oldest first (see `ports.Link`).

        Raises:
            LinkDownError: the link is closed.
        """
        taken = await self._inbox.receive(most, linger_ms)
        if self._connection is not None and not self._inbox.full:
            self._connection.read_on()
        return taken

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message; at QoS 1 return when the broker has taken it.

        A broker also takes, and then drops, what its access list forbids: MQTT 3.1.1 has no other answer.

        Raises:
            LinkDownError: there is no connection, so nothing was sent; or it ended, or the time was up, before the
                broker had answered, so the broker may have taken it or not.
            ValueError: the topic has wildcards or is empty.
        """
        if self._state is not LinkState.UP or self._connection is None:
            raise LinkDownError(
                f"cannot publish on '{topic}': {self._last_error or f'the link is {self._state}'}"
            )
        await self._connection.publish(topic, payload, qos, retain=retain)

    async def subscribe(self, pattern: str, qos: int) -> None:
        """Have a filter among the subscriptions, now and at each later connect (see `ports.Link`)."""
        self._options = replace(self._options, subscriptions=(*self._without(pattern), (pattern, qos)))
        if self._connection is not None and self._state is LinkState.UP:
            await self._changing(self._connection, self._connection.subscribe([(pattern, qos)]))

    async def unsubscribe(self, pattern: str) -> None:
        """Have it there no more, now and at each later connect (see `ports.Link`)."""
        self._options = replace(self._options, subscriptions=self._without(pattern))
        if self._connection is not None and self._state is LinkState.UP:
            await self._changing(self._connection, self._connection.unsubscribe([pattern]))

    def ack(self, tokens: Sequence[DeliveryToken]) -> None:
        """Send PUBACKs. Tokens of an earlier connection, and those acknowledged before, are ignored."""
        if self._connection is None:
            return
        self._connection.ack([token.mid for token in tokens if token.generation == self._generation])

    async def pause(self) -> None:
        """Disconnect on purpose and forget unread messages: those of a persistent session come again."""
        async with self._turning:
            if self._state is not LinkState.CLOSED:
                await self._stop(LinkState.PAUSED)
                self._inbox.clear()

    async def resume(self) -> None:
        """Come back after `pause`; nothing happens when the link is not paused."""
        async with self._turning:
            if self._state is LinkState.PAUSED:
                self._start()

    async def wait_up(self) -> int:
        """Return the generation once the connection is up and every subscription is granted.

        It goes on waiting, and the link goes on trying, while the broker refuses; `last_error` says why.

        Raises:
            LinkDownError: the link is closed.
        """
        while self._state is not LinkState.UP:
            if self._state is LinkState.CLOSED:
                raise LinkDownError("the link is closed")
            self._changed.clear()
            await self._changed.wait()
        return self._generation

    def _without(self, pattern: str) -> tuple[tuple[str, int], ...]:
        return tuple(one for one in self._options.subscriptions if one[0] != pattern)

    async def _changing(self, connection: Connection, change: Awaitable[None]) -> None:
        """Wait for a change of subscriptions; a connection where it fails ends, and the next one says why."""
        try:
            async with asyncio.timeout(self._options.publish_timeout_s):
                await change
        except (SubscribeRefusedError, ConnectionEndedError, TimeoutError) as error:
            _log.info("link '%s' connects anew: %s", self._options.client_id, explain(error, self._address))
            connection.drop()

    # -- the task that keeps the link up

    def _start(self) -> None:
        self._set_state(LinkState.CONNECTING)
        self._runner = asyncio.create_task(self._run(), name=f"link {self._options.client_id}")

    async def _stop(self, state: LinkState) -> None:
        runner, self._runner = self._runner, None
        self._set_state(state)
        if runner is not None:
            runner.cancel()
            await asyncio.wait({runner})
            if not runner.cancelled():
                runner.result()

    async def _run(self) -> None:
        failures = 0
        while True:
            if await self._connect_once():
                failures = 0
            await asyncio.sleep(
                backoff_s(
                    failures, self._options.backoff_min_s, self._options.backoff_max_s, _chance.random()
                )
            )
            failures += 1

    async def _connect_once(self) -> bool:
        """Live through one connection; return whether it held for longer than the longest back-off."""
        connection = Connection(self._address, self._options, self._accepted, self._deliver)
        self._connection = connection
        try:
            await connection.open()
        except (Exception, asyncio.CancelledError) as error:
            await self._abandon(connection)
            if not isinstance(error, Exception):
                raise
            self._failed(explain(error, self._address))
            return False
        try:
            self._came_up()
            held = not await connection.ended_within(self._options.backoff_max_s)
            reason = await connection.ended()
        finally:
            await self._abandon(connection)
        self._failed(f"the connection to {self._address} ended ({reason}): trying again")
        return held

    async def _abandon(self, connection: Connection) -> None:
        self._connection = None
        if self._options.persistent:
            self._inbox.clear()
        await connection.close()

    def _accepted(self) -> None:
        self._generation += 1

    def _deliver(self, topic: str, payload: bytes, retained: bool, mid: int) -> bool:
        token = DeliveryToken(self._generation, mid) if mid else None
        self._inbox.put(Message(topic, payload, retained, token))
        return not self._inbox.full

    def _came_up(self) -> None:
        self._last_error = ""
        self._set_state(LinkState.UP)
        if self._address.insecure:
            _log.warning(
                "%s: its certificate is not checked: anybody on the way can read and switch", self._address
            )
        _log.info("link '%s' is up at %s", self._options.client_id, self._address)

    def _failed(self, why: str) -> None:
        # The same failure is said once, not at every attempt of a night.
        if why != self._last_error:
            _log.warning("link '%s': %s", self._options.client_id, why)
        self._last_error = why
        self._set_state(LinkState.CONNECTING)

    def _set_state(self, state: LinkState) -> None:
        self._state = state
        self._changed.set()
