"""Carries out orders for later: each once, over restarts, unless it was cancelled or is too late.

An order is written down as given before it is sent: after a crash between the two it was not sent, and is told as given
without a command; it is never sent twice.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec

from loadcenter.domain.commands import CommandStatus, Do, Order, OrderError, check_order
from loadcenter.domain.plans import (
    DELAY_S_MOST,
    LATE_MS,
    STEPS_MOST,
    Plan,
    PlannedStep,
    StepStatus,
    missed,
)
from loadcenter.domain.topology import OutletId
from loadcenter.services.announce import Announcement, Announcer, CommandChanged
from loadcenter.services.clock_steps import ClockSteps
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.fleet import Fleet, NoSuchPduError
from loadcenter.services.ports import Clock, CommandRow, ControlStore, PlanRow, StoreUnavailableError
from loadcenter.services.site_keeping import decides

_log = logging.getLogger(__name__)

LOOK_MS = 50
"""How exactly a sequence keeps its steps."""

LISTED = 100
FAR_MS = 2**62
_decoder = msgspec.json.Decoder(tuple[PlannedStep, ...])


class NoSuchPlanError(KeyError):
    """There is no plan of that id."""

    def __str__(self) -> str:
        return f"there is no plan '{self.args[0]}'"


class Plans:
    """Knows the plans that wait, and the latest that are over."""

    def __init__(
        self, store: ControlStore, clock: Clock, fleet: Fleet, dispatch: Dispatch, announcer: Announcer
    ) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._dispatch = dispatch
        self._plans: dict[str, Plan] = {}
        self._unkept: set[str] = set()
        self._clock_steps = ClockSteps(clock)
        self._next_ms = 0
        announcer.listen(self._hear)

    async def load(self) -> None:
        """Read the plans.

        Raises:
            StoreUnavailableError: the database is away.
        """
        for row in reversed(await self._store.plans(LISTED)):
            self._plans[row.plan_id] = _read(row)
        self._next_ms = 0

    def all(self) -> list[Plan]:
        """Return the plans, newest first."""
        return list(reversed(self._plans.values()))

    def plan(self, plan_id: str) -> Plan:
        """Return one plan.

        Raises:
            NoSuchPlanError: there is none of that id.
        """
        try:
            return self._plans[plan_id]
        except KeyError:
            raise NoSuchPlanError(plan_id) from None

    def next_for(self, outlet: OutletId) -> PlannedStep | None:
        """Return the order that comes next for an outlet, None if none does."""
        waiting = [
            step
            for plan in self._plans.values()
            for step in plan.steps
            if step.status is StepStatus.WAITING
            and (step.pdu_id, step.order.outlet) == (outlet.pdu_id, outlet.outlet)
        ]
        return min(waiting, key=lambda step: step.due_ms, default=None)

    async def add(
        self,
        orders: Sequence[tuple[str, Order]],
        delay_ms: int,
        stagger_ms: int,
        by: str,
        key: str | None = None,
    ) -> Plan:
        """Keep orders for later; the first after `delay_ms`, each other `stagger_ms` after the one before.

        The same `key` gives the same plan, so that a request that is repeated is carried out once.

        Raises:
            NoSuchPduError: a PDU is not registered.
            OrderError: an order is incomplete, there are none or too many, they lie too far ahead, or the key was given
                with others.
            StoreUnavailableError: the database is away; nothing was kept.
        """
        if not 1 <= len(orders) <= STEPS_MOST:
            raise OrderError(f"give 1 to {STEPS_MOST} orders, not {len(orders)}")
        if not 0 <= delay_ms + stagger_ms * len(orders) <= DELAY_S_MOST * 1000:
            raise OrderError(f"the last order must come within {DELAY_S_MOST} s")
        plan_id = f"p-{secrets.token_hex(8) if key is None else sha256(key.encode()).hexdigest()[:16]}"
        if (known := self._plans.get(plan_id)) is not None:
            if [(step.pdu_id, step.order) for step in known.steps] != list(orders):
                raise OrderError(
                    "this Idempotency-Key was given with other orders: give each request its own"
                )
            return known
        now_ms = self._clock.now_ms()
        steps = []
        for number, (pdu_id, order) in enumerate(orders):
            self._fleet.twin(pdu_id)
            steps.append(PlannedStep(pdu_id, check_order(order), now_ms + delay_ms + number * stagger_ms))
        plan = Plan(plan_id, now_ms, by, tuple(steps))
        await self._store.put_plan(_row(plan))
        self._plans[plan.plan_id] = plan
        self._next_ms = 0
        return plan

    async def cancel(self, plan_id: str, by: str) -> Plan:
        """End what still waits of a plan, and return it.

        Raises:
            NoSuchPlanError: there is none of that id.
            StoreUnavailableError: the database is away; it goes on.
        """
        plan = self.plan(plan_id).cancelled(f"cancelled by {by}")
        await self._store.put_plan(_row(plan))
        self._plans[plan_id] = plan
        return plan

    async def run(self) -> None:
        """Give orders when their time has come, until cancelled."""
        while True:
            await self._clock.sleep_ms(LOOK_MS)
            await self.look()

    async def look(self) -> None:
        """Give the orders whose time has come; while the database is away they wait, and may be missed."""
        by_ms = self._clock_steps.taken()
        if by_ms:
            self._plans = {key: plan.shifted(by_ms) for key, plan in self._plans.items()}
            self._unkept.update(key for key, plan in self._plans.items() if plan.open)
        elif self._clock.now_ms() < self._next_ms and not self._unkept:
            return
        for plan_id in list(self._plans):
            try:
                await self._look_at(plan_id)
            except StoreUnavailableError as error:
                _log.debug("orders for later wait for the database: %s", error)
        self._forget_old()
        self._next_ms = min((plan.next_ms for plan in self._plans.values() if plan.open), default=FAR_MS)

    async def _look_at(self, plan_id: str) -> None:
        if plan_id in self._unkept:
            await self._store.put_plan(_row(self._plans[plan_id]))
            self._unkept.discard(plan_id)
        now_ms = self._clock.now_ms()
        for at in self._plans[plan_id].due(now_ms):
            step = self._plans[plan_id].steps[at]
            if step.status is not StepStatus.WAITING:
                continue
            if missed(step, now_ms):
                detail = f"missed: it was more than {LATE_MS // 1000} s late"
                await self._put(plan_id, at, replace(step, status=StepStatus.MISSED, detail=detail))
                continue
            await self._put(plan_id, at, replace(step, status=StepStatus.GIVEN))
            await self._put(plan_id, at, await self._given(step))

    async def _given(self, step: PlannedStep) -> PlannedStep:
        try:
            row = await self._dispatch.submit(step.pdu_id, step.order, None)
        except (NoSuchPduError, OrderError) as error:
            return replace(step, status=StepStatus.REFUSED, detail=str(error))
        status = StepStatus.REFUSED if row.status is CommandStatus.REJECTED else StepStatus.GIVEN
        return replace(step, status=status, command_id=row.id, detail=row.detail)

    async def _put(self, plan_id: str, at: int, step: PlannedStep) -> None:
        plan = self._plans[plan_id].with_step(at, step)
        if step.command_id:
            # it was sent: known at once, written down when that can be
            self._plans[plan_id] = plan
            self._unkept.add(plan_id)
            await self._store.put_plan(_row(plan))
            self._unkept.discard(plan_id)
            return
        await self._store.put_plan(_row(plan))
        self._plans[plan_id] = plan

    def _hear(self, announcement: Announcement) -> None:
        if not isinstance(announcement, CommandChanged) or not _switched_off(announcement.command):
            return
        command = announcement.command
        assert command.order.outlet is not None
        if any(step.order is command.order for plan in self._plans.values() for step in plan.steps):
            return  # an order of a plan itself
        outlet = OutletId(command.pdu_id, command.order.outlet)
        for plan_id, plan in list(self._plans.items()):
            # what was planned after the order is newer than it
            if plan.open and plan.created_ms <= command.created_ms:
                ended = plan.overruled(outlet, command.order.by)
                if ended != plan:
                    self._plans[plan_id] = ended
                    self._unkept.add(plan_id)

    def _forget_old(self) -> None:
        ended = [plan_id for plan_id, plan in self._plans.items() if not plan.open]
        for plan_id in ended[: max(0, len(ended) - LISTED)]:
            del self._plans[plan_id]


def _switched_off(command: CommandRow) -> bool:
    return command.order.do is Do.SWITCH and command.order.on is False and decides(command)


def _row(plan: Plan) -> PlanRow:
    return PlanRow(
        plan.plan_id, plan.created_ms, plan.by, plan.open, msgspec.json.encode(plan.steps).decode()
    )


def _read(row: PlanRow) -> Plan:
    return Plan(row.plan_id, row.created_ms, row.given_by, _decoder.decode(row.steps))
