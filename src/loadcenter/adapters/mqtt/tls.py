"""Which certificates a link believes."""

import ssl

from loadcenter.adapters.mqtt.advice import CaFileError
from loadcenter.adapters.mqtt.url import BrokerAddress


def client_context(address: BrokerAddress) -> ssl.SSLContext:
    """Return the settings for a connection to `address`.

    Raises:
        OSError: the CA file cannot be read.
        CaFileError: it holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
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
