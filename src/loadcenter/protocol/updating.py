"""Payloads of an update of a device's program (MQTT-70 to MQTT-76)."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from loadcenter.protocol.messages import VERSION, decode_as

PIECE_BYTES = 512
"""Bytes of a piece but the last (MQTT-70): with base64 and JSON well under a kilobyte, which a small device can hold."""

IMAGE_MAX_BYTES = 1 << 20
KEY_BYTES = 32


class UpdateStatus(StrEnum):
    """How far an update is, as the device says."""

    WANTS = "wants"
    RESTARTING = "restarting"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"


class RefusalCode(StrEnum):
    """Why a device refuses an update (MQTT-72, MQTT-74)."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    REPEATED = "repeated"
    TOO_LARGE = "too_large"
    BAD_DIGEST = "bad_digest"


class Updating(Struct, frozen=True):
    """What a device says on `up/updating`; `at` is where the piece that it wants begins."""

    v: int
    boot: Annotated[int, Meta(ge=1, le=2**32 - 1)]
    up_ms: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    n: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    status: UpdateStatus
    at: Annotated[int, Meta(ge=0, le=IMAGE_MAX_BYTES)] | None = None
    version: Annotated[str, Meta(max_length=64)] = ""
    code: RefusalCode | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """An image for one device.

    Attributes:
        n: number of the offer, above that of every earlier one to this device.
        version: name of the image.
    """

    pdu_id: str
    n: int
    version: str
    image: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the image, in hexadecimal."""
        return hashlib.sha256(self.image).hexdigest()

    def mac(self, key: bytes) -> str:
        """Return the signature under the device's update key, in hexadecimal (MQTT-71)."""
        lines = "loadcenter update 1", self.pdu_id, self.n, self.version, len(self.image), self.sha256
        text = "".join(f"{line}\n" for line in lines)
        return hmac.new(key, text.encode(), "sha256").hexdigest()

    def encode(self, key: bytes) -> bytes:
        """Return the payload that offers it."""
        return msgspec.json.encode(
            {
                "v": VERSION,
                "do": "offer",
                "n": self.n,
                "version": self.version,
                "size": len(self.image),
                "sha256": self.sha256,
                "mac": self.mac(key),
            }
        )

    def encode_piece(self, at: int) -> bytes | None:
        """Return the payload of the piece that begins at `at`, None if none does."""
        if at % PIECE_BYTES or not 0 <= at < len(self.image):
            return None
        data = base64.b64encode(self.image[at : at + PIECE_BYTES]).decode()
        return msgspec.json.encode({"v": VERSION, "do": "piece", "n": self.n, "at": at, "data": data})


_updating = msgspec.json.Decoder(Updating)


def decode_updating(payload: bytes) -> Updating:
    """Return what a device says of an update.

    Raises:
        Refused: `payload` does not say it.
    """
    return decode_as(_updating, payload)
