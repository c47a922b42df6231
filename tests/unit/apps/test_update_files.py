"""The secret of update keys and the images, in the data folder."""

import hashlib
from pathlib import Path

import pytest

from loadcenter.apps.update_files import (
    IMAGES_FOLDER,
    IMAGES_KEPT,
    SECRET_FILE,
    keep_image,
    read_image,
    update_secret,
)
from loadcenter.services.updates import ImageMissingError


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    secret = update_secret(tmp_path)
    assert len(secret) == 32
    assert update_secret(tmp_path) == secret
    assert (tmp_path / SECRET_FILE).stat().st_mode & 0o777 == 0o600


def test_a_first_start_that_was_killed_leaves_room_for_a_secret(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).touch(mode=0o600)
    assert len(update_secret(tmp_path)) == 32


def test_an_image_is_kept_under_its_digest(tmp_path: Path) -> None:
    name = keep_image(tmp_path, b"image")
    assert name == hashlib.sha256(b"image").hexdigest()
    assert read_image(tmp_path, name) == b"image"


@pytest.mark.parametrize("name", ["../update-secret", "", "0" * 64])
def test_only_images_can_be_read(tmp_path: Path, name: str) -> None:
    update_secret(tmp_path)
    with pytest.raises(ImageMissingError, match="no image"):
        read_image(tmp_path, name)


def test_an_image_that_changed_on_the_disk_is_refused(tmp_path: Path) -> None:
    name = keep_image(tmp_path, b"image")
    (tmp_path / IMAGES_FOLDER / name).write_bytes(b"other")
    with pytest.raises(ImageMissingError, match="has changed"):
        read_image(tmp_path, name)


def test_only_the_newest_images_are_kept(tmp_path: Path) -> None:
    names = [keep_image(tmp_path, b"%d" % number) for number in range(IMAGES_KEPT + 2)]
    assert len(list((tmp_path / IMAGES_FOLDER).iterdir())) == IMAGES_KEPT
    assert read_image(tmp_path, names[-1])
