"""Orders for later: one after a delay, or several in turn. Each is given once, or told not to have been."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from loadcenter.domain.commands import Order
from loadcenter.domain.topology import OutletId

LATE_MS = 60_000
"""An order that is later than this, after a restart for instance, is missed: by then it may surprise somebody."""

DELAY_S_MOST = 7 * 86_400
STEPS_MOST = 200


class StepStatus(StrEnum):
    """How far one order of a plan has got; only `waiting` is no end."""

    WAITING = "waiting"
    GIVEN = "given"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One order of a plan.

    Attributes:
        pdu_id: to which PDU.
        order: what.
        due_ms: when, UTC.
        status: how far it has got.
        command_id: of the command that it became, empty before.
        detail: why it was refused, cancelled or missed.
    """

    pdu_id: str
    order: Order
    due_ms: int
    status: StepStatus = StepStatus.WAITING
    command_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders that were given together, by whom and when."""

    plan_id: str
    created_ms: int
    by: str
    steps: tuple[PlannedStep, ...]

    @property
    def open(self) -> bool:
        """Whether an order of it is still waiting."""
        return any(step.status is StepStatus.WAITING for step in self.steps)

    @property
    def next_ms(self) -> int:
        """When its next order is due; only of an open one."""
        return min(step.due_ms for step in self.steps if step.status is StepStatus.WAITING)

    def shifted(self, by_ms: int) -> "Plan":
        """Return the plan after the clock was set by `by_ms`: a delay is an interval."""
        return replace(
            self,
            created_ms=self.created_ms + by_ms,
            steps=tuple(
                replace(step, due_ms=step.due_ms + by_ms) if step.status is StepStatus.WAITING else step
                for step in self.steps
            ),
        )

    def due(self, now_ms: int) -> tuple[int, ...]:
        """Return the positions of the orders whose time has come, missed ones with them."""
        return tuple(
            at
            for at, step in enumerate(self.steps)
            if step.status is StepStatus.WAITING and step.due_ms <= now_ms
        )

    def with_step(self, at: int, step: PlannedStep) -> "Plan":
        """Return the plan with another order at a position."""
        return replace(self, steps=(*self.steps[:at], step, *self.steps[at + 1 :]))

    def cancelled(self, why: str, applies: Callable[[PlannedStep], bool] = lambda _step: True) -> "Plan":
        """Return the plan without what is still waiting, as far as `applies` says so."""
        return replace(
            self,
            steps=tuple(
                replace(step, status=StepStatus.CANCELLED, detail=why)
                if step.status is StepStatus.WAITING and applies(step)
                else step
                for step in self.steps
            ),
        )

    def overruled(self, outlet: OutletId, by: str) -> "Plan":
        """Return the plan after a person has switched an outlet off: what waits for that outlet ends."""
        return self.cancelled(
            f"{outlet} was switched off by {by}" if by else f"{outlet} was switched off",
            lambda step: step.order.outlet is not None and OutletId(step.pdu_id, step.order.outlet) == outlet,
        )


def missed(step: PlannedStep, now_ms: int) -> bool:
    """Return whether it is too late for an order."""
    return now_ms - step.due_ms > LATE_MS
