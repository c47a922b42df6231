"""What went wrong with a connection, in words that say what to do."""

import socket
import ssl
from dataclasses import dataclass
from enum import IntEnum

from loadcenter.adapters.mqtt.url import BrokerAddress


class Refusal(IntEnum):
    """Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3)."""

    PROTOCOL = 1
    CLIENT_ID = 2
    UNAVAILABLE = 3
    CREDENTIALS = 4
    NOT_AUTHORISED = 5


@dataclass(eq=False)
class ConnectRefusedError(Exception):
    """The broker answered CONNECT with a refusal."""

    code: int


@dataclass(eq=False)
class SubscribeRefusedError(Exception):
    """The broker answered a subscription with 0x80."""

    pattern: str


class CaFileError(Exception):
    """The CA file is there but holds no certificate."""


class ConnectionEndedError(Exception):
    """The connection ended before the broker had answered."""


def explain(error: Exception, address: BrokerAddress) -> str:
    """Return one sentence on why there is no connection to `address` and what to do."""
    match error:
        case ConnectRefusedError(code):
            return _explain_refusal(code, address)
        case SubscribeRefusedError(pattern):
            return (
                f"{address} does not let user '{address.username}' subscribe to '{pattern}': "
                "allow it in the broker's access list"
            )
        case CaFileError():
            return f"the CA file '{address.ca_file}' holds no certificate: it must be text in PEM form"
        case ConnectionEndedError():
            return (
                f"{address} closed the connection before it answered: check that an MQTT broker listens there, "
                f"and whether it wants {'mqtt://' if address.tls else 'mqtts://'}"
            )
        case OSError():
            return _explain_network(error, address)
        case _:
            return f"{address} cannot be used: {type(error).__name__}: {error}"


def _explain_refusal(code: int, address: BrokerAddress) -> str:
    match code:
        case Refusal.CREDENTIALS | Refusal.NOT_AUTHORISED:
            return f"{address} refused user '{address.username}': check user name and password"
        case Refusal.PROTOCOL:
            return f"{address} does not speak MQTT 3.1.1: allow it in the broker, or use another"
        case Refusal.CLIENT_ID:
            return f"{address} refused the client id: allow it in the broker"
        case Refusal.UNAVAILABLE:
            return f"{address} is not available now: see the broker's log"
        case _:
            return f"{address} refused the connection with code {code}: see the broker's log"


def _explain_network(error: OSError, address: BrokerAddress) -> str:
    match error:
        case ConnectionRefusedError():
            return f"no broker listens at {address}: start it, or correct the address"
        case socket.gaierror():
            return f"the name '{address.host}' is not known: correct the broker's address, or check DNS"
        case ssl.SSLCertVerificationError():
            return (
                f"the certificate of {address} is not trusted ({getattr(error, 'verify_message', error)}): "
                "name the CA file that signed it, and the host as the certificate does"
            )
        case ssl.SSLError():
            return f"no TLS with {address} ({getattr(error, 'reason', '') or error}): use mqtt:// if the listener is a plain one"
        case ConnectionResetError() if address.tls:
            return f"{address} hung up during TLS: use mqtt:// if the listener is a plain one"
        case TimeoutError():
            return f"{address} does not answer: check the address and the firewall"
        case FileNotFoundError() | PermissionError():
            return f"the CA file '{address.ca_file}' cannot be read ({error.strerror}): correct its path or rights"
        case _:
            return f"{address} cannot be reached: {error}"
