"""Alarms have a life: active, acknowledged, cleared; counted when they flap; kept over restarts."""

import asyncio

import pytest
from tests.fakes.builders import START_MS, Center, running, state, status, telemetry
from tests.fakes.clock import settle
from tests.fakes.store import FakeStore

from loadcenter.services.alarming import NoSuchAlarmError
from loadcenter.services.announce import AlarmChanged
from loadcenter.services.ports import AlarmRow

TRIPPED = [
    {"n": 1, "on": False, "cause": "protection", "trip": "overcurrent"},
    {"n": 2, "on": True, "cause": "restore"},
]


def changes(center: Center) -> list[tuple[str, int, bool]]:
    """Return (kind, count, cleared) of each announced change of an alarm."""
    rows = [one.alarm for one in center.said if isinstance(one, AlarmChanged)]
    return [(row.kind, row.count, row.cleared_ms is not None) for row in rows]


async def tripped(center: Center, up_ms: int = 500) -> None:
    await center.hear("state", state(up_ms=up_ms, out=TRIPPED))
    await center.alarming.check()


async def mended(center: Center, up_ms: int = 600) -> None:
    await center.hear("state", state(up_ms=up_ms))
    await center.alarming.check()


async def test_an_alarm_begins_when_its_condition_does_and_is_cleared_with_it(center: Center) -> None:
    await center.greet()
    await tripped(center)
    (alarm,) = center.alarming.open_alarms()
    assert (alarm.kind, alarm.outlet, alarm.first_ms, alarm.count) == ("trip", 1, START_MS, 1)
    assert center.alarming.count("rack-1") == 1
    await center.clock.advance(4_000)
    await center.hear("telemetry", telemetry(5))
    await mended(center)
    assert center.alarming.open_alarms() == []
    (kept,) = await center.store.alarms(open_only=False)
    assert kept.cleared_ms == START_MS + 4_000
    assert changes(center) == [("trip", 1, False), ("trip", 1, True)]


async def test_conditions_are_looked_at_each_second(center: Center) -> None:
    await center.greet()
    async with running(center.alarming.run):
        await center.hear("state", state(up_ms=500, out=TRIPPED))
        await center.clock.advance(1_000)
        assert center.alarming.count("rack-1") == 1


async def test_an_alarm_that_lasts_is_announced_once_and_keeps_its_last_time(center: Center) -> None:
    await center.greet()
    await tripped(center)
    await center.clock.advance(3_000)
    await center.hear("telemetry", telemetry(4))
    await center.alarming.check()
    (alarm,) = center.alarming.open_alarms()
    assert (alarm.first_ms, alarm.last_ms) == (START_MS, START_MS + 3_000)
    assert len(changes(center)) == 1


async def test_an_alarm_that_flaps_is_one_alarm_that_is_counted(center: Center) -> None:
    await center.greet()
    for turn in range(5):
        await tripped(center, 1_000 + 2 * turn)
        await mended(center, 1_001 + 2 * turn)
        await center.clock.advance(1_000)
        await center.hear("telemetry", telemetry(2 + turn))
    (alarm,) = await center.store.alarms(open_only=False)
    assert (alarm.count, alarm.first_ms) == (5, START_MS)


async def test_a_condition_that_returns_after_a_minute_is_a_new_alarm(center: Center) -> None:
    await center.greet()
    await tripped(center, 1_000)
    await mended(center, 1_001)
    await center.clock.advance(61_000)
    await center.hear("telemetry", telemetry(62))
    await tripped(center, 62_000)
    assert [alarm.count for alarm in await center.store.alarms(open_only=False)] == [1, 1]


async def test_a_person_acknowledges_with_a_note(center: Center) -> None:
    await center.greet()
    await tripped(center)
    (alarm,) = center.alarming.open_alarms()
    seen = await center.alarming.acknowledge(alarm.id, "ada", "heater removed")
    assert (seen.acknowledged_by, seen.note, seen.acknowledged_ms) == ("ada", "heater removed", START_MS)
    assert await center.store.alarms(open_only=True) == [seen]


