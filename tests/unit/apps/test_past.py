"""The half hour before a demo's first start is stored like any other, and the devices go on from it."""

from tests.fakes.store import FakeStore

from loadcenter.apps.past import LENGTH_MS, STEP_MS, live_past
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import EventFilter
from loadcenter.simulator.rack import Rack, default_layouts

START_MS = 1_800_000_000_000
ROOT = "loadcenter"


async def test_the_half_hour_is_whole_and_holds_an_outage_and_a_trip_that_was_reset() -> None:
    store = FakeStore()
    layouts = default_layouts(2, 1)
    flash = await live_past(Rack(layouts, 1, START_MS, step_ms=STEP_MS), store, ROOT, START_MS)
    for pdu_id in ("rack-1", "rack-2"):
        rows = await store.raw_outlets(pdu_id, 1, START_MS, START_MS + LENGTH_MS + 1)
        assert len(rows) == LENGTH_MS // 1000
        assert await store.gaps(pdu_id) == []
    codes = [one.code for one in await store.events(EventFilter(limit=500))]
    assert codes.count("transfer") == 2
    assert codes.count("trip") == codes.count("trip_reset") == 1
    went_on = Rack(layouts, 1, START_MS + LENGTH_MS, saved=flash).pdus["rack-2"]
    assert went_on.boot == 2
    outlet = went_on.state.memory.outlets[1]
    assert (outlet.latch, outlet.wanted) == (None, True)
    stored = (await store.positions("rack-2"))[StreamKey("rack-2", 1, Stream.TELEMETRY)]
    assert stored == LENGTH_MS // 1000
