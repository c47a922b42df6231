"""The live page: a snapshot, then what changes; a slow client costs itself freshness and the server nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.fakes.builders import START_MS, birth, event, running, send, state, status, telemetry
from tests.fakes.clock import settle
from tests.unit.adapters.web.conftest import OWN, Site, Socket

from loadcenter.adapters.web import live, live_client
from loadcenter.adapters.web.gate import COOKIE
from loadcenter.adapters.web.live import Hub
from loadcenter.adapters.web.live_client import BEHIND_MAX, Batch, Client, frame
from loadcenter.adapters.web.readings import readings_json
from loadcenter.domain.commands import Do, Order


@pytest.fixture
async def cookie(client: httpx.AsyncClient) -> str:
    """The header of a browser that is logged in."""
    return f"{COOKIE}={client.cookies[COOKIE]}"


@pytest.fixture
async def live_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site whose hub runs, and gathers readings for no time at all."""
    monkeypatch.setattr(live, "GATHER_S", 0.001)
    monkeypatch.setattr(live, "URGENT_GAP_S", 0.0)
    async with running(site.hub.run, site.center.ingest.run):
        yield site


async def _greet(site: Site) -> None:
    """Let the PDU report itself, and forget that this was news."""
    await site.center.greet()
    await site.hub.flush()


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
    await _greet(site)
    async with site.socket(cookie=cookie) as socket:
        await socket.next()
        for seq in range(2, 12):
            await site.center.hear("telemetry", telemetry(seq))
        await site.hub.flush()
        await site.center.hear("status", status("offline"))
        await site.hub.flush()
        heard = [await socket.next(), await socket.next()]
    assert [one["type"] for one in heard] == ["readings", "pdu"]
    assert heard[0]["readings"]["outlets"][0]["energy_kwh"] == pytest.approx((1_000 + 28 * 11) / 1e6)
    assert not heard[1]["pdu"]["online"]


async def test_readings_are_told_as_in_the_whole_pdu(site: Site) -> None:
    await site.center.greet()
    for seq in range(2, 5):
        await site.center.hear("telemetry", telemetry(seq))
    whole = site.shapes.pdu("rack-1").model_dump(mode="json")
    readings = json.loads(readings_json(site.shapes, "rack-1"))
    assert _without(readings) == {key: whole[key] for key in _without(readings)}
    for part in ("sources", "outlets"):
        known = [{key: one[key] for key in readings[part][0]} for one in whole[part]]
        assert readings[part] == known
    assert readings["outlets"][0]["power_w"] == 100


def _without(readings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in readings.items() if key not in ("sources", "outlets")}


@pytest.mark.parametrize("greeted", [False, True])
async def test_readings_of_a_pdu_that_has_sent_none_are_unknown(site: Site, *, greeted: bool) -> None:
    if greeted:
        await site.center.hear("birth", birth())
        await site.center.hear("state", state())
    readings = json.loads(readings_json(site.shapes, "rack-1"))
    whole = site.shapes.pdu("rack-1").model_dump(mode="json")
    assert _without(readings) == {key: whole[key] for key in _without(readings)}
    assert [one["power_w"] for one in readings["outlets"]] == [None] * len(whole["outlets"])


async def test_what_changes_a_state_brings_the_readings_along(site: Site, cookie: str) -> None:
    await _greet(site)
    async with site.socket(cookie=cookie) as socket:
        await socket.next()
        await site.center.hear("telemetry", telemetry(2))
        await site.center.hear("state", state(up_ms=900, lockout=True))
        await site.hub.flush()
        assert (await socket.next())["pdu"]["lockout"]
        await site.center.hear("telemetry", telemetry(3))
        await site.hub.flush()
        assert (await socket.next())["type"] == "readings"


async def test_a_stored_trip_tells_why_its_outlet_is_off(site: Site, cookie: str) -> None:
    await _greet(site)
    tripped = {"i_ma": 9_000, "limit_ma": 4_000}
    async with running(site.center.ingest.run), site.socket(cookie=cookie) as socket:
        await socket.next()
        send(site.center, ("event", event(1, "trip", out=1, data=tripped)))
        await settle()
        await site.hub.flush()
        assert [(await socket.next())["type"] for _ in range(2)] == ["event", "pdu"]


async def test_after_a_pause_a_reading_is_sent_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await _greet(site)
    monkeypatch.setattr(live, "GATHER_S", 3_600.0)
    async with site.hub.join() as client, running(site.hub.run):
        await site.center.hear("telemetry", telemetry(2))
        async with asyncio.timeout(10):
            assert '"readings"' in (await client.get()).text


