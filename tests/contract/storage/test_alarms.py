from dataclasses import replace

import pytest

from loadcenter.domain.events import Severity
from loadcenter.domain.topology import Source
from loadcenter.services.ports import AlarmRow, Store, StoreDataError

NEW = AlarmRow(0, "rack-1", "redundancy_lost", None, Source.BACKUP, Severity.WARNING, 1000, 1000, 1)


async def test_an_alarm_lives_until_it_is_cleared(store: Store) -> None:
    raised = await store.put_alarm(NEW)
    assert raised == replace(NEW, id=raised.id)
    assert raised.id > 0
    again = replace(raised, last_ms=5000, count=2, detail="230 V → 12 V")
    assert await store.put_alarm(again) == again
    known = replace(again, acknowledged_ms=6000, acknowledged_by="Änne", note="seen 😀")
    await store.put_alarm(known)
    assert await store.alarms(open_only=True) == [known]
    over = replace(known, cleared_ms=9000)
    await store.put_alarm(over)
    assert await store.alarms(open_only=True) == []
    assert await store.alarms(open_only=False) == [over]


async def test_the_newest_alarm_comes_first(store: Store) -> None:
    rows = [
        await store.put_alarm(replace(NEW, outlet=2, first_ms=first)) for first in (2000, 3000, 1000, 3000)
    ]
    assert await store.alarms(open_only=False) == [rows[3], rows[1], rows[0], rows[2]]


async def test_updating_an_alarm_that_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(StoreDataError, match="no alarm 7"):
        await store.put_alarm(replace(NEW, id=7))
