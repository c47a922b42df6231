"""What updates of gateways keep in the data folder: the secret of their keys, and the images that are offered."""

import hashlib
import re
import secrets
from pathlib import Path

from loadcenter.services.updates import ImageMissingError

SECRET_FILE = "update-secret"  # noqa: S105 - the name of a file
IMAGES_FOLDER = "images"
IMAGES_KEPT = 8
_SECRET_BYTES = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")


def update_secret(folder: Path) -> bytes:
    """Return the secret that update keys are made of, made at the first call; readable by its owner only.

    Raises:
        OSError: the data folder cannot be read or written.
        ValueError: the file does not hold a secret.
    """
    path = folder / SECRET_FILE
    if path.exists() and (known := path.read_text(encoding="ascii").strip()):
        return bytes.fromhex(known)
    secret = secrets.token_bytes(_SECRET_BYTES)
    path.touch(mode=0o600)
    path.write_text(f"{secret.hex()}\n", encoding="ascii")
    return secret


def keep_image(folder: Path, image: bytes) -> str:
    """Keep an image for the control center to offer, and return its name; the oldest of many are let go of.

    Raises:
        OSError: the data folder cannot be written.
    """
    name = hashlib.sha256(image).hexdigest()
    images = folder / IMAGES_FOLDER
    images.mkdir(mode=0o700, exist_ok=True)
    (images / name).write_bytes(image)
    newest_first = sorted(images.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for old in newest_first[IMAGES_KEPT:]:
        old.unlink(missing_ok=True)
    return name


def read_image(folder: Path, name: str) -> bytes:
    """Return an image that was kept.

    Raises:
        ImageMissingError: there is none of that name, or it has changed.
    """
    path = folder / IMAGES_FOLDER / name
    if not _DIGEST.fullmatch(name) or not path.is_file():
        raise ImageMissingError(
            f"no image '{name}' is kept here: 'loadcenter device update' brings one along"
        )
    image = path.read_bytes()
    if hashlib.sha256(image).hexdigest() != name:
        raise ImageMissingError(f"image '{name}' has changed on the disk: bring it again")
    return image
