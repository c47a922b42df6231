"""`SqlControl`: the `ControlStore` port on a database, method by method; each is one transaction."""

import asyncio
from collections.abc import Sequence
from functools import partial

from loadcenter.adapters.storage import groups, minutes, planned, sites
from loadcenter.adapters.storage.transactions import Database
from loadcenter.services.ports import DrawColumns, GroupRow, PlanRow, SiteRow


class SqlControl:
    """The part of the database that control needs; `ControlStore` says what it promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sites(self) -> list[SiteRow]:
        """See `ControlStore.sites`."""
        return await self._database.read(sites.sites)

    async def put_site(self, row: SiteRow, before: int) -> bool:
        """See `ControlStore.put_site`."""
        return await self._database.write(partial(sites.put_site, row=row, before=before))

    async def put_site_state(self, site_id: str, state: str) -> None:
        """See `ControlStore.put_site_state`."""
        await self._database.write(partial(sites.put_site_state, site_id=site_id, state=state))

    async def delete_site(self, site_id: str) -> bool:
        """See `ControlStore.delete_site`."""
        return await self._database.write(partial(sites.delete_site, site_id=site_id))

    async def groups(self) -> list[GroupRow]:
        """See `ControlStore.groups`."""
        return await self._database.read(groups.groups)

    async def put_group(self, row: GroupRow, before: int) -> bool:
        """See `ControlStore.put_group`."""
        return await self._database.write(partial(groups.put_group, row=row, before=before))

    async def delete_group(self, group_id: str) -> bool:
        """See `ControlStore.delete_group`."""
        return await self._database.write(partial(groups.delete_group, group_id=group_id))

    async def plans(self, limit: int) -> list[PlanRow]:
        """See `ControlStore.plans`."""
        return await self._database.read(partial(planned.plans, limit=limit))

    async def put_plan(self, row: PlanRow) -> None:
        """See `ControlStore.put_plan`."""
        await self._database.write(partial(planned.put_plan, row=row))

    async def draw_minutes(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> dict[int, DrawColumns]:
        """See `ControlStore.draw_minutes`. Half of several outlets comes over a second connection, at the same time."""
        middle = (len(outlets) + 1) // 2
        halves = await asyncio.gather(
            *(
                self._database.read(
                    partial(
                        minutes.draw_minutes,
                        pdu_id=pdu_id,
                        outlets=half,
                        since_ms=since_ms,
                        until_ms=until_ms,
                    )
                )
                for half in (outlets[:middle], outlets[middle:])
                if half
            )
        )
        return {outlet: columns for half in halves for outlet, columns in half.items()}
