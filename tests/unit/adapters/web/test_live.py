"""The live page: a snapshot, then what changes; a slow client costs itself freshness and the server nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.fakes.builders import START_MS, event, running, send, state, status, telemetry
from tests.fakes.clock import settle
from tests.unit.adapters.web.conftest import OWN, Site, Socket

from loadcenter.adapters.web import live
from loadcenter.adapters.web.gate import COOKIE
from loadcenter.adapters.web.live import QUEUE_MAX, Client
from loadcenter.domain.commands import Do, Order


@pytest.fixture
async def cookie(client: httpx.AsyncClient) -> str:
    """The header of a browser that is logged in."""
    return f"{COOKIE}={client.cookies[COOKIE]}"


@pytest.fixture
async def live_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site whose hub runs, and gathers readings for no time at all."""
    monkeypatch.setattr(live, "_FLUSH_S", 0.001)
    async with running(site.hub.run, site.center.ingest.run):
        yield site


# ---- who may listen --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"cookie": f"{COOKIE}=wrong"}, {"authorization": "Bearer wrong"}])
async def test_without_a_session_nobody_listens(site: Site, headers: dict[str, str]) -> None:
    async with site.socket(**headers) as socket:
        assert await socket.ended() == 1008
    assert not socket.accepted


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"{OWN}:81", "http://["])
async def test_no_foreign_page_listens(site: Site, cookie: str, origin: str) -> None:
    async with site.socket(cookie=cookie, origin=origin) as socket:
        assert await socket.ended() == 1008
    assert not socket.accepted


async def test_a_session_that_nobody_can_check_does_not_listen(site: Site) -> None:
    site.center.store.away = "gone"
    async with site.socket(cookie=f"{COOKIE}=unseen") as socket:
        assert await socket.ended() == 1008


@pytest.mark.parametrize("query", ["after_event=x", f"after_event={10**30}", "after_event=-1"])
async def test_an_event_that_cannot_be_is_refused(site: Site, cookie: str, query: str) -> None:
    async with site.socket(query, cookie=cookie) as socket:
        assert await socket.ended() == 1008


# ---- what a page hears ----------------------------------------------------------------------------------------------------------------


async def test_the_snapshot_comes_first_and_holds_everything_a_page_begins_with(
    live_site: Site, cookie: str
) -> None:
    await live_site.center.greet(lockout=True)
    await live_site.center.alarming.check()
    send(live_site.center, ("event", event(1)))
    await settle()
    async with live_site.socket(cookie=cookie, origin=OWN) as socket:
        snapshot = await socket.next()
    assert set(snapshot) == {"type", "pdus", "alarms", "last_event_id", "server_ms", "server"}
    assert snapshot["type"] == "snapshot"
    assert [pdu["id"] for pdu in snapshot["pdus"]] == ["rack-1"]
    assert [alarm["kind"] for alarm in snapshot["alarms"]] == ["transfer_lockout"]
    assert (snapshot["last_event_id"], snapshot["server_ms"]) == (1, START_MS)
    assert snapshot["server"] == {"broker": "ok", "database": "ok"}


async def test_changes_follow_whole_and_encoded_as_the_api_shows_them(live_site: Site, cookie: str) -> None:
    center = live_site.center
    async with live_site.socket(cookie=cookie) as socket:
        await socket.next()
        await center.greet()
        while not (heard := await socket.next())["pdu"]["online"]:
            pass
        assert heard["type"] == "pdu"
        assert heard["pdu"]["outlets"][0]["power_w"] == 100
        send(center, ("event", event(1, "trip", out=1)))
        await settle()
        heard = await socket.next()
        assert (heard["type"], heard["event"]["title"]) == ("event", "Trip")
        await center.hear("state", state(up_ms=900, lockout=True))
        await center.alarming.check()
        awaited = {"alarm", "pdu"}
        while awaited:
            awaited.discard((await socket.next())["type"])


async def test_a_command_is_followed_live(live_site: Site, cookie: str) -> None:
    await live_site.center.greet()
    async with live_site.socket(cookie=cookie) as socket:
        await socket.next()
        await live_site.center.dispatch.submit("rack-1", Order(Do.SWITCH, 1, on=False, by="ada"), None)
        heard = await socket.next()
        while heard["type"] != "command":
            heard = await socket.next()
    assert (heard["command"]["status"], heard["command"]["by"]) == ("pending", "ada")


async def test_readings_that_come_close_together_are_one_message(site: Site, cookie: str) -> None:
    await site.center.greet()
    async with running(site.hub.run), site.socket(cookie=cookie) as socket:
        await socket.next()
        for seq in range(2, 12):
            await site.center.hear("telemetry", telemetry(seq))
        await site.center.hear("status", status("offline"))
        heard = await socket.next()
        assert not heard["pdu"]["online"]
        assert heard["pdu"]["outlets"][0]["energy_kwh"] == pytest.approx((1_000 + 28 * 11) / 1e6)


