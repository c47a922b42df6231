"""The shapes of schedules in the API (docs/api.md). Days are `2026-11-24`, times of the clock `06:30`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from loadcenter.adapters.web.models import OutletNumber
from loadcenter.domain.schedules import (
    DURATION_MS_MAX,
    EXCEPTIONS_MAX,
    LATE_MS_DEFAULT,
    LATE_MS_MAX,
    NAME_MAX,
    OFFSET_MINUTES_MAX,
    TARGETS_MAX,
    WITHIN_HOURS_MAX,
    Act,
    Holidays,
    SunEvent,
)
from loadcenter.domain.topology import PDU_ID_PATTERN
from loadcenter.services.schedules import HOLIDAYS_MAX
from loadcenter.services.schedules_week import OccurrenceState

ClockText = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["06:30"])]
PduId = Annotated[str, Field(pattern=f"^{PDU_ID_PATTERN}$")]
CSV_CHARS = 60_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TargetIn(_Strict):
    """An outlet."""

    pdu_id: PduId
    outlet: OutletNumber


class DaysIn(_Strict):
    """On which days: a recurrence of RFC 5545 from `first` on; without a rule that day alone."""

    first: date
    rrule: str = Field("", max_length=200, examples=["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"])
    exceptions: list[date] = Field(default=[], max_length=EXCEPTIONS_MAX)
    holidays: Holidays = Holidays.IGNORE


class MomentIn(_Strict):
    """A moment of a day: `at` on the clock, or `sun` with an offset in minutes."""

    at: ClockText | None = None
    sun: SunEvent | None = None
    offset_min: int = Field(0, ge=-OFFSET_MINUTES_MAX, le=OFFSET_MINUTES_MAX)


class CheapestIn(_Strict):
    """So many hours, over before a time of the clock, at the lowest price."""

    before: ClockText
    hours: float = Field(ge=0.25, le=WITHIN_HOURS_MAX, multiple_of=0.25)
    within_h: float = Field(24, ge=0.25, le=WITHIN_HOURS_MAX, multiple_of=0.25)
    contiguous: bool = False


class ScheduleIn(_Strict):
    """A schedule: `begin` (with `end`, `duration_s` or neither), or `cheapest`."""

    name: str = Field(min_length=1, max_length=NAME_MAX)
    enabled: bool = True
    targets: list[TargetIn] = Field(min_length=1, max_length=TARGETS_MAX)
    do: Act
    off_s: float | None = Field(None, ge=1, le=3600, description="pause of `cycle`")
    days: DaysIn
    begin: MomentIn | None = None
    end: MomentIn | None = None
    duration_s: int | None = Field(None, ge=60, le=DURATION_MS_MAX // 1000)
    cheapest: CheapestIn | None = None
    timezone: str | None = Field(None, max_length=64, description="IANA name; null is that of the site")
    late_s: int = Field(LATE_MS_DEFAULT // 1000, ge=0, le=LATE_MS_MAX // 1000)


class ScheduleChangeIn(ScheduleIn):
    """A schedule that replaces the one of `version`."""

    version: int = Field(ge=1)


class SpanOut(BaseModel):
    """From when until when; `end_ms` is null for an instant."""

    start_ms: int
    end_ms: int | None


class ScheduleOut(BaseModel):
    """A schedule as it is kept; `next` is its next occurrence."""

    id: str
    version: int
    name: str
    enabled: bool
    targets: list[TargetIn]
    do: Act
    off_s: float | None
    days: DaysIn
    begin: MomentIn | None
    end: MomentIn | None
    duration_s: int | None
    cheapest: CheapestIn | None
    timezone: str
    late_s: int
    created_ms: int
    changed_ms: int
    changed_by: str
    next: SpanOut | None


class SchedulesOut(BaseModel):
    """All schedules by name."""

    items: list[ScheduleOut]
    timezone: str
    server_ms: int


class OccurrenceOut(BaseModel):
    """One occurrence at one outlet, with what it is or what became of it."""

    schedule_id: str
    name: str
    pdu_id: str
    outlet: int
    do: Act
    start_ms: int
    end_ms: int | None
    state: OccurrenceState
    code: str


class ConflictOut(BaseModel):
    """Two schedules want one outlet on and off at the same time; the later beginning has its way."""

    pdu_id: str
    outlet: int
    schedule_ids: list[str]
    names: list[str]
    since_ms: int
    until_ms: int
    text: str


class HolidayIn(_Strict):
    """A free day of the site."""

    day: date
    name: str = Field("", max_length=64)


class HolidaysIn(_Strict):
    """All holidays of the site."""

    items: list[HolidayIn] = Field(max_length=HOLIDAYS_MAX)


class HolidaysOut(BaseModel):
    """The holidays of the site, in order."""

    items: list[HolidayIn]


class OccurrencesOut(BaseModel):
    """What schedules do between two instants: `occurrences` by time, `conflicts` among those to come."""

    timezone: str
    server_ms: int
    since_ms: int
    until_ms: int
    items: list[OccurrenceOut]
    conflicts: list[ConflictOut]
    holidays: list[HolidayIn]


class PreviewOut(BaseModel):
    """What a schedule would do next, and where it contradicts others within 14 days."""

    timezone: str
    items: list[SpanOut]
    conflicts: list[ConflictOut]


class RunOut(BaseModel):
    """What became of the beginning or end of an occurrence, for one outlet."""

    schedule_id: str
    name: str
    pdu_id: str
    outlet: int
    edge: Literal["begin", "end"]
    do: Act
    start_ms: int
    due_ms: int
    decided_ms: int
    result: str
    code: str
    detail: str
    command_id: str | None


class RunsOut(BaseModel):
    """Runs, the latest due first; `next` is the time before which older ones are due."""

    items: list[RunOut]
    next: int | None


class HoldOut(BaseModel):
    """An outlet that no schedule switches on."""

    pdu_id: str
    outlet: int
    since_ms: int
    by: str


class HoldsOut(BaseModel):
    """All outlets held off."""

    items: list[HoldOut]


class PricesIn(_Strict):
    """Prices of a kWh as CSV: `start,price`."""

    csv: str = Field(min_length=1, max_length=CSV_CHARS)


class PriceOut(BaseModel):
    """What a kWh costs from `start_ms` until `until_ms`, in the currency of the tariff; null is unknown."""

    start_ms: int
    until_ms: int
    price_per_kwh: float | None


class PricesOut(BaseModel):
    """Prices by quarters of an hour, imported ones and those of the tariff."""

    currency: str | None
    items: list[PriceOut]


class ImportedOut(BaseModel):
    """How many prices were kept, and for which time."""

    count: int
    since_ms: int
    until_ms: int
