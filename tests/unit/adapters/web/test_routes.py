"""Requests and their answers: what docs/api.md promises, and an error for everything that cannot be."""

from typing import Any

import httpx
import pytest
from tests.fakes.builders import START_MS, Center, event, result, running, send, state, telemetry
from tests.fakes.clock import settle
from tests.fakes.store import FakeStore
from tests.unit.adapters.web.conftest import FakePlant, Site

from loadcenter.domain.commands import CommandStatus
from loadcenter.services.ports import StoreDataError

API = "/api/v1"
HUGE = 10**30


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    problem: dict[str, Any] = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"]
    return problem


# ---- PDUs ----------------------------------------------------------------------------------------------------------------------


async def test_a_pdu_never_heard_is_unknown_in_everything_and_zero_in_nothing(
    client: httpx.AsyncClient,
) -> None:
    pdu = (await client.get(f"{API}/pdus/rack-1")).json()
    assert (pdu["online"], pdu["quality"], pdu["outlets"], pdu["sources"]) == (False, "unknown", [], [])
    for key in (
        "boot",
        "as_of_ms",
        "age_ms",
        "active",
        "live",
        "power_w",
        "current_a",
        "rating_a",
        "nominal_v",
    ):
        assert pdu[key] is None


async def test_a_pdu_is_shown_as_it_reports_itself_in_si_units(site: Site, client: httpx.AsyncClient) -> None:
    await site.center.greet()
    await site.center.clock.advance(1_500)
    answer = (await client.get(f"{API}/pdus")).json()
    assert answer["server_ms"] == START_MS + 1_500
    (pdu,) = answer["items"]
    assert (pdu["id"], pdu["model"], pdu["quality"], pdu["age_ms"]) == ("rack-1", "LC-4", "good", 1_500)
    assert (pdu["nominal_v"], pdu["nominal_hz"], pdu["rating_a"]) == (230, 50, 16)
    assert (pdu["power_w"], pdu["current_a"]) == (200, 1)
    assert pdu["sources"][0] == {"source": "main", "grade": "good", "voltage_v": 230, "frequency_hz": 50}
    outlet = pdu["outlets"][0]
    assert (outlet["name"], outlet["on"], outlet["power_w"], outlet["power_factor"]) == (
        "Outlet 1",
        True,
        100,
        0.87,
    )
    assert outlet["why"] == "On: switched on by ada."
    assert outlet["energy_kwh"] == pytest.approx(0.001028)
    assert outlet["pending"] is None


async def test_a_total_with_an_unknown_part_is_unknown(site: Site, client: httpx.AsyncClient) -> None:
    await site.center.greet()
    out = [{"n": n, "on": True, "i_ma": None if n == 2 else 500, "p_mw": 1, "e_mwh": 1} for n in (1, 2)]
    await site.center.hear("telemetry", telemetry(2, out=out))
    pdu = (await client.get(f"{API}/pdus/rack-1")).json()
    assert pdu["current_a"] is None
    assert pdu["power_w"] == pytest.approx(0.002)


async def test_the_reason_of_a_trip_holds_its_numbers(site: Site, client: httpx.AsyncClient) -> None:
    tripped = [
        {"n": 1, "on": False, "cause": "protection", "trip": "overcurrent"},
        {"n": 2, "on": True, "cause": "lock"},
    ]
    async with running(site.center.ingest.run):
        await site.center.greet(out=tripped)
        numbers = {"i_ma": 5_200, "limit_ma": 4_000, "limit_ms": 2_000}
        send(site.center, ("event", event(1, "trip", out=1, data=numbers)))
        await settle()
    outlet = (await client.get(f"{API}/pdus/rack-1")).json()["outlets"][0]
    assert outlet["why"].startswith("Off: tripped at 5.2 A, limit 4.0 A for 2.0 s.")


