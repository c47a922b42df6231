"""The `ControlStore` port in memory."""

from abc import abstractmethod
from dataclasses import replace

from loadcenter.services.ports import GroupRow, PlanRow, SiteRow


class FakeControl:
    """Sites, groups and plans of a `FakeStore`."""

    def __init__(self) -> None:
        self._sites: dict[str, SiteRow] = {}
        self._groups: dict[str, GroupRow] = {}
        self._plans: dict[str, PlanRow] = {}

    @abstractmethod
    def _reach(self) -> None: ...

    async def sites(self) -> list[SiteRow]:
        self._reach()
        return [self._sites[key] for key in sorted(self._sites)]

    async def put_site(self, row: SiteRow, before: int) -> bool:
        self._reach()
        known = self._sites.get(row.site_id)
        if (known.version if known else 0) != before:
            return False
        self._sites[row.site_id] = row
        return True

    async def put_site_state(self, site_id: str, state: str) -> None:
        self._reach()
        if site_id in self._sites:
            self._sites[site_id] = replace(self._sites[site_id], state=state)

    async def delete_site(self, site_id: str) -> bool:
        self._reach()
        return self._sites.pop(site_id, None) is not None

    async def groups(self) -> list[GroupRow]:
        self._reach()
        return [self._groups[key] for key in sorted(self._groups)]

    async def put_group(self, row: GroupRow, before: int) -> bool:
        self._reach()
        known = self._groups.get(row.group_id)
        if (known.version if known else 0) != before:
            return False
        self._groups[row.group_id] = row
        return True

    async def delete_group(self, group_id: str) -> bool:
        self._reach()
        return self._groups.pop(group_id, None) is not None

    async def plans(self, limit: int) -> list[PlanRow]:
        self._reach()
        newest = sorted(self._plans.values(), key=lambda row: row.plan_id)
        newest.sort(key=lambda row: row.created_ms, reverse=True)
        ended = [row for row in newest if not row.open][:limit]
        return [row for row in newest if row.open or row in ended]

    async def put_plan(self, row: PlanRow) -> None:
        self._reach()
        self._plans[row.plan_id] = row
