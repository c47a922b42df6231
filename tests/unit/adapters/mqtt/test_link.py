import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.adapters.mqtt.link import MqttLink, backoff_s
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import DeliveryToken, LinkDownError, LinkState


@given(failures=st.integers(0, 10_000), chance=st.floats(0, 1))
def test_a_wait_is_never_under_half_the_shortest_nor_over_the_longest(failures, chance):
    assert 0.1 <= backoff_s(failures, 0.2, 5.0, chance) <= 5.0


def test_waits_double_until_the_longest():
    assert [backoff_s(failures, 0.2, 5.0, 0) for failures in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_a_link_that_was_not_opened_says_so():
    link = MqttLink(BrokerAddress("localhost", 1883), LinkOptions(client_id="c"))
    assert (link.state, link.generation, link.last_error, link.dropped) == (LinkState.CLOSED, 0, "", 0)
    link.ack([DeliveryToken(0, 1)])
    await link.pause()
    await link.resume()
    assert link.state is LinkState.CLOSED
    with pytest.raises(LinkDownError, match="closed"):
        await link.publish("t", b"")
