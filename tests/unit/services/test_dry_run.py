"""What a dry run makes of transfers, gaps and schedules."""

import pytest
from tests.fakes.builders import START_MS, Center

from loadcenter.domain.dry_run import What
from loadcenter.domain.events import EventCode, Severity
from loadcenter.domain.occurrences import Occurrence
from loadcenter.domain.rollups import OutletRollup, Stat
from loadcenter.domain.schedules import Act
from loadcenter.domain.topology import OutletId
from loadcenter.services.dry_run import DrySpanError, off_spans
from loadcenter.services.ports import IngestBatch, RollupKey, StoredEvent

MINUTE_MS = 60_000


def minutes(ma: int, *numbers: int) -> dict[RollupKey, OutletRollup]:
    def stat(value: int) -> Stat:
        return Stat(60, value, value, 60 * value)

    return {
        RollupKey("rack-1", outlet, START_MS + n * MINUTE_MS): OutletRollup(
            MINUTE_MS, stat(ma * 230), stat(230_000), stat(ma)
        )
        for outlet in (1, 2)
        for n in numbers
    }


def transfer(minute: int, to: str) -> StoredEvent:
    ts_ms = START_MS + minute * MINUTE_MS
    return StoredEvent(
        "rack-1", ts_ms, 1, minute + 100, EventCode.TRANSFER, Severity.WARNING, data={"from": "x", "to": to}
    )


async def test_the_source_of_each_minute_comes_from_the_transfers(center: Center) -> None:
    await center.greet()
    batch = IngestBatch(
        outlet_minutes=minutes(2_000, *range(10)), events=[transfer(3, "backup"), transfer(6, "main")]
    )
    await center.store.commit(batch)
    answer = await center.deciding.dry_run.settings(
        "rack-1", START_MS, START_MS + 10 * MINUTE_MS, {"budget_backup_ma": 3_000}, []
    )
    told = [((one.ts_ms - START_MS) // MINUTE_MS, one.what) for one in answer.proposed.events]
    assert told == [(3, What.SHED), (6, What.RESTORED)]
    assert answer.current.event_count == 0


async def test_a_gap_in_the_record_draws_nothing(center: Center) -> None:
    await center.greet()
    await center.store.commit(IngestBatch(outlet_minutes=minutes(2_000, 0, 1, 8, 9)))
    answer = await center.deciding.dry_run.settings(
        "rack-1", START_MS, START_MS + 10 * MINUTE_MS, {"budget_main_ma": 3_000}, []
    )
    assert answer.covered == 0.4
    assert [one.off_minutes for one in answer.proposed.outlets] == [0, 4]


async def test_without_any_record_nothing_would_have_happened(center: Center) -> None:
    await center.greet()
    answer = await center.deciding.dry_run.settings("rack-1", START_MS, START_MS + MINUTE_MS, {}, [])
    assert (answer.covered, answer.proposed.event_count) == (0, 0)


@pytest.mark.parametrize("days", [0, 93])
async def test_a_span_that_cannot_be_walked_through_is_refused(center: Center, days: int) -> None:
    await center.greet()
    with pytest.raises(DrySpanError, match="one minute to 92 days"):
        await center.deciding.dry_run.settings("rack-1", START_MS, START_MS + days * 86_400_000, {}, [])


def test_schedules_keep_off_from_an_off_to_the_next_on() -> None:
    place, other = OutletId("rack-1", 1), OutletId("rack-2", 1)
    occurrences = [
        Occurrence("night", 100, 200, Act.OFF, 0, (place, other)),
        Occurrence("day", 300, None, Act.OFF, 0, (place,)),
        Occurrence("again", 350, 400, Act.ON, 0, (place,)),
    ]
    assert off_spans(occurrences, "rack-1", 1_000) == {1: [(100, 200), (300, 350), (400, 1_000)]}
