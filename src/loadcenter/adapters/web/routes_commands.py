"""Orders to PDUs and how they ended."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from loadcenter.adapters.web.gate import Known, require_visitor
from loadcenter.adapters.web.models import (
    CommandOut,
    CommandsOut,
    OutletCommandIn,
    OutletNumber,
    PduCommandIn,
)
from loadcenter.adapters.web.problems import ProblemError, not_found
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.domain.commands import CYCLE_OFF_MS_DEFAULT, CommandStatus, Do, Order, OrderError
from loadcenter.domain.quantities import to_milli
from loadcenter.protocol.codes import CODES
from loadcenter.services.wording import command_message

IdempotencyKey = Annotated[str | None, Header(max_length=128)]


def command_routes(shapes: Shapes) -> APIRouter:
    """Return the routes that switch, and those that tell what became of it."""
    router = APIRouter(tags=["commands"], dependencies=[Depends(require_visitor)])

    async def submit(pdu_id: str, order: Order, key: str | None, response: Response) -> CommandOut:
        try:
            row = await shapes.dispatch.submit(pdu_id, order, key)
        except OrderError as error:
            raise ProblemError(422, "bad_order", "Order incomplete", str(error)) from error
        if row.status is CommandStatus.REJECTED:
            title = CODES["result"][row.code].meaning if row.code in CODES["result"] else "Refused"
            raise ProblemError(
                409, row.code, title, command_message(row), {"Location": f"/api/v1/commands/{row.id}"}
            )
        response.headers["Location"] = f"/api/v1/commands/{row.id}"
        return shapes.command(row)

    @router.post("/pdus/{pdu_id}/outlets/{n}/commands", status_code=202)
    async def command_outlet(
        pdu_id: str,
        n: OutletNumber,
        body: OutletCommandIn,
        visitor: Known,
        response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> CommandOut:
        """Ask a PDU to do something with one outlet."""
        return await submit(pdu_id, _outlet_order(n, body, visitor.user), idempotency_key, response)

    @router.post("/pdus/{pdu_id}/commands", status_code=202)
    async def command_pdu(
        pdu_id: str,
        body: PduCommandIn,
        visitor: Known,
        response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> CommandOut:
        """Ask a PDU to change its source, or to end a lockout."""
        order = Order(Do(body.do), source=body.source, by=visitor.user)
        return await submit(pdu_id, order, idempotency_key, response)

    @router.get("/commands")
    async def list_commands(
        pdu: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> CommandsOut:
        """Return the latest commands, newest first."""
        rows = await shapes.dispatch.commands(pdu, limit)
        return CommandsOut(items=[shapes.command(row) for row in rows])

    @router.get("/commands/{command_id}")
    async def one_command(command_id: str) -> CommandOut:
        """Return how far a command has got."""
        row = await shapes.dispatch.command(command_id)
        if row is None:
            raise not_found("no_such_command", f"there is no command '{command_id}'")
        return shapes.command(row)

    return router


def _outlet_order(n: int, body: OutletCommandIn, user: str) -> Order:
    match body.do:
        case "on" | "off":
            return Order(Do.SWITCH, n, on=body.do == "on", by=user)
        case "cycle":
            off_ms = CYCLE_OFF_MS_DEFAULT if body.off_s is None else to_milli(body.off_s)
            return Order(Do.CYCLE, n, off_ms=off_ms, by=user)
        case "reset_trip":
            return Order(Do.RESET_TRIP, n, by=user)
        case "lock" | "unlock":
            return Order(Do.LOCK, n, on=body.do == "lock", by=user)
