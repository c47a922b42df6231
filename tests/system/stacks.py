"""The two ways to run a control center: on Mosquitto and MariaDB, and on the embedded default."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer, free_port
from tests.conformance.witness import Witness
from tests.databases import MariaDbServer
from tests.system.centers import ServedCenter

from loadcenter.adapters.mqtt.url import BrokerAddress

DEVICE = "rack-1"
REPLAYS = ("replay-1", "replay-2")
SECRET = "secret-of-the-device"


@dataclass
class Stack:
    """A running control center, its broker as each device sees it, and an independent subscriber."""

    center: ServedCenter
    devices: dict[str, BrokerAddress]
    witness: Witness


@contextmanager
def external_stack(folder: Path) -> Iterator[Stack]:
    secrets = dict.fromkeys((DEVICE, *REPLAYS), SECRET)
    with MosquittoServer(folder / "mosquitto", secrets) as broker, MariaDbServer() as database:
        config = {
            "database": database.new_database(),
            "broker": f"mqtt://{CENTER}:{CENTER_PASSWORD}@127.0.0.1:{broker.port}",
        }
        with (
            Witness("127.0.0.1", broker.port, CENTER, CENTER_PASSWORD) as witness,
            ServedCenter(folder / "center", config) as center,
        ):
            for name in secrets:
                center.add_device(name)
            yield Stack(center, {name: broker.address(name, SECRET) for name in secrets}, witness)


@contextmanager
def embedded_stack(folder: Path) -> Iterator[Stack]:
    port = free_port()
    config = {"mqtt_port": port, "mqtt_password": CENTER_PASSWORD}
    with ServedCenter(folder / "center", config) as center:
        devices = {
            name: BrokerAddress("127.0.0.1", port, username=name, password=center.add_device(name))
            for name in (DEVICE, *REPLAYS)
        }
        with Witness("127.0.0.1", port, CENTER, CENTER_PASSWORD) as witness:
            yield Stack(center, devices, witness)


STACKS = {"mosquitto+mariadb": external_stack, "embedded": embedded_stack}