async def test_an_acknowledged_alarm_stays_so_until_it_is_cleared(center: Center) -> None:
    await center.greet()
    await tripped(center)
    await center.alarming.acknowledge(center.alarming.open_alarms()[0].id, "ada", "")
    await center.alarming.check()
    assert center.alarming.open_alarms()[0].acknowledged_by == "ada"


async def test_an_alarm_that_is_acknowledged_while_it_is_being_cleared_keeps_both(
    center: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    await center.greet()
    await tripped(center)
    (alarm,) = center.alarming.open_alarms()
    put_alarm = center.store.put_alarm

    async def slowly(row: AlarmRow) -> AlarmRow:
        await settle()
        return await put_alarm(row)

    monkeypatch.setattr(center.store, "put_alarm", slowly)
    await center.hear("state", state(up_ms=600))
    await asyncio.gather(center.alarming.acknowledge(alarm.id, "ada", "seen"), center.alarming.check())
    (kept,) = await center.store.alarms(open_only=False)
    assert (kept.acknowledged_by, kept.cleared_ms) == ("ada", START_MS)
    assert center.alarming.open_alarms() == []


async def test_an_alarm_that_the_database_lost_is_kept_anew(center: Center) -> None:
    await center.greet()
    await tripped(center)
    restored = FakeStore()
    center.alarming._store = restored
    await mended(center)
    (kept,) = await restored.alarms(open_only=False)
    assert (kept.kind, kept.cleared_ms) == ("trip", START_MS)


async def test_an_alarm_that_is_not_open_cannot_be_acknowledged(center: Center) -> None:
    with pytest.raises(NoSuchAlarmError, match="no open alarm 7"):
        await center.alarming.acknowledge(7, "ada", "")


async def test_open_alarms_survive_a_restart_with_their_first_time(center: Center) -> None:
    await center.greet()
    await tripped(center)
    await center.clock.advance(60_000)
    again = Center(store=center.store, clock=center.clock)
    await again.open("rack-1")
    await again.alarming.check()
    (alarm,) = again.alarming.open_alarms()
    assert (alarm.kind, alarm.first_ms) == ("trip", START_MS)
    await again.greet(seq=60, up_ms=60_000, out=TRIPPED)
    await again.alarming.check()
    assert [one.id for one in again.alarming.open_alarms()] == [alarm.id]


async def test_a_pdu_that_goes_silent_neither_confirms_nor_clears_what_was_wrong(center: Center) -> None:
    await center.greet()
    await tripped(center)
    await center.hear("status", status("offline"))
    await center.alarming.check()
    assert sorted(alarm.kind for alarm in center.alarming.open_alarms()) == ["silent", "trip"]


async def test_the_silence_of_a_pdu_is_not_cleared_by_a_restart_of_the_control_center(center: Center) -> None:
    await center.greet()
    await center.hear("status", status("offline"))
    await center.alarming.check()
    again = await Center(store=center.store, clock=center.clock).open("rack-1")
    await again.alarming.check()
    assert [alarm.kind for alarm in again.alarming.open_alarms()] == ["silent"]


async def test_while_the_database_is_away_alarms_wait_and_begin_when_it_is_back(center: Center) -> None:
    await center.greet()
    center.store.away = "gone"
    await tripped(center)
    assert center.alarming.open_alarms() == []
    center.store.away = None
    await center.alarming.check()
    assert center.alarming.count("rack-1") == 1


async def test_an_alarm_that_returns_while_the_database_is_away_is_still_the_same_one(center: Center) -> None:
    await center.greet()
    await tripped(center, 1_000)
    await mended(center, 1_001)
    center.store.away = "gone"
    await tripped(center, 1_002)
    center.store.away = None
    await center.alarming.check()
    (alarm,) = await center.store.alarms(open_only=False)
    assert alarm.count == 2


async def test_a_failed_clearing_is_tried_again(center: Center) -> None:
    await center.greet()
    await tripped(center)
    center.store.away = "gone"
    await mended(center)
    assert center.alarming.count("rack-1") == 1
    center.store.away = None
    await center.alarming.check()
    assert center.alarming.count("rack-1") == 0
