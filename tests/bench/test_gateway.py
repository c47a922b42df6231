"""The gateway's bench runs at a tiny size; its heap is measured by tests/firmware/nodemcu."""

import asyncio

from bench import gateway


def test_garbage_from_a_broker_does_nothing_but_end_connections() -> None:
    found = asyncio.run(gateway.listen(4000, 1))
    assert found["connections"] == 200
    assert found["messages"] > 300
    assert found["crashes"] == 0
