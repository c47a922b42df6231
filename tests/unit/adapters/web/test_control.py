"""Sites, headroom, groups, plans and dry runs over HTTP."""

from typing import Any

import httpx
import pytest
from tests.fakes.builders import START_MS, Center, outlet, result, running, state, telemetry

from loadcenter.domain.rollups import Counters, OutletRollup, Stat
from loadcenter.services.ports import IngestBatch, RollupKey

SITE = {"base_version": 0, "name": "Cellar", "pdus": [{"id": "rack-1", "limit": {"current_a": 10}}]}
COMMANDS = "/api/v1/pdus/rack-1/outlets/{}/commands"


def reported(*on: bool, **changed: Any) -> dict[str, Any]:
    """The state of a PDU whose outlets are on or off as given."""
    causes = {True: "person_on", False: "person_off"}
    out = [{"n": n, "on": one, "cause": causes[one], "by": "ada"} for n, one in enumerate(on, 1)]
    return {"out": out, **changed}


async def prepared(center: Center) -> None:
    """Outlet 1 drew 3 A and is off now; outlet 2, of lower priority, draws 8 A; BACKUP and MAIN may carry 10 A."""
    await center.tuning.change("rack-1", 0, {"budget_main_ma": 10_000}, [{"n": 1, "priority": 1}])
    await center.greet(**reported(True, True, settings=1))
    loads = [outlet(1, i_ma=3_000, p_mw=690_000), outlet(2, i_ma=8_000, p_mw=1_840_000)]
    await center.hear("telemetry", telemetry(2, out=loads))
    off = [outlet(1, on=False, i_ma=0, p_mw=0), loads[1]]
    await center.hear("telemetry", telemetry(3, out=off))
    await center.hear("state", state_of(reported(False, True, settings=1)))
    await center.clock.advance(3_000)


def state_of(fields: dict[str, Any]) -> bytes:

    return state(up_ms=3_000, **fields)


async def test_a_site_is_made_changed_and_forgotten(client: httpx.AsyncClient, center: Center) -> None:
    await center.greet()
    made = await client.put("/api/v1/sites/cellar", json=SITE)
    assert made.status_code == 200
    assert (made.json()["version"], made.json()["pdus"]) == (
        1,
        [{"id": "rack-1", "limit": {"current_a": 10.0, "power_w": None}}],
    )
    [circuit] = made.json()["circuits"]
    assert (circuit["level"], circuit["current_a"], circuit["over"]) == ("pdu", 1.0, False)
    again = await client.put("/api/v1/sites/cellar", json=SITE)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    changed = await client.put(
        "/api/v1/sites/cellar", json={**SITE, "base_version": 1, "limit": {"power_w": 50}}
    )
    assert changed.json()["circuits"][-1]["over"]
    assert (await client.get("/api/v1/sites")).json()["items"] == [
        (await client.get("/api/v1/sites/cellar")).json()
    ]
    assert (await client.delete("/api/v1/sites/cellar")).status_code == 204
    assert (await client.get("/api/v1/sites/cellar")).json()["code"] == "no_such_site"
    assert (await client.delete("/api/v1/sites/cellar")).status_code == 404


