import base64
import hashlib

import bcrypt
import pytest

from loadcenter.adapters.mqtt.credentials import credentials_of, make_credentials


def test_each_device_gets_its_own_random_secret():
    first, second = make_credentials(), make_credentials()
    assert first.secret != second.secret
    assert len(first.secret) == 32
    assert first.secret not in repr(first)


def test_both_hashes_are_of_the_secret():
    made = credentials_of("secret-of-rack-1")
    assert bcrypt.checkpw(b"secret-of-rack-1", made.bcrypt_hash.encode())
    _, kind, iterations, salt, digest = made.mosquitto_hash.split("$")
    again = hashlib.pbkdf2_hmac("sha512", b"secret-of-rack-1", base64.b64decode(salt), int(iterations))
    assert (kind, base64.b64decode(digest)) == ("7", again)


@pytest.mark.parametrize("secret", ["", "short", "x" * 73, "\N{SNOWMAN}" * 25])
def test_a_secret_too_short_or_longer_than_bcrypt_looks_is_refused(secret):
    with pytest.raises(ValueError, match="8 to 72 bytes"):
        credentials_of(secret)
