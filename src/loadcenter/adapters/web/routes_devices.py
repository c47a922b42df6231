"""Registration of PDUs with credentials of their own."""

from fastapi import APIRouter, Depends

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models import DeviceIn, DeviceOut, DevicesOut, NewDeviceOut
from loadcenter.adapters.web.problems import ProblemError
from loadcenter.domain.topology import TopologyError
from loadcenter.services.ports import Store
from loadcenter.services.registry import AlreadyRegisteredError, Registry


def device_routes(registry: Registry, store: Store) -> APIRouter:
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
            id=body.id, password=secret.password, mosquitto=f"{body.id}:{secret.mosquitto_hash}"
        )

    return router
