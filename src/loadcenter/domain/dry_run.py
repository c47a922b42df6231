"""What other settings would have done: the rules of shedding and limits over recorded minutes.

The mean of each minute stands for all its seconds, so a peak within a minute that the mean hides decides nothing here; the
minutes in which the greatest value was over are counted beside, as possible. An outlet that is off is taken to have
wanted what it drew in the record. A trip is taken to be reset by a person after `RESET_MS`. Inverse-time curves and the
heat of the relays are left out: they need the shape within a minute.

Between two minutes in which a rule has something to do nothing changes, so only those are walked through; in each of
them the functions of the device itself decide (`shedding.judge`, `shedding.first_to_restore`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from loadcenter.domain import shedding
from loadcenter.domain.budget import Headroom, Load
from loadcenter.domain.memory import OutletMemory
from loadcenter.domain.outlet import OutletState, Shed
from loadcenter.domain.protection import CARRIES_MA
from loadcenter.domain.settings import LimitAction, OutletConfig, PduConfig
from loadcenter.domain.shedding import SheddingState
from loadcenter.domain.topology import Source

MINUTE_MS = 60_000
RESET_MS = 3_600_000
"""After a trip, or a shed at the outlet's own limit, a person is taken to come after an hour."""

NEVER_MS = 2**62
EVENTS_MOST = 2_000
"""Events kept of one run; all are counted."""

_MWH_PER_MW_MINUTE = 60


class What(StrEnum):
    """What would have happened."""

    SHED = "shed"
    RESTORED = "restored"
    TRIP = "trip"
    LIMIT_SHED = "limit_shed"
    WARNING = "warning"
    RESET = "reset"
    OVER_BUDGET = "over_budget"