async def test_a_pdu_that_is_not_registered_is_not_found(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get(f"{API}/pdus/rack-9"), 404, "no_such_pdu")
    assert_problem(await client.get(f"{API}/pdus/rack-9/settings"), 404, "no_such_pdu")
    assert_problem(await client.put(f"{API}/pdus/rack-9/names", json={"name": "x"}), 404, "no_such_pdu")
    assert_problem(
        await client.post(f"{API}/pdus/rack-9/commands", json={"do": "clear_lockout"}), 404, "no_such_pdu"
    )
    history = f"{API}/history?pdu=rack-9&since_ms=1&until_ms=2"
    assert_problem(await client.get(history), 404, "no_such_pdu")


async def test_names_change_only_what_is_given(site: Site, client: httpx.AsyncClient) -> None:
    await site.center.greet()
    url = f"{API}/pdus/rack-1/names"
    await client.put(url, json={"name": "Rack", "outlets": [{"n": 1, "name": "Router", "critical": True}]})
    pdu = (
        await client.put(url, json={"outlets": [{"n": 1, "name": "Switch"}, {"n": 2, "critical": True}]})
    ).json()
    assert pdu["name"] == "Rack"
    assert [(one["name"], one["critical"]) for one in pdu["outlets"]] == [
        ("Switch", True),
        ("Outlet 2", True),
    ]


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": "x" * 65}, {"outlets": [{"n": 0}]}, {"outlets": [{"n": 49}]}, {"outlets": [{"n": HUGE}]},
     {"outlets": [{"n": 1}] * 49}, {"outlets": "all"}, []],
)  # fmt: skip
async def test_names_that_do_not_fit_are_refused(client: httpx.AsyncClient, body: Any) -> None:
    assert_problem(await client.put(f"{API}/pdus/rack-1/names", json=body), 422, "bad_request")


# ---- settings -------------------------------------------------------------------------------------------------------------------


async def test_settings_are_changed_with_a_new_version(site: Site, client: httpx.AsyncClient) -> None:
    url = f"{API}/pdus/rack-1/settings"
    assert (await client.get(url)).json() == {
        "desired": {"version": 0, "pdu": {}, "out": []},
        "reported_version": None,
    }
    answer = await client.put(url, json={"base_version": 0, "out": [{"n": 1, "limit_ma": 2_000}]})
    assert answer.status_code == 202
    await site.center.greet(settings=1)
    assert (await client.get(url)).json() == {
        "desired": {"version": 1, "pdu": {}, "out": [{"n": 1, "limit_ma": 2_000}]},
        "reported_version": 1,
    }


async def test_settings_based_on_an_old_version_conflict_with_both_values(client: httpx.AsyncClient) -> None:
    url = f"{API}/pdus/rack-1/settings"
    await client.put(url, json={"base_version": 0, "pdu": {"sequence_ms": 100}})
    problem = assert_problem(
        await client.put(url, json={"base_version": 0, "pdu": {"sequence_ms": 200}}), 409, "conflict"
    )
    assert "100" in problem["detail"]
    assert "200" in problem["detail"]


async def test_a_setting_out_of_range_is_refused_with_its_range(client: httpx.AsyncClient) -> None:
    body = {"base_version": 0, "pdu": {"sequence_ms": HUGE}}
    problem = assert_problem(await client.put(f"{API}/pdus/rack-1/settings", json=body), 422, "bad_setting")
    assert "0 to 60000" in problem["detail"]


# ---- commands ----------------------------------------------------------------------------------------------------------------------


async def test_an_order_is_taken_and_followed_by_its_location(site: Site, client: httpx.AsyncClient) -> None:
    await site.center.greet()
    answer = await client.post(f"{API}/pdus/rack-1/outlets/1/commands", json={"do": "off"})
    assert answer.status_code == 202
    command = answer.json()
    assert answer.headers["location"] == f"{API}/commands/{command['id']}"
    assert (command["status"], command["do"], command["on"], command["by"]) == (
        "pending",
        "switch",
        False,
        "admin",
    )
    assert command["expires_at_ms"] == START_MS + 10_000
    pdu = (await client.get(f"{API}/pdus/rack-1")).json()
    assert pdu["outlets"][0]["pending"] == {"id": command["id"], "do": "switch", "on": False}
    await site.center.hear("result", result(command["id"], "confirmed"))
    assert (await client.get(answer.headers["location"])).json()["status"] == "confirmed"
    assert [one["id"] for one in (await client.get(f"{API}/commands?pdu=rack-1")).json()["items"]] == [
        command["id"]
    ]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"do": "off"}, {"do": "switch", "on": False}),
        ({"do": "cycle"}, {"do": "cycle", "off_ms": 5_000}),
        ({"do": "cycle", "off_s": 1.5}, {"do": "cycle", "off_ms": 1_500}),
        ({"do": "lock"}, {"do": "lock", "on": True}),
    ],
)
async def test_each_order_reaches_the_pdu_as_it_was_meant(
    site: Site, client: httpx.AsyncClient, body: dict[str, Any], sent: dict[str, Any]
) -> None:
    await site.center.greet()
    await client.post(f"{API}/pdus/rack-1/outlets/2/commands", json=body)
    (command,) = site.center.sent("command")
    assert {key: command[key] for key in sent} == sent
    assert (command["out"], command["by"]) == (2, "admin")


