"""Recorded months through the dry run, against a count that shares nothing with it."""

from dataclasses import dataclass, field

import pytest
from tests.contract.analytics.recordings import lines

from loadcenter.domain.dry_run import OutletMinutes, Recorded, What, dry_run
from loadcenter.domain.settings import LimitAction, OutletConfig, PduConfig
from loadcenter.simulator.traces import parse_any

RECORDINGS = [
    "REFIT_House20_2014-10_1min.csv.gz",
    "REFIT_House20_2015-01_1min.csv.gz",
    "UKDALE_House2_2013-06_1min.csv.gz",
]
OUTLETS = 5
MONTH = 31 * 1440
SOME_DAYS = 3 * 1440


@pytest.fixture(scope="module", params=RECORDINGS)
def watts(request: pytest.FixtureRequest) -> list[list[int]]:
    """The watts of each minute of a recorded month: the rest of the house as outlet 1, then four appliances."""
    traces = parse_any(lines(request.param))
    begin = min(trace.seconds[0] for trace in traces.values())
    columns = {name: [0] * MONTH for name in traces}
    for name, trace in traces.items():
        for second, value in zip(trace.seconds, trace.watts, strict=True):
            if (minute := int(second - begin) // 60) < MONTH:
                columns[name][minute] = round(value)
    whole = columns.pop("Aggregate")
    rest = [max(0, total - sum(parts)) for total, *parts in zip(whole, *columns.values(), strict=True)]
    return [rest, *columns.values()]


def recorded(watts: list[list[int]], minutes: int) -> Recorded:
    outlets = []
    for column in watts:
        ma = [value * 1000 // 230 for value in column[:minutes]]
        mw = [value * 1000 for value in column[:minutes]]
        outlets.append(OutletMinutes(ma, mw, ma, mw))
    return Recorded(0, minutes, minutes, tuple(outlets))


def config(budget_ma: int, *, protected: bool = False) -> PduConfig:
    outlets = tuple(
        OutletConfig(priority=number, protected=protected, limit_ma=10_000, limit_action=LimitAction.WARN)
        for number in range(1, OUTLETS + 1)
    )
    return PduConfig(outlets, budget_main_ma=budget_ma)


def test_minutes_over_the_budget_are_those_whose_sum_is(watts: list[list[int]]) -> None:
    minutes = len(watts[0])
    result = dry_run(recorded(watts, minutes), config(4_000, protected=True))
    sums = [sum(column[at] * 1000 // 230 for column in watts) for at in range(minutes)]
    assert result.over_minutes == sum(one > 4_000 for one in sums)
    assert result.over_minutes > 0


def test_a_trip_comes_at_each_peak_that_is_an_hour_after_the_one_before(watts: list[list[int]]) -> None:
    minutes = len(watts[0])
    outlets = tuple(OutletConfig(limit_ma=4_000, limit_ms=2_000) for _ in watts)
    result = dry_run(recorded(watts, minutes), PduConfig(outlets))
    for one, column in zip(result.outlets, watts, strict=True):
        count, free = 0, 0
        for at, value in enumerate(column):
            if value * 1000 // 230 > 4_000 and at >= free:
                # it opens two seconds into the minute, so the minute in which an hour is over is not yet free
                count, free = count + 1, at + 61
        assert one.trips == count
    assert any(one.trips for one in result.outlets)


@dataclass
class Naive:
    """The rules as docs/control.md tells them, second by second, with nothing of the product."""

    watts: list[list[int]]
    budget_ma: int
    off_since: dict[int, int] = field(default_factory=dict)
    draw: dict[int, int] = field(default_factory=dict)
    changed: int = -10_000
    over_since: int | None = None
    sheds: dict[int, int] = field(default_factory=dict)
    off_minutes: dict[int, int] = field(default_factory=dict)

    def ma(self, outlet: int, second: int) -> int:
        return self.watts[outlet][second // 60] * 1000 // 230

    def run(self, minutes: int) -> "Naive":
        for minute in range(minutes):
            self.minute(minute)
            for outlet in self.off_since:
                if self.ma(outlet, minute * 60) > 200:
                    self.off_minutes[outlet] = self.off_minutes.get(outlet, 0) + 1
        return self

    def minute(self, minute: int) -> None:
        for second in range(minute * 60, minute * 60 + 60):
            on = [n for n in range(len(self.watts)) if n not in self.off_since]
            total = sum(self.ma(n, second) for n in on)
            if total > self.budget_ma:
                self.over_since = second if self.over_since is None else self.over_since
                candidates = [n for n in on if self.ma(n, second) > 200]
                if second - self.over_since >= 1 and candidates:
                    lowest = max(candidates)
                    self.off_since[lowest], self.draw[lowest] = second, self.ma(lowest, second)
                    self.sheds[lowest] = self.sheds.get(lowest, 0) + 1
                    self.changed = second
                continue
            self.over_since = None
            if not self.off_since:
                return
            first = min(self.off_since)
            fits = total * 10 + self.draw[first] * 15 <= self.budget_ma * 9
            if fits and second - self.changed >= 30 and second - self.off_since[first] >= 10:
                del self.off_since[first]
                self.changed = second


@pytest.mark.parametrize("budget_ma", [1_500, 4_000])
def test_sheds_and_their_length_are_those_of_a_count_by_the_second(
    watts: list[list[int]], budget_ma: int
) -> None:
    result = dry_run(recorded(watts, SOME_DAYS), config(budget_ma))
    naive = Naive(watts, budget_ma).run(SOME_DAYS)
    assert [one.sheds for one in result.outlets] == [naive.sheds.get(n, 0) for n in range(OUTLETS)]
    assert [one.off_minutes for one in result.outlets] == [
        naive.off_minutes.get(n, 0) for n in range(OUTLETS)
    ]
    assert sum(one.sheds for one in result.outlets) > 0
    assert result.event_count >= sum(event.what is What.SHED for event in result.events)