@dataclass(frozen=True, slots=True)
class OutletMinutes:
    """What one outlet drew in each minute of the span, 0 where it drew nothing or nothing was recorded."""

    mean_ma: Sequence[int]
    mean_mw: Sequence[int]
    most_ma: Sequence[int]
    most_mw: Sequence[int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A PDU over a span of whole minutes.

    Attributes:
        since_ms: start of the first minute, UTC.
        minutes: how many.
        covered: how many of them have any record.
        outlets: from outlet 1, each `minutes` long.
        sources: (from which minute, on which source), in order; the first at 0.
    """

    since_ms: int
    minutes: int
    covered: int
    outlets: tuple[OutletMinutes, ...]
    sources: Sequence[tuple[int, Source]] = ((0, Source.MAIN),)


@dataclass(frozen=True, slots=True)
class DryEvent:
    """Something that would have happened; `load` and `limit` are what was compared."""

    ts_ms: int
    what: What
    outlet: int | None
    load: Load
    limit: Load


@dataclass(slots=True)
class DryOutlet:
    """What one outlet would have gone through.

    Attributes:
        outlet: its number.
        sheds: how often it would have been shed.
        trips: how often it would have tripped, or been opened at its own limit.
        warnings: minutes over a limit that only warns.
        off_minutes: minutes in which it would have been off although it drew current.
        lost_mwh: what it drew in them.
        possible_minutes: minutes whose mean is within its limit and whose greatest value is over it.
        scheduled_minutes: minutes in which a schedule would have kept it off although it drew current.
        scheduled_mwh: what it drew in them.
    """

    outlet: int
    sheds: int = 0
    trips: int = 0
    warnings: int = 0
    off_minutes: int = 0
    lost_mwh: int = 0
    possible_minutes: int = 0
    scheduled_minutes: int = 0
    scheduled_mwh: int = 0


@dataclass(frozen=True, slots=True)
class DryResult:
    """What other settings would have done.

    Attributes:
        outlets: from outlet 1.
        events: the first `EVENTS_MOST`, in order.
        event_count: how many there were.
        over_minutes: minutes over the budget of the source with nothing left to shed.
        possible_minutes: minutes whose mean is within the budget and whose greatest values together are over it.
    """

    outlets: tuple[DryOutlet, ...]
    events: tuple[DryEvent, ...]
    event_count: int
    over_minutes: int
    possible_minutes: int


Spans = Sequence[tuple[int, int]]
"""From which UTC ms until which, in order."""


def dry_run(recorded: Recorded, config: PduConfig, off: Mapping[int, Spans] | None = None) -> DryResult:
    """Return what `config` would have done over a record; it has as many outlets as the record.

    Args:
        recorded: what was drawn.
        config: with what settings.
        off: when a schedule would have kept an outlet off, by its number; a minute counts by its beginning.
    """
    switched = [_switched(recorded, number, off or {}) for number in range(1, len(recorded.outlets) + 1)]
    run = _Run(replace(recorded, outlets=tuple(column for column, _, _ in switched)), config)
    for one, (_, minutes, mwh) in zip(run.outlets, switched, strict=True):
        one.scheduled_minutes, one.scheduled_mwh = minutes, mwh
    for first, last, source in _spans(recorded):
        run.walk(first, last, source)
    return run.result()


def _switched(recorded: Recorded, number: int, off: Mapping[int, Spans]) -> tuple[OutletMinutes, int, int]:
    """Return a column without what a schedule would have kept off, with how many minutes and mWh that is."""
    column = recorded.outlets[number - 1]
    if number not in off:
        return column, 0, 0
    columns = [list(one) for one in (column.mean_ma, column.mean_mw, column.most_ma, column.most_mw)]
    count = mwh = 0
    for from_ms, until_ms in off[number]:
        first = max(0, -(-(from_ms - recorded.since_ms) // MINUTE_MS))
        last = min(recorded.minutes, -(-(until_ms - recorded.since_ms) // MINUTE_MS))
        for minute in range(first, last):
            if columns[0][minute] > CARRIES_MA:
                count += 1
                mwh += columns[1][minute] // _MWH_PER_MW_MINUTE
            for one in columns:
                one[minute] = 0
    return OutletMinutes(*columns), count, mwh


def _spans(recorded: Recorded) -> Iterable[tuple[int, int, Source]]:
    ends = [*recorded.sources[1:], (recorded.minutes, Source.MAIN)]
    for (first, source), (last, _) in zip(recorded.sources, ends, strict=True):
        yield first, last, source


@dataclass(slots=True)
class _Off:
    """An outlet that is off: why, since when, and what it drew then."""

    why: What
    since_ms: int
    draw: Load


@dataclass(slots=True)
class _Run:
    """One run over a record."""

    recorded: Recorded
    config: PduConfig
    outlets: tuple[DryOutlet, ...] = field(init=False)
    off: dict[int, _Off] = field(default_factory=dict)
    events: list[DryEvent] = field(default_factory=list)
    event_count: int = 0
    over_minutes: int = 0
    possible_minutes: int = 0
    state: SheddingState = field(default_factory=SheddingState)
    totals_ma: list[int] = field(default_factory=list)
    totals_mw: list[int] = field(default_factory=list)
    first: int = 0
    limited: set[int] = field(default_factory=set)
    reset_ms: int = NEVER_MS

    def __post_init__(self) -> None:
        self.outlets = tuple(DryOutlet(n) for n in range(1, len(self.recorded.outlets) + 1))
        for one, settings, minutes in zip(
            self.outlets, self.config.outlets, self.recorded.outlets, strict=True
        ):
            one.possible_minutes = _possible(minutes, settings)

    def walk(self, first: int, last: int, source: Source) -> None:
        """Go through the minutes `first` to `last` on one source."""
        budget = Load(*self.config.budget_of(source))
        columns = self.recorded.outlets
        self.totals_ma = _sums([one.mean_ma for one in columns], first, last)
        self.totals_mw = _sums([one.mean_mw for one in columns], first, last)
        self.first = first
        self._count_possible(first, last, budget)
        at = first
        for minute in self._busy(first, last, budget):
            at = self._quiet_until(max(at, first), minute, budget)
            if at == minute:
                self._minute(minute, budget)
                at += 1
        self._quiet_until(at, last, budget)

    def _busy(self, first: int, last: int, budget: Load) -> list[int]:
        """Return the minutes in which a rule may have something to do although nothing is off."""
        over = {
            first + at
            for at, (ma, mw) in enumerate(zip(self.totals_ma, self.totals_mw, strict=True))
            if ma > budget.current_ma or mw > budget.power_mw
        }
        self.limited = {
            minute
            for settings, column in zip(self.config.outlets, self.recorded.outlets, strict=True)
            for minute in _passing(column, settings, first, last)
        }
        return sorted(over | self.limited)

    def _count_possible(self, first: int, last: int, budget: Load) -> None:
        columns = self.recorded.outlets
        most_ma = _sums([one.most_ma for one in columns], first, last)
        most_mw = _sums([one.most_mw for one in columns], first, last)
        limit_ma, limit_mw = budget.current_ma, budget.power_mw
        rows = zip(self.totals_ma, self.totals_mw, most_ma, most_mw, strict=True)
        self.possible_minutes += sum(
            1
            for ma, mw, high_ma, high_mw in rows
            if (high_ma > limit_ma or high_mw > limit_mw) and ma <= limit_ma and mw <= limit_mw
        )

    def _quiet_until(self, at: int, minute: int, budget: Load) -> int:
        """Go on to `minute`; while something is off, each minute on the way is looked at."""
        while at < minute:
            if not self.off and self.state.at_rest:
                return minute
            self._minute(at, budget)
            at += 1
        return at

    def _minute(self, minute: int, budget: Load) -> None:
        now_ms = self.recorded.since_ms + minute * MINUTE_MS
        if now_ms >= self.reset_ms:
            self._reset(now_ms, budget)
        if minute in self.limited:
            self._keep_limits(minute, now_ms)
        total = self._total(minute)
        if total.exceeds(budget) or not self.state.at_rest or self._may_restore(total, budget):
            self._keep_budget(minute, budget, now_ms)
        if self.off:
            self._account(minute)

    def _total(self, minute: int) -> Load:
        """Return what all outlets carry that are on."""
        at = minute - self.first
        ma, mw = self.totals_ma[at], self.totals_mw[at]
        for number in self.off:
            column = self.recorded.outlets[number - 1]
            ma -= column.mean_ma[minute]
            mw -= column.mean_mw[minute]
        return Load(ma, mw)

    def _load(self, number: int, minute: int) -> Load:
        column = self.recorded.outlets[number - 1]
        return Load(column.mean_ma[minute], column.mean_mw[minute])

    def _reset(self, now_ms: int, budget: Load) -> None:
        tripped = {number: off for number, off in self.off.items() if off.why is not What.SHED}
        for number, off in tripped.items():
            if now_ms - off.since_ms >= RESET_MS:
                del self.off[number]
                self._tell(now_ms, What.RESET, number, off.draw, budget)
        left = [off.since_ms for off in self.off.values() if off.why is not What.SHED]
        self.reset_ms = min(left) + RESET_MS if left else NEVER_MS

    def _keep_limits(self, minute: int, now_ms: int) -> None:
        for settings, one in zip(self.config.outlets, self.outlets, strict=True):
            load = self._load(one.outlet, minute)
            limit = Load(settings.limit_ma, settings.limit_mw)
            if one.outlet in self.off or not load.exceeds(limit):
                continue
            if settings.limit_action is LimitAction.WARN:
                one.warnings += 1
                self._tell(now_ms, What.WARNING, one.outlet, load, limit)
                continue
            what = What.TRIP if settings.limit_action is LimitAction.TRIP else What.LIMIT_SHED
            one.trips += 1
            self.off[one.outlet] = _Off(what, now_ms + settings.limit_ms, load)
            self.reset_ms = min(self.reset_ms, now_ms + settings.limit_ms + RESET_MS)
            self._tell(now_ms + settings.limit_ms, what, one.outlet, load, limit)

    def _may_restore(self, total: Load, budget: Load) -> bool:
        """Return whether a shed outlet could come back in this minute, without asking the rules themselves."""
        shed = [number for number, off in self.off.items() if off.why is What.SHED]
        if not shed:
            return False
        first = min(shed, key=lambda number: (self.config.outlets[number - 1].priority, number))
        draw = self.off[first].draw
        return Headroom(total, budget).fits_well(draw.current_ma, draw.power_mw)

    def _keep_budget(self, minute: int, budget: Load, now_ms: int) -> None:
        """Let the device's own rules decide, at the times within the minute at which they would."""
        end_ms = now_ms + MINUTE_MS
        while now_ms < end_ms:
            loads = [self._carried(number, minute) for number in range(1, len(self.outlets) + 1)]
            states = self._states(loads)
            currents = [one.current_ma for one in loads]
            room = Headroom(self._total(minute), budget)
            index = None
            while index is None and now_ms < end_ms:
                verdict = shedding.judge(self.state, room, states, currents, self.config, now_ms)
                self.state = verdict.state
                index = verdict.shed
                if index is not None:
                    self._shed(index, loads[index], room, now_ms)
                    now_ms += shedding.STEP_MS
                    break
                if verdict.exhausted:
                    self._tell(now_ms, What.OVER_BUDGET, None, room.load, budget)
                if self.state.told or self.state.futile:
                    self.over_minutes += 1
                    return
                if not room.load.exceeds(budget):
                    index = shedding.first_to_restore(self.state, room, states, self.config, now_ms)
                    if index is not None:
                        self._restore(index, room, now_ms)
                    elif not self._may_restore(room.load, budget):
                        return
                now_ms += shedding.OVER_MS

    def _carried(self, number: int, minute: int) -> Load:
        return _NOTHING if number in self.off else self._load(number, minute)

    def _states(self, loads: Sequence[Load]) -> list[OutletState]:
        states = []
        for number, load in enumerate(loads, 1):
            off = self.off.get(number)
            draw = load if off is None else off.draw
            states.append(
                OutletState(
                    _WANTED,
                    closed=off is None,
                    changed_ms=off.since_ms if off else 0,
                    shed=Shed.BUDGET if off and off.why is What.SHED else None,
                    draw_ma=draw.current_ma,
                    draw_mw=draw.power_mw,
                )
            )
        return states

    def _shed(self, index: int, load: Load, room: Headroom, now_ms: int) -> None:
        self.outlets[index].sheds += 1
        self.off[index + 1] = _Off(What.SHED, now_ms, load)
        self._tell(now_ms, What.SHED, index + 1, room.load, room.budget)

    def _restore(self, index: int, room: Headroom, now_ms: int) -> None:
        del self.off[index + 1]
        self.state = replace(self.state, changed_ms=now_ms, restored=True)
        self._tell(now_ms, What.RESTORED, index + 1, room.load, room.budget)

    def _account(self, minute: int) -> None:
        for number in self.off:
            load = self._load(number, minute)
            if load.current_ma > CARRIES_MA:
                one = self.outlets[number - 1]
                one.off_minutes += 1
                one.lost_mwh += load.power_mw // _MWH_PER_MW_MINUTE

    def _tell(self, ts_ms: int, what: What, outlet: int | None, load: Load, limit: Load) -> None:
        self.event_count += 1
        if len(self.events) < EVENTS_MOST:
            self.events.append(DryEvent(ts_ms, what, outlet, load, limit))

    def result(self) -> DryResult:
        """Return what was found."""
        return DryResult(
            self.outlets,
            tuple(self.events),
            self.event_count,
            self.over_minutes,
            self.possible_minutes,
        )


_WANTED = OutletMemory(wanted=True)
_NOTHING = Load(0, 0)


def _sums(columns: Sequence[Sequence[int]], first: int, last: int) -> list[int]:
    if not columns:
        return [0] * (last - first)
    return list(map(sum, zip(*(column[first:last] for column in columns), strict=True)))


def _passing(column: OutletMinutes, settings: OutletConfig, first: int, last: int) -> list[int]:
    """Return the minutes in which an outlet is over its limit."""
    limit_ma, limit_mw = settings.limit_ma, settings.limit_mw
    span = slice(first, last)
    rows = zip(column.mean_ma[span], column.mean_mw[span], strict=True)
    return [first + at for at, (ma, mw) in enumerate(rows) if ma > limit_ma or mw > limit_mw]


def _possible(minutes: OutletMinutes, settings: OutletConfig) -> int:
    rows = zip(minutes.mean_ma, minutes.most_ma, minutes.mean_mw, minutes.most_mw, strict=True)
    limit_ma, limit_mw = settings.limit_ma, settings.limit_mw
    return sum(
        1
        for mean_ma, most_ma, mean_mw, most_mw in rows
        if (most_ma > limit_ma or most_mw > limit_mw) and mean_ma <= limit_ma and mean_mw <= limit_mw
    )
