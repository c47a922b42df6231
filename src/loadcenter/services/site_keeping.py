"""Keeps each site within its limits: once a second looks at its PDUs, and gives the orders that its rules decide on."""

import logging

from loadcenter.domain.commands import CommandStatus, Do, Order, ResultCode
from loadcenter.domain.events import SEVERITY, Cause, EventCode
from loadcenter.domain.origin import SCHEDULE_PREFIX, is_automatic, site_origin
from loadcenter.domain.site_shedding import Step, Told, overruled, shifted, step
from loadcenter.domain.topology import OutletId
from loadcenter.services.announce import Announcement, Announcer, CommandChanged, EventAdded, PduChanged
from loadcenter.services.clock_steps import ClockSteps
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.ports import Clock, CommandRow, Store, StoredEvent, StoreError
from loadcenter.services.sites import Site, Sites
from loadcenter.services.views import Views

_log = logging.getLogger(__name__)

STEP_MS = 1_000


class SiteKeeper:
    """Runs the rules of all sites."""

    def __init__(
        self,
        sites: Sites,
        views: Views,
        dispatch: Dispatch,
        store: Store,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._sites = sites
        self._views = views
        self._dispatch = dispatch
        self._store = store
        self._clock = clock
        self._announcer = announcer
        self._clock_steps = ClockSteps(clock)
        self._unkept: set[str] = set()
        self._untold: list[StoredEvent] = []
        announcer.listen(self._hear)

    def load(self) -> None:
        """Know from the kept marks what the outlets drew that are shed."""
        for site in self._sites.all().values():
            for outlet, mark in site.state.marks.items():
                self._views.note_draw(outlet, mark.draw)

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await self._clock.sleep_ms(STEP_MS)
            await self.look()

    async def look(self) -> None:
        """Let the rules of each site decide once, and carry that out."""
        self._follow_clock()
        for site_id in list(self._sites.all()):
            await self._look_at(self._sites.site(site_id))
        await self._write_down()

    async def _look_at(self, site: Site) -> None:
        config = site.config
        stale_ms = config.stale_after_s * 1000
        pdus = [self._views.pdu(pdu_id, stale_ms) for pdu_id in config.pdus]
        decided = step(site.state, pdus, config, self._clock.now_ms())
        if decided.state is not site.state:
            self._sites.note_state(config.site_id, decided.state)
            self._unkept.add(config.site_id)
        self._untold += [self._event(config.site_id, told) for told in decided.told]
        if decided.shed or decided.restore:
            # what it is about to shed must be known after a crash, or nobody would restore it
            await self._write_down()
            await self._carry_out(site, decided)

    async def _carry_out(self, site: Site, decided: Step) -> None:
        origin = site_origin(site.config.site_id)
        for outlet in decided.shed:
            if self._sites.mark(outlet) is None:
                continue  # a person has decided meanwhile
            await self._give(outlet, Order(Do.SWITCH, outlet.outlet, on=False, by=origin))
        back = decided.restore
        if back is not None and self._sites.mark(back) is not None:
            await self._give(back, Order(Do.SWITCH, back.outlet, on=True, by=origin))

    async def _give(self, outlet: OutletId, order: Order) -> None:
        try:
            row = await self._dispatch.submit(outlet.pdu_id, order, None)
        except NoSuchPduError as error:
            _log.warning("an order of a site cannot be given: %s", error)
            return
        if row.status is CommandStatus.REJECTED:
            # the rules see that the outlet has not obeyed, and choose others
            _log.warning("%s: an order of %s was refused: %s", outlet, order.by, row.detail or row.code)

    def _event(self, site_id: str, told: Told) -> StoredEvent:
        cause = Cause.RESTORE if told.code is EventCode.RESTORED else Cause.SHED
        return StoredEvent(
            told.pdu_id,
            self._clock.now_ms(),
            0,
            0,
            told.code,
            SEVERITY[told.code],
            told.outlet,
            None,
            cause,
            data={"site": site_id, **told.numbers},
        )

    async def _write_down(self) -> None:
        """Keep what has changed; while the database is away shedding goes on, and it is kept when it is back."""
        try:
            for site_id in sorted(self._unkept):
                if site_id in self._sites.all():
                    await self._sites.keep_state(site_id)
                self._unkept.discard(site_id)
            while self._untold:
                kept = await self._store.add_event(self._untold[0])
                del self._untold[0]
                self._announcer.announce(EventAdded(kept))
        except StoreError as error:
            _log.debug("what sites have done waits for the database: %s", error)

    def _hear(self, announcement: Announcement) -> None:
        if isinstance(announcement, CommandChanged) and decides(announcement.command):
            command = announcement.command
            assert command.order.outlet is not None
            outlet = OutletId(command.pdu_id, command.order.outlet)
            for site in list(self._sites.all().values()):
                state = overruled(site.state, outlet)
                if state is not site.state:
                    self._sites.note_state(site.config.site_id, state)
                    self._unkept.add(site.config.site_id)
                    self._announcer.announce(PduChanged(outlet.pdu_id, urgent=True))

    def _follow_clock(self) -> None:
        """Move what is remembered along when our own clock was set."""
        by_ms = self._clock_steps.taken()
        if not by_ms:
            return
        for site_id, site in list(self._sites.all().items()):
            self._sites.note_state(site_id, shifted(site.state, by_ms))
            self._unkept.add(site_id)


def decides(command: CommandRow) -> bool:
    """Return whether a person has decided over an outlet with this command: it was sent, or found it so already.

    So does a schedule with its *off*: what it has ended does not come back.
    """
    order = command.order
    scheduled_off = order.by.startswith(SCHEDULE_PREFIX) and order.on is False
    if order.outlet is None or command.status is CommandStatus.EXPIRED:
        return False
    if is_automatic(order.by) and not scheduled_off:
        return False
    if command.status is CommandStatus.REJECTED:
        return command.code == ResultCode.ALREADY and order.on is False
    return True
