"""Secrets of devices, and their hashes as the two brokers read them."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field

import bcrypt

_SECRET_BYTES = 24
"""192 bits: 32 characters, under the 72 bytes that bcrypt looks at."""
_BCRYPT_ROUNDS = 10
"""2^10 rounds, about 50 ms. More would slow down every connect and add nothing to a random secret."""
_PBKDF2_ITERATIONS = 1000
_PBKDF2_SALT_BYTES = 12
"""As `mosquitto_passwd` of Mosquitto 2 makes it; the iterations stand in the line, so they may differ."""


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """A secret, to be shown once, and what is kept of it.

    Attributes:
        secret: the password of the device, URL-safe; never printed by `repr`.
        bcrypt_hash: for the embedded broker.
        mosquitto_hash: for a Mosquitto password file, after `<pdu_id>:`.
    """

    secret: str = field(repr=False)
    bcrypt_hash: str
    mosquitto_hash: str


def make_credentials() -> DeviceCredentials:
    """Return a new random secret with its hashes. Takes about 50 ms of CPU."""
    return credentials_of(secrets.token_urlsafe(_SECRET_BYTES))


def credentials_of(secret: str) -> DeviceCredentials:
    """Return the hashes of a given secret, with fresh salts.

    Raises:
        ValueError: the secret is shorter than 8 or longer than 72 bytes.
    """
    if not 8 <= len(secret.encode()) <= 72:  # noqa: PLR2004
        raise ValueError("the secret of a device has 8 to 72 bytes")
    hashed = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
    return DeviceCredentials(secret, hashed, mosquitto_hash(secret))


def mosquitto_hash(secret: str) -> str:
    """Return `$7$iterations$salt$hash`: PBKDF2-SHA512 as Mosquitto 2 reads it in a password file."""
    salt = secrets.token_bytes(_PBKDF2_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _PBKDF2_ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("", "7", str(_PBKDF2_ITERATIONS), *parts))
