"""Updates of the programs of PDUs: offered, signed for one device, handed out piece by piece (MQTT-70 to MQTT-76)."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from loadcenter.protocol import topics
from loadcenter.protocol.updating import Offer, UpdateStatus, Updating
from loadcenter.services.fleet import Fleet, NoSuchPduError
from loadcenter.services.ports import Clock, DeviceRow, Link, LinkDownError, Store

_log = logging.getLogger(__name__)


class Stage(StrEnum):
    """How far an update is, as the control center knows."""

    OFFERED = "offered"
    TAKING = "taking"
    RESTARTING = "restarting"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"


ENDED = frozenset({Stage.CONFIRMED, Stage.ROLLED_BACK, Stage.REFUSED})


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest update of a PDU.

    Attributes:
        version: name of the image that is offered.
        size: bytes of it.
        taken: bytes that the device has, as far as it has said.
        code: why it is refused, "" if it is not.
        changed_ms: UTC of the last word of the device, or of the offer.
    """

    pdu_id: str
    version: str
    size: int
    taken: int
    stage: Stage
    code: str
    changed_ms: int


class NoUpdateError(KeyError):
    """Nothing was offered to that PDU since the start."""

    def __str__(self) -> str:
        return f"no update was offered to '{self.args[0]}' since the control center started"


class UpdateRunsError(Exception):
    """Another update of that PDU has not ended."""


def update_key(secret: bytes, device: DeviceRow) -> bytes:
    """Return the update key of a device: it changes with its password, so that a stolen one ends with it.

    Args:
        secret: of this control center; whoever has it can sign for every device.
        device: as it is registered.
    """
    text = f"loadcenter update key\n{device.pdu_id}\n{device.mosquitto_hash}\n"
    return hmac.digest(secret, text.encode(), "sha256")


class ImageMissingError(LookupError):
    """No image of that name is kept; the message says how one gets there."""


class Updates:
    """Offers images to PDUs and hands out the pieces that they ask for.

    Offers are kept in memory: after a restart of the control center they are made anew, and a device goes on with
    what it has if it is offered the same image.

    Args:
        secret: what update keys are made of.
        read_image: returns the image of a name, or raises `ImageMissingError`.
    """

    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        link: Link,
        clock: Clock,
        root: str,
        *,
        secret: bytes,
        read_image: Callable[[str], bytes],
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._link = link
        self._clock = clock
        self._root = root
        self._secret = secret
        self._read_image = read_image
        self._offers: dict[str, tuple[Offer, bytes]] = {}
        self._progress: dict[str, Progress] = {}
        self._last_n = 0

    async def key(self, pdu_id: str) -> bytes:
        """Return the update key of a registered PDU.

        Raises:
            NoSuchPduError: it is not registered.
            StoreUnavailableError: the database is away.
        """
        row = next((one for one in await self._store.devices() if one.pdu_id == pdu_id), None)
        if row is None:
            raise NoSuchPduError(pdu_id)
        return update_key(self._secret, row)

    def progress(self, pdu_id: str) -> Progress:
        """Return how far the latest update of a PDU is.

        Raises:
            NoSuchPduError: it is not registered.
            NoUpdateError: nothing was offered to it.
        """
        self._fleet.twin(pdu_id)
        try:
            return self._progress[pdu_id]
        except KeyError:
            raise NoUpdateError(pdu_id) from None

    async def offer(self, pdu_id: str, version: str, name: str) -> Progress:
        """Offer the image of a name to a PDU; while it is not connected it waits for its next birth.

        Raises:
            NoSuchPduError: it is not registered.
            ImageMissingError: no image of that name is kept.
            UpdateRunsError: it is taking another image.
            StoreUnavailableError: the database is away.
        """
        self._fleet.twin(pdu_id)
        image = await asyncio.to_thread(self._read_image, name)
        key = await self.key(pdu_id)
        before = self._progress.get(pdu_id)
        if before is not None and before.stage in (Stage.TAKING, Stage.RESTARTING):
            if self._offers[pdu_id][0].image != image:
                raise UpdateRunsError(
                    f"'{pdu_id}' is taking {before.version}: wait for its end, or restart the PDU's gateway"
                )
            await self._say_offer(pdu_id)
            return before
        now_ms = self._clock.now_ms()
        self._last_n = max(now_ms, self._last_n + 1)
        self._offers[pdu_id] = Offer(pdu_id, self._last_n, version, image), key
        self._progress[pdu_id] = Progress(pdu_id, version, len(image), 0, Stage.OFFERED, "", now_ms)
        await self._say_offer(pdu_id)
        return self._progress[pdu_id]

    async def born(self, pdu_id: str) -> None:
        """Repeat an offer that has not ended, to a device that has just come (MQTT-76)."""
        progress = self._progress.get(pdu_id)
        if progress is not None and progress.stage not in ENDED:
            await self._say_offer(pdu_id)

    async def take(self, pdu_id: str, said: Updating) -> None:
        """Take what a device says; a piece that it wants is sent."""
        offer, _ = self._offers.get(pdu_id, (None, b""))
        if offer is None or said.n not in (0, offer.n):
            return  # of an offer that was made before this control center started
        match said.status:
            case UpdateStatus.WANTS:
                at = said.at or 0
                self._note(pdu_id, Stage.TAKING, taken=at)
                piece = offer.encode_piece(at)
                if piece is None:
                    _log.warning("%s asks for byte %d of an update, where no piece begins", pdu_id, at)
                    return
                await self._say(pdu_id, piece)
            case UpdateStatus.RESTARTING:
                self._note(pdu_id, Stage.RESTARTING, taken=len(offer.image))
            case UpdateStatus.CONFIRMED:
                self._note(pdu_id, Stage.CONFIRMED, taken=len(offer.image))
            case UpdateStatus.ROLLED_BACK:
                _log.warning("%s went back: its new version %s did not come up", pdu_id, offer.version)
                self._note(pdu_id, Stage.ROLLED_BACK)
            case UpdateStatus.REFUSED:
                code = said.code.value if said.code else ""
                _log.warning("%s refuses the update to %s: %s", pdu_id, offer.version, code)
                self._note(pdu_id, Stage.REFUSED, code=code)
            case _:
                assert_never(said.status)

    def _note(self, pdu_id: str, stage: Stage, *, taken: int | None = None, code: str = "") -> None:
        before = self._progress[pdu_id]
        self._progress[pdu_id] = replace(
            before,
            stage=stage,
            taken=before.taken if taken is None else taken,
            code=code,
            changed_ms=self._clock.now_ms(),
        )

    async def _say_offer(self, pdu_id: str) -> None:
        offer, key = self._offers[pdu_id]
        await self._say(pdu_id, offer.encode(key))

    async def _say(self, pdu_id: str, payload: bytes) -> None:
        try:
            await self._link.publish(topics.down(self._root, pdu_id, topics.Down.UPDATE), payload, qos=0)
        except LinkDownError as error:
            # a device asks again, and an offer is repeated at its next birth
            _log.info("nothing sent of the update of %s: %s", pdu_id, error)