@pytest.mark.parametrize(
    ("path", "change", "status", "code"),
    [
        ("cellar", {"pdus": [{"id": "nowhere"}]}, 404, "no_such_pdu"),
        ("Cellar!", {}, 422, "bad_site"),
        ("cellar", {"limit": {"current_a": 0}}, 422, "bad_request"),
        ("cellar", {"stale_after_s": 1}, 422, "bad_request"),
    ],
)
async def test_a_site_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, path: str, change: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.put(f"/api/v1/sites/{path}", json={**SITE, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_pdu_belongs_to_one_site(client: httpx.AsyncClient) -> None:
    await client.put("/api/v1/sites/cellar", json=SITE)
    taken = await client.put("/api/v1/sites/attic", json=SITE)
    assert (taken.status_code, taken.json()["code"]) == (409, "pdu_taken")
    assert "'cellar'" in taken.json()["detail"]


async def test_no_headroom_comes_with_the_numbers_and_what_would_make_room(
    client: httpx.AsyncClient, center: Center
) -> None:
    await prepared(center)
    answer = await client.post(COMMANDS.format(1), json={"do": "on"})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "no_headroom")
    assert body["detail"] == "outlet 1 will exceed MAIN of rack-1 by 1.0 A: shed rack-1/2?"
    assert (body["over"], body["enough"], body["displace"]) == ("1.0 A", True, ["rack-1/2"])
    [candidate] = body["candidates"]
    assert (candidate["outlet"], candidate["priority"], candidate["current_a"]) == (2, 4, 8.0)
    shown = await client.get("/api/v1/pdus/rack-1/outlets/1/headroom")
    assert shown.json() == {key: body[key] for key in shown.json()}
    circuits = (await client.get("/api/v1/pdus/rack-1/circuits")).json()
    assert [(one["title"], one["current_a"]) for one in circuits["items"]] == [("MAIN of rack-1", 8.0)]


async def test_an_on_that_displaces_waits_until_there_is_room(
    client: httpx.AsyncClient, center: Center
) -> None:

    await prepared(center)
    async with running(center.dispatch.run):
        answer = await client.post(COMMANDS.format(1), json={"do": "on", "displace": ["rack-1/2"]})
        assert (answer.status_code, answer.json()["message"]) == (202, "waits until rack-1/2 is off")
        [off] = center.sent("command")
        assert (off["out"], off["on"], off["by"]) == (2, False, "admin")
        await center.hear("result", result(off["id"], "confirmed"))
        await center.clock.advance(500)
        [_, on] = center.sent("command")
        assert (on["id"], on["out"], on["on"]) == (answer.json()["id"], 1, True)


async def test_an_on_whose_displaced_outlet_does_not_go_off_is_rejected(
    client: httpx.AsyncClient, center: Center
) -> None:

    await prepared(center)
    async with running(center.dispatch.run):
        answer = await client.post(COMMANDS.format(1), json={"do": "on", "displace": ["rack-1/2"]})
        await center.hear("result", result(center.sent("command")[0]["id"], "rejected", "locked"))
        await center.clock.advance(500)
    command = (await client.get(f"/api/v1/commands/{answer.json()['id']}")).json()
    assert (command["status"], command["code"]) == ("rejected", "no_headroom")
    assert len(center.sent("command")) == 1


async def test_an_off_ends_the_on_that_waits_for_room(client: httpx.AsyncClient, center: Center) -> None:
    await prepared(center)
    async with running(center.dispatch.run):
        answer = await client.post(COMMANDS.format(1), json={"do": "on", "displace": ["rack-1/2"]})
        off = await client.post(COMMANDS.format(1), json={"do": "off"})
        assert off.json()["code"] == "already"
        await center.hear("result", result(center.sent("command")[0]["id"], "confirmed"))
        await center.clock.advance(500)
    command = (await client.get(f"/api/v1/commands/{answer.json()['id']}")).json()
    assert (command["status"], command["code"]) == ("rejected", "superseded")
    assert len(center.sent("command")) == 1


async def test_only_what_may_be_shed_can_be_displaced(client: httpx.AsyncClient, center: Center) -> None:
    await prepared(center)
    for named in ("rack-1/1", "rack-9/1", "nonsense"):
        answer = await client.post(COMMANDS.format(1), json={"do": "on", "displace": [named]})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_order")
    assert center.sent("command") == []


async def test_a_critical_outlet_goes_off_in_two_steps(client: httpx.AsyncClient, center: Center) -> None:
    await client.put(
        "/api/v1/pdus/rack-1/names", json={"outlets": [{"n": 1, "name": "Router", "critical": True}]}
    )
    await center.greet()
    for order in ({"do": "off"}, {"do": "cycle"}):
        answer = await client.post(COMMANDS.format(1), json=order)
        assert (answer.status_code, answer.json()["code"]) == (409, "confirm_needed")
        assert "rack-1/1 (Router)" in answer.json()["detail"]
    assert (await client.post(COMMANDS.format(1), json={"do": "lock"})).status_code == 202
    assert (await client.post(COMMANDS.format(1), json={"do": "off", "confirm": True})).status_code == 202


async def test_a_group_is_switched_in_turn_and_off_the_other_way_round(
    client: httpx.AsyncClient, center: Center
) -> None:
    await center.greet()
    body = {"base_version": 0, "name": "All", "members": ["rack-1/1", "rack-1/2"]}
    assert (await client.put("/api/v1/groups/all", json=body)).json()["version"] == 1
    async with running(center.deciding.plans.run):
        plan = (await client.post("/api/v1/groups/all/commands", json={"do": "off", "stagger_s": 2})).json()
        assert [(one["outlet"], one["due_ms"] - plan["created_ms"]) for one in plan["orders"]] == [
            (2, 0),
            (1, 2000),
        ]
        await center.clock.advance(1_000)
        assert [one["out"] for one in center.sent("command")] == [2]
        await center.clock.advance(2_000)
        assert [one["out"] for one in center.sent("command")] == [2, 1]
    done = (await client.get(f"/api/v1/plans/{plan['id']}")).json()
    assert ([one["status"] for one in done["orders"]], done["open"]) == (["given", "given"], False)


async def test_a_delayed_order_can_be_cancelled(client: httpx.AsyncClient, center: Center) -> None:
    await center.greet()
    order = {"orders": [{"pdu_id": "rack-1", "outlet": 1, "do": "off"}], "delay_s": 60}
    plan = (await client.post("/api/v1/plans", json=order)).json()
    assert (await client.get("/api/v1/plans")).json()["items"] == [plan]
    async with running(center.deciding.plans.run):
        ended = (await client.delete(f"/api/v1/plans/{plan['id']}")).json()
        assert (ended["open"], ended["orders"][0]["detail"]) == (False, "cancelled by admin")
        await center.clock.advance(120_000)
    assert center.sent("command") == []


async def test_what_is_not_there_is_said_to_be_so(client: httpx.AsyncClient) -> None:
    for method, path, code in (
        ("GET", "/groups/x", "no_such_group"),
        ("DELETE", "/groups/x", "no_such_group"),
        ("GET", "/plans/x", "no_such_plan"),
        ("DELETE", "/plans/x", "no_such_plan"),
    ):
        answer = await client.request(method, f"/api/v1{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    bad = {"base_version": 0, "name": "All", "members": ["rack-1/1", "rack-1/1"]}
    assert (await client.put("/api/v1/groups/all", json=bad)).json()["code"] == "bad_group"
    assert (await client.post("/api/v1/groups/all/commands", json={"do": "on"})).json()[
        "code"
    ] == "no_such_group"


async def test_a_dry_run_tells_what_a_smaller_budget_would_have_done(
    client: httpx.AsyncClient, center: Center
) -> None:
    await center.greet()
    minutes = {
        RollupKey("rack-1", n, START_MS + minute * 60_000): OutletRollup(
            60_000,
            Stat(60, 460_000, 460_000, 60 * 460_000),
            Stat(60, 230_000, 230_000, 60 * 230_000),
            Stat(60, 2_000, 2_000, 60 * 2_000),
            Counters(0, 0, 0, 0),
        )
        for n in (1, 2)
        for minute in range(10)
    }
    await center.store.commit(IngestBatch(outlet_minutes=minutes))
    span = {"since_ms": START_MS, "until_ms": START_MS + 600_000}
    body = {**span, "pdu": {"budget_main_ma": 3_000}, "out": [{"n": 1, "priority": 1}]}
    answer = (await client.post("/api/v1/pdus/rack-1/dry-run", json=body)).json()
    assert answer["covered"] == 1
    assert [one["sheds"] for one in answer["current"]["outlets"]] == [0, 0]
    assert [(one["sheds"], one["off_min"]) for one in answer["proposed"]["outlets"]] == [(0, 0), (1, 10)]
    [shed] = answer["proposed"]["events"]
    assert (shed["what"], shed["outlet"], shed["current_a"], shed["limit_a"]) == ("shed", 2, 4.0, 3.0)
    empty = await client.post("/api/v1/pdus/rack-1/dry-run", json={**body, "until_ms": START_MS})
    assert empty.json()["code"] == "bad_range"
    far = {"since_ms": 253_402_300_000_000, "until_ms": 253_402_300_799_999}
    ahead = await client.post("/api/v1/pdus/rack-1/dry-run", json={**body, **far})
    assert ahead.json()["code"] == "bad_range"
    bad = await client.post("/api/v1/pdus/rack-1/dry-run", json={**span, "pdu": {"budget_main_ma": 1}})
    assert bad.json()["code"] == "bad_setting"
    night = {
        "name": "Night",
        "targets": [{"pdu_id": "rack-1", "outlet": 2}],
        "do": "off",
        "days": {"first": "2027-01-15"},
        "begin": {"at": "00:00"},
        "duration_s": 86_400,
        "timezone": "UTC",
    }
    with_night = (
        await client.post("/api/v1/pdus/rack-1/dry-run", json={**body, "schedules": [night]})
    ).json()
    assert [(one["sheds"], one["scheduled_min"]) for one in with_night["proposed"]["outlets"]] == [
        (0, 0),
        (0, 10),
    ]
    nonsense = {**night, "begin": None}
    refused = await client.post("/api/v1/pdus/rack-1/dry-run", json={**body, "schedules": [nonsense]})
    assert refused.json()["code"] == "bad_schedule"


async def test_a_dry_run_of_a_site_tells_what_smaller_limits_would_have_done(
    client: httpx.AsyncClient, center: Center
) -> None:
    await center.greet()
    await client.put("/api/v1/sites/cellar", json=SITE)
    stat = Stat(60, 2_000, 2_000, 60 * 2_000)
    minutes = {
        RollupKey("rack-1", n, START_MS + minute * 60_000): OutletRollup(60_000, Stat(), Stat(), stat)
        for n in (1, 2)
        for minute in range(5)
    }
    await center.store.commit(IngestBatch(outlet_minutes=minutes))
    body = {
        "since_ms": START_MS,
        "until_ms": START_MS + 300_000,
        "name": "Cellar",
        "pdus": [{"id": "rack-1"}],
    }
    url = "/api/v1/sites/cellar/dry-run"
    answer = (await client.post(url, json={**body, "limit": {"current_a": 3}})).json()
    assert (answer["covered"], answer["current"]["event_count"]) == (1, 0)
    [shed] = answer["proposed"]["outlets"]
    assert (shed["pdu_id"], shed["outlet"], shed["name"], shed["sheds"], shed["off_min"]) == (
        "rack-1",
        2,
        "Outlet 2",
        1,
        5,
    )
    [event] = answer["proposed"]["events"]
    assert (event["what"], event["outlet"], event["data"]["total_ma"]) == ("shed", 2, 4_000)
    for change, code in (
        ({"until_ms": START_MS}, "bad_range"),
        ({"pdus": [{"id": "nowhere"}]}, "no_such_pdu"),
    ):
        assert (await client.post(url, json={**body, **change})).json()["code"] == code
    assert (await client.post("/api/v1/sites/x/dry-run", json=body)).json()["code"] == "no_such_site"
