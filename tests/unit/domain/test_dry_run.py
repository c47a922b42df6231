"""The rules over recorded minutes."""

from dataclasses import replace

from loadcenter.domain.dry_run import MINUTE_MS, OutletMinutes, Recorded, What, dry_run
from loadcenter.domain.settings import LimitAction, OutletConfig, PduConfig
from loadcenter.domain.topology import Source

TWO = PduConfig((OutletConfig(priority=1), OutletConfig(priority=5)))


def recorded(*columns, most=None, sources=((0, Source.MAIN),)):
    outlets = []
    for at, column in enumerate(columns):
        high = column if most is None else most[at]
        mw = [ma * 230 for ma in column]
        outlets.append(OutletMinutes(column, mw, high, [ma * 230 for ma in high]))
    return Recorded(0, len(columns[0]), len(columns[0]), tuple(outlets), sources)


def told(result):
    return [(event.ts_ms // MINUTE_MS, event.what, event.outlet) for event in result.events]


def test_within_every_limit_nothing_happens():
    result = dry_run(recorded([1_000] * 5, [2_000] * 5), TWO)
    assert (result.events, result.event_count, result.over_minutes) == ((), 0, 0)


def test_the_lowest_priority_is_shed_and_returns_when_it_fits():
    result = dry_run(
        recorded([1_000, 3_000, 3_000, 500, 500], [2_000] * 5), replace(TWO, budget_main_ma=4_500)
    )
    assert told(result) == [(1, What.SHED, 2), (3, What.RESTORED, 2)]
    assert (result.outlets[1].sheds, result.outlets[1].off_minutes) == (1, 2)
    assert result.outlets[1].lost_mwh == 2 * (2_000 * 230 // 60)


def test_a_protected_outlet_is_not_shed_and_the_minutes_are_counted():
    config = PduConfig((OutletConfig(protected=True), OutletConfig(protected=True)), budget_main_ma=3_500)
    result = dry_run(recorded([1_000, 3_000, 3_000, 500], [2_000] * 4), config)
    assert told(result) == [(1, What.OVER_BUDGET, None)]
    assert result.over_minutes == 2


def test_a_trip_lasts_until_somebody_comes_after_an_hour():
    result = dry_run(recorded([5_000] * 70, [100] * 70), TWO)
    assert told(result) == [(0, What.TRIP, 1), (61, What.RESET, 1), (61, What.TRIP, 1)]
    assert result.outlets[0].trips == 2


def test_a_limit_that_warns_opens_nothing():
    config = PduConfig((OutletConfig(limit_action=LimitAction.WARN), OutletConfig()))
    result = dry_run(recorded([5_000] * 3, [100] * 3), config)
    assert (result.outlets[0].warnings, result.outlets[0].off_minutes) == (3, 0)


def test_a_limit_that_sheds_is_told_as_such():
    config = PduConfig((OutletConfig(limit_action=LimitAction.SHED), OutletConfig()))
    assert told(dry_run(recorded([5_000] * 3, [100] * 3), config)) == [(0, What.LIMIT_SHED, 1)]


def test_what_was_over_only_at_its_peak_is_counted_as_possible():
    record = recorded([1_000, 1_000], [2_000, 2_000], most=[[1_000, 4_500], [2_000, 2_500]])
    result = dry_run(record, replace(TWO, budget_main_ma=4_000))
    assert (result.possible_minutes, result.outlets[0].possible_minutes, result.event_count) == (1, 1, 0)


def test_each_source_has_its_budget():
    record = recorded(
        [2_000] * 6, [2_000] * 6, sources=((0, Source.MAIN), (2, Source.BACKUP), (4, Source.MAIN))
    )
    result = dry_run(record, replace(TWO, budget_backup_ma=3_000))
    assert told(result) == [(2, What.SHED, 2), (4, What.RESTORED, 2)]


def test_what_a_schedule_would_have_kept_off_is_not_drawn_and_counted():
    record = recorded([3_000] * 6, [2_000] * 6)
    off = {1: [(-5, 90_000), (4 * MINUTE_MS, 10**9)]}
    result = dry_run(record, replace(TWO, budget_main_ma=4_000), off)
    one = result.outlets[0]
    assert (one.scheduled_minutes, one.scheduled_mwh) == (4, 4 * (3_000 * 230 // 60))
    assert told(result) == [(2, What.SHED, 2), (4, What.RESTORED, 2)]