async def test_a_transfer_names_its_source(site: Site, client: httpx.AsyncClient) -> None:
    await site.center.greet()
    answer = await client.post(f"{API}/pdus/rack-1/commands", json={"do": "transfer", "source": "backup"})
    assert answer.json()["source"] == "backup"
    assert site.center.sent("command")[0]["src"] == "backup"


async def test_an_order_the_pdu_would_refuse_is_a_conflict_and_is_kept(
    site: Site, client: httpx.AsyncClient
) -> None:
    answer = await client.post(f"{API}/pdus/rack-1/outlets/1/commands", json={"do": "on"})
    problem = assert_problem(answer, 409, "offline")
    assert "not connected" in problem["detail"]
    kept = (await client.get(answer.headers["location"])).json()
    assert (kept["status"], kept["code"]) == ("rejected", "offline")


async def test_the_same_key_gives_the_same_command(site: Site, client: httpx.AsyncClient) -> None:
    await site.center.greet()
    url, key = f"{API}/pdus/rack-1/outlets/1/commands", {"Idempotency-Key": "abc"}
    answers = [await client.post(url, json={"do": "off"}, headers=key) for _ in range(3)]
    assert len({one.json()["id"] for one in answers}) == 1
    assert len(site.center.sent("command")) == 1


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("outlets/1/commands", {"do": "explode"}, "bad_request"),
        ("outlets/1/commands", {}, "bad_request"),
        ("outlets/1/commands", {"do": "cycle", "off_s": 0.5}, "bad_request"),
        ("outlets/1/commands", {"do": "cycle", "off_s": 3_601}, "bad_request"),
        ("outlets/0/commands", {"do": "off"}, "bad_request"),
        ("outlets/49/commands", {"do": "off"}, "bad_request"),
        (f"outlets/{HUGE}/commands", {"do": "off"}, "bad_request"),
        ("outlets/x/commands", {"do": "off"}, "bad_request"),
        ("commands", {"do": "transfer"}, "bad_order"),
        ("commands", {"do": "transfer", "source": "solar"}, "bad_request"),
    ],
)
async def test_an_order_that_cannot_be_understood_says_which_part(
    site: Site, client: httpx.AsyncClient, path: str, body: dict[str, Any], code: str
) -> None:
    await site.center.greet()
    assert_problem(await client.post(f"{API}/pdus/rack-1/{path}", json=body), 422, code)
    assert site.center.sent("command") == []


async def test_broken_json_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        f"{API}/pdus/rack-1/commands", content=b"{", headers={"content-type": "application/json"}
    )
    assert_problem(answer, 422, "bad_request")


async def test_an_unknown_command_is_not_found(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get(f"{API}/commands/c-nope"), 404, "no_such_command")


async def test_with_the_broker_away_the_order_is_unknown_not_lost(
    site: Site, client: httpx.AsyncClient
) -> None:
    await site.center.greet()
    site.center.broker.stop()
    answer = await client.post(f"{API}/pdus/rack-1/outlets/1/commands", json={"do": "off"})
    assert (answer.status_code, answer.json()["status"]) == (202, CommandStatus.UNKNOWN)


