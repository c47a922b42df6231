"""The schedules of a site: kept, changed, skipped, held off, and looked at ahead of time.

Everything that decides is in memory and was written to the database before; `services/scheduler` carries it out.
"""

import asyncio
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Final

from loadcenter.domain.cheapest import PricedQuarter
from loadcenter.domain.occurrences import Conflict, Marks, Occurrence, conflicts, taken_over
from loadcenter.domain.schedules import DAY_MS, Plan, ScheduleError, Span, check_plan
from loadcenter.domain.topology import OutletId
from loadcenter.services.energy_prices import EnergyPrices
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import Clock
from loadcenter.services.ports.schedules import (
    Almanac,
    HoldRow,
    MarkKind,
    MarkRow,
    PriceRow,
    ScheduleRow,
    ScheduleStore,
)
from loadcenter.services.schedule_marks import MarkBook
from loadcenter.services.schedule_times import Circumstances, occurrences

_log = logging.getLogger(__name__)

SCHEDULES_MAX: Final = 500
HOLIDAYS_MAX: Final = 1_000
PREVIEW_MS: Final = 1_200 * DAY_MS
"""How far ahead the next occurrences are looked for: a leap day comes within it for most of the time."""
PREVIEW_STEP_MS: Final = 32 * DAY_MS
CONFLICTS_MS: Final = 14 * DAY_MS
"""How far ahead the conflicts of a schedule are shown before it is kept."""
CONFLICTS_MAX: Final = 500
"""The first so many conflicts are shown."""


class NoSuchScheduleError(KeyError):
    """No schedule has that id."""

    def __init__(self, schedule_id: str) -> None:
        super().__init__(schedule_id)
        self.schedule_id = schedule_id

    def __str__(self) -> str:
        return f"there is no schedule '{self.schedule_id}'; 'loadcenter schedule list' shows those that are"


class ScheduleConflictError(Exception):
    """The schedule was changed by somebody else since it was read, or another one has its name."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A schedule as a person gives it."""

    name: str
    plan: Plan
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """The next occurrences of a schedule, and where it contradicts others within the next 14 days."""

    occurrences: tuple[Occurrence, ...]
    conflicts: tuple[Conflict, ...]


