"""PDUs: what they report, what they shall run, what people call them."""

from fastapi import APIRouter, Depends

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models import DesiredOut, NamesIn, PduOut, PdusOut, SettingsIn, SettingsOut
from loadcenter.adapters.web.problems import ProblemError
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.services.labels import OutletLabel
from loadcenter.services.registry import Registry
from loadcenter.services.tuning import SettingRefusedError, SettingsConflictError, Tuning


def pdu_routes(shapes: Shapes, registry: Registry, tuning: Tuning) -> APIRouter:
    """Return the routes under `/pdus` that do not switch."""
    router = APIRouter(prefix="/pdus", tags=["pdus"], dependencies=[Depends(require_visitor)])

    @router.get("")
    async def list_pdus() -> PdusOut:
        """Return every PDU as it reports itself."""
        items = [shapes.pdu(pdu_id) for pdu_id in shapes.fleet.twins()]
        return PdusOut(items=items, server_ms=shapes.clock.now_ms())

    @router.get("/{pdu_id}")
    async def one_pdu(pdu_id: str) -> PduOut:
        """Return one PDU."""
        return shapes.pdu(pdu_id)

    @router.put("/{pdu_id}/names")
    async def rename(pdu_id: str, body: NamesIn) -> PduOut:
        """Change what a PDU and its outlets are called."""
        labels = shapes.fleet.labels(pdu_id)
        merged = dict(labels.outlets)
        for one in body.outlets:
            old = merged.get(one.n, OutletLabel(one.n))
            merged[one.n] = OutletLabel(
                one.n,
                old.name if one.name is None else one.name,
                old.critical if one.critical is None else one.critical,
            )
        await registry.rename(pdu_id, body.name or labels.name, merged)
        return shapes.pdu(pdu_id)

    @router.get("/{pdu_id}/settings")
    async def read_settings(pdu_id: str) -> SettingsOut:
        """Return desired settings beside the version in force."""
        return _settings(shapes, pdu_id)

    @router.put("/{pdu_id}/settings", status_code=202)
    async def write_settings(pdu_id: str, body: SettingsIn) -> SettingsOut:
        """Change settings; the PDU takes them over when it hears of them."""
        try:
            await tuning.change(pdu_id, body.base_version, body.pdu, body.out)
        except SettingsConflictError as error:
            raise ProblemError(409, "conflict", "Somebody else was faster", str(error)) from error
        except SettingRefusedError as error:
            raise ProblemError(422, "bad_setting", "Setting refused", str(error)) from error
        return _settings(shapes, pdu_id)

    return router


def _settings(shapes: Shapes, pdu_id: str) -> SettingsOut:
    twin = shapes.fleet.twin(pdu_id)
    desired = {"pdu": {}, "out": [], **twin.desired}
    return SettingsOut(
        desired=DesiredOut.model_validate({"version": twin.desired_version, **desired}),
        reported_version=twin.state.settings_version if twin.state else None,
    )
