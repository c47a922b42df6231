"""The whole gateway keeps within bounded memory, for as long as it runs.

On a board its bytecode stays in flash; here the image of it, a ROMFS, lies in a block of its own on top of the bound.
Words of the Unix port are twice as long as those of the ESP8266, and some 20 KB of the bound are names that a build for
the board has in flash too. `make bench-gateway` runs 100,000 records.
"""

import asyncio
import logging
from pathlib import Path

import pytest
from tests.brokers import EmbeddedServer, MosquittoServer
from tests.firmware.nodemcu import up_process
from tests.firmware.nodemcu.up_process import HEAP_KB, PASSWORD, PDU
from tests.rabbit import RabbitServer

RECORDS, TOO_SMALL_KB = 2000, 80


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return up_process.image(tmp_path_factory.mktemp("image"))


def test_keeps_within_its_heap(image, tmp_path):
    report = up_process.run(tmp_path, up_process.micropython(HEAP_KB, image), RECORDS)
    heap = up_process.heap(report, image)
    logging.getLogger(__name__).info("heap: %s", heap)
    assert 0 < heap["heap_peak"] < HEAP_KB * 1024
    # At the quietest moments of each half: not one byte a record is kept.
    assert heap["heap_second_half"] <= heap["heap_first_half"] + 1000


def test_a_heap_that_is_too_small_is_noticed(image, tmp_path):
    with (
        MosquittoServer(tmp_path / "broker", {PDU: PASSWORD}) as broker,
        up_process.start(
            *up_process.micropython(TOO_SMALL_KB, image), broker.port, PASSWORD, RECORDS, tmp_path / "ring"
        ) as process,
    ):
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "MemoryError" in output


async def test_runs_against_the_embedded_broker_too(image, tmp_path):
    """NATS: retained birth, will, QoS 1 both ways, one subscription."""
    async with EmbeddedServer(tmp_path / "broker", {PDU: PASSWORD}) as broker:
        how = up_process.micropython(HEAP_KB, image)
        report = await asyncio.to_thread(up_process.run_at, broker.port, tmp_path, how, 200)
    assert report["records"] == 200


def test_runs_against_rabbitmq_too(image, tmp_path):
    with RabbitServer(tmp_path / "broker", {PDU: PASSWORD}) as broker:
        report = up_process.run_at(broker.port, tmp_path, up_process.micropython(HEAP_KB, image), 200)
    assert report["records"] == 200


def test_the_gateway_runs_under_cpython_too(tmp_path):
    report = up_process.run(tmp_path, up_process.cpython(), 200)
    assert report["records"] == 200
