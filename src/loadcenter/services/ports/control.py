"""What control keeps in the database: sites with their state, groups, and orders for later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site: `config` and `state` are JSON texts of `services/site_text.py`; an empty state is that of a new site."""

    site_id: str
    version: int
    config: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of outlets: `members` is a JSON list of `PDU/N` in the order in which they are switched on."""

    group_id: str
    version: int
    name: str
    members: str


@dataclass(frozen=True, slots=True)
class PlanRow:
    """Orders for later: `steps` is a JSON text of `services/plans.py`; `open` until none of them is waiting."""

    plan_id: str
    created_ms: int
    given_by: str
    open: bool
    steps: str


@dataclass(frozen=True, slots=True)
class DrawColumns:
    """Recorded minutes of an outlet in columns: start, mean and greatest current and power; what is unknown is 0."""

    start_ms: Sequence[int]
    mean_ma: Sequence[int]
    most_ma: Sequence[int]
    mean_mw: Sequence[int]
    most_mw: Sequence[int]


class ControlStore(Protocol):
    """The part of the database that control needs. Every method may raise `StoreUnavailableError`."""

    async def sites(self) -> list[SiteRow]:
        """Return all sites by id."""
        ...

    async def put_site(self, row: SiteRow, before: int) -> bool:
        """Keep a site with its state if the stored version is still `before` (0: none); return whether it was."""
        ...

    async def put_site_state(self, site_id: str, state: str) -> None:
        """Keep the state of a site that there is."""
        ...

    async def delete_site(self, site_id: str) -> bool:
        """Forget a site; return whether there was one."""
        ...

    async def groups(self) -> list[GroupRow]:
        """Return all groups by id."""
        ...

    async def put_group(self, row: GroupRow, before: int) -> bool:
        """Keep a group if the stored version is still `before` (0: none); return whether it was."""
        ...

    async def delete_group(self, group_id: str) -> bool:
        """Forget a group; return whether there was one."""
        ...

    async def plans(self, limit: int) -> list[PlanRow]:
        """Return all open plans and the latest others, at most `limit` of those, newest first."""
        ...

    async def put_plan(self, row: PlanRow) -> None:
        """Keep a plan, in place of the one of the same id."""
        ...

    async def draw_minutes(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> Mapping[int, DrawColumns]:
        """Return what each outlet drew in the recorded minutes with since <= start < until, in order."""
        ...
