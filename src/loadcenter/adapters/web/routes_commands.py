"""Orders to PDUs and how they ended."""

from collections.abc import Iterable, Sequence
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
from loadcenter.adapters.web.shapes_control import outlet_order, shortage_out
from loadcenter.domain.commands import CommandStatus, Do, Order, OrderError, ResultCode
from loadcenter.domain.topology import OutletId, TopologyError, parse_outlet_id
from loadcenter.protocol.codes import CODES
from loadcenter.services.headroom import Headroom
from loadcenter.services.ports import CommandRow
from loadcenter.services.wording import command_message

IdempotencyKey = Annotated[str | None, Header(max_length=128)]


def command_routes(shapes: Shapes, headroom: Headroom) -> APIRouter:
    """Return the routes that switch, and those that tell what became of it."""
    router = APIRouter(tags=["commands"], dependencies=[Depends(require_visitor)])

    async def submit(
        pdu_id: str,
        order: Order,
        key: str | None,
        response: Response,
        displace: Sequence[OutletId] = (),
    ) -> CommandOut:
        try:
            row = await shapes.dispatch.submit(pdu_id, order, key, displace)
        except OrderError as error:
            raise ProblemError(422, "bad_order", "Order incomplete", str(error)) from error
        if row.status is CommandStatus.REJECTED:
            raise _refused(row, shapes, headroom, displace)
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
        order = outlet_order(body.do, n, body.off_s, visitor.user)
        check_confirmed(shapes, [(pdu_id, order)], confirmed=body.confirm)
        try:
            displace = [parse_outlet_id(name) for name in body.displace]
        except TopologyError as error:
            raise ProblemError(422, "bad_order", "Order incomplete", str(error)) from error
        return await submit(pdu_id, order, idempotency_key, response, displace)

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


def check_confirmed(shapes: Shapes, orders: Iterable[tuple[str, Order]], *, confirmed: bool) -> None:
    """Let orders pass that switch no critical outlet off, or were confirmed.

    Raises:
        NoSuchPduError: no such PDU.
        ProblemError: 409, naming the critical outlets.
    """
    critical = [
        f"{pdu_id}/{order.outlet} ({label.name})"
        for pdu_id, order in orders
        if order.outlet is not None
        and (order.do is Do.CYCLE or (order.do is Do.SWITCH and not order.on))
        and (label := shapes.fleet.labels(pdu_id).outlet(order.outlet)).critical
    ]
    if critical and not confirmed:
        raise ProblemError(
            409,
            "confirm_needed",
            "Confirmation needed",
            f"{', '.join(critical)} is marked critical and would go off: send the order again with 'confirm': true",
        )


def _refused(
    row: CommandRow, shapes: Shapes, headroom: Headroom, displace: Sequence[OutletId]
) -> ProblemError:
    title = CODES["result"][row.code].meaning if row.code in CODES["result"] else "Refused"
    shortage = None
    if row.code == ResultCode.NO_HEADROOM and row.order.outlet is not None:
        shortage = headroom.shortage(row.pdu_id, row.order.outlet, displace)
    more = None
    if shortage is not None:
        pdus = {one.outlet.pdu_id for one in shortage.candidates}
        more = shortage_out(shortage, {pdu_id: shapes.fleet.labels(pdu_id) for pdu_id in pdus})
    headers = {"Location": f"/api/v1/commands/{row.id}"}
    return ProblemError(409, row.code, title, command_message(row), headers, more)