async def test_a_state_does_not_wait_for_readings_to_be_gathered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _greet(site)
    monkeypatch.setattr(live, "GATHER_S", 3_600.0)
    async with site.hub.join() as client, running(site.hub.run):
        await site.center.hear("telemetry", telemetry(2))
        await client.get()
        await site.center.hear("telemetry", telemetry(3))
        await site.center.hear("state", state(up_ms=900, lockout=True))
        async with asyncio.timeout(10):
            assert '"lockout":true' in (await client.get()).text


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
    async with site.hub.join() as client, running(site.hub.run, site.hub.run_pings):
        while not (taken := await client.get()).ping:
            pass
    assert {"type": "ping", "server_ms": START_MS} in json.loads(taken.text)


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


async def test_a_slow_client_gets_the_latest_of_each_pdu_and_every_event(site: Site, cookie: str) -> None:
    await _greet(site)
    async with running(site.center.ingest.run), site.socket(cookie=cookie) as socket:
        await socket.next()
        socket.gate.clear()
        for seq in range(2, 60):
            await site.center.hear("telemetry", telemetry(seq))
            send(site.center, ("event", event(seq - 1)))
            await settle()
            await site.hub.flush()
        socket.gate.set()
        heard = [await socket.next() for _ in range(60)]
    assert [one["event"]["seq"] for one in heard if one["type"] == "event"] == list(range(1, 59))
    assert len([one for one in heard if one["type"] == "readings"]) == 2  # the one it hung at, and the latest
    assert heard[-1]["readings"]["outlets"][0]["energy_kwh"] == pytest.approx((1_000 + 28 * 59) / 1e6)


async def test_a_client_far_behind_is_told_how_much_it_lost_and_begins_anew(
    live_site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_client, "BEHIND_MAX", 50)
    async with live_site.socket(cookie=cookie) as socket, live_site.hub.join() as quick:
        await socket.next()
        socket.gate.clear()
        for seq in range(1, 102):
            send(live_site.center, ("event", event(seq)))
            await quick.get()
        socket.gate.set()
        heard = await socket.next()
        while heard["type"] == "event":
            heard = await socket.next()
        assert heard["type"] == "dropped"
        assert heard["count"] >= 90
        assert (await socket.next())["type"] == "snapshot"
        send(live_site.center, ("event", event(102)))
        assert (await socket.next())["event"]["seq"] == 102


def _batch(*told: str, **pdus: str) -> Batch:
    """A batch of messages, and of PDUs in the form KIND_NAME."""
    keys = {tuple(key.split("_")): text for key, text in pdus.items()}
    by_kind = {(kind, name): text for (kind, name), text in keys.items()}
    return Batch(told, by_kind, frame([*told, *pdus.values()]))


async def test_clients_that_keep_up_are_sent_one_and_the_same_text() -> None:
    clients, batch = [Client(), Client()], _batch("1", pdu_a="2")
    for client in clients:
        client.put(batch)
    first, second = [(await client.get()).text for client in clients]
    assert first is second is batch.text


async def test_of_each_pdu_only_the_latest_waits_and_readings_follow_their_state() -> None:
    client = Client()
    client.put(_batch("1", pdu_a="2", readings_b="3"))
    client.put(_batch("4", readings_a="5", readings_b="6"))
    client.put(_batch(pdu_b="7"))
    assert (await client.get()).text == "[1,4,2,5,6,7]"


async def test_whoever_is_too_far_behind_keeps_nothing_and_counts() -> None:
    client, lost = Client(), [str(number) for number in range(BEHIND_MAX + 1)]
    client.put(_batch(*lost, pdu_a="1"))
    client.put(_batch("x", pdu_a="2"))
    taken = await client.get()
    assert (taken.text, taken.dropped) == ("", BEHIND_MAX + 2)
    client.put(_batch("after"))
    taken = await client.get()
    assert (taken.text, taken.dropped) == ("[after]", 0)


async def test_pages_that_open_together_share_a_snapshot_made_after_they_asked(site: Site) -> None:
    made = [asyncio.create_task(site.hub.snapshot()) for _ in range(50)]
    texts = await asyncio.gather(*made)
    await site.center.hear("status", status("online"))
    later = await site.hub.snapshot()
    assert len(set(texts)) == 1
    assert '"online":false' in texts[0]
    assert '"online":true' in later


async def test_in_a_large_fleet_others_have_their_turn_while_a_snapshot_is_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_ENCODED_AT_ONCE", 1)
    asked = asyncio.create_task(site.hub.snapshot())
    turns = 0
    while not asked.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 1
    assert json.loads(await asked)[0]["type"] == "snapshot"


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


async def test_nothing_is_encoded_while_nobody_listens(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.hub.join():
        await site.center.greet()
    monkeypatch.setattr(Hub, "_whole", None)
    monkeypatch.setattr(Hub, "_readings", None)
    await site.center.hear("telemetry", telemetry(2))
    await site.center.hear("state", state(up_ms=900, lockout=True))
    await site.center.alarming.check()
    await site.hub.flush()
    async with site.hub.join() as client:
        client.put(_batch("x"))
        assert (await client.get()).text == "[x]"
