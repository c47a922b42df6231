"""What every `ScheduleStore` promises: the one in memory, SQLite and MariaDB."""

from dataclasses import replace
from datetime import date

import pytest
from tests.contract.storage.scheduled import (
    CHEAP,
    EVENING,
    LONG,
    PLACE,
    PULSE,
    T,
    fill_schedules,
    mark,
    run,
    schedule,
)

from loadcenter.domain.occurrences import Edge, Past, RunResult
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports import Store, StoreDataError
from loadcenter.services.ports.schedules import HoldRow, MarkKind, PriceRow, RunFilter, ScheduleStore

HOUR = 3_600_000


@pytest.fixture
def kept(store: Store) -> ScheduleStore:
    return store.schedules


async def test_every_kind_of_plan_comes_back_as_it_was_by_name(kept: ScheduleStore) -> None:
    rows = [schedule(number, plan) for number, plan in enumerate((EVENING, PULSE, LONG, CHEAP), 1)]
    for row in reversed(rows):
        assert await kept.put_schedule(row, 0)
    assert await kept.schedules() == rows


async def test_a_schedule_is_changed_only_from_the_version_that_is_kept(kept: ScheduleStore) -> None:
    assert await kept.put_schedule(schedule(), 0)
    assert not await kept.put_schedule(schedule(), 0)
    second = replace(schedule(), version=2, enabled=False, plan=LONG)
    assert await kept.put_schedule(second, 1)
    assert not await kept.put_schedule(replace(second, version=3), 1)
    assert not await kept.put_schedule(schedule(2), 1)
    assert await kept.schedules() == [second]


async def test_two_schedules_cannot_have_one_name(kept: ScheduleStore) -> None:
    await kept.put_schedule(schedule(), 0)
    with pytest.raises(StoreDataError):
        await kept.put_schedule(replace(schedule(2), name="Schedule 1"), 0)
    assert await kept.schedules() == [schedule()]


async def test_removing_a_schedule_takes_its_marks_along_and_leaves_its_runs(kept: ScheduleStore) -> None:
    await fill_schedules(kept)
    assert await kept.delete_schedule("s-1")
    assert not await kept.delete_schedule("s-1")
    assert await kept.marks() == []
    assert await kept.runs(RunFilter()) == [run()]


async def test_a_decision_is_kept_once_with_its_marks_and_how_far_it_goes(kept: ScheduleStore) -> None:
    await kept.put_schedule(schedule(), 0)
    first, end = run(), run(edge=Edge.END)
    assert await kept.decide([first], [mark()], {"s-1": T + 5}) == {first.key}
    again = replace(first, decided_ms=T + 9, past=Past(RunResult.REFUSED, "locked"))
    assert await kept.decide([again, end], [mark()], {"s-1": T + 9, "s-9": 1}) == {end.key}
    assert await kept.past_of({T}, T + 10) == {first.key: first.past, end.key: end.past}
    assert (await kept.schedules())[0].decided_ms == T + 9
    assert await kept.marks() == [mark()]


async def test_what_was_missed_in_a_time_that_is_to_come_again_may_be_decided_again(
    kept: ScheduleStore,
) -> None:
    missed = run(decided_ms=T + HOUR, past=Past(RunResult.MISSED))
    await kept.decide([missed], [], {})
    assert await kept.past_of({T}, T + 1) == {}
    assert await kept.past_of({T}, T + HOUR) == {missed.key: missed.past}
    assert await kept.decide([run(decided_ms=T + HOUR)], [], {}) == frozenset()
    assert await kept.decide([run(decided_ms=T + 1)], [], {}) == {missed.key}
    assert await kept.runs(RunFilter()) == [run(decided_ms=T + 1)]


