"""Schedules: what shall happen when, what became of it, and what it depends on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from loadcenter.adapters.web import shapes_schedules as shape
from loadcenter.adapters.web.gate import Known, require_visitor
from loadcenter.adapters.web.models import OutletNumber, TimeMs
from loadcenter.adapters.web.models_schedules import (
    HoldOut,
    HoldsOut,
    HolidayIn,
    HolidaysIn,
    HolidaysOut,
    ImportedOut,
    OccurrencesOut,
    PduId,
    PreviewOut,
    PriceOut,
    PricesIn,
    PricesOut,
    RunsOut,
    ScheduleChangeIn,
    ScheduleIn,
    ScheduleOut,
    SchedulesOut,
)
from loadcenter.domain.cheapest import QUARTER_MS
from loadcenter.domain.schedules import DAY_MS, ScheduleError
from loadcenter.domain.tariffs import MICRO
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports.schedules import HoldRow, RunFilter, ScheduleRow
from loadcenter.services.schedules import Draft, Schedules
from loadcenter.services.schedules_week import AWAY_MS_MAX, Weeks

PRICES_MS_MAX = 8 * DAY_MS
Count = Annotated[int, Query(ge=1, le=100)]


def schedule_routes(schedules: Schedules) -> APIRouter:
    """Return the routes under `/schedules`."""
    router = APIRouter(prefix="/schedules", tags=["schedules"], dependencies=[Depends(require_visitor)])
    _add_looks(router, schedules, Weeks(schedules))
    _add_runs(router, schedules)
    _add_holidays(router, schedules)
    _add_holds(router, schedules)
    _add_prices(router, schedules)
    _add_changes(router, schedules)
    return router


def _shown(schedules: Schedules, row: ScheduleRow) -> ScheduleOut:
    return shape.schedule(row, schedules.following(row))


def _add_looks(router: APIRouter, schedules: Schedules, weeks: Weeks) -> None:
    zone = schedules.almanac.site_zone

    @router.get("")
    async def list_schedules() -> SchedulesOut:
        """Return all schedules by name."""
        items = [_shown(schedules, row) for row in schedules.rows()]
        return SchedulesOut(items=items, timezone=zone, server_ms=schedules.clock.now_ms())

    @router.get("/occurrences")
    async def list_occurrences(
        since_ms: TimeMs, until_ms: TimeMs, pdu: PduId | None = None
    ) -> OccurrencesOut:
        """Return what schedules do between two instants, and what became of it."""
        week = await weeks.between(since_ms, until_ms, pdu)
        first, last = (schedules.almanac.day_of(at_ms, zone) for at_ms in (since_ms, until_ms))
        days = [(day, name) for day, name in schedules.holidays().items() if first <= day <= last]
        return OccurrencesOut(
            timezone=zone,
            server_ms=schedules.clock.now_ms(),
            since_ms=since_ms,
            until_ms=until_ms,
            items=[shape.occurrence(one) for one in week.items],
            conflicts=shape.conflicts(week.conflicts, schedules.rows(), ""),
            holidays=[HolidayIn(day=day, name=name) for day, name in days],
        )

    @router.post("/preview")
    async def preview_draft(body: ScheduleIn, count: Count = 10, replaces: str = "") -> PreviewOut:
        """Return what a schedule would do, without keeping it; `replaces` is the id of the one that it is instead of."""
        draft = shape.draft(body, zone)
        schedules.check(draft)
        return preview(draft, count, replaces)

    @router.get("/{schedule_id}/preview")
    async def preview_schedule(schedule_id: str, count: Count = 10) -> PreviewOut:
        """Return what a schedule does next."""
        row = schedules.row(schedule_id)
        schedules.check_times(row.plan)
        return preview(Draft(row.name, row.plan, row.enabled), count, schedule_id)

    def preview(draft: Draft, count: int, schedule_id: str) -> PreviewOut:
        found = schedules.preview(draft, count, schedule_id)
        return PreviewOut(
            timezone=draft.plan.zone,
            items=[shape.span(one) for one in found.occurrences],
            conflicts=shape.conflicts(found.conflicts, schedules.rows(), draft.name),
        )


def _add_runs(router: APIRouter, schedules: Schedules) -> None:
    @router.get("/runs")
    async def list_runs(
        schedule: Annotated[str | None, Query(max_length=64)] = None,
        pdu: PduId | None = None,
        outlet: OutletNumber | None = None,
        since_ms: TimeMs | None = None,
        until_ms: TimeMs | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> RunsOut:
        """Return what became of occurrences, the latest due first."""
        if (pdu is None) != (outlet is None):
            raise ScheduleError("give 'pdu' and 'outlet' together, or neither")
        place = None if pdu is None or outlet is None else OutletId(pdu, outlet)
        rows = await schedules.store.runs(RunFilter(since_ms, until_ms, schedule, place, limit + 1))
        if len(rows) <= limit:
            return RunsOut(items=[shape.run(row) for row in rows], next=None)
        # what is due at the same instant stays together, unless that alone is more than a page
        whole = [row for row in rows if row.due_ms > rows[-1].due_ms] or rows[:limit]
        return RunsOut(items=[shape.run(row) for row in whole], next=whole[-1].due_ms)


def _add_holidays(router: APIRouter, schedules: Schedules) -> None:
    def all_holidays() -> HolidaysOut:
        items = [HolidayIn(day=day, name=name) for day, name in schedules.holidays().items()]
        return HolidaysOut(items=items)

    @router.get("/holidays")
    async def list_holidays() -> HolidaysOut:
        """Return the holidays of the site."""
        return all_holidays()

    @router.put("/holidays")
    async def set_holidays(body: HolidaysIn) -> HolidaysOut:
        """Replace the holidays of the site."""
        await schedules.set_holidays({one.day: one.name for one in body.items})
        return all_holidays()


def _add_holds(router: APIRouter, schedules: Schedules) -> None:
    def shown(row: HoldRow) -> HoldOut:
        return HoldOut(pdu_id=row.place.pdu_id, outlet=row.place.outlet, since_ms=row.since_ms, by=row.by)

    @router.get("/holds")
    async def list_holds() -> HoldsOut:
        """Return the outlets that no schedule switches on."""
        return HoldsOut(items=[shown(row) for row in schedules.holds()])

    @router.put("/holds/{pdu_id}/{n}")
    async def hold_outlet(pdu_id: PduId, n: OutletNumber, visitor: Known) -> HoldOut:
        """Let no schedule switch an outlet on; it stays as it is."""
        return shown(await schedules.hold(OutletId(pdu_id, n), visitor.user))

    @router.delete("/holds/{pdu_id}/{n}", status_code=204)
    async def release_outlet(pdu_id: PduId, n: OutletNumber) -> None:
        """Let schedules switch an outlet on again, from their next occurrence on."""
        await schedules.release(OutletId(pdu_id, n))


def _add_prices(router: APIRouter, schedules: Schedules) -> None:
    @router.get("/prices")
    async def list_prices(since_ms: TimeMs, until_ms: TimeMs) -> PricesOut:
        """Return what a kWh costs, by quarters of an hour."""
        away_ms = abs(since_ms - schedules.clock.now_ms())
        if not 0 < until_ms - since_ms <= PRICES_MS_MAX or away_ms > AWAY_MS_MAX:
            raise ScheduleError(
                f"give a range of at most {PRICES_MS_MAX // DAY_MS} days, within 10 years from now"
            )
        items = [
            PriceOut(
                start_ms=one.start_ms,
                until_ms=one.start_ms + QUARTER_MS,
                price_per_kwh=None if one.micro_per_kwh is None else one.micro_per_kwh / MICRO,
            )
            for one in schedules.prices(since_ms - since_ms % QUARTER_MS, until_ms)
        ]
        return PricesOut(currency=schedules.currency or None, items=items)

    @router.post("/prices")
    async def import_prices(body: PricesIn) -> ImportedOut:
        """Keep day-ahead prices; hours that were known already are replaced."""
        rows = await schedules.add_prices(body.csv)
        return ImportedOut(count=len(rows), since_ms=rows[0].start_ms, until_ms=rows[-1].until_ms)


def _add_changes(router: APIRouter, schedules: Schedules) -> None:
    zone = schedules.almanac.site_zone

    @router.post("", status_code=201)
    async def add_schedule(body: ScheduleIn, visitor: Known) -> ScheduleOut:
        """Keep a new schedule."""
        return _shown(schedules, await schedules.add(shape.draft(body, zone), visitor.user))

    @router.get("/{schedule_id}")
    async def one_schedule(schedule_id: str) -> ScheduleOut:
        """Return a schedule."""
        return _shown(schedules, schedules.row(schedule_id))

    @router.put("/{schedule_id}")
    async def change_schedule(schedule_id: str, body: ScheduleChangeIn, visitor: Known) -> ScheduleOut:
        """Replace a schedule; that switches nothing."""
        draft = shape.draft(body, zone)
        return _shown(schedules, await schedules.change(schedule_id, body.version, draft, visitor.user))

    @router.delete("/{schedule_id}", status_code=204)
    async def remove_schedule(schedule_id: str) -> None:
        """Forget a schedule; that switches nothing, and its runs stay."""
        await schedules.remove(schedule_id)

    @router.put("/{schedule_id}/skips/{start_ms}", status_code=204)
    async def skip_occurrence(schedule_id: str, start_ms: TimeMs, visitor: Known) -> None:
        """Let one occurrence not happen."""
        await schedules.skip(schedule_id, start_ms, visitor.user)

    @router.delete("/{schedule_id}/skips/{start_ms}", status_code=204)
    async def unskip_occurrence(schedule_id: str, start_ms: TimeMs) -> None:
        """Let an occurrence happen after all."""
        await schedules.unskip(schedule_id, start_ms)
