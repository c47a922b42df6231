"""Groups of outlets, kept in the database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from loadcenter.domain.groups import Group, check_group
from loadcenter.domain.topology import parse_outlet_id
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import ControlStore, GroupRow


class NoSuchGroupError(KeyError):
    """There is no group of that id."""

    def __str__(self) -> str:
        return f"there is no group '{self.args[0]}'"


class GroupConflictError(Exception):
    """The group was changed by somebody else since it was read."""


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """A group with its version."""

    group: Group
    version: int


class Groups:
    """Knows all groups."""

    def __init__(self, store: ControlStore, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._groups: dict[str, KeptGroup] = {}

    async def load(self) -> None:
        """Read all groups.

        Raises:
            StoreUnavailableError: the database is away.
        """
        self._groups = {row.group_id: _read(row) for row in await self._store.groups()}

    def all(self) -> Mapping[str, KeptGroup]:
        """Return all groups by id."""
        return self._groups

    def group(self, group_id: str) -> KeptGroup:
        """Return one group.

        Raises:
            NoSuchGroupError: there is none of that id.
        """
        try:
            return self._groups[group_id]
        except KeyError:
            raise NoSuchGroupError(group_id) from None

    async def put(self, group: Group, base_version: int) -> KeptGroup:
        """Keep a new group (`base_version` 0) or a changed one.

        Raises:
            GroupError: it does not fit.
            NoSuchPduError: a PDU is not registered.
            GroupConflictError: `base_version` is not the current one.
            StoreUnavailableError: the database is away.
        """
        check_group(group)
        for outlet in group.members:
            self._fleet.twin(outlet.pdu_id)
        members = json.dumps([str(outlet) for outlet in group.members])
        row = GroupRow(group.group_id, base_version + 1, group.name, members)
        if not await self._store.put_group(row, base_version):
            await self.load()
            version = self._groups[group.group_id].version if group.group_id in self._groups else 0
            raise GroupConflictError(
                f"the group '{group.group_id}' is at version {version} now, the change was based on {base_version}: "
                "read it again"
            )
        kept = KeptGroup(group, row.version)
        self._groups[group.group_id] = kept
        return kept

    async def remove(self, group_id: str) -> None:
        """Forget a group; its outlets stay as they are.

        Raises:
            NoSuchGroupError: there is none of that id.
            StoreUnavailableError: the database is away.
        """
        self.group(group_id)
        await self._store.delete_group(group_id)
        self._groups.pop(group_id, None)


def _read(row: GroupRow) -> KeptGroup:
    members = tuple(parse_outlet_id(text) for text in json.loads(row.members))
    return KeptGroup(Group(row.group_id, row.name, members), row.version)
