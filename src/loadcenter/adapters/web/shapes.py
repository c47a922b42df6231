"""From what the services know to the shapes of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from loadcenter.adapters.web.models import (
    AlarmOut,
    CommandOut,
    EventOut,
    OutletOut,
    PduOut,
    PendingOut,
    SourceOut,
)
from loadcenter.domain.alarms import TITLES, AlarmKind
from loadcenter.domain.origin import cause_of
from loadcenter.domain.quantities import from_milli, kwh_from_mwh, power_factor
from loadcenter.domain.readings import OutletReading, Quality
from loadcenter.domain.reason import OutletView, why
from loadcenter.domain.settings import OutletConfig
from loadcenter.domain.topology import OutletId, Source
from loadcenter.domain.twin import Twin
from loadcenter.services.alarming import Alarming
from loadcenter.services.control import Control
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.fleet import Fleet
from loadcenter.services.labels import Labels
from loadcenter.services.news import EventName, News
from loadcenter.services.ports import AlarmRow, Clock, CommandRow, StoredEvent
from loadcenter.services.snapshots import outlet_view
from loadcenter.services.today import Today
from loadcenter.services.wording import command_message, event_wording


@dataclass(frozen=True, slots=True)
class Shapes:
    """Builds the answers of the API from the services."""

    fleet: Fleet
    alarming: Alarming
    dispatch: Dispatch
    today: Today
    news: News
    clock: Clock
    control: Control

    def pdu(self, pdu_id: str) -> PduOut:
        """Return a PDU as the API shows it.

        Raises:
            NoSuchPduError: none of that name is registered.
        """
        twin, labels, now_ms = self.fleet.twin(pdu_id), self.fleet.labels(pdu_id), self.clock.now_ms()
        state, identity = twin.state, twin.identity
        outlets = [self._outlet(twin, labels, n) for n in range(1, (identity.outlets if identity else 0) + 1)]
        as_of_ms = twin.as_of_ms
        return PduOut(
            id=pdu_id,
            name=labels.name,
            online=twin.online,
            boot=identity.boot if identity else None,
            firmware=identity.firmware if identity else None,
            model=identity.model if identity else None,
            as_of_ms=as_of_ms,
            age_ms=None if as_of_ms is None else max(0, now_ms - as_of_ms),
            quality=shown_quality(twin.quality(now_ms)),
            nominal_v=from_milli(identity.nominal_voltage_mv) if identity else None,
            nominal_hz=from_milli(identity.nominal_frequency_mhz) if identity else None,
            active=twin.readings.active if twin.readings else (state.active if state else None),
            preferred=state.preferred if state else None,
            live=twin.readings.live if twin.readings else (state.live if state else None),
            isolator=None if state is None else ("closed" if state.isolator_closed else "open"),
            sources=[_source(twin, source) for source in Source] if identity else [],
            power_w=total([one.power_w for one in outlets]),
            current_a=total([one.current_a for one in outlets]),
            rating_a=from_milli(identity.total_rating_ma) if identity else None,
            outlets=outlets,
            settings_version=state.settings_version if state else None,
            desired_version=twin.desired_version,
            lockout=state.lockout if state else False,
            alarms=self.alarming.count(pdu_id),
        )

    def _outlet(self, twin: Twin, labels: Labels, n: int) -> OutletOut:
        state, reading, label = twin.outlet_state(n), twin.outlet_reading(n), labels.outlet(n)
        pending = self.dispatch.pending(twin.pdu_id, n)
        energy_mwh = reading.energy_mwh if reading else None
        read_ms = twin.readings.ts_ms if twin.readings else 0
        settings = self._settings(twin, n)
        return OutletOut(
            n=n,
            name=label.name,
            on=state.on if state else None,
            cause=cause_of(state.cause, state.by, on=state.on).value if state else None,
            why=why(self._view(twin, n)),
            trip=state.trip if state else None,
            locked=state.locked if state else None,
            critical=label.critical,
            priority=None if settings is None else settings.priority,
            protected=None if settings is None else settings.protected,
            voltage_v=from_milli(reading.voltage_mv) if reading else None,
            current_a=from_milli(reading.current_ma) if reading else None,
            power_w=from_milli(reading.power_mw) if reading else None,
            power_factor=reading_factor(reading),
            energy_kwh=kwh_from_mwh(energy_mwh),
            today_kwh=kwh_from_mwh(self.today.energy_mwh(twin.pdu_id, n, energy_mwh, read_ms)),
            limit_a=from_milli(state.limit_ma) if state else None,
            pending=None
            if pending is None
            else PendingOut(id=pending.id, do=pending.order.do, on=pending.order.on),
        )

    def _view(self, twin: Twin, n: int) -> OutletView:
        shed = self.control.sites.shed_numbers(OutletId(twin.pdu_id, n))
        return outlet_view(twin, n, self.news.trip_numbers(twin.pdu_id, n), shed)

    def _settings(self, twin: Twin, n: int) -> OutletConfig | None:
        """Return the settings that an outlet shall run, None before its PDU has told how many it has."""
        outlets = self.control.views.config(twin.pdu_id).outlets
        return outlets[n - 1] if n <= len(outlets) else None

    def command(self, row: CommandRow) -> CommandOut:
        """Return a command as the API shows it."""
        order = row.order
        return CommandOut(
            id=row.id,
            pdu_id=row.pdu_id,
            do=order.do.value,
            outlet=order.outlet,
            on=order.on,
            source=order.source,
            off_s=from_milli(order.off_ms),
            by=order.by,
            status=row.status.value,
            code=row.code,
            message=command_message(row),
            created_ms=row.created_ms,
            settled_ms=row.settled_ms,
            expires_at_ms=self.dispatch.expires_at_ms(row),
        )


def _source(twin: Twin, source: Source) -> SourceOut:
    reading = twin.source_reading(source)
    return SourceOut(
        source=source,
        grade=twin.state.grades.get(source) if twin.state else None,
        voltage_v=from_milli(reading.voltage_mv) if reading else None,
        frequency_hz=from_milli(reading.frequency_mhz) if reading else None,
    )


def shown_quality(quality: Quality | None) -> Literal["good", "stale", "unknown"]:
    """Return the word for how far readings can be trusted."""
    if quality is None:
        return "unknown"
    return "good" if quality is Quality.GOOD else "stale"


def reading_factor(reading: OutletReading | None) -> float | None:
    """Return the power factor of a reading, None where it is not known."""
    if reading is None:
        return None
    factor = power_factor(reading.power_mw, reading.voltage_mv, reading.current_ma)
    return None if factor is None else round(factor, 3)


def total(values: list[float | None]) -> float | None:
    """Return the sum, None if any part is unknown: a total with a hole in it would look like less load."""
    if not values or any(value is None for value in values):
        return None
    return round(sum(value for value in values if value is not None), 3)


def event(stored: StoredEvent, ids: Mapping[EventName, int]) -> EventOut:
    """Return an event as the API shows it; `ids` maps (pdu, boot, seq) to id for its cause chain."""
    words = event_wording(stored)
    because = None
    if stored.because_seq is not None:
        because = ids.get((stored.pdu_id, stored.boot, stored.because_seq))
    return EventOut(
        id=stored.id,
        pdu_id=stored.pdu_id,
        ts_ms=stored.ts_ms,
        code=str(stored.code),
        title=words.title,
        severity=stored.severity,
        outlet=stored.outlet,
        source=stored.source,
        cause=stored.cause.value if stored.cause else None,
        text=words.text,
        remedy=words.remedy,
        because=because,
        boot=stored.boot,
        seq=stored.seq,
        data=dict(stored.data),
    )


def events(stored: list[StoredEvent]) -> list[EventOut]:
    """Return events as the API shows them, with the causes that stand in the same list linked."""
    ids = {(one.pdu_id, one.boot, one.seq): one.id for one in stored if one.boot}
    return [event(one, ids) for one in stored]


def alarm(row: AlarmRow) -> AlarmOut:
    """Return an alarm as the API shows it."""
    return AlarmOut(
        id=row.id,
        pdu_id=row.pdu_id,
        kind=row.kind,
        title=TITLES[AlarmKind(row.kind)],
        text=row.detail,
        severity=row.severity,
        outlet=row.outlet,
        source=row.source,
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        count=row.count,
        cleared_ms=row.cleared_ms,
        acknowledged_ms=row.acknowledged_ms,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
    )
