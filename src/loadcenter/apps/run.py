"""Runs a control center, with or without a simulated rack, until a signal ends it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from loadcenter.adapters.mqtt.url import is_loopback
from loadcenter.apps.bootstrap import Center, control_center
from loadcenter.apps.config import Config
from loadcenter.apps.data_folder import held
from loadcenter.apps.demo import DemoRack, RunningRack
from loadcenter.apps.memory import give_memory_back
from loadcenter.apps.plants import JoinedPlant
from loadcenter.apps.real_unit import RealUnit
from loadcenter.apps.rendezvous import announced
from loadcenter.apps.server import listen, serve_until_signal
from loadcenter.services.ports import Plant

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """What the person at the terminal is told once the page can be opened."""

    url: str
    config: Config
    center: Center


async def run_center(
    config: Config,
    *,
    admin_password: str | None,
    demo: DemoRack | None,
    started: Callable[[Started], None],
) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        ExceptionGroup: a part of it failed, which ends all of it.
        OSError, ValueError, StoreError, BrokerStartError: it cannot start; the message says what to do.
    """
    give_memory_back()
    bound = listen(config.host, config.port)
    with contextlib.closing(bound), held(config.folder):
        port = bound.getsockname()[1]
        url = f"http://{'127.0.0.1' if config.host in ('0.0.0.0', '::') else config.host}:{port}"  # noqa: S104
        rack = RunningRack(demo, config) if demo else None
        unit = RealUnit(config) if demo and demo.firmware else None
        if rack is not None:
            await rack.live_past(config)
        async with control_center(config, admin_password=admin_password, plant=_plant(rack, unit)) as center:
            with announced(config.folder, url, center.local_token):
                up = asyncio.Event()
                async with asyncio.TaskGroup() as tasks:
                    simulated = [tasks.create_task(one.run(center)) for one in (rack, unit) if one]
                    told = tasks.create_task(_tell(up, started, Started(url, config, center)))
                    await serve_until_signal(center.app, bound, up)
                    told.cancel()
                    for one in simulated:
                        one.cancel()


def _plant(rack: RunningRack | None, unit: RealUnit | None) -> Plant | None:
    if rack is None:
        return None
    return JoinedPlant(rack.plant, unit.plant) if unit else rack.plant


async def _tell(up: asyncio.Event, started: Callable[[Started], None], what: Started) -> None:
    await up.wait()
    started(what)


def reach(config: Config) -> str:
    """Return in a sentence or two who can reach this control center."""
    if is_loopback(config.host):
        page = "Only this machine can open the page."
    else:
        page = f"Every machine that reaches {config.host} can open the page."
    if config.broker:
        return f"{page} Devices connect to your broker."
    if is_loopback(config.mqtt_host):
        return (
            f"{page} Devices on the network cannot reach the embedded broker: to open it, set "
            'mqtt_host = "0.0.0.0" with mqtt_certificate and mqtt_key (TLS), or with plain = true.'
        )
    return f"{page} Devices reach the embedded broker at port {config.mqtt_port}."
