"""Schedules between the API and the domain."""

from collections.abc import Iterable

from loadcenter.adapters.web.models_schedules import (
    CheapestIn,
    ConflictOut,
    DaysIn,
    MomentIn,
    OccurrenceOut,
    RunOut,
    ScheduleIn,
    ScheduleOut,
    SpanOut,
    TargetIn,
)
from loadcenter.domain.occurrences import Conflict, Occurrence
from loadcenter.domain.quantities import from_milli, to_milli
from loadcenter.domain.schedules import (
    HOUR_MS,
    Cheapest,
    ClockMoment,
    Days,
    Moment,
    Plan,
    ScheduleError,
    Span,
    SunMoment,
    Timing,
)
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports.schedules import RunRow, ScheduleRow
from loadcenter.services.schedules import Draft
from loadcenter.services.schedules_week import WeekItem


def draft(body: ScheduleIn, site_zone: str) -> Draft:
    """Return the schedule that a person gives.

    Raises:
        ScheduleError: its parts contradict each other.
    """
    days = body.days
    plan = Plan(
        tuple(OutletId(one.pdu_id, one.outlet) for one in body.targets),
        body.do,
        Days(days.first, days.rrule, frozenset(days.exceptions), days.holidays),
        _timing(body),
        site_zone if body.timezone is None else body.timezone,
        None if body.off_s is None else to_milli(body.off_s),
        body.late_s * 1000,
    )
    return Draft(body.name, plan, body.enabled)


def _timing(body: ScheduleIn) -> Timing:
    given = body.cheapest
    if (given is None) == (body.begin is None):
        raise ScheduleError("give 'begin' or 'cheapest', one of the two")
    if given is not None:
        if body.end is not None or body.duration_s is not None:
            raise ScheduleError("'cheapest' says itself how long: leave 'end' and 'duration_s' away")
        before = _minute(given.before)
        return Cheapest(
            before, round(given.hours * HOUR_MS), round(given.within_h * HOUR_MS), given.contiguous
        )
    begin = _moment(body.begin, "begin")
    assert begin is not None
    return Span(begin, _moment(body.end, "end"), None if body.duration_s is None else body.duration_s * 1000)


def _moment(given: MomentIn | None, name: str) -> Moment | None:
    if given is None:
        return None
    if (given.at is None) == (given.sun is None):
        raise ScheduleError(f"'{name}' needs 'at' or 'sun', one of the two")
    if given.sun is not None:
        return SunMoment(given.sun, given.offset_min)
    if given.offset_min:
        raise ScheduleError(f"'{name}' has an offset without the sun: write the time itself")
    assert given.at is not None
    return ClockMoment(_minute(given.at))


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def schedule(row: ScheduleRow, following: Occurrence | None) -> ScheduleOut:
    """Return a schedule as the API shows it; `following` is its next occurrence."""
    plan, timing = row.plan, row.plan.timing
    spanned = timing if isinstance(timing, Span) else None
    duration_ms = None if spanned is None else spanned.duration_ms
    return ScheduleOut(
        id=row.id,
        version=row.version,
        name=row.name,
        enabled=row.enabled,
        targets=[TargetIn(pdu_id=one.pdu_id, outlet=one.outlet) for one in plan.targets],
        do=plan.act,
        off_s=from_milli(plan.off_ms),
        days=DaysIn(
            first=plan.days.first,
            rrule=plan.days.rrule,
            exceptions=sorted(plan.days.exceptions),
            holidays=plan.days.holidays,
        ),
        begin=None if spanned is None else _moment_out(spanned.begin),
        end=None if spanned is None else _moment_out(spanned.end),
        duration_s=None if duration_ms is None else duration_ms // 1000,
        cheapest=_cheapest_out(timing) if isinstance(timing, Cheapest) else None,
        timezone=plan.zone,
        late_s=plan.late_ms // 1000,
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
        changed_by=row.changed_by,
        next=None if following is None else span(following),
    )


def _cheapest_out(timing: Cheapest) -> CheapestIn:
    return CheapestIn(
        before=_clock(timing.before_minute),
        hours=timing.need_ms / HOUR_MS,
        within_h=timing.within_ms / HOUR_MS,
        contiguous=timing.contiguous,
    )


def _moment_out(moment: Moment | None) -> MomentIn | None:
    match moment:
        case None:
            return None
        case ClockMoment(minute):
            return MomentIn(at=_clock(minute), offset_min=0)
        case SunMoment(event, offset_minutes):
            return MomentIn(sun=event, offset_min=offset_minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def span(occurrence: Occurrence) -> SpanOut:
    """Return from when until when an occurrence lasts."""
    return SpanOut(start_ms=occurrence.start_ms, end_ms=occurrence.end_ms)


def occurrence(item: WeekItem) -> OccurrenceOut:
    """Return an occurrence at an outlet as the API shows it."""
    return OccurrenceOut(
        schedule_id=item.schedule_id,
        name=item.name,
        pdu_id=item.place.pdu_id,
        outlet=item.place.outlet,
        do=item.act,
        start_ms=item.start_ms,
        end_ms=item.end_ms,
        state=item.state,
        code=item.code,
    )


def conflicts(found: Iterable[Conflict], rows: Iterable[ScheduleRow], draft_name: str) -> list[ConflictOut]:
    """Return conflicts as the API shows them; `draft_name` is that of the schedule without an id."""
    names = {row.id: row.name for row in rows} | {"": draft_name}
    return [_conflict(one, names) for one in found]


def _conflict(found: Conflict, names: dict[str, str]) -> ConflictOut:
    ids = [found.first.schedule_id, found.second.schedule_id]
    first, second = (names[one] for one in ids)
    first_wants, second_wants = ("on" if one.act.wants_on else "off" for one in (found.first, found.second))
    return ConflictOut(
        pdu_id=found.place.pdu_id,
        outlet=found.place.outlet,
        schedule_ids=ids,
        names=[first, second],
        since_ms=found.since_ms,
        until_ms=found.until_ms,
        text=f"'{first}' wants {found.place} {first_wants}, '{second}' wants it {second_wants}",
    )


def run(row: RunRow) -> RunOut:
    """Return a run as the API shows it."""
    key = row.key
    return RunOut(
        schedule_id=key.schedule_id,
        name=row.schedule_name,
        pdu_id=key.place.pdu_id,
        outlet=key.place.outlet,
        edge="begin" if key.edge.value == "begin" else "end",
        do=row.act,
        start_ms=key.start_ms,
        due_ms=row.due_ms,
        decided_ms=row.decided_ms,
        result=row.past.result.value,
        code=row.past.code,
        detail=row.detail,
        command_id=row.command_id,
    )