# ---- events, alarms ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def eventful(site: Site) -> Site:
    """A site with 25 stored events, of which every fifth is a trip of outlet 1."""
    async with running(site.center.ingest.run):
        for seq in range(1, 26):
            code, out = ("trip", 1) if seq % 5 == 0 else ("switched", 2)
            because = seq - 1 if seq == 5 else None
            send(site.center, ("event", event(seq, code, out=out, because=because)))
        await settle()
    return site


async def test_events_are_read_page_by_page_newest_first(eventful: Site, client: httpx.AsyncClient) -> None:
    seen, cursor, pages = [], "", 0
    while True:
        page = (await client.get(f"{API}/events?limit=10{cursor}")).json()
        seen += [one["seq"] for one in page["items"]]
        pages += 1
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == list(range(25, 0, -1))
    assert pages == 3


async def test_a_last_page_that_is_just_full_has_no_next(eventful: Site, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/events?limit=25")).json()["next"] is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("code=trip", 5), ("code=trip&code=switched", 25), ("severity=critical", 5), ("outlet=2", 20),
        ("pdu=rack-9", 0), (f"since_ms={START_MS + 20_000}", 6), (f"until_ms={START_MS + 20_000}", 19),
    ],
)  # fmt: skip
async def test_events_are_filtered(eventful: Site, client: httpx.AsyncClient, query: str, count: int) -> None:
    assert len((await client.get(f"{API}/events?{query}&limit=500")).json()["items"]) == count


async def test_an_event_is_said_in_words_and_linked_to_its_cause(
    eventful: Site, client: httpx.AsyncClient
) -> None:
    items = {one["seq"]: one for one in (await client.get(f"{API}/events?limit=500")).json()["items"]}
    assert items[5]["because"] == items[4]["id"]
    assert (items[5]["title"], items[5]["severity"]) == ("Trip", "critical")
    assert "reset the trip" in items[5]["remedy"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "cursor=x", f"cursor={HUGE}", "cursor=-1", "outlet=0", f"outlet={HUGE}", "since_ms=-1",
     f"until_ms={HUGE}", "severity=bad"],
)  # fmt: skip
async def test_a_question_for_events_that_cannot_be_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert_problem(await client.get(f"{API}/events?{query}"), 422, "bad_request")


async def test_an_alarm_is_acknowledged_with_a_note_and_stays_in_the_list(
    site: Site, client: httpx.AsyncClient
) -> None:
    await site.center.greet(lockout=True)
    await site.center.alarming.check()
    (alarm,) = (await client.get(f"{API}/alarms")).json()["items"]
    assert (alarm["kind"], alarm["title"], alarm["acknowledged_ms"]) == (
        "transfer_lockout",
        "Transfers locked out",
        None,
    )
    assert (await client.get(f"{API}/pdus/rack-1")).json()["alarms"] == 1
    answer = await client.post(f"{API}/alarms/{alarm['id']}/acknowledge", json={"note": "seen"})
    assert (answer.json()["acknowledged_by"], answer.json()["note"]) == ("admin", "seen")
    await site.center.hear("state", state(up_ms=900))
    await site.center.alarming.check()
    assert (await client.get(f"{API}/alarms?open=true")).json()["items"] == []
    (kept,) = (await client.get(f"{API}/alarms?open=false")).json()["items"]
    assert kept["cleared_ms"] is not None


@pytest.mark.parametrize("alarm", ["7", "0"])
async def test_an_alarm_that_is_not_open_is_not_found(client: httpx.AsyncClient, alarm: str) -> None:
    assert_problem(await client.post(f"{API}/alarms/{alarm}/acknowledge", json={}), 404, "no_such_alarm")


