"""What the rules of a site see of each PDU: its outlets with their loads, last known draws and settings in force."""

from loadcenter.domain.budget import Load, whole_watts
from loadcenter.domain.protection import CARRIES_MA
from loadcenter.domain.settings import OutletConfig, PduConfig, SettingsError, apply_settings
from loadcenter.domain.site import SeenOutlet, SeenPdu
from loadcenter.domain.topology import OutletId, Source
from loadcenter.domain.twin import ReportedOutlet, Twin
from loadcenter.services.announce import Announcement, Announcer, PduChanged
from loadcenter.services.fleet import Fleet, NoSuchPduError
from loadcenter.services.ports import Clock

_NOTHING = Load(0, 0)


def config_of(twin: Twin) -> PduConfig:
    """Return the settings that a PDU shall run; those of the factory before the first change."""
    outlets = twin.identity.outlets if twin.identity else len(twin.state.outlets) if twin.state else 0
    factory = PduConfig(outlets=(OutletConfig(),) * outlets)
    applied = apply_settings(factory, {"version": twin.desired_version, **twin.desired})
    return factory if isinstance(applied, SettingsError) else applied


def runs_desired(twin: Twin) -> bool:
    """Return whether a PDU reports to run the settings that it shall."""
    return twin.state is not None and twin.state.settings_version == twin.desired_version


class Views:
    """Builds what is seen of a PDU, and remembers what each outlet drew when it was last seen to carry current."""

    def __init__(self, fleet: Fleet, clock: Clock, announcer: Announcer) -> None:
        self._fleet = fleet
        self._clock = clock
        self._draws: dict[OutletId, Load] = {}
        self._configs: dict[str, tuple[Twin, PduConfig]] = {}
        announcer.listen(self._hear)

    def draw(self, outlet: OutletId) -> Load | None:
        """Return what an outlet drew when it was last seen to carry current, None before the first time."""
        return self._draws.get(outlet)

    def note_draw(self, outlet: OutletId, draw: Load) -> None:
        """Know a draw from before a restart; one that was seen since counts more."""
        self._draws.setdefault(outlet, draw)

    def config(self, pdu_id: str) -> PduConfig:
        """Return the settings that a PDU shall run.

        Raises:
            NoSuchPduError: no such PDU.
        """
        twin = self._fleet.twin(pdu_id)
        known = self._configs.get(pdu_id)
        if known is not None and known[0].desired is twin.desired and known[0].identity is twin.identity:
            return known[1]
        config = config_of(twin)
        self._configs[pdu_id] = twin, config
        return config

    def pdu(self, pdu_id: str, stale_after_ms: int) -> SeenPdu:
        """Return what is known of a PDU; one that is not registered is unknown, and so counts with the most.

        Args:
            pdu_id: which.
            stale_after_ms: readings older than this no longer tell what it carries.
        """
        try:
            twin, config = self._fleet.twin(pdu_id), self.config(pdu_id)
        except NoSuchPduError:
            factory = PduConfig()
            return SeenPdu(pdu_id, Source.MAIN, True, Load(*factory.budget_of(Source.MAIN)), ())
        now_ms = self._clock.now_ms()
        as_of_ms = twin.as_of_ms
        stale = as_of_ms is None or now_ms - as_of_ms > stale_after_ms
        source = _source(twin)
        outlets = tuple(
            self._outlet(twin, config, reported, reachable=twin.online and not stale)
            for reported in (twin.state.outlets if twin.state else ())
        )
        return SeenPdu(pdu_id, source, stale, Load(*config.budget_of(source)), outlets)

    def _outlet(
        self, twin: Twin, config: PduConfig, reported: ReportedOutlet, *, reachable: bool
    ) -> SeenOutlet:
        outlet = OutletId(twin.pdu_id, reported.outlet)
        known = reported.outlet <= len(config.outlets)
        settings = config.outlets[reported.outlet - 1] if known else OutletConfig()
        reading = twin.outlet_reading(reported.outlet)
        load = _NOTHING
        if reading is not None:
            load = Load(reading.current_ma or 0, whole_watts(reading.power_mw or 0))
        return SeenOutlet(
            outlet,
            reported.on,
            reported.by,
            load,
            self._draws.get(outlet, load),
            settings.priority,
            settings.protected,
            reported.locked,
            reported.trip is not None,
            reachable,
        )

    def _hear(self, announcement: Announcement) -> None:
        if not isinstance(announcement, PduChanged):
            return
        twin = self._fleet.twins().get(announcement.pdu_id)
        if twin is None or twin.readings is None:
            return
        tripped = {one.outlet for one in twin.state.outlets if one.trip is not None} if twin.state else set()
        for one in twin.readings.outlets:
            if one.outlet in tripped:  # what a fault drew says nothing of what will be drawn
                self._draws.pop(OutletId(twin.pdu_id, one.outlet), None)
            elif one.on and one.current_ma is not None and one.current_ma > CARRIES_MA:
                self._draws[OutletId(twin.pdu_id, one.outlet)] = Load(
                    one.current_ma, whole_watts(one.power_mw or 0)
                )


def _source(twin: Twin) -> Source:
    if twin.readings is not None:
        return twin.readings.active
    return twin.state.active if twin.state else Source.MAIN
