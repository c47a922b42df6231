"""Stories of a site with virtual PDUs that decide for themselves, and the services of the control center, in virtual time.

What the site orders goes through the contract: payloads of commands down, states and results up. Each PDU runs the cycle that
a device runs. Asserted are relays, causes, and how often each relay has moved.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from tests.fakes.builders import START_MS, Center, running

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.events import Cause, EventCode
from loadcenter.domain.origin import cause_of
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.site import Limit, SiteConfig
from loadcenter.domain.topology import OutletId, Source
from loadcenter.services.ports import EventFilter, Message
from loadcenter.simulator import mains
from loadcenter.simulator.loads import Conditions, Draw
from loadcenter.simulator.pdu import PduSpec, VirtualPdu


@dataclass
class Steady:
    """A load that draws what the test says."""

    ma: int

    def draw(self, at: Conditions) -> Draw:
        return Draw(self.ma * at.voltage_mv // 1000, self.ma)


@dataclass
class Pair:
    """Two PDUs of one site and their control center; `alive` is False while the server does nothing."""

    center: Center
    loads: dict[str, list[Steady]]
    pdus: dict[str, VirtualPdu] = field(default_factory=dict)
    carried: int = 0
    alive: bool = True
    moves: Counter[str] = field(default_factory=Counter)

    @property
    def now_ms(self) -> int:
        return self.center.clock.now_ms()

    async def begin(self) -> None:
        for pdu_id, loads in self.loads.items():
            # relays that carry what the loads of these stories draw
            config = PduConfig(outlets=(OutletConfig(),) * len(loads), outlet_rating_ma=10_000)
            pdu = VirtualPdu(PduSpec(pdu_id, loads, config, step_ms=100), 1, self.now_ms)
            self.pdus[pdu_id] = pdu
            await self._hear(pdu.connected(self.now_ms))
        await self.run(6)
        for pdu_id, loads in self.loads.items():
            priorities = [
                {"n": n, "priority": n, "limit_ma": 10_000, "curve_ma": 10_000}
                for n in range(1, len(loads) + 1)
            ]
            await self.center.tuning.change(pdu_id, 0, {}, priorities)
        await self.run(3)
        self.moves.clear()

    async def run(self, seconds: int) -> None:
        for _ in range(seconds):
            await self._carry()
            before = {pdu_id: pdu.state.drives.outlets for pdu_id, pdu in self.pdus.items()}
            for pdu in self.pdus.values():
                await self._hear(pdu.advance(self.now_ms + 1_000))
            for pdu_id, drives in before.items():
                now = self.pdus[pdu_id].state.drives.outlets
                for number, (was, is_now) in enumerate(zip(drives, now, strict=True), 1):
                    self.moves[f"{pdu_id}/{number}"] += was is not is_now
            await self.center.clock.advance(1_000)

    async def _hear(self, messages: list[object]) -> None:
        for one in messages:
            if self.alive:
                await self.center.fleet.take(Message(one.topic, one.payload, False))

    async def _carry(self) -> None:
        log = self.center.broker.log
        for one in log[self.carried :]:
            for pdu_id, pdu in self.pdus.items():
                if f"/{pdu_id}/down/" in one.topic and self.alive:
                    await self._hear(pdu.receive(one.topic, one.payload, False, self.now_ms))
        self.carried = len(log)

    def on(self) -> str:
        return " ".join(
            f"{pdu_id[-1]}/{number}"
            for pdu_id, pdu in self.pdus.items()
            for number, on in enumerate(pdu.state.drives.outlets, 1)
            if on
        )

    def cause(self, pdu_id: str, number: int) -> Cause:
        state = self.center.fleet.twin(pdu_id).outlet_state(number)
        assert state is not None
        return cause_of(state.cause, state.by, on=state.on)

    def break_main(self, pdu_id: str, permille: int = 0) -> None:
        plant = self.pdus[pdu_id].plant
        plant.supplies[Source.MAIN].disturb(mains.Disturbance(permille), self.pdus[pdu_id].now_ms)
        plant.touch()

    def ask(self, pdu_id: str, number: int, *, on: bool) -> object:
        return self.center.dispatch.submit(pdu_id, Order(Do.SWITCH, number, on=on, by="ada"), None)

    async def told(self) -> list[str]:
        found = await self.center.store.events(EventFilter())
        return [f"{one.code} {one.pdu_id[-1]}/{one.outlet}" for one in reversed(found) if one.boot == 0]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """PDUs a and b with three outlets each, priority by number, on a site of 12 A; they draw 2, 2 and 1 A."""
    center = await Center().open("rack-a", "rack-b")
    loads = {pdu_id: [Steady(2_000), Steady(2_000), Steady(1_000)] for pdu_id in ("rack-a", "rack-b")}
    two = Pair(center, loads)
    async with running(center.dispatch.run, center.deciding.keeper.run):
        await two.begin()
        config = SiteConfig(
            "hall",
            "Hall",
            {"rack-a": Limit(), "rack-b": Limit()},
            Limit(12_000),
            backup=Limit(6_000),
            restore_delay_s=10,
        )
        await center.deciding.sites.put(config, 0)
        yield two


ALL = "a/1 a/2 a/3 b/1 b/2 b/3"


async def test_ten_amps_of_twelve_move_nothing(pair: Pair) -> None:
    await pair.run(60)
    assert (pair.on(), pair.moves.total()) == (ALL, 0)


async def test_an_overload_takes_the_lowest_of_both_pdus_and_gives_them_back(pair: Pair) -> None:
    pair.loads["rack-a"][0].ma = 5_500
    await pair.run(10)
    assert pair.on() == "a/1 a/2 b/1 b/2"
    assert [pair.cause(pdu_id, 3) for pdu_id in ("rack-a", "rack-b")] == [Cause.SHED, Cause.SHED]
    pair.loads["rack-a"][0].ma = 2_000
    await pair.run(40)
    assert pair.on() == ALL
    assert dict(pair.moves + Counter()) == {"rack-a/3": 2, "rack-b/3": 2}
    assert await pair.told() == ["shed b/3", "shed a/3", "restored a/3", "restored b/3"]


async def test_a_persons_off_on_what_is_shed_reaches_the_pdu_and_stays(pair: Pair) -> None:
    pair.loads["rack-a"][0].ma = 5_500
    await pair.run(10)
    row = await pair.ask("rack-b", 3, on=False)
    await pair.run(3)
    assert pair.cause("rack-b", 3) is Cause.PERSON_OFF
    pair.loads["rack-a"][0].ma = 2_000
    await pair.run(40)
    assert pair.on() == "a/1 a/2 a/3 b/1 b/2"
    assert pair.moves["rack-b/3"] == 1
    assert (await pair.center.dispatch.command(row.id)).status == "confirmed"


async def test_a_persons_on_without_headroom_displaces_what_was_named(pair: Pair) -> None:
    await pair.ask("rack-a", 1, on=False)
    await pair.run(3)
    pair.loads["rack-b"][0].ma = 5_500
    await pair.run(20)
    refused = await pair.ask("rack-a", 1, on=True)
    assert (refused.status, refused.code) == ("rejected", "no_headroom")
    assert "shed rack-a/3?" in refused.detail or "shed rack-b/3" in refused.detail
    named = pair.center.deciding.headroom.shortage("rack-a", 1)
    order = Order(Do.SWITCH, 1, on=True, by="ada")
    row = await pair.center.dispatch.submit("rack-a", order, None, [one.outlet for one in named.candidates])
    await pair.run(8)
    assert (await pair.center.dispatch.command(row.id)).status == "confirmed"
    assert pair.pdus["rack-a"].state.drives.outlets[0]
    gone = [one.outlet for one in named.candidates]
    assert all(not pair.pdus[one.pdu_id].state.drives.outlets[one.outlet - 1] for one in gone)


async def test_both_on_a_backup_that_is_too_small(pair: Pair) -> None:
    pair.break_main("rack-a")
    pair.break_main("rack-b")
    await pair.run(15)
    assert all(pdu.state.drives.changeover is Source.BACKUP for pdu in pair.pdus.values())
    assert pair.on() == "a/1 a/2 b/1"
    assert pair.moves["rack-a/1"] + pair.moves["rack-b/1"] == 0


async def test_one_on_backup_is_no_business_of_the_other(pair: Pair) -> None:
    pair.break_main("rack-a")
    await pair.run(20)
    assert (pair.on(), pair.moves.total()) == (ALL, 0)


async def test_the_server_is_dead_through_all_of_it_and_the_pdu_sheds_by_itself(pair: Pair) -> None:
    await pair.center.tuning.change("rack-a", 1, {"budget_main_ma": 6_000, "restore_delay_s": 5}, [])
    await pair.run(2)
    pair.alive = False
    pair.loads["rack-a"][0].ma = 5_500
    await pair.run(10)
    assert pair.on() == "a/1 b/1 b/2 b/3"
    assert [one.cause for one in pair.pdus["rack-a"].state.outlets] == [Cause.RESTORE, Cause.SHED, Cause.SHED]
    pair.loads["rack-a"][0].ma = 1_000
    await pair.run(30)
    assert pair.on() == ALL
    assert dict(pair.moves + Counter()) == {"rack-a/2": 2, "rack-a/3": 2}


async def test_a_new_server_takes_over_what_the_old_one_has_shed(pair: Pair) -> None:
    pair.loads["rack-a"][0].ma = 5_500
    await pair.run(10)
    sites = pair.center.deciding.sites
    kept = dict(sites.all())
    sites._sites.clear()
    await sites.load()
    assert {key: one.state for key, one in sites.all().items()} == {
        key: one.state for key, one in kept.items()
    }
    pair.loads["rack-a"][0].ma = 2_000
    await pair.run(40)
    assert pair.on() == ALL


async def test_the_network_of_one_pdu_is_cut(pair: Pair) -> None:
    pdu = pair.pdus.pop("rack-b")
    await pair.run(12)
    assert pair.moves.total() == 0, "a gap of twelve seconds is nothing"
    await pair.run(20)
    on = pair.pdus["rack-a"].state.drives.outlets
    assert on == (False, False, False), "the other may carry 16 A by its own budget, and the hall only 12"
    pair.pdus["rack-b"] = pdu
    await pair._hear(pdu.connected(pair.now_ms))
    await pair.run(60)
    assert pair.on() == ALL
    assert {pair.moves[f"rack-a/{n}"] for n in (1, 2, 3)} == {2}


async def test_a_relay_that_does_not_open_is_told_as_futile_and_nothing_else_goes(pair: Pair) -> None:
    pair.pdus["rack-b"].plant.plugs[2].contact.welded = True
    pair.loads["rack-b"][2].ma = 4_000
    await pair.run(40)
    codes = [one.split()[0] for one in await pair.told()]
    assert EventCode.SHED_FUTILE in codes
    assert pair.moves["rack-a/1"] + pair.moves["rack-b/1"] == 0


async def test_commands_name_the_site_and_what_the_page_says_is_shed(pair: Pair) -> None:
    pair.loads["rack-a"][0].ma = 5_500
    await pair.run(10)
    sent = [json.loads(one.payload) for one in pair.center.broker.log if one.topic.endswith("down/command")]
    assert {one["by"] for one in sent} == {"site:hall"}
    numbers = pair.center.deciding.sites.shed_numbers(OutletId("rack-b", 3))
    assert (numbers["total_ma"], numbers["budget_ma"], numbers["circuit"]) == (13_500, 12_000, "site:hall")
    assert pair.now_ms > START_MS