async def test_a_note_has_a_length(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{API}/alarms/1/acknowledge", json={"note": "x" * 501})
    assert_problem(answer, 422, "bad_request")


# ---- history -----------------------------------------------------------------------------------------------------------------------


async def test_a_chart_holds_columns_of_equal_length_in_si_units(
    site: Site, client: httpx.AsyncClient
) -> None:
    async with running(site.center.ingest.run):
        send(site.center, *(telemetry(seq) for seq in range(1, 31)), ("event", event(1)))
        await settle()
    query = (
        f"pdu=rack-1&outlets=2,1,2&sources=main&since_ms={START_MS}&until_ms={START_MS + 60_000}&points=60"
    )
    chart = (await client.get(f"{API}/history?{query}")).json()
    assert (chart["tier"], chart["bucket_ms"]) == ("raw", 1_000)
    assert [one["channel"] for one in chart["series"]] == ["1", "2", "main"]
    outlet, main = chart["series"][0], chart["series"][2]
    assert outlet["power_w"]["avg"] == [100.0] * 30 == outlet["power_w"]["max"]
    assert outlet["total_kwh"] == pytest.approx(28 * 29 / 1e6) == pytest.approx(sum(outlet["energy_kwh"]))
    for column in (
        outlet["t_ms"],
        outlet["current_a"]["min"],
        outlet["in_gap_kwh"],
        main["frequency_hz"]["avg"],
    ):
        assert len(column) == 30
    assert main["power_w"] is None
    assert [one["seq"] for one in chart["events"]] == [1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("since_ms=5&until_ms=5", "bad_range"),
        ("since_ms=6&until_ms=5", "bad_range"),
        (f"since_ms=0&until_ms={50 * 366 * 86_400_000 + 1}", "bad_range"),
        (f"since_ms=0&until_ms={HUGE}", "bad_request"),
        ("since_ms=-5&until_ms=5", "bad_request"),
        ("until_ms=5", "bad_request"),
        ("since_ms=1&until_ms=5&points=0", "bad_request"),
        ("since_ms=1&until_ms=5&points=2001", "bad_request"),
        ("since_ms=1&until_ms=5&outlets=1;2", "bad_request"),
        ("since_ms=1&until_ms=5&outlets=0", "bad_request"),
        ("since_ms=1&until_ms=5&outlets=49", "bad_request"),
        (f"since_ms=1&until_ms=5&outlets={HUGE}", "bad_request"),
        ("since_ms=1&until_ms=5&outlets=٣", "bad_request"),
        ("since_ms=1&until_ms=5&sources=solar", "bad_request"),
    ],
)
async def test_a_range_that_cannot_be_shown_says_why(
    client: httpx.AsyncClient, query: str, code: str
) -> None:
    assert_problem(await client.get(f"{API}/history?pdu=rack-1&{query}"), 422, code)


# ---- devices --------------------------------------------------------------------------------------------------------------------------


async def test_a_device_is_registered_and_its_password_shown_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{API}/devices", json={"id": "rack-2", "name": "Second"})
    made = answer.json()
    assert (answer.status_code, len(bytes.fromhex(made.pop("update_key")))) == (201, 32)
    assert made == {"id": "rack-2", "password": "device-password", "mosquitto": "rack-2:pbkdf2 of it"}
    listed = (await client.get(f"{API}/devices")).json()["items"]
    assert {"id": "rack-2", "name": "Second", "created_ms": START_MS} in listed
    assert "password" not in str(listed)
    assert "hash" not in str(listed)


async def test_a_device_is_not_replaced_by_accident(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post(f"{API}/devices", json={"id": "rack-1"}), 409, "already_registered")
    answer = await client.post(f"{API}/devices", json={"id": "rack-1", "replace": True})
    assert answer.status_code == 201
    assert (await client.get(f"{API}/devices")).json()["items"][0]["name"] == "Rack-1"


@pytest.mark.parametrize("name", ["Rack 2", "", "#", "x" * 40])
async def test_a_device_name_that_is_no_topic_is_refused(client: httpx.AsyncClient, name: str) -> None:
    assert_problem(await client.post(f"{API}/devices", json={"id": name}), 422, "bad_name")


