"""A broker and the control center's end of the wire, fresh for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer
from tests.conformance.desk import Desk
from tests.conformance.device import Device

pytest.register_assert_rewrite("tests.conformance.device_contract")

HOST = "127.0.0.1"
PDU = "pdu-1"
PASSWORD = "of the device"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoServer]:
    with MosquittoServer(tmp_path / "broker", {PDU: PASSWORD}) as running:
        yield running


@pytest.fixture
def late_desk(broker: MosquittoServer, device: Device) -> Desk:
    return Desk((HOST, broker.port), (CENTER, CENTER_PASSWORD), device.pdu_id)


@pytest.fixture
def desk(broker: MosquittoServer, device: Device) -> Iterator[Desk]:
    with Desk((HOST, broker.port), (CENTER, CENTER_PASSWORD), device.pdu_id) as entered:
        yield entered
    assert entered.wrong == []