async def test_a_broker_that_goes_away_is_told(live_site: Site, cookie: str) -> None:
    async with live_site.socket(cookie=cookie) as socket:
        await socket.next()
        await live_site.center.watch.look()
        live_site.center.broker.stop()
        await live_site.center.watch.look()
        heard = [await socket.next(), await socket.next()]
    assert [one["server"]["broker"] for one in heard] == ["ok", "away"]


async def test_a_ping_tells_that_the_line_is_alive(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PING_S", 0.0)
    async with site.hub.join() as client, running(site.hub.run_pings):
        text, _ = await client.get()
    assert json.loads(text) == {"type": "ping", "server_ms": START_MS}


async def test_what_happened_meanwhile_is_sent_before_what_happens_now(live_site: Site, cookie: str) -> None:
    send(live_site.center, *(("event", event(seq)) for seq in range(1, 6)))
    await settle()
    async with live_site.socket("after_event=2", cookie=cookie) as socket:
        heard = [await socket.next() for _ in range(4)]
        send(live_site.center, ("event", event(6)))
        heard.append(await socket.next())
    assert [one["type"] for one in heard] == ["snapshot", *["event"] * 4]
    assert [one["event"]["id"] for one in heard[1:]] == [3, 4, 5, 6]


async def test_without_the_database_nothing_is_resumed_and_the_page_goes_on(
    live_site: Site, cookie: str
) -> None:
    live_site.center.store.away = "gone"
    async with live_site.socket("after_event=2", cookie=cookie) as socket:
        assert (await socket.next())["type"] == "snapshot"
        await live_site.center.greet()
        assert (await socket.next())["type"] == "pdu"


# ---- slow and leaving clients ------------------------------------------------------------------------------------------------------------


async def test_a_slow_client_loses_the_oldest_and_gets_a_new_snapshot(live_site: Site, cookie: str) -> None:
    async with live_site.socket(cookie=cookie) as socket, live_site.hub.join() as quick:
        await socket.next()
        socket.gate.clear()
        for seq in range(1, QUEUE_MAX + 51):
            send(live_site.center, ("event", event(seq)))
            await settle(8)
            await quick.get()
        socket.gate.set()
        heard = await socket.next()
        while heard["type"] == "event":
            heard = await socket.next()
        assert heard["type"] == "dropped"
        assert heard["count"] >= 40
        assert (await socket.next())["type"] == "snapshot"
        send(live_site.center, ("event", event(QUEUE_MAX + 51)))
        assert (await socket.next())["event"]["seq"] == QUEUE_MAX + 51


async def test_a_queue_keeps_the_newest_and_tells_how_many_were_lost() -> None:
    client = Client()
    for number in range(QUEUE_MAX + 3):
        client.put(str(number))
    assert await client.get() == ("", 3)
    client.put("after")
    assert await client.get() == ("after", 0)


async def test_a_page_that_leaves_is_forgotten(live_site: Site, cookie: str) -> None:
    async with live_site.socket(cookie=cookie) as socket:
        await socket.next()
        assert live_site.hub.clients == 1
    assert live_site.hub.clients == 0


async def test_a_page_that_was_logged_out_hears_no_more(
    live_site: Site, client: httpx.AsyncClient, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PING_S", 0.001)
    async with running(live_site.hub.run_pings), live_site.socket(cookie=cookie) as socket:
        await socket.next()
        assert (await client.delete("/api/v1/session", headers={"origin": OWN})).status_code == 204
        await asyncio.wait_for(socket.ended(), 10)
    assert live_site.hub.clients == 0


async def test_an_event_names_the_one_that_led_to_it(live_site: Site, cookie: str) -> None:
    async with live_site.socket(cookie=cookie) as socket:
        await socket.next()
        send(live_site.center, ("event", event(1)), ("event", event(2, because=1)))
        await settle()
        heard = [one async for one in _events(socket, 2)]
    assert [one["because"] for one in heard] == [None, heard[0]["id"]]


async def _events(socket: Socket, count: int) -> AsyncIterator[dict[str, Any]]:
    while count:
        heard = await socket.next()
        if heard["type"] == "event":
            count -= 1
            yield heard["event"]


async def test_a_page_that_leaves_before_its_snapshot_leaves_no_trace(site: Site, cookie: str) -> None:
    async with site.socket(cookie=cookie) as socket:
        socket.leave()
        await asyncio.wait_for(socket.ended(), 10)
    assert site.hub.clients == 0


async def test_nothing_is_encoded_while_nobody_listens(
    live_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_site.hub.join() as client:
        pass
    await live_site.center.greet()
    await settle()
    client.put("x")
    assert await client.get() == ("x", 0)
