"""Sites: which PDUs stand behind one supply, and what that may carry. Each PDU belongs to one site at most."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from loadcenter.domain.events import Detail
from loadcenter.domain.site import SiteConfig, check_site
from loadcenter.domain.site_shedding import Mark, SiteState
from loadcenter.domain.topology import OutletId
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import ControlStore, SiteRow
from loadcenter.services.site_text import read_config, read_state, write_config, write_state


class NoSuchSiteError(KeyError):
    """There is no site of that id."""

    def __str__(self) -> str:
        return f"there is no site '{self.args[0]}'"


class SiteConflictError(Exception):
    """The site was changed by somebody else since it was read; the message tells both versions."""


class SiteTakenError(ValueError):
    """A PDU belongs to another site already; the message names both."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site with its version and what its shedding remembers."""

    config: SiteConfig
    version: int
    state: SiteState


class Sites:
    """Knows all sites; changes are kept first and then in force."""

    def __init__(self, store: ControlStore, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._sites: dict[str, Site] = {}

    async def load(self) -> None:
        """Read all sites with their states.

        Raises:
            StoreUnavailableError: the database is away.
        """
        for row in await self._store.sites():
            self._sites[row.site_id] = Site(read_config(row.config), row.version, read_state(row.state))

    def all(self) -> Mapping[str, Site]:
        """Return all sites by id."""
        return self._sites

    def site(self, site_id: str) -> Site:
        """Return one site.

        Raises:
            NoSuchSiteError: there is none of that id.
        """
        try:
            return self._sites[site_id]
        except KeyError:
            raise NoSuchSiteError(site_id) from None

    def of_pdu(self, pdu_id: str) -> SiteConfig | None:
        """Return the site that a PDU belongs to."""
        return next((one.config for one in self._sites.values() if pdu_id in one.config.pdus), None)

    def mark(self, outlet: OutletId) -> tuple[SiteConfig, Mark] | None:
        """Return by which site an outlet is shed, and what was compared; None while it is not."""
        for one in self._sites.values():
            if (mark := one.state.marks.get(outlet)) is not None:
                return one.config, mark
        return None

    def is_shed(self, outlet: OutletId) -> bool:
        """Return whether a site has shed an outlet."""
        return self.mark(outlet) is not None

    def shed_numbers(self, outlet: OutletId) -> Mapping[str, Detail]:
        """Return what was compared when an outlet was shed, empty where no site has."""
        found = self.mark(outlet)
        return {} if found is None else found[1].numbers

    async def put(self, config: SiteConfig, base_version: int) -> Site:
        """Keep a new site (`base_version` 0) or a changed one; what is shed stays so until it fits again.

        Raises:
            SiteError: a value is out of range.
            NoSuchPduError: a PDU is not registered.
            SiteTakenError: a PDU belongs to another site.
            SiteConflictError: `base_version` is not the current one.
            StoreUnavailableError: the database is away.
        """
        check_site(config)
        for pdu_id in config.pdus:
            self._fleet.twin(pdu_id)
            other = self.of_pdu(pdu_id)
            if other is not None and other.site_id != config.site_id:
                raise SiteTakenError(
                    f"'{pdu_id}' belongs to the site '{other.site_id}': take it out there first"
                )
        known = self._sites.get(config.site_id)
        state = known.state if known else SiteState()
        row = SiteRow(config.site_id, base_version + 1, write_config(config), write_state(state))
        if not await self._store.put_site(row, base_version):
            await self.load()
            version = self._sites[config.site_id].version if config.site_id in self._sites else 0
            raise SiteConflictError(
                f"the site '{config.site_id}' is at version {version} now, the change was based on {base_version}: "
                "read it again"
            )
        site = Site(config, row.version, state)
        self._sites[config.site_id] = site
        return site

    async def remove(self, site_id: str) -> None:
        """Forget a site; what it has shed stays off until somebody switches it on.

        Raises:
            NoSuchSiteError: there is none of that id.
            StoreUnavailableError: the database is away.
        """
        self.site(site_id)
        await self._store.delete_site(site_id)
        self._sites.pop(site_id, None)

    def note_state(self, site_id: str, state: SiteState) -> None:
        """Know a new state; `keep_state` writes it down."""
        if site_id in self._sites:
            self._sites[site_id] = replace(self._sites[site_id], state=state)

    async def keep_state(self, site_id: str) -> None:
        """Write the state of a site down.

        Raises:
            StoreUnavailableError: the database is away.
        """
        await self._store.put_site_state(site_id, write_state(self.site(site_id).state))