class Schedules:
    """Keeps the schedules.

    Attributes:
        store: where they are kept.
        clock: time.
        changing: held while schedules are changed or carried out, so that neither sees the other half-done.
        changes: rises whenever occurrences may have become others.
    """

    def __init__(
        self, store: ScheduleStore, clock: Clock, fleet: Fleet, almanac: Almanac, prices: EnergyPrices
    ) -> None:
        self.store = store
        self.clock = clock
        self._fleet = fleet
        self._almanac = almanac
        self._prices = prices
        self._rows: dict[str, ScheduleRow] = {}
        self._unusable: set[str] = set()
        self._marks = MarkBook()
        self._holds: dict[OutletId, HoldRow] = {}
        self._holidays: dict[date, str] = {}
        self.changing = asyncio.Lock()
        self.changes = 0

    # -- what is kept

    async def load(self) -> None:
        """Read everything. A schedule that cannot come about any more counts as disabled, and the log says why.

        Raises:
            StoreUnavailableError: the database is away.
        """
        self._rows = {row.id: self._usable(row) for row in await self.store.schedules()}
        self._marks = MarkBook(await self.store.marks())
        self._holds = {row.place: row for row in await self.store.holds()}
        self._holidays = await self.store.holidays()
        await self._prices.load()
        self.changes += 1

    @property
    def almanac(self) -> Almanac:
        """Days and instants."""
        return self._almanac

    @property
    def currency(self) -> str:
        """The currency of prices, empty without a tariff."""
        return self._prices.currency

    def prices(self, since_ms: int, until_ms: int) -> list[PricedQuarter]:
        """Return what a kWh costs in the quarters of an hour from `since_ms` on that begin before `until_ms`."""
        return self._prices.quarters(since_ms, until_ms)

    def rows(self) -> list[ScheduleRow]:
        """Return all schedules by name."""
        return sorted(self._rows.values(), key=lambda row: row.name)

    def row(self, schedule_id: str) -> ScheduleRow:
        """Return one schedule.

        Raises:
            NoSuchScheduleError: there is none of that id.
        """
        try:
            return self._rows[schedule_id]
        except KeyError:
            raise NoSuchScheduleError(schedule_id) from None

    def holds(self) -> list[HoldRow]:
        """Return the outlets that no schedule switches on."""
        return [self._holds[place] for place in sorted(self._holds)]

    def holidays(self) -> Mapping[date, str]:
        """Return the names of the holidays, by day."""
        return self._holidays

    def marks(self) -> Marks:
        """Return what people have done about occurrences and outlets."""
        return Marks(self._marks.skipped(), self._marks.taken(), set(self._holds))

    def circumstances(self) -> Circumstances:
        """Return what occurrences depend on, as of now."""
        return Circumstances(self._almanac, self._holidays, self._prices, self._marks.chosen())

    def occurrences(
        self, since_ms: int, until_ms: int, rows: Iterable[ScheduleRow] | None = None
    ) -> list[Occurrence]:
        """Return the occurrences of schedules (by default all that are enabled) that reach a time, in order."""
        around = self.circumstances()
        wanted = [row for row in self._rows.values() if row.enabled] if rows is None else rows
        found = [
            one
            for row in wanted
            if row.id not in self._unusable
            for one in occurrences(row.id, row.plan, since_ms, until_ms, around)
        ]
        return sorted(found, key=lambda one: (one.start_ms, one.schedule_id))

    # -- changes by people

    async def add(self, draft: Draft, by: str) -> ScheduleRow:
        """Keep a new schedule; its first occurrence is the next one that begins.

        Raises:
            ScheduleError: it does not fit.
            ScheduleConflictError: another one has its name.
            StoreUnavailableError: the database is away; nothing was kept.
        """
        self.check(draft)
        if len(self._rows) >= SCHEDULES_MAX:
            raise ScheduleError(f"there are {SCHEDULES_MAX} schedules: remove one first")
        now_ms = self.clock.now_ms()
        row = ScheduleRow(
            f"s-{secrets.token_hex(6)}", draft.name, 1, draft.enabled, draft.plan, now_ms, now_ms, now_ms, by
        )
        async with self.changing:
            await self._put(row, 0)
        return row

    async def change(self, schedule_id: str, version: int, draft: Draft, by: str) -> ScheduleRow:
        """Replace a schedule. That switches nothing; what it has switched stays until something else does.

        Raises:
            NoSuchScheduleError: there is none of that id.
            ScheduleError: it does not fit.
            ScheduleConflictError: `version` is not the current one, or another one has its name.
            StoreUnavailableError: the database is away; nothing was changed.
        """
        self.row(schedule_id)
        self.check(draft)
        now_ms = self.clock.now_ms()
        async with self.changing:
            old = self.row(schedule_id)
            if old.version != version:
                raise _changed(old, version)
            row = replace(
                old,
                name=draft.name,
                version=version + 1,
                enabled=draft.enabled,
                plan=draft.plan,
                decided_ms=now_ms,
                changed_ms=now_ms,
                changed_by=by,
            )
            await self._put(row, version)
            if draft.plan != old.plan:
                await self._forget_choice(schedule_id, now_ms)
        return row

    async def remove(self, schedule_id: str) -> None:
        """Forget a schedule. That switches nothing.

        Raises:
            NoSuchScheduleError: there is none of that id.
            StoreUnavailableError: the database is away.
        """
        async with self.changing:
            self.row(schedule_id)
            await self.store.delete_schedule(schedule_id)
            del self._rows[schedule_id]
            self._marks.forget_schedule(schedule_id)
            self.changes += 1

    async def skip(self, schedule_id: str, start_ms: int, by: str) -> None:
        """Let one occurrence not happen.

        Raises:
            NoSuchScheduleError: there is none of that id.
            ScheduleError: it has no occurrence that begins then, or that one has begun.
            StoreUnavailableError: the database is away.
        """
        self._check_coming(schedule_id, start_ms)
        mark = MarkRow(schedule_id, start_ms, MarkKind.SKIPPED, self.clock.now_ms(), by)
        async with self.changing:
            await self.store.put_marks([mark])
            self._marks.add([mark])
            self.changes += 1

    async def unskip(self, schedule_id: str, start_ms: int) -> None:
        """Let an occurrence that was skipped happen after all; one that was not happens anyway.

        Raises:
            NoSuchScheduleError: there is none of that id.
            ScheduleError: it has no occurrence that begins then, or that one has begun.
            StoreUnavailableError: the database is away.
        """
        self._check_coming(schedule_id, start_ms)
        async with self.changing:
            await self.store.delete_marks(schedule_id, MarkKind.SKIPPED, start_ms)
            self._marks.remove(MarkRow(schedule_id, start_ms, MarkKind.SKIPPED, 0, ""))
            self.changes += 1

    async def hold(self, place: OutletId, by: str) -> HoldRow:
        """Let no schedule switch an outlet on until `release`.

        Raises:
            ScheduleError, NoSuchPduError: there is no such outlet.
            StoreUnavailableError: the database is away.
        """
        self._check_place(place)
        if place not in self._holds:
            row = HoldRow(place, self.clock.now_ms(), by)
            await self.store.put_hold(row)
            self._holds[place] = row
        return self._holds[place]

    async def release(self, place: OutletId) -> None:
        """Let schedules switch an outlet on again.

        Raises:
            StoreUnavailableError: the database is away.
        """
        await self.store.delete_hold(place)
        self._holds.pop(place, None)

    async def set_holidays(self, holidays: Mapping[date, str]) -> None:
        """Replace the holidays of the site.

        Raises:
            ScheduleError: there are too many.
            StoreUnavailableError: the database is away.
        """
        if len(holidays) > HOLIDAYS_MAX:
            raise ScheduleError(f"there are {len(holidays)} holidays: give at most {HOLIDAYS_MAX}")
        async with self.changing:
            await self.store.set_holidays(holidays)
            self._holidays = dict(sorted(holidays.items()))
            await self._decided_until_now()

    async def add_prices(self, text: str) -> list[PriceRow]:
        """Keep the prices of a CSV text (`services/energy_prices`) and return them.

        Raises:
            PriceListError: it is not such a list.
            StoreUnavailableError: the database is away.
        """
        async with self.changing:
            rows = await self._prices.add(text)
            await self._decided_until_now()
        return rows

    # -- what is asked ahead

    def check(self, draft: Draft) -> None:
        """Check a schedule and its outlets.

        Raises:
            ScheduleError: something of it does not fit.
            NoSuchPduError: an outlet's PDU is not registered.
        """
        plan = check_plan(draft.name, draft.plan)
        self.check_times(plan)
        for place in plan.targets:
            self._check_place(place)

    def preview(self, draft: Draft, count: int, schedule_id: str = "") -> Preview:
        """Return what a schedule would do: its next `count` occurrences, and its conflicts with the others.

        Args:
            draft: checked.
            count: at least 1.
            schedule_id: of the schedule that it replaces, empty for a new one.
        """
        now_ms = self.clock.now_ms()
        found = tuple(islice(self._coming(schedule_id, draft.plan), count))
        until_ms = now_ms + CONFLICTS_MS
        others = self.occurrences(
            now_ms, until_ms, [r for r in self._rows.values() if r.enabled and r.id != schedule_id]
        )
        own = (
            occurrences(schedule_id, draft.plan, now_ms, until_ms, self.circumstances())
            if draft.enabled
            else []
        )
        clashes = [
            one
            for one in conflicts([*others, *own])
            if schedule_id in (one.first.schedule_id, one.second.schedule_id)
        ]
        return Preview(found, tuple(clashes[:CONFLICTS_MAX]))

    def following(self, row: ScheduleRow) -> Occurrence | None:
        """Return the next occurrence of a schedule that shall happen, None where none does."""
        coming = self._coming(row.id, row.plan) if row.enabled else iter(())
        return next((one for one in coming if not self._marks.is_skipped(row.id, one.start_ms)), None)

    def _coming(self, schedule_id: str, plan: Plan) -> Iterator[Occurrence]:
        """Yield the occurrences of a plan that begin from now on, as far as is looked ahead."""
        now_ms, around = self.clock.now_ms(), self.circumstances()
        since_ms, step_ms = now_ms, 2 * DAY_MS
        while since_ms < now_ms + PREVIEW_MS:
            some = occurrences(schedule_id, plan, since_ms, since_ms + step_ms, around)
            yield from (one for one in some if one.start_ms >= since_ms)
            since_ms, step_ms = since_ms + step_ms, PREVIEW_STEP_MS

    def tried(self, draft: Draft, since_ms: int, until_ms: int) -> list[Occurrence]:
        """Return the occurrences that a schedule would have had in a span, with the prices that are known of it."""
        return occurrences("", draft.plan, since_ms, until_ms, self.circumstances())

    # -- what carries them out

    def take_over(self, place: OutletId, kind: MarkKind, by: str) -> None:
        """Note that a person has switched an outlet: what is running there is theirs from now on.

        It is in force at once, and written with the next decisions.
        """
        now_ms = self.clock.now_ms()
        rows = [row for row in self._rows.values() if row.enabled and place in row.plan.targets]
        latest_ms = max((row.plan.late_ms for row in rows), default=0)
        known = self.occurrences(now_ms - latest_ms, now_ms + 1, rows)
        taken = self._marks.taken()
        self._marks.add_unwritten(
            MarkRow(schedule_id, start_ms, kind, now_ms, by, of)
            for schedule_id, start_ms, of in taken_over(known, place, now_ms)
            if (schedule_id, start_ms, of) not in taken
        )
        self.changes += 1

    def choose(self, spans: Iterable[MarkRow]) -> None:
        """Note which cheapest hours were chosen; it is in force at once, and written with the next decisions."""
        self._marks.add_unwritten(spans)

    def unwritten_marks(self) -> list[MarkRow]:
        """Return the marks that are in force and not written yet."""
        return self._marks.unwritten()

    def note_decided(self, marks: Iterable[MarkRow], decided_ms: Mapping[str, int]) -> None:
        """Note what was written: these marks, and until when schedules are decided."""
        self._marks.written(marks)
        for schedule_id, until_ms in decided_ms.items():
            self._rows[schedule_id] = replace(self._rows[schedule_id], decided_ms=until_ms)

    async def forget_before(self, before_ms: int) -> None:
        """Forget the marks and runs of occurrences before an instant.

        Raises:
            StoreUnavailableError: the database is away.
        """
        await self.store.forget_runs(before_ms)
        self._marks.forget_before(before_ms)

    async def _put(self, row: ScheduleRow, before: int) -> None:
        if any(one.name == row.name and one.id != row.id for one in self._rows.values()):
            raise ScheduleConflictError(f"another schedule is called '{row.name}': choose another name")
        if not await self.store.put_schedule(row, before):
            raise _changed(self.row(row.id), before)
        self._rows[row.id] = row
        self._unusable.discard(row.id)
        self.changes += 1

    async def _forget_choice(self, schedule_id: str, now_ms: int) -> None:
        """Let the cheapest hours be chosen anew, unless some of them have begun."""
        for row in self._marks.spans_not_begun(schedule_id, now_ms):
            await self.store.delete_marks(schedule_id, MarkKind.SPAN, row.start_ms)
            self._marks.remove(row)

    async def _decided_until_now(self) -> None:
        """Keep what has changed from giving occurrences to a time that is over."""
        now_ms = self.clock.now_ms()
        decided = {row.id: now_ms for row in self._rows.values() if row.decided_ms < now_ms}
        await self.store.decide([], [], decided)
        self.note_decided([], decided)
        self.changes += 1

    def _usable(self, row: ScheduleRow) -> ScheduleRow:
        try:
            self.check_times(row.plan)
        except ScheduleError as error:
            _log.warning("schedule '%s' cannot come about and is left out: %s", row.name, error)
            self._unusable.add(row.id)
            return replace(row, enabled=False)
        return row

    def check_times(self, plan: Plan) -> None:
        """Check that a plan can come about here.

        Raises:
            ScheduleError: its rule or time zone is not known, or it follows the sun and the site has no place.
        """
        self._almanac.check(plan.days, plan.zone)
        if isinstance(plan.timing, Span):
            for moment in (plan.timing.begin, plan.timing.end):
                if moment is not None:
                    self._almanac.check_moment(moment)

    def _check_place(self, place: OutletId) -> None:
        identity = self._fleet.twin(place.pdu_id).identity
        if identity is not None and place.outlet > identity.outlets:
            raise ScheduleError(f"there is no outlet {place}: this PDU has outlets 1 to {identity.outlets}")

    def _check_coming(self, schedule_id: str, start_ms: int) -> None:
        """Check that an occurrence is still to come."""
        row, now_ms = self.row(schedule_id), self.clock.now_ms()
        if start_ms <= now_ms:
            raise ScheduleError("that occurrence has begun: switch its outlets to end it")
        if start_ms > now_ms + PREVIEW_MS or not any(
            one.start_ms == start_ms for one in self.occurrences(start_ms, start_ms + 1, [row])
        ):
            raise ScheduleError(f"'{row.name}' has no occurrence that begins then: look at its next ones")


def _changed(row: ScheduleRow, version: int) -> ScheduleConflictError:
    return ScheduleConflictError(
        f"'{row.name}' is at version {row.version} now, changed by {row.changed_by}, the change was based on "
        f"{version}: read it again"
    )
