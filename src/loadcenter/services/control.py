"""Control in one piece: sites with their shedding, headroom, groups, and orders for later."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from loadcenter.services.announce import Announcer
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.dry_run import DryRun
from loadcenter.services.fleet import Fleet
from loadcenter.services.groups import Groups
from loadcenter.services.headroom import Headroom
from loadcenter.services.plans import Plans
from loadcenter.services.ports import Clock, Store
from loadcenter.services.site_keeping import SiteKeeper
from loadcenter.services.sites import Sites
from loadcenter.services.views import Views


@dataclass(frozen=True, slots=True)
class Rooms:
    """What dispatch asks before it switches an outlet on, with what that is made of."""

    views: Views
    sites: Sites
    headroom: Headroom


def make_rooms(store: Store, clock: Clock, fleet: Fleet, announcer: Announcer) -> Rooms:
    """Return headroom over a fleet."""
    views, sites = Views(fleet, clock, announcer), Sites(store, fleet)
    return Rooms(views, sites, Headroom(fleet, views, sites.of_pdu, sites.is_shed))


@dataclass(frozen=True, slots=True)
class Control:
    """Everything of control that is asked from outside."""

    views: Views
    sites: Sites
    headroom: Headroom
    keeper: SiteKeeper
    groups: Groups
    plans: Plans
    dry_run: DryRun

    async def load(self) -> None:
        """Read what is kept.

        Raises:
            StoreUnavailableError: the database is away.
        """
        await self.sites.load()
        self.keeper.load()
        await self.groups.load()
        await self.plans.load()

    @property
    def runs(self) -> Mapping[str, Callable[[], Coroutine[None, None, None]]]:
        """What must run, by name."""
        return {"sites": self.keeper.run, "orders for later": self.plans.run}


def make_control(
    rooms: Rooms, store: Store, clock: Clock, fleet: Fleet, dispatch: Dispatch, announcer: Announcer
) -> Control:
    """Return control over a fleet."""
    return Control(
        rooms.views,
        rooms.sites,
        rooms.headroom,
        SiteKeeper(rooms.sites, rooms.views, dispatch, store, clock, announcer),
        Groups(store, fleet),
        Plans(store, clock, fleet, dispatch, announcer),
        DryRun(store, clock, fleet, rooms.views),
    )
