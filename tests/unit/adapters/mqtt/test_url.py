from pathlib import Path

import pytest

from loadcenter.adapters.mqtt.url import BrokerAddress, BrokerUrlError, parse_broker_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://localhost", BrokerAddress("localhost", 1883)),
        ("mqtt://127.0.0.1:2883/", BrokerAddress("127.0.0.1", 2883)),
        ("mqtt://[::1]:1", BrokerAddress("::1", 1)),
        ("mqtts://broker.example.org", BrokerAddress("broker.example.org", 8883, tls=True)),
        ("mqtts://u:p@h:9", BrokerAddress("h", 9, tls=True, username="u", password="p")),
        ("mqtts://a%40b:x%2Fy%3Az@h", BrokerAddress("h", 8883, tls=True, username="a@b", password="x/y:z")),
    ],
)
def test_a_url_names_host_port_tls_and_credentials(url, address):
    assert parse_broker_url(url) == address


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "scheme"),
        ("broker:1883", "scheme 'broker'"),
        ("http://broker", "scheme 'http'"),
        ("mqtts://", "no host"),
        ("mqtts://:8883", "no host"),
        ("mqtts://h:0", "port 0"),
        ("mqtts://h:70000", "out of range"),
        ("mqtts://h:x", "Port could not be cast"),
        ("mqtts://h/topic", "follows the host"),
        ("mqtts://h?x=1", "follows the host"),
        ("mqtts://user:pass/word@h", "Port could not be cast"),
        ("mqtts://[::1", "Invalid IPv6"),
    ],
)
def test_what_is_no_address_is_refused_with_the_form_expected(url, reason):
    with pytest.raises(BrokerUrlError, match=reason) as raised:
        parse_broker_url(url)
    assert "expected mqtts://user:password@host:port" in str(raised.value)


def test_plain_to_another_machine_takes_an_explicit_word():
    with pytest.raises(BrokerUrlError, match="plain = true"):
        parse_broker_url("mqtt://192.168.1.5")
    assert parse_broker_url("mqtt://192.168.1.5", plain=True).host == "192.168.1.5"


def test_what_only_means_something_with_tls_is_refused_without():
    with pytest.raises(BrokerUrlError, match="mqtts://"):
        parse_broker_url("mqtt://localhost", ca_file=Path("ca.pem"))
    with pytest.raises(BrokerUrlError, match="mqtts://"):
        parse_broker_url("mqtt://localhost", insecure=True)


def test_a_password_is_never_printed():
    address = parse_broker_url("mqtts://user:secret@[2001:db8::1]:9")
    assert "secret" not in f"{address} {address!r}"
    assert str(address) == "mqtts://[2001:db8::1]:9"
