"""What an ESP8266 can speak of TLS (RSA key exchange, no certificate checked) and which broker takes it.

docs/build-it/nodemcu.md tells people so; its axTLS is stood in for by OpenSSL with nothing else allowed.
"""

import socket
import ssl
from pathlib import Path

import pytest
from tests.brokers import MosquittoServer, make_certificate

CIPHERS = ("AES128-SHA", "AES256-SHA", "AES128-SHA256", "AES256-SHA256")
"""Of axTLS: RSA with AES and SHA; no elliptic curves, no Diffie-Hellman."""


def handshake(port: int, cipher: str) -> str:
    """Return the name of the cipher that was agreed on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain) as wrapped,
    ):
        found = wrapped.cipher()
        assert found is not None
        return found[0]


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("tls")
    certificate = make_certificate(folder, "localhost")
    with MosquittoServer(folder / "broker", {"pdu-1": "password"}, certificate=certificate) as broker:
        yield broker.port


@pytest.mark.parametrize("cipher", CIPHERS)
def test_mosquitto_as_it_is_shipped_takes_an_esp8266(port, cipher):
    assert handshake(port, cipher) == cipher
