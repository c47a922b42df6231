"""Events are announced in order, once, with the id that the database gave them."""

from tests.fakes.builders import START_MS, Center
from tests.fakes.store import FakeStore

from loadcenter.domain.events import EventCode, Severity
from loadcenter.services.announce import EventAdded
from loadcenter.services.ports import IngestBatch, StoredEvent


def stored(seq: int, code: EventCode = EventCode.SWITCHED, **data: int) -> StoredEvent:
    return StoredEvent("rack-1", START_MS, 1, seq, code, Severity.INFO, outlet=2, data=data)


async def add(store: FakeStore, *events: StoredEvent) -> None:
    await store.commit(IngestBatch(events=events))


def announced(center: Center) -> list[tuple[int, int]]:
    return [(one.event.id, one.event.seq) for one in center.said if isinstance(one, EventAdded)]


async def test_only_what_is_new_since_the_start_is_announced() -> None:
    center = Center()
    await add(center.store, stored(1), stored(2))
    await center.open("rack-1")
    assert center.news.last_id == 2
    await add(center.store, stored(3), stored(4))
    await center.news.look()
    await center.news.look()
    assert announced(center) == [(3, 3), (4, 4)]


async def test_more_than_one_reading_holds_are_announced_all(center: Center) -> None:
    await add(center.store, *(stored(seq) for seq in range(1, 1_202)))
    await center.news.look()
    assert [seq for _, seq in announced(center)] == list(range(1, 1_202))


async def test_what_could_not_be_read_is_announced_later(center: Center) -> None:
    await add(center.store, stored(1))
    center.store.away = "gone"
    await center.news.look()
    center.store.away = None
    await center.news.look()
    assert announced(center) == [(1, 1)]


async def test_the_last_trip_of_an_outlet_is_remembered_with_its_numbers() -> None:
    center = Center()
    await add(
        center.store,
        stored(1, EventCode.TRIP, i_ma=5_000),
        stored(2, EventCode.TRIP, i_ma=6_000),
        stored(3, EventCode.TRIP_RESET),
    )
    await center.open("rack-1")
    assert center.news.trip_numbers("rack-1", 2) == {"i_ma": 6_000}
    await add(center.store, stored(4, EventCode.TRIP, i_ma=7_000))
    await center.news.look()
    assert center.news.trip_numbers("rack-1", 2) == {"i_ma": 7_000}
    assert center.news.trip_numbers("rack-1", 1) == {}
