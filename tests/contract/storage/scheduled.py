"""Schedules with everything that is kept of them."""

from datetime import date

from loadcenter.domain.occurrences import Edge, Past, RunKey, RunResult
from loadcenter.domain.schedules import (
    DAY_MS,
    HOUR_MS,
    Act,
    Cheapest,
    ClockMoment,
    Days,
    Holidays,
    Plan,
    Span,
    SunEvent,
    SunMoment,
)
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports.schedules import (
    HoldRow,
    MarkKind,
    MarkRow,
    PriceRow,
    RunRow,
    ScheduleRow,
    ScheduleStore,
)

T = 1_800_000_000_000
PLACE = OutletId("rack-1", 1)
DAYS = Days(date(2027, 1, 15), "FREQ=WEEKLY;BYDAY=MO,FR", frozenset({date(2027, 2, 1)}), Holidays.SKIP)
EVENING = Plan(
    (PLACE, OutletId("rack-2", 48)),
    Act.ON,
    DAYS,
    Span(SunMoment(SunEvent.SUNSET, -15), ClockMoment(1320)),
    "Europe/Vienna",
)
PULSE = Plan((PLACE,), Act.CYCLE, Days(date(2027, 1, 15)), Span(ClockMoment(0)), "UTC", 5_000, 0)
LONG = Plan((PLACE,), Act.OFF, DAYS, Span(ClockMoment(60), None, 2 * DAY_MS), "UTC", None, DAY_MS)
CHEAP = Plan((PLACE,), Act.ON, DAYS, Cheapest(420, 3 * HOUR_MS, 8 * HOUR_MS, contiguous=True), "UTC")


def schedule(number: int = 1, plan: Plan = EVENING, **changed: object) -> ScheduleRow:
    fields: dict[str, object] = {
        "version": 1,
        "enabled": True,
        "decided_ms": T,
        "changed_by": "Änne 😀",
        **changed,
    }
    return ScheduleRow(f"s-{number}", f"Schedule {number}", plan=plan, created_ms=T, changed_ms=T, **fields)


def run(start_ms: int = T, edge: Edge = Edge.BEGIN, place: OutletId = PLACE, **changed: object) -> RunRow:
    fields: dict[str, object] = {"past": Past(RunResult.SENT), "decided_ms": start_ms + 5, **changed}
    due_ms = start_ms if edge is Edge.BEGIN else start_ms + HOUR_MS
    return RunRow(RunKey("s-1", start_ms, edge, place), "Schedule 1", due_ms, act=Act.ON, **fields)


def mark(kind: MarkKind = MarkKind.SKIPPED, start_ms: int = T, place: OutletId | None = None) -> MarkRow:
    return MarkRow("s-1", start_ms, kind, T + 1, "ada", place)


async def fill_schedules(store: ScheduleStore) -> None:
    """Write something into every table of schedules."""
    for number, plan in enumerate((EVENING, PULSE, LONG, CHEAP), 1):
        await store.put_schedule(schedule(number, plan), 0)
    await store.decide([run()], [mark(), mark(MarkKind.PERSON_OFF, place=PLACE)], {"s-1": T + 5})
    await store.put_hold(HoldRow(PLACE, T, "ada"))
    await store.set_holidays({date(2027, 1, 1): "Neujahr"})
    await store.put_prices([PriceRow(T, T + HOUR_MS, -5)])
