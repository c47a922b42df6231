import socket
import ssl
from pathlib import Path

import pytest

from loadcenter.adapters.mqtt.advice import (
    CaFileError,
    ConnectionEndedError,
    ConnectRefusedError,
    SubscribeRefusedError,
    explain,
)
from loadcenter.adapters.mqtt.url import BrokerAddress

ADDRESS = BrokerAddress(
    "broker", 8883, tls=True, username="rack-1", password="secret", ca_file=Path("ca.pem")
)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ConnectionRefusedError(), "start it"),
        (socket.gaierror(-2, "Name or service not known"), "the name 'broker' is not known"),
        (TimeoutError(), "the firewall"),
        (ConnectionResetError(), "mqtt:// if the listener is a plain one"),
        (ssl.SSLError(1, "wrong version number"), "mqtt:// if the listener is a plain one"),
        (ssl.SSLCertVerificationError(1, "bad"), "name the CA file"),
        (FileNotFoundError(2, "No such file"), "the CA file 'ca.pem' cannot be read"),
        (CaFileError(), "holds no certificate"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
        (ConnectRefusedError(1), "MQTT 3.1.1"),
        (ConnectRefusedError(2), "client id"),
        (ConnectRefusedError(4), "user 'rack-1': check user name and password"),
        (ConnectRefusedError(5), "user 'rack-1': check user name and password"),
        (ConnectRefusedError(3), "not available now"),
        (ConnectRefusedError(153), "code 153"),
        (SubscribeRefusedError("a/#"), "subscribe to 'a/#': allow it in the broker's access list"),
        (ConnectionEndedError(), "whether it wants mqtt://"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_each_failure_is_explained_with_what_to_do(error, advice):
    said = explain(error, ADDRESS)
    assert advice in said
    assert "secret" not in said
