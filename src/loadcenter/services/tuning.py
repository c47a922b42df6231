"""Desired settings: checked by the same rules as on the device, versioned, published retained (MQTT-50)."""

import json
import logging
from collections.abc import Mapping, Sequence

from loadcenter.domain.settings import OutletConfig, PduConfig, SettingsError, apply_settings
from loadcenter.domain.topology import MAX_OUTLETS
from loadcenter.domain.twin import Twin
from loadcenter.protocol import messages, topics
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import Link, LinkDownError, Store

_log = logging.getLogger(__name__)


class SettingsConflictError(Exception):
    """The settings were changed by somebody else since they were read."""


class SettingRefusedError(ValueError):
    """A setting is unknown or out of range; the message names it and its range."""


class Tuning:
    """Changes the settings that PDUs shall run."""

    def __init__(self, fleet: Fleet, store: Store, link: Link, root: str) -> None:
        self._fleet = fleet
        self._store = store
        self._link = link
        self._root = root

    async def change(
        self,
        pdu_id: str,
        base_version: int,
        pdu: Mapping[str, object],
        out: Sequence[Mapping[str, object]],
    ) -> int:
        """Merge a change into the desired settings, keep and publish it; return the new version.

        While the broker is away it is kept, and published when the broker is back (`Watch`).

        Raises:
            NoSuchPduError: no such PDU.
            SettingRefusedError: a setting is unknown or out of range.
            SettingsConflictError: `base_version` is not the current one.
            StoreUnavailableError: the database is away; nothing was changed.
        """
        twin = self._fleet.twin(pdu_id)
        merged = merged_settings(twin.desired, pdu, out)
        outlets = twin.identity.outlets if twin.identity else MAX_OUTLETS
        checked = apply_settings(PduConfig(outlets=(OutletConfig(),) * outlets), merged, strict=True)
        if isinstance(checked, SettingsError):
            raise SettingRefusedError(checked.message)
        version = twin.desired_version + 1
        text = json.dumps(merged, sort_keys=True)
        kept = base_version == twin.desired_version and await self._store.put_desired(
            pdu_id, version, text, base_version
        )
        if not kept:
            twin = await self._read_again(pdu_id)  # so that a second try, based on it, is taken
            raise SettingsConflictError(
                f"settings are at version {twin.desired_version} now, the change was based on {base_version}: "
                f"now {json.dumps(dict(twin.desired))}, wanted {json.dumps({'pdu': dict(pdu), 'out': list(map(dict, out))})}"
            )
        self._fleet.note_desired(pdu_id, version, merged)
        await self._publish_or_later(pdu_id)
        return version

    async def _read_again(self, pdu_id: str) -> Twin:
        """Return the twin with what the database holds: a COMMIT that was given up may have happened there."""
        kept = await self._store.desired(pdu_id)
        if kept is not None and kept[0] != self._fleet.twin(pdu_id).desired_version:
            self._fleet.note_desired(pdu_id, kept[0], json.loads(kept[1]))
            await self._publish_or_later(pdu_id)
        return self._fleet.twin(pdu_id)

    async def _publish_or_later(self, pdu_id: str) -> None:
        try:
            await self.publish(pdu_id)
        except LinkDownError as error:
            _log.warning("settings of %s are kept, and published when the broker is back: %s", pdu_id, error)

    async def publish(self, pdu_id: str) -> None:
        """Publish the desired settings of a PDU; the broker keeps them for when it comes.

        Raises:
            LinkDownError: there is no broker now; they are published when it is back.
        """
        twin = self._fleet.twin(pdu_id)
        if twin.desired_version:
            topic = topics.down(self._root, pdu_id, topics.Down.DESIRED)
            payload = messages.encode_desired(twin.desired_version, dict(twin.desired))
            await self._link.publish(topic, payload, qos=1, retain=True)


def merged_settings(
    before: Mapping[str, object], pdu: Mapping[str, object], out: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Return desired settings with a change merged into them.

    Raises:
        SettingRefusedError: an outlet of the change has no number.
    """
    known_pdu, known_out = before.get("pdu"), before.get("out")
    rows = {row["n"]: dict(row) for row in known_out} if isinstance(known_out, list) else {}
    for row in out:
        number = row.get("n")
        if not isinstance(number, int) or isinstance(number, bool):
            raise SettingRefusedError(f"n of an outlet is {number!r}: it must be its number, from 1")
        rows.setdefault(number, {}).update(row)
    return {
        "pdu": {**(known_pdu if isinstance(known_pdu, dict) else {}), **pdu},
        "out": [rows[n] for n in sorted(rows)],
    }
