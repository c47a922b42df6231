"""What months of readings say: energy and cost, voltage quality, outages."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from loadcenter.adapters.web import shapes_analytics as shape
from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models_analytics import EnergyOut, SupplyOut, VoltageOut
from loadcenter.services.analytics import Analytics
from loadcenter.services.fleet import Fleet

DEFAULT_NOMINAL_MV = 230_000
"""Nominal voltage of a PDU that has not told its own since the start: IEC 60038."""

Nominal = Annotated[float | None, Query(ge=50, le=500, allow_inf_nan=False)]


def analytics_routes(fleet: Fleet, analytics: Analytics) -> APIRouter:
    """Return the routes under `/analytics`."""
    router = APIRouter(prefix="/analytics", tags=["analytics"], dependencies=[Depends(require_visitor)])

    @router.get("/energy")
    async def read_energy(pdu: str, since: date | None = None, until: date | None = None) -> EnergyOut:
        """Return energy, cost and load of the outlets over some days of the site."""
        labels = fleet.labels(pdu)
        report = await analytics.energy(pdu, analytics.days(since, until))
        return shape.energy(report, labels, analytics.zone)

    @router.get("/voltage")
    async def read_voltage(
        pdu: str, since: date | None = None, until: date | None = None, nominal_v: Nominal = None
    ) -> VoltageOut:
        """Return the voltage quality of both sources against EN 50160."""
        identity = fleet.twin(pdu).identity
        if nominal_v is not None:
            nominal_mv, origin = round(nominal_v * 1000), "request"
        elif identity is not None:
            nominal_mv, origin = identity.nominal_voltage_mv, "device"
        else:
            nominal_mv, origin = DEFAULT_NOMINAL_MV, "default"
        report = await analytics.voltage(pdu, analytics.days(since, until), nominal_mv)
        return shape.voltage(report, analytics.zone, origin)

    @router.get("/supply")
    async def read_supply(pdu: str, since: date | None = None, until: date | None = None) -> SupplyOut:
        """Return outages, transfers and availability."""
        fleet.twin(pdu)
        return shape.supply(await analytics.supply(pdu, analytics.days(since, until)), analytics.zone)

    return router
