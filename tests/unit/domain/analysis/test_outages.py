"""Outages, transfers and availability with known answers."""

from loadcenter.domain.analysis.disturbances import Noted
from loadcenter.domain.analysis.outages import Outage, supply
from loadcenter.domain.events import Cause, EventCode
from loadcenter.domain.topology import Source

SINCE, UNTIL = 10_000, 110_000
LENGTH = UNTIL - SINCE


def outage(ts_ms: int) -> Noted:
    return Noted(ts_ms, EventCode.OUTAGE, Source.MAIN)


def end(ts_ms: int, outage_ms: int | None = None) -> Noted:
    return Noted(ts_ms, EventCode.OUTAGE_END, data={} if outage_ms is None else {"outage_ms": outage_ms})


def transfer(ts_ms: int, target: Source, cause: Cause | None = Cause.SOURCE_LOST) -> Noted:
    return Noted(ts_ms, EventCode.TRANSFER, target, cause, {"from": target.other.value, "to": target.value})


def boot(ts_ms: int) -> Noted:
    return Noted(ts_ms, EventCode.BOOT)


def test_an_outage_lasts_as_long_as_its_end_says() -> None:
    found = supply([outage(20_000), end(25_000, 5_400), outage(50_000), end(51_000)], SINCE, UNTIL, LENGTH)
    assert found.outages == [Outage(19_600, 25_000, True), Outage(50_000, 51_000, True)]
    assert (found.outage_ms, found.longest_ms) == (6_400, 5_400)
    assert found.availability() == (0.936, 0.936)


def test_outages_are_cut_at_the_bounds_of_the_period() -> None:
    found = supply([outage(5_000), end(12_000, 7_000), outage(100_000)], SINCE, UNTIL, LENGTH)
    assert found.outages == [Outage(SINCE, 12_000, True), Outage(100_000, UNTIL, False)]
    over = supply([outage(1_000), end(2_000, 1_000)], SINCE, UNTIL, LENGTH)
    assert over.outages == []


def test_an_outage_ends_at_the_latest_when_the_pdu_starts_again() -> None:
    found = supply([outage(20_000), boot(30_000)], SINCE, UNTIL, LENGTH)
    assert found.outages == [Outage(20_000, 30_000, False)]


def test_time_without_readings_may_have_been_either() -> None:
    found = supply([], SINCE, UNTIL, LENGTH // 2)
    assert found.availability() == (0.5, 1.0)
    assert supply([], SINCE, SINCE, 0).availability() is None


def test_the_time_on_backup_is_that_between_transfers() -> None:
    events = [boot(1_000), transfer(20_000, Source.BACKUP), transfer(50_000, Source.MAIN, Cause.RETRANSFER)]
    found = supply(events, SINCE, UNTIL, LENGTH)
    assert (found.on_backup_ms, found.position_known_ms) == (30_000, LENGTH)
    assert found.transfers == {"retransfer": 1, "source_lost": 1}


def test_a_transfer_before_the_period_tells_where_the_switch_stood() -> None:
    found = supply([transfer(5_000, Source.BACKUP)], SINCE, UNTIL, LENGTH)
    assert (found.on_backup_ms, found.transfers) == (LENGTH, {})


def test_the_first_transfer_tells_where_the_switch_stood_before() -> None:
    found = supply([transfer(30_000, Source.MAIN, None)], SINCE, UNTIL, LENGTH)
    assert (found.on_backup_ms, found.position_known_ms) == (20_000, LENGTH)
    assert found.transfers == {"unknown": 1}


def test_without_any_event_the_position_is_not_known() -> None:
    found = supply([], SINCE, UNTIL, LENGTH)
    assert (found.on_backup_ms, found.position_known_ms) == (0, 0)


def test_a_start_puts_the_switch_on_main() -> None:
    found = supply([transfer(20_000, Source.BACKUP), boot(40_000)], SINCE, UNTIL, LENGTH)
    assert found.on_backup_ms == 20_000
