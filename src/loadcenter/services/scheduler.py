"""Carries schedules out: one task that looks what is due, writes down what it decides, and then gives the orders.

A decision is written before it is carried out, in one transaction with how far the schedule has come; an order carries
the name of its step as idempotency key. So each step is decided once and given once, whenever this process ends: one that
was decided and perhaps not sent is given again under the same key. While the database is away nothing is decided, and
what is due waits, as long as it may be late.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from loadcenter.domain.commands import CYCLE_OFF_MS_DEFAULT, CommandStatus, Do, Order, OrderError, ResultCode
from loadcenter.domain.events import Cause
from loadcenter.domain.occurrences import (
    ON_TIME_MS,
    Decision,
    Occurrence,
    Past,
    RunKey,
    RunResult,
    decide,
    steps_of,
)
from loadcenter.domain.origin import cause_of, is_automatic, schedule_origin
from loadcenter.domain.schedules import DAY_MS, HOUR_MS, Act
from loadcenter.domain.topology import OutletId
from loadcenter.services.announce import Announcement, Announcer, CommandChanged
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.fleet import Fleet, NoSuchPduError
from loadcenter.services.ports import Clock, CommandRow, StoreUnavailableError
from loadcenter.services.ports.schedules import MarkKind, MarkRow, RunRow, ScheduleRow, ScheduleStore
from loadcenter.services.schedule_times import choosing_now, next_choice_ms, occurrences
from loadcenter.services.schedules import Schedules

_log = logging.getLogger(__name__)

LOOK_MS: Final = 1_000
"""How often it is looked whether anything has changed; what is due is met to the millisecond."""
AHEAD_MS: Final = 2 * DAY_MS
LOOK_BACK_MS: Final = 31 * DAY_MS
"""What was missed longer ago than this is not told one by one."""
KEPT_MS: Final = 400 * DAY_MS
"""How long runs are kept, as long as rollups of a minute are by default."""
FOLLOWED_MAX: Final = 1_000
"""Orders whose answer is still of interest; of an older one without an answer the run stays `unknown`."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a run, to be written."""

    key: RunKey
    past: Past
    command_id: str | None
    detail: str


