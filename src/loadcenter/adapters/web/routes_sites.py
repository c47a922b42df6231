"""Sites and their circuits, and what an outlet would need to be switched on."""

from fastapi import APIRouter, Depends, Response

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models import OutletNumber
from loadcenter.adapters.web.models_control import CircuitsOut, ShortageOut, SiteIn, SiteOut, SitesOut
from loadcenter.adapters.web.problems import ProblemError, not_found
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.adapters.web.shapes_control import circuit_out, shortage_out, site_config, site_out
from loadcenter.domain.site import SiteError
from loadcenter.services.control import Control
from loadcenter.services.sites import NoSuchSiteError, SiteConflictError, SiteTakenError


def site_routes(shapes: Shapes, control: Control) -> APIRouter:
    """Return the routes of sites."""
    router = APIRouter(tags=["control"], dependencies=[Depends(require_visitor)])

    @router.get("/sites")
    async def list_sites() -> SitesOut:
        """Return all sites with what they carry now."""
        return SitesOut(items=[site_out(control, site) for site in control.sites.all().values()])

    @router.get("/sites/{site_id}")
    async def one_site(site_id: str) -> SiteOut:
        """Return one site."""
        try:
            return site_out(control, control.sites.site(site_id))
        except NoSuchSiteError as error:
            raise not_found("no_such_site", str(error)) from error

    @router.put("/sites/{site_id}")
    async def write_site(site_id: str, body: SiteIn) -> SiteOut:
        """Make a site, or change it; its limits are in force at once."""
        try:
            return site_out(control, await control.sites.put(site_config(site_id, body), body.base_version))
        except SiteConflictError as error:
            raise ProblemError(409, "conflict", "Somebody else was faster", str(error)) from error
        except SiteTakenError as error:
            raise ProblemError(409, "pdu_taken", "PDU belongs to another site", str(error)) from error
        except SiteError as error:
            raise ProblemError(422, "bad_site", "Site refused", str(error)) from error

    @router.delete("/sites/{site_id}", status_code=204)
    async def delete_site(site_id: str) -> Response:
        """Forget a site; what it has shed stays off."""
        try:
            await control.sites.remove(site_id)
        except NoSuchSiteError as error:
            raise not_found("no_such_site", str(error)) from error
        return Response(status_code=204)

    @router.get("/pdus/{pdu_id}/circuits")
    async def circuits(pdu_id: str) -> CircuitsOut:
        """Return the circuits that feed a PDU, from leaf to root, with their loads and limits."""
        shapes.fleet.twin(pdu_id)
        site = control.sites.of_pdu(pdu_id)
        found = control.headroom.circuits(pdu_id)
        return CircuitsOut(
            site=None if site is None else site.site_id,
            items=[circuit_out(circuit, control.headroom.unheard(pdu_id)) for circuit in found],
        )

    @router.get("/pdus/{pdu_id}/outlets/{n}/headroom")
    async def headroom(pdu_id: str, n: OutletNumber) -> ShortageOut | None:
        """Return why an outlet that is off could not be switched on now; null where it can, or is not known not to."""
        shapes.fleet.twin(pdu_id)
        shortage = control.headroom.shortage(pdu_id, n)
        if shortage is None:
            return None
        names = {one.outlet.pdu_id: shapes.fleet.labels(one.outlet.pdu_id) for one in shortage.candidates}
        return shortage_out(shortage, names)

    return router
