"""Sites are kept within their limits by real orders, over restarts, and without the database."""

from typing import Any

import pytest
from tests.fakes.builders import Center, birth, outlet, result, running, state, telemetry

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.events import EventCode
from loadcenter.domain.origin import schedule_origin
from loadcenter.domain.site import Limit, SiteConfig
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports import EventFilter
from loadcenter.services.site_keeping import SiteKeeper
from loadcenter.services.sites import Sites

CELLAR = SiteConfig("cellar", "Cellar", {"rack-1": Limit(5_000)})


class Device:
    """The PDU `rack-1`, as far as a site sees it: what its outlets draw, and orders that it obeys."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self.second = 1
        self.on = {1: ("person_on", "ada"), 2: ("person_on", "ada")}
        self.done = 0
        self.loads = {1: 3_000, 2: 4_000}

    async def tick(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            await self.obey()
            self.second += 1
            await self.report()
            await self.center.clock.advance(1_000)

    async def obey(self) -> None:
        for order in self.center.sent("command")[self.done :]:
            self.done += 1
            if order["do"] == "switch":
                self.on[order["out"]] = ("person_on" if order["on"] else "person_off", order["by"])
            await self.center.hear("result", result(order["id"], "confirmed"))

    async def report(self) -> None:
        up_ms = self.second * 1000
        outs = [
            {"n": n, "on": cause == "person_on", "cause": cause, "by": by}
            for n, (cause, by) in self.on.items()
        ]
        n = self.done
        await self.center.hear("state", state(up_ms=up_ms, out=outs, n=n))
        drawn = [
            outlet(n, on=cause == "person_on", i_ma=self.loads[n] if cause == "person_on" else 0, p_mw=0)
            for n, (cause, _) in self.on.items()
        ]
        await self.center.hear("telemetry", telemetry(self.second, out=drawn))


@pytest.fixture
async def device(center: Center) -> Device:
    await center.greet()
    await center.tuning.change("rack-1", 0, {}, [{"n": 1, "priority": 1}])
    await center.deciding.sites.put(CELLAR, 0)
    return Device(center)


def orders(center: Center) -> list[tuple[int, bool, str]]:
    return [(one["out"], one["on"], one["by"]) for one in center.sent("command")]


async def events(center: Center) -> list[dict[str, Any]]:
    found = await center.store.events(EventFilter("rack-1"))
    return [{"code": one.code, "outlet": one.outlet, **one.data} for one in reversed(found) if one.boot == 0]


async def test_an_overload_is_shed_by_an_order_in_the_name_of_the_site(
    center: Center, device: Device
) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
    assert orders(center) == [(2, False, "site:cellar")]
    [shed] = await events(center)
    assert (shed["code"], shed["outlet"], shed["site"]) == (EventCode.SHED, 2, "cellar")
    assert (shed["total_ma"], shed["budget_ma"], shed["draw_ma"]) == (7_000, 5_000, 4_000)
    mark = center.deciding.sites.mark(OutletId("rack-1", 2))
    assert mark is not None
    assert mark[1].seen_off


async def test_a_new_control_center_restores_what_the_old_one_has_shed(
    center: Center, device: Device
) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
    sites = Sites(center.store, center.fleet)
    await sites.load()
    parts = center.deciding
    keeper = SiteKeeper(sites, parts.views, center.dispatch, center.store, center.clock, center.announcer)
    keeper.load()
    assert sites.site("cellar").state == parts.sites.site("cellar").state
    device.loads[1] = 100
    async with running(keeper.run):
        await device.tick(45)
        assert orders(center)[-1] == (2, False, "site:cellar"), "4 A and half of it leave no tenth of 5 A"
        await sites.put(SiteConfig("cellar", "Cellar", {"rack-1": Limit(8_000)}), 1)
        await device.tick(4)
    assert orders(center)[-1] == (2, True, "site:cellar")


async def test_shedding_goes_on_without_the_database_and_is_written_down_later(
    center: Center, device: Device
) -> None:
    async with running(center.deciding.keeper.run):
        center.store.away = "disk full"
        await device.tick(6)
        assert orders(center) == [(2, False, "site:cellar")]
        center.store.away = None
        await device.tick(2)
    [row] = await center.store.sites()
    assert '"rack-1/2"' in row.state
    assert [one["code"] for one in await events(center)] == [EventCode.SHED]


async def test_a_person_who_switches_off_what_is_shed_ends_its_return(center: Center, device: Device) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
        await center.dispatch.submit("rack-1", Order(Do.SWITCH, 2, on=False, by="ada"), None)
        assert center.deciding.sites.mark(OutletId("rack-1", 2)) is None
        await device.tick(3)
    assert orders(center)[-1] == (2, False, "ada"), "it is sent, so that the PDU knows who has decided"


async def test_a_refused_on_of_a_person_does_not_end_its_return(center: Center, device: Device) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
        row = await center.dispatch.submit("rack-1", Order(Do.SWITCH, 2, on=True, by="ada"), None)
    assert row.code == "no_headroom"
    assert (
        row.detail
        == "outlet 2 will exceed the limit of rack-1 by 2.0 A: nothing of lower priority can make room; switch something off first"
    )
    assert center.deciding.sites.mark(OutletId("rack-1", 2)) is not None


async def test_a_set_clock_moves_what_is_remembered_along(center: Center, device: Device) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
        before = center.deciding.sites.site("cellar").state.marks[OutletId("rack-1", 2)].since_ms
        center.clock.skew_ms += 7_200_000
        await center.clock.advance(1_000)
    after = center.deciding.sites.site("cellar").state.marks[OutletId("rack-1", 2)].since_ms
    assert after - before == 7_200_000


async def test_an_order_that_is_refused_is_said(
    center: Center, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    await device.tick(2)
    await center.deciding.keeper.look()
    await center.clock.advance(1_000)
    await center.hear("birth", birth(boot=2))
    await center.deciding.keeper.look()
    assert "an order of site:cellar was refused" in caplog.text
    assert orders(center) == []


async def test_a_schedule_does_not_switch_on_what_a_site_has_shed(center: Center, device: Device) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
        device.loads[1] = 0
        await device.tick(2)
        row = await center.dispatch.submit(
            "rack-1", Order(Do.SWITCH, 2, on=True, by=schedule_origin("evening")), None
        )
    assert (row.status, row.code) == ("rejected", "no_headroom")
    assert "goes before a schedule" in row.detail
    assert center.deciding.sites.is_shed(OutletId("rack-1", 2))


async def test_what_a_schedule_ends_while_it_is_shed_does_not_come_back(
    center: Center, device: Device
) -> None:
    async with running(center.deciding.keeper.run):
        await device.tick(6)
        off = Order(Do.SWITCH, 2, on=False, by=schedule_origin("evening"))
        await center.dispatch.submit("rack-1", off, None)
        await device.tick(1)
    assert not center.deciding.sites.is_shed(OutletId("rack-1", 2))
    assert orders(center)[-1] == (2, False, "schedule:evening")