class Scheduler:
    """Carries schedules out."""

    def __init__(
        self,
        schedules: Schedules,
        store: ScheduleStore,
        clock: Clock,
        fleet: Fleet,
        dispatch: Dispatch,
        announcer: Announcer,
    ) -> None:
        self._schedules = schedules
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._dispatch = dispatch
        self._followed: OrderedDict[str, RunRow] = OrderedDict()
        self._settled: list[_Settled] = []
        self._looked_ms = 0
        self._next_ms = 0
        self._changes = -1
        self._resumed = False
        self._forgot_ms = 0
        self._away = False
        announcer.listen(self._hear)

    async def run(self) -> None:
        """Carry out what is due, until cancelled."""
        while True:
            try:
                wait_ms = await self.look()
                self._away = False
            except StoreUnavailableError as error:
                if not self._away:
                    _log.warning("schedules wait for the database: %s", error)
                self._away = True
                wait_ms = LOOK_MS
            await self._clock.sleep_ms(wait_ms)

    async def look(self) -> int:
        """Carry out what is due now; return ms until it is to be looked again.

        Raises:
            StoreUnavailableError: the database is away; what is due is still due.
        """
        async with self._schedules.changing:
            if not self._resumed:
                await self._resume()
                self._resumed = True
            await self._write_settled()
            now_ms = self._clock.now_ms()
            set_back = now_ms < self._looked_ms
            self._looked_ms = now_ms
            if set_back or now_ms >= self._next_ms or self._changes != self._schedules.changes:
                await self._decide(now_ms)
                await self._write_settled()
            await self._forget(now_ms)
        return max(1, min(LOOK_MS, self._next_ms - self._clock.now_ms()))

    # -- what is due

    async def _decide(self, now_ms: int) -> None:
        rows = {row.id: row for row in self._schedules.rows() if row.enabled}
        self._schedules.choose(self._chosen(rows.values(), now_ms))
        marks = self._schedules.unwritten_marks()
        since_ms = {row.id: max(min(row.decided_ms, now_ms), now_ms - LOOK_BACK_MS) for row in rows.values()}
        known = self._known(rows.values(), since_ms, now_ms)
        past = await self._past(known, since_ms, now_ms)
        decisions = decide(known, since_ms, past, self._schedules.marks(), now_ms)
        waiting = [one for one in decisions if self._waits(one, now_ms)]
        runs = [self._run(one, rows, now_ms) for one in decisions if one not in waiting]
        decided_ms = self._decided(rows, waiting, now_ms, always=bool(runs))
        if runs or marks or decided_ms:
            fresh = await self._store.decide(runs, marks, decided_ms)
            self._schedules.note_decided(marks, decided_ms)
            for run in [one for one in runs if one.key in fresh]:
                if run.past.result is RunResult.SENT:
                    await self._begin(run)
                else:
                    _tell(run, run.past)
        self._changes = self._schedules.changes
        self._next_ms = now_ms + LOOK_MS if waiting else self._next_due_ms(rows.values(), now_ms)

    def _chosen(self, rows: Iterable[ScheduleRow], now_ms: int) -> list[MarkRow]:
        """Return the marks of the cheapest hours that are chosen now."""
        around = self._schedules.circumstances()
        return [
            MarkRow(row.id, start_ms, MarkKind.SPAN, end_ms, day.isoformat())
            for row in rows
            for day, spans in choosing_now(row.id, row.plan, now_ms, around)
            for start_ms, end_ms in spans
        ]

    def _known(
        self, rows: Iterable[ScheduleRow], since_ms: Mapping[str, int], now_ms: int
    ) -> list[Occurrence]:
        around = self._schedules.circumstances()
        return [
            one for row in rows for one in occurrences(row.id, row.plan, since_ms[row.id], now_ms + 1, around)
        ]

    async def _past(
        self, known: Iterable[Occurrence], since_ms: Mapping[str, int], now_ms: int
    ) -> dict[RunKey, Past]:
        """Return what became of the occurrences that matter; the database is asked only where something is due."""
        due = any(
            since_ms[one.schedule_id] < step.due_ms <= now_ms for one in known for step in steps_of(one)
        )
        return await self._store.past_of({one.start_ms for one in known}, now_ms) if due else {}

    def _waits(self, decision: Decision, now_ms: int) -> bool:
        """Return whether a step waits for its PDU: that is away, and the step may still be late."""
        step = decision.step
        if decision.past.result is not RunResult.SENT or now_ms - step.due_ms >= step.occurrence.late_ms:
            return False
        twin = self._fleet.twins().get(step.key.place.pdu_id)
        return twin is not None and not (twin.online and twin.state is not None)

    def _run(self, decision: Decision, rows: Mapping[str, ScheduleRow], now_ms: int) -> RunRow:
        step = decision.step
        name = rows[step.key.schedule_id].name
        return RunRow(step.key, name, step.due_ms, now_ms, step.act, decision.past)

    def _decided(
        self, rows: Mapping[str, ScheduleRow], waiting: Sequence[Decision], now_ms: int, *, always: bool
    ) -> dict[str, int]:
        """Return until when schedules are decided now: before the first step that waits, and never in the future.

        Without a decision it is written once an hour, and at once after the clock was set back.
        """
        until_ms = dict.fromkeys(rows, now_ms)
        for one in waiting:
            key = one.step.key.schedule_id
            until_ms[key] = min(until_ms[key], one.step.due_ms - 1)
        return {
            key: at_ms
            for key, at_ms in until_ms.items()
            if at_ms != rows[key].decided_ms and (always or not 0 <= at_ms - rows[key].decided_ms < HOUR_MS)
        }

    def _next_due_ms(self, rows: Iterable[ScheduleRow], now_ms: int) -> int:
        around = self._schedules.circumstances()
        due = [now_ms + HOUR_MS]
        for row in rows:
            choice_ms = next_choice_ms(row.id, row.plan, now_ms, around)
            due += [] if choice_ms is None else [choice_ms]
            for one in occurrences(row.id, row.plan, now_ms, now_ms + AHEAD_MS, around):
                due += [at_ms for at_ms in (one.start_ms, one.until_ms) if at_ms > now_ms]
        return min(due)

    # -- orders

    async def _begin(self, run: RunRow) -> None:
        """Give the order of a run, or tell what kept it from being given."""
        refused = self._refused(run)
        if refused is not None:
            self._settle(run, refused)
            return
        order = _order(run, self._schedules)
        try:
            row = await self._dispatch.submit(run.key.place.pdu_id, order, _key(run.key))
        except NoSuchPduError as error:
            self._settle(run, Past(RunResult.REFUSED, "no_such_pdu"), detail=str(error))
        except OrderError as error:
            self._settle(run, Past(RunResult.REFUSED, "bad_order"), detail=str(error))
        else:
            self._follow(run, row)

    def _refused(self, run: RunRow) -> Past | None:
        """Return why a run is not given although it was decided: a person came meanwhile, or its outlet is shed."""
        taken = self._schedules.marks().overridden.get((run.key.schedule_id, run.key.start_ms, run.key.place))
        if taken is not None:
            return Past(RunResult.OVERRIDDEN, taken)
        twin = self._fleet.twins().get(run.key.place.pdu_id)
        reported = twin.outlet_state(run.key.place.outlet) if twin else None
        if reported is None or not run.act.wants_on:
            return None
        if cause_of(reported.cause, reported.by, on=reported.on) is Cause.SHED:
            return Past(RunResult.REFUSED, ResultCode.NO_HEADROOM.value)
        return None

    def _follow(self, run: RunRow, row: CommandRow) -> None:
        if row.status.final:
            self._end(run, row)
        if not row.status.final or row.status is CommandStatus.UNKNOWN:
            self._followed[row.id] = run
            while len(self._followed) > FOLLOWED_MAX:
                self._followed.popitem(last=False)

    def _end(self, run: RunRow, row: CommandRow) -> None:
        self._settle(run, _result(run, row), row.id, row.detail)

    def _settle(self, run: RunRow, past: Past, command_id: str | None = None, detail: str = "") -> None:
        _tell(run, past)
        self._settled.append(_Settled(run.key, past, command_id, detail))

    def _hear(self, said: Announcement) -> None:
        """Note how an order of a schedule ended, and what a person has switched. Nothing waits here."""
        if not isinstance(said, CommandChanged):
            return
        row = said.command
        run = self._followed.get(row.id)
        if run is not None and row.status.final:
            self._end(run, row)
            if row.status is not CommandStatus.UNKNOWN:
                del self._followed[row.id]
        elif run is None and row.order.do is Do.SWITCH and not is_automatic(row.order.by):
            self._take_over(row)

    def _take_over(self, row: CommandRow) -> None:
        order = row.order
        assert order.outlet is not None
        already_off = row.code == ResultCode.ALREADY and not order.on
        if row.status is CommandStatus.PENDING or (row.status is CommandStatus.REJECTED and already_off):
            kind = MarkKind.PERSON_ON if order.on else MarkKind.PERSON_OFF
            self._schedules.take_over(OutletId(row.pdu_id, order.outlet), kind, order.by)

    async def _write_settled(self) -> None:
        while self._settled:
            one = self._settled[0]
            await self._store.settle_run(one.key, one.past, one.command_id, one.detail)
            self._settled.pop(0)

    async def _resume(self) -> None:
        """Give again, under the same key, what was decided and perhaps not sent when the process ended."""
        now_ms = self._clock.now_ms()
        late_ms = {row.id: max(row.plan.late_ms, ON_TIME_MS) for row in self._schedules.rows()}
        for run in await self._store.runs_under_way():
            if now_ms - run.due_ms <= late_ms.get(run.key.schedule_id, -1):
                await self._begin(run)
                continue
            given = await self._dispatch.commands(run.key.place.pdu_id, FOLLOWED_MAX)
            row = next((one for one in given if one.idempotency_key == _key(run.key)), None)
            if row is None:
                self._settle(run, Past(RunResult.MISSED))
            else:
                self._follow(run, row)

    async def _forget(self, now_ms: int) -> None:
        if now_ms - self._forgot_ms >= DAY_MS:
            await self._schedules.forget_before(now_ms - KEPT_MS)
            self._forgot_ms = now_ms