async def test_a_run_is_settled_and_then_no_longer_under_way(kept: ScheduleStore) -> None:
    later = run(T + 1)
    await kept.decide([later, run()], [], {})
    assert await kept.runs_under_way() == [run(), later]
    await kept.settle_run(run().key, Past(RunResult.REFUSED, "latched"), "c-1", "wörtlich")
    assert await kept.runs_under_way() == [later]
    (_, settled) = await kept.runs(RunFilter())
    assert (settled.past, settled.command_id, settled.detail) == (
        Past(RunResult.REFUSED, "latched"),
        "c-1",
        "wörtlich",
    )


async def test_runs_are_found_by_time_schedule_and_outlet_the_latest_first(kept: ScheduleStore) -> None:
    other = OutletId("rack-1", 2)
    rows = [run(T + n * HOUR, edge, place) for n in range(3) for edge in Edge for place in (PLACE, other)]
    await kept.decide(rows, [], {})

    async def found(**wanted: object) -> list[tuple[int, str, int]]:
        listed = await kept.runs(RunFilter(**wanted))
        return [((one.due_ms - T) // HOUR, one.key.edge.value, one.key.place.outlet) for one in listed]

    assert await found(limit=3) == [(3, "end", 1), (3, "end", 2), (2, "end", 1)]
    assert await found(until_ms=T + HOUR) == [(0, "begin", 1), (0, "begin", 2)]
    assert await found(since_ms=T + 3 * HOUR, place=other) == [(3, "end", 2)]
    assert await found(schedule_id="s-2") == []


async def test_runs_and_marks_of_long_ago_are_forgotten(kept: ScheduleStore) -> None:
    await kept.decide([run(), run(T + HOUR)], [mark(), mark(start_ms=T + HOUR)], {})
    assert await kept.forget_runs(T + HOUR) == 1
    assert await kept.runs(RunFilter()) == [run(T + HOUR)]
    assert await kept.marks() == [mark(start_ms=T + HOUR)]


async def test_marks_are_kept_once_and_deleted_by_kind(kept: ScheduleStore) -> None:
    rows = [mark(), mark(start_ms=T + 1), mark(MarkKind.PERSON_OFF, place=PLACE)]
    await kept.put_marks(rows)
    await kept.put_marks([replace(mark(), by="bob")])
    assert sorted(await kept.marks(), key=str) == sorted(rows, key=str)
    assert await kept.delete_marks("s-1", MarkKind.SKIPPED, T)
    assert not await kept.delete_marks("s-1", MarkKind.SKIPPED, T)
    assert await kept.delete_marks("s-1", MarkKind.SKIPPED)
    assert await kept.marks() == rows[2:]


async def test_an_outlet_is_held_by_the_first_who_did_until_it_is_released(kept: ScheduleStore) -> None:
    await kept.put_hold(HoldRow(OutletId("rack-2", 3), T, "ada"))
    await kept.put_hold(HoldRow(PLACE, T, "ada"))
    await kept.put_hold(HoldRow(PLACE, T + 1, "bob"))
    assert await kept.holds() == [HoldRow(PLACE, T, "ada"), HoldRow(OutletId("rack-2", 3), T, "ada")]
    assert await kept.delete_hold(PLACE)
    assert not await kept.delete_hold(PLACE)


async def test_holidays_are_replaced_as_a_whole(kept: ScheduleStore) -> None:
    await kept.set_holidays({date(2027, 12, 25): "", date(2027, 1, 1): "Neujahr"})
    assert list((await kept.holidays()).items()) == [(date(2027, 1, 1), "Neujahr"), (date(2027, 12, 25), "")]
    await kept.set_holidays({})
    assert await kept.holidays() == {}


async def test_prices_are_found_where_they_hold_and_replaced_by_their_beginning(kept: ScheduleStore) -> None:
    rows = [PriceRow(T + n * HOUR, T + (n + 1) * HOUR, n - 1) for n in range(3)]
    await kept.put_prices(rows[::-1])
    assert await kept.prices(T + HOUR, T + HOUR + 1) == rows[1:2]
    dearer = replace(rows[0], micro_per_kwh=10**9)
    await kept.put_prices([dearer])
    assert await kept.prices(T, T + 2 * HOUR) == [dearer, rows[1]]
