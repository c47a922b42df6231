"""Which certificates a link believes."""

import socket
import ssl
from typing import Any

from loadcenter.adapters.mqtt.advice import CaFileError
from loadcenter.adapters.mqtt.url import BrokerAddress


class ClientContext(ssl.SSLContext):
    """Settings of a TLS client that remembers the socket it made: paho loses one whose handshake fails."""

    _made: ssl.SSLSocket | None = None

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Return `sock` with TLS over it (see `ssl.SSLContext`)."""
        self._made = super().wrap_socket(sock, *args, **options)
        return self._made

    def close_socket(self) -> None:
        """Close the socket that was made, if there is one."""
        if self._made is not None:
            self._made.close()


def client_context(address: BrokerAddress) -> ClientContext:
    """Return the settings for a connection to `address`.

    Raises:
        OSError: the CA file cannot be read.
        CaFileError: it holds no certificate.
    """
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if address.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(address.ca_file)
        except ssl.SSLError as error:
            raise CaFileError from error
    if address.pinned:
        context.check_hostname = False
        # The file may hold a certificate that somebody else signed, without that somebody.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if address.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