def _order(run: RunRow, schedules: Schedules) -> Order:
    by = schedule_origin(run.schedule_name)
    match run.act:
        case Act.ON | Act.OFF:
            return Order(Do.SWITCH, run.key.place.outlet, on=run.act is Act.ON, by=by)
        case Act.CYCLE:
            off_ms = schedules.row(run.key.schedule_id).plan.off_ms or CYCLE_OFF_MS_DEFAULT
            return Order(Do.CYCLE, run.key.place.outlet, off_ms=off_ms, by=by)
        case _:
            assert_never(run.act)


def _tell(run: RunRow, past: Past) -> None:
    """Log a run that did not do what its schedule says, unless a person wanted it so."""
    if past.result in (RunResult.MISSED, RunResult.REFUSED, RunResult.UNKNOWN):
        why = f"{past.result} {past.code}".rstrip()
        _log.warning("schedule '%s' did not switch %s %s: %s", run.schedule_name, run.key.place, run.act, why)


def _key(key: RunKey) -> str:
    return f"schedule:{key.schedule_id}:{key.start_ms}:{key.edge}:{key.place}"


def _result(run: RunRow, row: CommandRow) -> Past:
    """Return what became of a run, from how its command ended."""
    in_time = row.created_ms - run.due_ms <= ON_TIME_MS
    if row.status is CommandStatus.CONFIRMED or row.code == ResultCode.ALREADY:
        return Past(RunResult.DONE if in_time else RunResult.LATE)
    if row.status is CommandStatus.UNKNOWN:
        return Past(RunResult.UNKNOWN)
    if row.code == ResultCode.SUPERSEDED:
        return Past(RunResult.OVERRIDDEN, ResultCode.SUPERSEDED.value)
    return Past(RunResult.REFUSED, row.code or row.status.value)