async def test_an_update_is_offered_followed_and_refused_where_it_cannot_be(
    site: Site, client: httpx.AsyncClient
) -> None:
    path, name = f"{API}/devices/rack-1/update", "a" * 64
    wanted = {"version": "1.1.0", "image": name}
    assert_problem(await client.get(path), 404, "no_update")
    assert_problem(await client.post(path, json=wanted), 404, "no_such_image")
    site.center.images[name] = bytes(600)
    answer = await client.post(path, json=wanted)
    assert answer.status_code == 202
    assert (await client.get(path)).json() == answer.json()
    assert (answer.json()["stage"], answer.json()["size"]) == ("offered", 600)
    n = site.center.sent("update")[0]["n"]
    await site.center.hear("updating", b'{"v":1,"boot":7,"up_ms":1,"n":%d,"status":"wants","at":512}' % n)
    assert (await client.get(path)).json()["taken"] == 512
    site.center.images["b" * 64] = bytes(700)
    assert_problem(await client.post(path, json={"version": "2", "image": "b" * 64}), 409, "update_runs")
    assert_problem(await client.post(path, json={"version": "2 0", "image": name}), 422, "bad_request")
    assert_problem(await client.get(f"{API}/devices/rack-9/update"), 404, "no_such_pdu")


# ---- other errors -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/events", "/alarms?open=false", "/devices", "/history?pdu=rack-1&since_ms=1&until_ms=9"]
)
async def test_what_needs_the_database_says_that_it_is_away(
    site: Site, client: httpx.AsyncClient, path: str
) -> None:
    site.center.store.away = "gone"
    answer = await client.get(API + path)
    assert_problem(answer, 503, "database_away")
    assert answer.headers["retry-after"] == "5"


class Picky(FakeStore):
    """Refuses every name."""

    async def put_device(self, device: object) -> None:
        raise StoreDataError("the name does not fit")


async def test_a_value_that_the_database_refuses_is_the_fault_of_the_request(
    site: Site, client: httpx.AsyncClient
) -> None:
    site.center.registry._store = Picky()
    answer = await client.post(f"{API}/devices", json={"id": "rack-3"})
    assert_problem(answer, 422, "bad_value")


async def test_a_method_that_a_route_does_not_have_is_said_so(client: httpx.AsyncClient) -> None:
    assert_problem(await client.delete(f"{API}/pdus"), 405, "http")


# ---- the demo's panel ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/demo/disturbances"),
        ("POST", "/demo/pdus/rack-1/disturbances/drop_main"),
        ("DELETE", "/demo/pdus/rack-1/disturbances/drop_main"),
    ],
)
async def test_without_a_simulator_the_demo_does_not_exist(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert_problem(await client.request(method, API + path), 404, "no_such_route")


async def test_in_a_demo_things_are_broken_and_mended(center: Center) -> None:
    plant = FakePlant()
    async with Site(center, plant).client(headers={"authorization": "Bearer local-token"}) as client:
        url = f"{API}/demo/pdus/rack-1/disturbances/"
        assert (await client.get(f"{API}/session")).json()["demo"] is True
        assert (await client.post(url + "overload", json={"outlet": 2})).status_code == 204
        assert (await client.post(url + "drop_main")).status_code == 204
        shown = (await client.get(f"{API}/demo/disturbances")).json()
        assert [one["id"] for one in shown["items"]] == ["drop_main", "overload"]
        assert shown["active"] == {"rack-1": {"overload": 2, "drop_main": None}}
        assert (await client.delete(url + "overload")).status_code == 204
        assert plant.broken == {"rack-1": {"drop_main": None}}
        assert_problem(await client.post(url + "earthquake"), 404, "no_such_disturbance")


async def test_in_a_demo_nothing_can_be_broken_around_a_real_device(center: Center) -> None:
    async with Site(center, FakePlant()).client(headers={"authorization": "Bearer local-token"}) as client:
        await client.post(f"{API}/devices", json={"id": "shed"})
        shown = (await client.get(f"{API}/demo/disturbances")).json()
        assert shown["active"]["shed"] == {}
        answer = await client.post(f"{API}/demo/pdus/shed/disturbances/overload", json={"outlet": 1})
        assert_problem(answer, 404, "no_such_disturbance")


# ---- health ---------------------------------------------------------------------------------------------------------------------------------


async def test_ready_says_what_keeps_it_from_being_so(site: Site, anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ready": True, "checks": {"broker": "ok", "database": "ok"}},
    )
    site.center.broker.stop()
    answer = await anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "start it" in answer.json()["checks"]["broker"]
    assert (await anonymous.get("/healthz")).status_code == 200


async def test_metrics_are_open_metrics(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
