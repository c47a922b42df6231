"""The brokers that the suite runs on, behind one face."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from tests.brokers import CENTER, CENTER_PASSWORD, EmbeddedServer, MosquittoServer
from tests.fakes.link import FakeBroker, FakeLink, Publication

from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.options import LinkOptions, Will
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import LinkState

AnyLink = MqttLink | FakeLink
Subscription = tuple[str, int]
_BOUND_S = 15.0


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; fail after a long time."""
    async with asyncio.timeout(_BOUND_S):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.005)


async def up(*links: AnyLink) -> None:
    """Return once all links are up; fail with what keeps one down."""
    for link in links:
        try:
            async with asyncio.timeout(_BOUND_S):
                await link.wait_up()
        except TimeoutError:
            raise AssertionError(f"not up: {link.last_error}") from None


class Rig(Protocol):
    """A broker that can be stopped, and links to it."""

    def link(
        self,
        client_id: str,
        *subscriptions: Subscription,
        persistent: bool = False,
        inbox_limit: int = 1000,
        when_full: WhenFull = WhenFull.STOP_READING,
        will: Will | None = None,
        password: str = CENTER_PASSWORD,
    ) -> AnyLink: ...

    async def sever(self, link: AnyLink) -> None: ...

    async def stop(self) -> None: ...

    async def start(self) -> None: ...


class FakeRig:
    def __init__(self) -> None:
        self.broker = FakeBroker({CENTER: CENTER_PASSWORD})

    def link(self, client_id, *subscriptions, will=None, password=CENTER_PASSWORD, **options):
        will = Publication(*will) if will else None
        return self.broker.link(
            client_id, *subscriptions, username=CENTER, password=password, will=will, **options
        )

    async def sever(self, link):
        self.broker.sever(link.client_id)

    async def stop(self):
        self.broker.stop()

    async def start(self):
        self.broker.start()


class RealRig:
    """What Mosquitto and the embedded broker have in common."""

    def address(self, username: str, password: str) -> BrokerAddress:
        raise NotImplementedError

    def link(self, client_id, *subscriptions, username=CENTER, password=CENTER_PASSWORD, **options):
        return MqttLink(
            self.address(username, password),
            LinkOptions(client_id=client_id, subscriptions=subscriptions, **options),
        )

    async def sever(self, link):
        # The network takes the socket away; the link notices as it would notice any loss.
        generation = link.generation
        link._connection.drop()
        await until(lambda: link.generation > generation and link.state is LinkState.UP)


class NatsRig(RealRig):
    def __init__(self, folder: Path, devices: Mapping[str, str] | None = None) -> None:
        self.server = EmbeddedServer(folder, devices)

    def address(self, username, password):
        return self.server.address(username, password)

    async def stop(self):
        await self.server.stop()

    async def start(self):
        await self.server.start()


class MosquittoRig(RealRig):
    def __init__(self, folder: Path, devices: Mapping[str, str] | None = None) -> None:
        self.server = MosquittoServer(folder, devices)

    def address(self, username, password):
        return self.server.address(username, password)

    async def stop(self):
        await asyncio.to_thread(self.server.stop)

    async def start(self):
        await asyncio.to_thread(self.server.start)
