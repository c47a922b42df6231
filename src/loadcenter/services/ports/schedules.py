"""What is kept of schedules, and the almanac that turns local days and moments into instants."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from loadcenter.domain.cheapest import PricedQuarter
from loadcenter.domain.occurrences import Past, RunKey, RunResult
from loadcenter.domain.schedules import Act, Days, Moment, Plan
from loadcenter.domain.topology import OutletId


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule as kept.

    Attributes:
        version: rises with each change of it.
        decided_ms: everything of it that was due until then has been decided.
    """

    id: str
    name: str
    version: int
    enabled: bool
    plan: Plan
    decided_ms: int
    created_ms: int
    changed_ms: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """What became of the beginning or end of an occurrence, for one outlet."""

    key: RunKey
    schedule_name: str
    due_ms: int
    decided_ms: int
    act: Act
    past: Past
    command_id: str | None = None
    detail: str = ""

    def missed_after(self, now_ms: int) -> bool:
        """Return whether it counts as missed since a time that, after the clock was set back, is still to come."""
        return self.past.result is RunResult.MISSED and self.decided_ms > now_ms


class MarkKind(StrEnum):
    """What a mark says of an occurrence: skipped; taken over by a person's on or off; or a span that was chosen."""

    SKIPPED = "skipped"
    PERSON_ON = "person_on"
    PERSON_OFF = "person_off"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A mark of an occurrence.

    Attributes:
        place: the outlet, None where all of the occurrence is meant.
        at_ms: when it was made; of a `span` the end.
        by: who made it; of a `span` the local day that it was chosen for.
    """

    schedule_id: str
    start_ms: int
    kind: MarkKind
    at_ms: int
    by: str
    place: OutletId | None = None


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An outlet that no schedule switches on."""

    place: OutletId
    since_ms: int
    by: str


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What a kWh costs from `start_ms` until `until_ms`, in millionths of the currency unit."""

    start_ms: int
    until_ms: int
    micro_per_kwh: int


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are wanted, by the time at which they were due. None means any."""

    since_ms: int | None = None
    until_ms: int | None = None
    schedule_id: str | None = None
    place: OutletId | None = None
    limit: int = 100


class ScheduleStore(Protocol):
    """Schedules in the database. Every method may raise `StoreUnavailableError`."""

    async def schedules(self) -> list[ScheduleRow]:
        """Return all schedules by name."""
        ...

    async def put_schedule(self, row: ScheduleRow, before: int) -> bool:
        """Keep a schedule if its stored version is still `before` (0: none); return whether it was.

        Raises:
            StoreDataError: another one has its name.
        """
        ...

    async def delete_schedule(self, schedule_id: str) -> bool:
        """Forget a schedule and its marks (its runs stay); return whether there was one."""
        ...

    async def decide(
        self, runs: Sequence[RunRow], marks: Sequence[MarkRow], decided_ms: Mapping[str, int]
    ) -> frozenset[RunKey]:
        """Keep decisions, marks and how far schedules are decided in one transaction; return the runs that are new.

        A run that is kept already stays as it is and is not new, unless it counted as missed since a later time.
        """
        ...

    async def settle_run(self, key: RunKey, past: Past, command_id: str | None, detail: str) -> None:
        """Record what became of a run."""
        ...

    async def runs(self, wanted: RunFilter) -> list[RunRow]:
        """Return runs, the latest due first."""
        ...

    async def past_of(self, starts_ms: Collection[int], now_ms: int) -> dict[RunKey, Past]:
        """Return what became of all steps of the occurrences that start at these instants.

        What counts as missed since a time after `now_ms` is left out: the clock was set back, so it is still to come.
        """
        ...

    async def runs_under_way(self) -> list[RunRow]:
        """Return the runs that are `sent`, oldest first."""
        ...

    async def forget_runs(self, before_ms: int) -> int:
        """Delete runs that were due, and marks of occurrences that began, before `before_ms`; return how many runs."""
        ...

    async def marks(self) -> list[MarkRow]:
        """Return all marks."""
        ...

    async def put_marks(self, rows: Iterable[MarkRow]) -> None:
        """Keep marks; one that is there already stays as it is."""
        ...

    async def delete_marks(self, schedule_id: str, kind: MarkKind, start_ms: int | None = None) -> bool:
        """Forget marks of an occurrence, or of all of a schedule; return whether there was one."""
        ...

    async def holds(self) -> list[HoldRow]:
        """Return the outlets held off."""
        ...

    async def put_hold(self, row: HoldRow) -> None:
        """Hold an outlet off; one held already stays so, by whoever did it."""
        ...

    async def delete_hold(self, place: OutletId) -> bool:
        """Hold an outlet off no longer; return whether it was."""
        ...

    async def holidays(self) -> dict[date, str]:
        """Return the names of the holidays, by day."""
        ...

    async def set_holidays(self, holidays: Mapping[date, str]) -> None:
        """Replace all holidays."""
        ...

    async def prices(self, since_ms: int, until_ms: int) -> list[PriceRow]:
        """Return the imported prices that hold at some time with since <= time < until, in order."""
        ...

    async def put_prices(self, rows: Sequence[PriceRow]) -> None:
        """Keep imported prices; one that begins at the same instant is replaced."""
        ...


class Almanac(Protocol):
    """Local days and moments as instants, in any time zone, at the place of the site."""

    @property
    def site_zone(self) -> str:
        """The time zone of the site."""
        ...

    def check(self, days: Days, zone: str) -> None:
        """Check a recurrence and a time zone.

        Raises:
            ScheduleError: the rule is not understood or never comes about, or there is no such zone.
        """
        ...

    def check_moment(self, moment: Moment) -> None:
        """Check that a moment can be reckoned.

        Raises:
            ScheduleError: it follows the sun, and the site has no location.
        """
        ...

    def days(self, days: Days, first: date, last: date) -> list[date]:
        """Return the days of a recurrence from `first` to `last`, without its exceptions; holidays are not looked at."""
        ...

    def instant_ms(self, day: date, moment: Moment, zone: str) -> int | None:
        """Return UTC ms of a moment of a local day; None where the sun does not rise or set on it.

        A time that the clock jumps over is taken by the offset before the jump; of one that it shows twice, the first.
        """
        ...

    def day_of(self, ts_ms: int, zone: str) -> date:
        """Return the local date at an instant."""
        ...


class Prices(Protocol):
    """What a kWh costs, quarter by quarter."""

    def quarters(self, since_ms: int, until_ms: int) -> Sequence[PricedQuarter]:
        """Return the quarters of an hour from `since_ms` on that begin before `until_ms`."""
        ...
