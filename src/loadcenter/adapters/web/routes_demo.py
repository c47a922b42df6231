"""The "break something" panel. These routes exist only where a simulator is wired."""

from fastapi import APIRouter, Depends

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models import DisturbanceIn, DisturbanceOut, DisturbancesOut
from loadcenter.adapters.web.problems import not_found
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import Plant


def demo_routes(plant: Plant, fleet: Fleet) -> APIRouter:
    """Return the routes under `/demo`."""
    router = APIRouter(prefix="/demo", tags=["demo"], dependencies=[Depends(require_visitor)])

    @router.get("/disturbances")
    async def list_disturbances() -> DisturbancesOut:
        """Return what can be broken and what is."""
        items = [
            DisturbanceOut(
                id=one.id, label=one.label, hint=one.hint, needs_outlet=one.needs_outlet, lasts=one.lasts
            )
            for one in plant.disturbances()
        ]
        active = {pdu_id: _broken(plant, pdu_id) for pdu_id in fleet.twins()}
        return DisturbancesOut(items=items, active=active)

    @router.post("/pdus/{pdu_id}/disturbances/{name}", status_code=204)
    async def start(pdu_id: str, name: str, body: DisturbanceIn | None = None) -> None:
        """Break something."""
        try:
            plant.start(pdu_id, name, body.outlet if body else None)
        except KeyError as error:
            raise not_found("no_such_disturbance", f"nothing to break there: {error}") from error

    @router.delete("/pdus/{pdu_id}/disturbances/{name}", status_code=204)
    async def stop(pdu_id: str, name: str) -> None:
        """Mend it again."""
        try:
            plant.stop(pdu_id, name)
        except KeyError as error:
            raise not_found("no_such_disturbance", f"nothing to mend there: {error}") from error

    return router


def _broken(plant: Plant, pdu_id: str) -> dict[str, int | None]:
    """Return what is broken around a PDU: nothing around one that is not simulated."""
    try:
        return dict(plant.active(pdu_id))
    except KeyError:
        return {}
