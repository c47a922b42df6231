"""What other settings would have done."""

from fastapi import APIRouter, Depends

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models_control import DryRunIn, DryRunOut, SiteDryRunIn, SiteDryRunOut
from loadcenter.adapters.web.problems import ProblemError, not_found
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.adapters.web.shapes_control import dry_run_out, site_config, site_dry_run_out
from loadcenter.adapters.web.shapes_schedules import draft as schedule_draft
from loadcenter.domain.occurrences import Occurrence
from loadcenter.domain.site import SiteError
from loadcenter.services.control import Control
from loadcenter.services.dry_run import DrySpanError
from loadcenter.services.schedules import Schedules
from loadcenter.services.sites import NoSuchSiteError
from loadcenter.services.tuning import SettingRefusedError


def dry_run_routes(shapes: Shapes, control: Control, schedules: Schedules) -> APIRouter:
    """Return the route of the dry run."""
    router = APIRouter(tags=["control"], dependencies=[Depends(require_visitor)])

    @router.post("/pdus/{pdu_id}/dry-run")
    async def dry_run(pdu_id: str, body: DryRunIn) -> DryRunOut:
        """Return what a change of settings would have done over recorded minutes; nothing is changed."""
        occurrences: list[Occurrence] = []
        try:
            since_ms, until_ms = control.dry_run.whole_minutes(body.since_ms, body.until_ms)
            for one in body.schedules:
                draft = schedule_draft(one, schedules.almanac.site_zone)
                schedules.check(draft)
                occurrences += schedules.tried(draft, since_ms, until_ms)
            answer = await control.dry_run.settings(
                pdu_id, since_ms, until_ms, body.pdu, body.out, occurrences
            )
        except DrySpanError as error:
            raise ProblemError(422, "bad_range", "Range cannot be tried", str(error)) from error
        except SettingRefusedError as error:
            raise ProblemError(422, "bad_setting", "Setting refused", str(error)) from error
        return dry_run_out(answer, shapes.fleet.labels(pdu_id))

    @router.post("/sites/{site_id}/dry-run")
    async def site_dry_run(site_id: str, body: SiteDryRunIn) -> SiteDryRunOut:
        """Return what other limits of a site would have done over recorded minutes; nothing is changed."""
        try:
            current = control.sites.site(site_id).config
        except NoSuchSiteError as error:
            raise not_found("no_such_site", str(error)) from error
        proposed = site_config(site_id, body)
        try:
            answer = await control.dry_run.site(current, proposed, body.since_ms, body.until_ms)
        except DrySpanError as error:
            raise ProblemError(422, "bad_range", "Range cannot be tried", str(error)) from error
        except SiteError as error:
            raise ProblemError(422, "bad_site", "Site refused", str(error)) from error
        labels = {one: shapes.fleet.labels(one) for one in {**current.pdus, **proposed.pdus}}
        return site_dry_run_out(answer, labels)

    return router
