"""The `ControlStore` port in memory."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from loadcenter.domain.rollups import OutletRollup, Stat, Tier
from loadcenter.services.ports import DrawColumns, GroupRow, PlanRow, SiteRow


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

    async def draw_minutes(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> dict[int, DrawColumns]:
        self._reach()
        found = {}
        for outlet in outlets:
            rows = await self.outlet_rollups(Tier.MINUTE, pdu_id, outlet, since_ms, until_ms)
            values = [
                (start, mean(row.current), most(row.current), mean(row.power), most(row.power))
                for start, row in rows
            ]
            if values:
                found[outlet] = DrawColumns(*zip(*values, strict=True))
        return found

    @abstractmethod
    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, OutletRollup]]: ...


def mean(stat: Stat) -> int:
    return int(stat.total / stat.count) if stat.count else 0


def most(stat: Stat) -> int:
    return stat.maximum if stat.count else 0
