"""Registration of PDUs with credentials of their own."""

from fastapi import APIRouter, Depends

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models import (
    DeviceIn,
    DeviceOut,
    DevicesOut,
    NewDeviceOut,
    UpdateIn,
    UpdateOut,
)
from loadcenter.adapters.web.problems import ProblemError, not_found
from loadcenter.domain.topology import TopologyError
from loadcenter.services.ports import Store
from loadcenter.services.registry import AlreadyRegisteredError, Registry
from loadcenter.services.updates import ImageMissingError, NoUpdateError, UpdateRunsError, Updates


def device_routes(registry: Registry, updates: Updates, store: Store) -> APIRouter:
    """Return the routes under `/devices`."""
    router = APIRouter(prefix="/devices", tags=["devices"], dependencies=[Depends(require_visitor)])

    @router.get("")
    async def list_devices() -> DevicesOut:
        """Return the registered PDUs."""
        rows = await store.devices()
        return DevicesOut(
            items=[DeviceOut(id=row.pdu_id, name=row.name, created_ms=row.created_ms) for row in rows]
        )

    @router.post("", status_code=201)
    async def add_device(body: DeviceIn) -> NewDeviceOut:
        """Register a PDU; its password is in the answer, once."""
        try:
            secret = await registry.add(body.id, body.name, replace_secret=body.replace)
        except TopologyError as error:
            raise ProblemError(422, "bad_name", "Name refused", str(error)) from error
        except AlreadyRegisteredError as error:
            raise ProblemError(409, "already_registered", "Registered already", str(error)) from error
        return NewDeviceOut(
            id=body.id,
            password=secret.password,
            mosquitto=f"{body.id}:{secret.mosquitto_hash}",
            update_key=(await updates.key(body.id)).hex(),
        )

    @router.get("/{pdu_id}/update")
    async def update_progress(pdu_id: str) -> UpdateOut:
        """Return how far the latest update of a PDU's gateway is."""
        try:
            return UpdateOut.of(updates.progress(pdu_id))
        except NoUpdateError as error:
            raise not_found("no_update", str(error)) from error

    @router.post("/{pdu_id}/update", status_code=202)
    async def offer_update(pdu_id: str, body: UpdateIn) -> UpdateOut:
        """Offer an image, kept in the data folder, to a PDU's gateway; it takes it when it is connected."""
        try:
            return UpdateOut.of(await updates.offer(pdu_id, body.version, body.image))
        except ImageMissingError as error:
            raise not_found("no_such_image", str(error)) from error
        except UpdateRunsError as error:
            raise ProblemError(409, "update_runs", "Another update runs", str(error)) from error

    return router
