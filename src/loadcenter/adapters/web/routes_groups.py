"""Groups of outlets, and orders for later."""

from collections.abc import Iterable

from fastapi import APIRouter, Depends, Response

from loadcenter.adapters.web.gate import Known, require_visitor
from loadcenter.adapters.web.models_control import (
    GroupCommandIn,
    GroupIn,
    GroupOut,
    GroupsOut,
    PlanIn,
    PlanOut,
    PlansOut,
    TimingIn,
)
from loadcenter.adapters.web.problems import ProblemError, not_found
from loadcenter.adapters.web.routes_commands import IdempotencyKey, check_confirmed
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.adapters.web.shapes_control import group_out, outlet_order, plan_out
from loadcenter.domain.commands import Order, OrderError
from loadcenter.domain.groups import Group, GroupError, in_turn
from loadcenter.domain.quantities import to_milli
from loadcenter.domain.topology import TopologyError, parse_outlet_id
from loadcenter.services.control import Control
from loadcenter.services.groups import GroupConflictError, NoSuchGroupError
from loadcenter.services.plans import NoSuchPlanError


def group_routes(shapes: Shapes, control: Control) -> APIRouter:
    """Return the routes of groups and of plans."""
    router = APIRouter(tags=["control"], dependencies=[Depends(require_visitor)])
    _add_groups(router, shapes, control)
    _add_plans(router, shapes, control)
    return router


def _add_groups(router: APIRouter, shapes: Shapes, control: Control) -> None:
    @router.get("/groups")
    async def list_groups() -> GroupsOut:
        """Return all groups."""
        return GroupsOut(items=[group_out(one) for one in control.groups.all().values()])

    @router.get("/groups/{group_id}")
    async def one_group(group_id: str) -> GroupOut:
        """Return one group."""
        try:
            return group_out(control.groups.group(group_id))
        except NoSuchGroupError as error:
            raise not_found("no_such_group", str(error)) from error

    @router.put("/groups/{group_id}")
    async def write_group(group_id: str, body: GroupIn) -> GroupOut:
        """Make a group, or change it."""
        try:
            members = tuple(parse_outlet_id(name) for name in body.members)
            return group_out(await control.groups.put(Group(group_id, body.name, members), body.base_version))
        except GroupConflictError as error:
            raise ProblemError(409, "conflict", "Somebody else was faster", str(error)) from error
        except (GroupError, TopologyError) as error:
            raise ProblemError(422, "bad_group", "Group refused", str(error)) from error

    @router.delete("/groups/{group_id}", status_code=204)
    async def delete_group(group_id: str) -> Response:
        """Forget a group; its outlets stay as they are."""
        try:
            await control.groups.remove(group_id)
        except NoSuchGroupError as error:
            raise not_found("no_such_group", str(error)) from error
        return Response(status_code=204)

    @router.post("/groups/{group_id}/commands", status_code=202)
    async def command_group(
        group_id: str, body: GroupCommandIn, visitor: Known, idempotency_key: IdempotencyKey = None
    ) -> PlanOut:
        """Switch the outlets of a group in turn."""
        try:
            members = control.groups.group(group_id).group.members
        except NoSuchGroupError as error:
            raise not_found("no_such_group", str(error)) from error
        turn = in_turn(members, on=body.do != "off")
        orders = [(one.pdu_id, outlet_order(body.do, one.outlet, body.off_s, visitor.user)) for one in turn]
        return await _plan(shapes, control, orders, body, visitor.user, idempotency_key)


def _add_plans(router: APIRouter, shapes: Shapes, control: Control) -> None:
    @router.get("/plans")
    async def list_plans() -> PlansOut:
        """Return the plans that wait, and the latest that are over, newest first."""
        return PlansOut(items=[plan_out(one) for one in control.plans.all()])

    @router.get("/plans/{plan_id}")
    async def one_plan(plan_id: str) -> PlanOut:
        """Return one plan."""
        try:
            return plan_out(control.plans.plan(plan_id))
        except NoSuchPlanError as error:
            raise not_found("no_such_plan", str(error)) from error

    @router.post("/plans", status_code=202)
    async def add_plan(body: PlanIn, visitor: Known, idempotency_key: IdempotencyKey = None) -> PlanOut:
        """Give orders for later: one after a delay, or several in turn."""
        orders = [
            (one.pdu_id, outlet_order(one.do, one.outlet, one.off_s, visitor.user)) for one in body.orders
        ]
        return await _plan(shapes, control, orders, body, visitor.user, idempotency_key)

    @router.delete("/plans/{plan_id}")
    async def cancel_plan(plan_id: str, visitor: Known) -> PlanOut:
        """End what still waits of a plan."""
        try:
            return plan_out(await control.plans.cancel(plan_id, visitor.user))
        except NoSuchPlanError as error:
            raise not_found("no_such_plan", str(error)) from error


async def _plan(
    shapes: Shapes,
    control: Control,
    orders: Iterable[tuple[str, Order]],
    timing: TimingIn,
    user: str,
    key: str | None,
) -> PlanOut:
    given = list(orders)
    check_confirmed(shapes, given, confirmed=timing.confirm)
    try:
        plan = await control.plans.add(given, to_milli(timing.delay_s), to_milli(timing.stagger_s), user, key)
    except OrderError as error:
        raise ProblemError(422, "bad_order", "Order incomplete", str(error)) from error
    return plan_out(plan)
