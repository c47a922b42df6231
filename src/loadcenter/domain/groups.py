"""Groups of outlets, over any PDUs, that are switched in turn."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from loadcenter.domain.topology import OutletId

MEMBERS_MOST = 200
STAGGER_S_MOST = 600
STAGGER_MS_DEFAULT = 250
"""From one outlet to the next, so that inrush currents do not add up (behaviour.md, section 6)."""

_GROUP_ID = re.compile(r"[a-z0-9-]{1,32}")
_NAME_MOST = 64


@dataclass(frozen=True, slots=True)
class Group:
    """Outlets in the order in which they are switched on; off goes the other way round."""

    group_id: str
    name: str
    members: tuple[OutletId, ...]


class GroupError(ValueError):
    """A group cannot be made so; the message says why."""


def check_group(group: Group) -> Group:
    """Return `group` unchanged if it can be kept.

    Raises:
        GroupError: its id, name or members do not fit.
    """
    if not _GROUP_ID.fullmatch(group.group_id):
        raise GroupError(f"'{group.group_id}' is no id of a group: use 1 to 32 of a-z, 0-9 and '-'")
    if not 1 <= len(group.name) <= _NAME_MOST:
        raise GroupError(f"name must have 1 to {_NAME_MOST} characters")
    if not 1 <= len(group.members) <= MEMBERS_MOST:
        raise GroupError(f"a group has 1 to {MEMBERS_MOST} outlets, this one has {len(group.members)}")
    if len(set(group.members)) != len(group.members):
        raise GroupError("an outlet stands in the group twice: name each once")
    return group


def in_turn(members: Iterable[OutletId], *, on: bool) -> tuple[OutletId, ...]:
    """Return the members in the order in which they are switched."""
    ordered = tuple(members)
    return ordered if on else ordered[::-1]
