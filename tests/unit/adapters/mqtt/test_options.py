import pytest

from loadcenter.adapters.mqtt.options import LinkOptions


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"client_id": ""}, "client id"),
        ({"client_id": "c", "subscriptions": (("t", 2),)}, "QoS 0 or 1"),
        ({"client_id": "c", "keepalive_s": 1}, "5 to 600"),
    ],
)
def test_options_that_cannot_work_are_refused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        LinkOptions(**wrong)
