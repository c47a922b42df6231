"""What has happened and what was measured: events, alarms, history."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from loadcenter.adapters.web import charts
from loadcenter.adapters.web import shapes as shape
from loadcenter.adapters.web.channels import outlets_of, sources_of
from loadcenter.adapters.web.gate import Known, require_visitor
from loadcenter.adapters.web.models import (
    AcknowledgeIn,
    AlarmOut,
    AlarmsOut,
    EnergyOut,
    EventsOut,
    HistoryOut,
    OutletNumber,
    RowId,
    TimeMs,
)
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.domain.events import Severity
from loadcenter.services.history import History
from loadcenter.services.periods import Period
from loadcenter.services.ports import EventFilter, Store
from loadcenter.services.resolution import POINTS_MAX

EVENTS_ON_CHART = 500


def record_routes(shapes: Shapes, store: Store, history: History) -> APIRouter:
    """Return the routes under `/events`, `/alarms`, `/history` and `/energy`."""
    router = APIRouter(tags=["records"], dependencies=[Depends(require_visitor)])

    @router.get("/events")
    async def list_events(
        pdu: str | None = None,
        outlet: OutletNumber | None = None,
        severity: Severity | None = None,
        code: Annotated[list[str] | None, Query()] = None,
        since_ms: TimeMs | None = None,
        until_ms: TimeMs | None = None,
        cursor: RowId | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> EventsOut:
        """Return events, newest first."""
        wanted = EventFilter(
            pdu, outlet, severity, code or (), since_ms, until_ms, before_id=cursor, limit=limit + 1
        )
        found = await store.events(wanted)
        page = found[:limit]
        return EventsOut(items=shape.events(page), next=str(page[-1].id) if len(found) > limit else None)

    @router.get("/alarms")
    async def list_alarms(*, only_open: Annotated[bool, Query(alias="open")] = True) -> AlarmsOut:
        """Return alarms, newest first."""
        rows = shapes.alarming.open_alarms() if only_open else await store.alarms(open_only=False)
        return AlarmsOut(items=[shape.alarm(row) for row in rows])

    @router.post("/alarms/{alarm_id}/acknowledge")
    async def acknowledge(alarm_id: RowId, body: AcknowledgeIn, visitor: Known) -> AlarmOut:
        """Note that a person has seen an alarm."""
        return shape.alarm(await shapes.alarming.acknowledge(alarm_id, visitor.user, body.note))

    @router.get("/history", response_model=HistoryOut)
    async def read_history(
        request: Request,
        pdu: str,
        since_ms: TimeMs,
        until_ms: TimeMs,
        outlets: str = "",
        sources: str = "",
        points: Annotated[int, Query(ge=1, le=POINTS_MAX)] = 600,
    ) -> Response:
        """Return the series of a range and what happened in it."""
        labels = shapes.fleet.labels(pdu)
        wanted = EventFilter(pdu, since_ms=since_ms, until_ms=until_ms, limit=EVENTS_ON_CHART)
        chart, happened = await asyncio.gather(
            history.chart(pdu, outlets_of(outlets), sources_of(sources), since_ms, until_ms, points),
            store.events(wanted),
        )
        return charts.answer(request, charts.chart(chart, labels, shape.events(happened)))

    @router.get("/energy", response_model=EnergyOut)
    async def read_energy(
        request: Request,
        pdu: str,
        outlets: str,
        since_ms: TimeMs,
        until_ms: TimeMs,
        period: Period = Period.DAY,
    ) -> Response:
        """Return the energy of outlets in the whole local days, weeks or months that a range touches."""
        labels = shapes.fleet.labels(pdu)
        read = await history.energy(pdu, outlets_of(outlets), period, since_ms, until_ms)
        return charts.answer(request, charts.energy(read, period, labels))

    return router
