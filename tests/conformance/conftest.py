"""A broker and the control center's end of the wire, fresh for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.desk import Desk
from tests.conformance.device_contract import Device
from tests.conformance.mosquitto import Mosquitto, find

PDU = "pdu-1"
USERS = {"server": "of the house", PDU: "of the device"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if find("mosquitto") is None:
        pytest.skip("needs mosquitto (apt-get install mosquitto)")
    with Mosquitto(tmp_path, USERS) as running:
        yield running


@pytest.fixture
def late_desk(broker: Mosquitto, device: Device) -> Desk:
    return Desk((broker.host, broker.port), ("server", USERS["server"]), device.pdu_id)


@pytest.fixture
def desk(broker: Mosquitto, device: Device) -> Iterator[Desk]:
    with Desk((broker.host, broker.port), ("server", USERS["server"]), device.pdu_id) as entered:
        yield entered
    assert entered.wrong == []
