"""What is seen of a PDU, and whether an outlet fits where it is."""

import pytest
from tests.fakes.builders import Center, outlet, state, telemetry

from loadcenter.domain.budget import Load
from loadcenter.domain.site import Limit, SiteConfig
from loadcenter.domain.topology import OutletId, Source

A1, A2 = OutletId("rack-1", 1), OutletId("rack-1", 2)
B1 = OutletId("rack-2", 1)


async def report(center: Center, second: int, *drawn: int, pdu_id: str = "rack-1", settings: int = 0) -> None:
    """Let a PDU report outlets that are on and draw so many mA; 0 is off."""
    on = [
        {"n": n, "on": bool(ma), "cause": "person_on" if ma else "person_off", "by": "ada"}
        for n, ma in enumerate(drawn, 1)
    ]
    await center.hear("state", state(up_ms=second * 1000, out=on, settings=settings), pdu_id=pdu_id)
    loads = [outlet(n, on=bool(ma), i_ma=ma, p_mw=ma * 230) for n, ma in enumerate(drawn, 1)]
    await center.hear("telemetry", telemetry(second, out=loads), pdu_id=pdu_id)


@pytest.fixture
async def two() -> Center:
    """Two PDUs on a site of 10 A: rack-1/1 drew 3 A and is off, rack-1/2 draws 4 A, rack-2/1 draws 4 A."""
    center = await Center().open("rack-1", "rack-2")
    for pdu_id in ("rack-1", "rack-2"):
        await center.greet(pdu_id)
    await report(center, 2, 3_000, 4_000)
    await report(center, 3, 0, 4_000)
    await report(center, 3, 4_000, 0, pdu_id="rack-2")
    await center.tuning.change("rack-1", 0, {}, [{"n": 1, "priority": 2}])
    config = SiteConfig("hall", "Hall", {"rack-1": Limit(), "rack-2": Limit()}, Limit(10_000))
    await center.deciding.sites.put(config, 0)
    return center


async def test_a_draw_is_remembered_while_an_outlet_is_off(two: Center) -> None:
    assert two.rooms.views.draw(A1) == Load(3_000, 690_000)
    seen = two.rooms.views.pdu("rack-1", 5_000)
    assert [(one.on, one.load.current_ma, one.draw.current_ma) for one in seen.outlets] == [
        (False, 0, 3_000),
        (True, 4_000, 4_000),
    ]


async def test_a_draw_of_before_a_restart_counts_until_another_is_seen(two: Center) -> None:
    two.rooms.views.note_draw(A1, Load(1, 1))
    two.rooms.views.note_draw(OutletId("rack-2", 3), Load(700, 0))
    assert two.rooms.views.draw(A1) == Load(3_000, 690_000)
    assert two.rooms.views.draw(OutletId("rack-2", 3)) == Load(700, 0)


async def test_a_pdu_that_is_not_heard_is_stale_and_one_that_is_not_registered_too(two: Center) -> None:
    assert not two.rooms.views.pdu("rack-1", 5_000).stale
    await two.clock.advance(10_000)
    assert two.rooms.views.pdu("rack-1", 5_000).stale
    unknown = two.rooms.views.pdu("rack-9", 5_000)
    assert (unknown.stale, unknown.source, unknown.load.current_ma) == (True, Source.MAIN, 16_000)


async def test_what_does_not_fit_the_site_names_the_lowest_of_any_pdu(two: Center) -> None:
    shortage = two.rooms.headroom.shortage("rack-1", 1)
    assert shortage is not None
    assert (shortage.circuit.key, shortage.over, shortage.enough) == ("site:hall", "1.0 A", True)
    assert [one.outlet for one in shortage.candidates] == [B1], "of equal priority the later one"
    assert two.rooms.headroom.shortage("rack-1", 1, [B1]) is None
    assert two.rooms.headroom.displaceable("rack-1", 1, B1)
    assert not two.rooms.headroom.displaceable("rack-1", 1, A1)


async def test_what_is_not_known_does_not_refuse(two: Center) -> None:
    assert two.rooms.headroom.shortage("rack-1", 2) is None, "it is on"
    assert two.rooms.headroom.shortage("rack-1", 9) is None, "it was never heard of"
    assert two.rooms.headroom.shortage("rack-9", 1) is None


async def test_nothing_of_lower_priority_is_said_so(two: Center) -> None:
    out = [{"n": 1, "priority": 8}]
    await two.tuning.change("rack-1", 1, {}, out)
    shortage = two.rooms.headroom.shortage("rack-1", 1)
    assert shortage is not None
    assert (shortage.candidates, shortage.enough) == ((), False)
    assert "nothing of lower priority" in shortage.message


async def test_the_budget_of_the_source_counts_once_the_pdu_runs_it(two: Center) -> None:
    await two.deciding.sites.remove("hall")
    await two.tuning.change("rack-1", 1, {"budget_main_ma": 6_000}, [])
    assert two.rooms.headroom.shortage("rack-1", 1) is None, "it is not known what the PDU runs"
    await report(two, 4, 0, 4_000, settings=2)
    shortage = two.rooms.headroom.shortage("rack-1", 1)
    assert shortage is not None
    assert shortage.message == "outlet 1 will exceed MAIN of rack-1 by 1.0 A: shed rack-1/2?"


async def test_a_silent_pdu_takes_the_headroom_that_it_may_need(two: Center) -> None:
    await two.deciding.sites.put(
        SiteConfig("hall", "Hall", {"rack-1": Limit(), "rack-2": Limit()}, Limit(18_000)), 1
    )
    assert two.rooms.headroom.shortage("rack-1", 1) is None
    await two.clock.advance(16_000)
    await report(two, 19, 0, 4_000)
    shortage = two.rooms.headroom.shortage("rack-1", 1)
    assert shortage is not None
    assert shortage.circuit.load.current_ma == 20_000
    assert two.rooms.headroom.unheard("rack-1") == {"rack-2"}
