"""Updates of PDUs: signed for one device, piece by piece, repeated until they end (MQTT-70 to MQTT-76)."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.builders import Center, device_row

from loadcenter.protocol.updating import Offer
from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.updates import (
    ImageMissingError,
    NoUpdateError,
    Stage,
    UpdateRunsError,
    update_key,
)

IMAGE = bytes(range(256)) * 5
OTHER = bytes(700)


@pytest.fixture
async def ready(center: Center) -> Center:
    """A control center with two images and a PDU that is connected."""
    center.images = {"image": IMAGE, "other": OTHER}
    await center.greet()
    return center


async def say(center: Center, n: int, status: str, **fields: Any) -> None:
    body = {"v": 1, "boot": 7, "up_ms": 1000, "n": n, "status": status, **fields}
    await center.hear("updating", json.dumps(body).encode())


async def offered(center: Center, name: str = "image") -> int:
    await center.updates.offer("rack-1", "1.1.0", name)
    return int(center.sent("update")[-1]["n"])


async def test_an_offer_is_signed_with_the_key_of_that_device(ready: Center) -> None:
    n = await offered(ready)
    (sent,) = ready.sent("update")
    key = await ready.updates.key("rack-1")
    assert sent["mac"] == Offer("rack-1", n, "1.1.0", IMAGE).mac(key)
    assert (sent["do"], sent["version"], sent["size"]) == ("offer", "1.1.0", len(IMAGE))


def test_the_key_is_of_one_device_and_one_password() -> None:
    row = device_row("rack-1")
    keys = {
        update_key(b"secret", row),
        update_key(b"other secret", row),
        update_key(b"secret", device_row("rack-2")),
        update_key(b"secret", replace(row, mosquitto_hash="another")),
    }
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 4


async def test_each_piece_that_the_device_wants_is_sent(ready: Center) -> None:
    n = await offered(ready)
    image = b""
    while len(image) < len(IMAGE):
        await say(ready, n, "wants", at=len(image))
        piece = ready.sent("update")[-1]
        assert (piece["do"], piece["n"], piece["at"]) == ("piece", n, len(image))
        image += base64.b64decode(piece["data"])
    assert image == IMAGE
    progress = ready.updates.progress("rack-1")
    assert (progress.stage, progress.taken) == (Stage.TAKING, 1024)


async def test_a_place_where_no_piece_begins_is_not_answered(ready: Center) -> None:
    n = await offered(ready)
    for at in (1, 1536, 512 * 100):
        await say(ready, n, "wants", at=at)
    assert len(ready.sent("update")) == 1


@pytest.mark.parametrize(
    ("status", "fields", "stage"),
    [
        ("confirmed", {"version": "1.1.0"}, Stage.CONFIRMED),
        ("rolled_back", {}, Stage.ROLLED_BACK),
        ("refused", {"code": "bad_digest"}, Stage.REFUSED),
    ],
)
async def test_an_offer_is_repeated_at_each_birth_until_it_has_ended(
    ready: Center, status: str, fields: dict[str, Any], stage: Stage
) -> None:
    n = await offered(ready)
    await ready.greet()
    await say(ready, n, "restarting")
    await ready.greet()
    assert [sent["n"] for sent in ready.sent("update")] == [n] * 3
    await say(ready, n, status, **fields)
    await ready.greet()
    assert len(ready.sent("update")) == 3
    progress = ready.updates.progress("rack-1")
    assert (progress.stage, progress.code) == (stage, fields.get("code", ""))


async def test_another_image_waits_for_the_end_of_the_one_that_is_taken(ready: Center) -> None:
    n = await offered(ready)
    await say(ready, n, "wants", at=0)
    with pytest.raises(UpdateRunsError, match="is taking"):
        await ready.updates.offer("rack-1", "1.2.0", "other")
    assert await offered(ready) == n  # the same one is repeated
    await say(ready, n, "confirmed")
    assert await offered(ready, "other") > n


async def test_numbers_of_offers_rise_also_within_a_millisecond(ready: Center) -> None:
    assert await offered(ready) < await offered(ready, "other")


async def test_words_about_an_offer_that_is_not_known_change_nothing(ready: Center) -> None:
    await say(ready, 5, "wants", at=0)
    assert ready.sent("update") == []
    n = await offered(ready)
    await say(ready, n - 1, "confirmed")
    assert ready.updates.progress("rack-1").stage is Stage.OFFERED


async def test_without_a_broker_the_offer_waits_for_the_birth(ready: Center) -> None:
    ready.broker.stop()
    await ready.updates.offer("rack-1", "1.1.0", "image")
    assert ready.sent("update") == []
    ready.broker.start()
    await ready.greet()
    assert len(ready.sent("update")) == 1


async def test_what_does_not_exist_is_said(ready: Center) -> None:
    with pytest.raises(NoUpdateError, match="no update was offered to 'rack-1'"):
        ready.updates.progress("rack-1")
    with pytest.raises(NoSuchPduError):
        await ready.updates.offer("rack-9", "1", "image")
    with pytest.raises(NoSuchPduError):
        await ready.updates.key("rack-9")
    with pytest.raises(ImageMissingError):
        await ready.updates.offer("rack-1", "1", "absent")
