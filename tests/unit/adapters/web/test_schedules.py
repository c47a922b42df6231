"""Schedules over the API: what docs/api.md promises, and an error for everything that cannot be."""

from datetime import UTC, datetime
from typing import Any

import httpx
from tests.contract.storage.scheduled import T, run
from tests.fakes.builders import Center
from tests.unit.adapters.web.test_routes import assert_problem

from loadcenter.domain.topology import OutletId

API = "/api/v1/schedules"
DAY_MS = 86_400_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def body(**changed: Any) -> dict[str, Any]:
    """Return a schedule: outlet 1 on from 18:00 to 22:00 in Vienna, every day from 2027-01-15 on."""
    fields = {
        "name": "Evening",
        "targets": [{"pdu_id": "rack-1", "outlet": 1}],
        "do": "on",
        "days": {"first": "2027-01-15", "rrule": "FREQ=DAILY"},
        "begin": {"at": "18:00"},
        "end": {"at": "22:00"},
    }
    return {key: value for key, value in {**fields, **changed}.items() if value is not None}


async def added(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post(API, json=body(**changed))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_schedule_comes_back_as_it_was_given_with_its_next_occurrence(
    client: httpx.AsyncClient,
) -> None:
    made = await added(client)
    assert (made["version"], made["timezone"], made["late_s"], made["changed_by"]) == (
        1,
        "Europe/Vienna",
        900,
        "admin",
    )
    assert made["next"] == {"start_ms": ms("2027-01-15T17:00"), "end_ms": ms("2027-01-15T21:00")}
    assert (await client.get(f"{API}/{made['id']}")).json() == made
    listed = (await client.get(API)).json()
    assert (listed["items"], listed["timezone"]) == ([made], "Europe/Vienna")
    kept = {key: made[key] for key in body() if key not in ("days", "begin", "end")}
    assert kept == {key: value for key, value in body().items() if key in kept}


async def test_a_change_needs_the_current_version_and_gives_the_next(client: httpx.AsyncClient) -> None:
    made = await added(client)
    place = f"{API}/{made['id']}"
    changed = await client.put(place, json=body(version=1, begin={"at": "19:00"}))
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert_problem(await client.put(place, json=body(version=1)), 409, "schedule_changed")
    assert (await client.delete(place)).status_code == 204
    assert_problem(await client.get(place), 404, "no_such_schedule")
    assert_problem(await client.delete(place), 404, "no_such_schedule")


async def test_two_schedules_cannot_have_one_name(client: httpx.AsyncClient) -> None:
    await added(client)
    assert_problem(await client.post(API, json=body()), 409, "schedule_changed")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"begin": None}, "'begin' or 'cheapest'"),
    ({"cheapest": {"before": "07:00", "hours": 3}}, "one of the two"),
    ({"begin": {"at": "18:00", "sun": "sunset"}}, "'at' or 'sun'"),
    ({"begin": {"at": "18:00", "offset_min": 5}}, "without the sun"),
    ({"duration_s": 600}, "not both"),
    ({"end": {"at": "18:00"}}, "the end is the beginning"),
    ({"do": "cycle"}, "needs a pause"),
    ({"do": "cycle", "off_s": 5}, "one instant"),
    ({"off_s": 5}, "has no pause"),
    ({"days": {"first": "2027-01-15", "rrule": "FREQ=HOURLY"}}, "FREQ=DAILY"),
    ({"days": {"first": "2027-01-15", "rrule": "FREQ=WEEKLY;BYHOUR=3"}}, "BYHOUR"),
    ({"days": {"first": "2027-01-15", "rrule": "FREQ=WEEKLY;BYDAY=XX"}}, "not understood"),
    ({"days": {"first": "2027-01-15", "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}}, "never comes"),
    ({"days": {"first": "1999-01-15"}}, "2000 or later"),
    ({"timezone": "Europe/Wien"}, "not a time zone"),
    ({"name": " x"}, "without spaces"),
    ({"targets": [{"pdu_id": "rack-1", "outlet": 1}] * 2}, "each once"),
    ({"targets": [{"pdu_id": "rack-1", "outlet": 9}]}, "outlets 1 to 2"),
]


async def test_what_cannot_be_is_refused_with_what_to_give(center: Center, client: httpx.AsyncClient) -> None:
    await center.greet()
    for changed, said in REFUSED:
        for path in (API, f"{API}/preview"):
            problem = assert_problem(await client.post(path, json=body(**changed)), 422, "bad_schedule")
            assert said in problem["detail"], changed


async def test_an_unknown_pdu_or_key_is_refused(client: httpx.AsyncClient) -> None:
    unknown = body(targets=[{"pdu_id": "rack-9", "outlet": 1}])
    assert_problem(await client.post(API, json=unknown), 404, "no_such_pdu")
    assert_problem(await client.post(API, json=body(colour="red")), 422, "bad_request")


async def test_the_week_shows_each_outlet_from_when_until_when_and_the_conflicts(
    client: httpx.AsyncClient,
) -> None:
    outlets = [{"pdu_id": "rack-1", "outlet": n} for n in (1, 2)]
    made = await added(client, targets=outlets)
    night = await added(client, name="Night", do="off", begin={"at": "21:00"}, end={"at": "06:00"})
    since = ms("2027-01-15T23:00")
    week = (await client.get(f"{API}/occurrences?since_ms={since}&until_ms={since + DAY_MS}")).json()
    assert week["timezone"] == "Europe/Vienna"
    assert [
        (one["name"], one["outlet"], one["start_ms"], one["end_ms"], one["state"]) for one in week["items"]
    ] == [
        ("Night", 1, ms("2027-01-15T20:00"), ms("2027-01-16T05:00"), "planned"),
        ("Evening", 1, ms("2027-01-16T17:00"), ms("2027-01-16T21:00"), "planned"),
        ("Evening", 2, ms("2027-01-16T17:00"), ms("2027-01-16T21:00"), "planned"),
        ("Night", 1, ms("2027-01-16T20:00"), ms("2027-01-17T05:00"), "planned"),
    ]
    (conflict,) = week["conflicts"]
    assert conflict["schedule_ids"] == [made["id"], night["id"]]
    assert (conflict["outlet"], conflict["since_ms"], conflict["until_ms"]) == (
        1,
        ms("2027-01-16T20:00"),
        ms("2027-01-16T21:00"),
    )
    assert conflict["text"] == "'Evening' wants rack-1/1 on, 'Night' wants it off"


async def test_a_skipped_occurrence_shows_so_until_it_is_taken_back(client: httpx.AsyncClient) -> None:
    made = await added(client)
    start = made["next"]["start_ms"]
    skip = f"{API}/{made['id']}/skips/{start}"

    async def state() -> str:
        week = await client.get(f"{API}/occurrences?since_ms={start}&until_ms={start + 1}&pdu=rack-1")
        (one,) = week.json()["items"]
        return str(one["state"])

    assert (await client.put(skip)).status_code == 204
    assert await state() == "skipped"
    assert (await client.get(f"{API}/{made['id']}")).json()["next"]["start_ms"] == start + DAY_MS
    assert (await client.delete(skip)).status_code == 204
    assert await state() == "planned"
    assert_problem(await client.put(f"{API}/{made['id']}/skips/{start + 1}"), 422, "bad_schedule")


async def test_a_draft_is_previewed_with_its_conflicts_and_not_kept(client: httpx.AsyncClient) -> None:
    made = await added(client)
    off = body(name="Off", do="off", begin={"at": "20:00"}, end=None, duration_s=3600)
    answer = (await client.post(f"{API}/preview?count=2", json=off)).json()
    assert [one["start_ms"] for one in answer["items"]] == [ms("2027-01-15T19:00"), ms("2027-01-16T19:00")]
    assert answer["conflicts"][0]["names"] == ["Evening", "Off"]
    instead = (await client.post(f"{API}/preview?replaces={made['id']}", json=off)).json()
    assert instead["conflicts"] == []
    assert len((await client.get(API)).json()["items"]) == 1
    assert len((await client.get(f"{API}/{made['id']}/preview?count=3")).json()["items"]) == 3


async def test_holidays_are_replaced_and_skipped(client: httpx.AsyncClient) -> None:
    days = {"first": "2027-01-15", "rrule": "FREQ=DAILY", "holidays": "skip"}
    made = await added(client, days=days)
    free = {"items": [{"day": "2027-01-15", "name": "Free"}]}
    assert (await client.put(f"{API}/holidays", json=free)).json() == free
    assert (await client.get(f"{API}/holidays")).json() == free
    assert (await client.get(f"{API}/{made['id']}")).json()["next"]["start_ms"] == ms("2027-01-16T17:00")
    week = await client.get(
        f"{API}/occurrences?since_ms={ms('2027-01-15T00:00')}&until_ms={ms('2027-01-15T20:00')}"
    )
    assert (week.json()["items"], week.json()["holidays"]) == ([], free["items"])


async def test_an_outlet_is_held_off_by_somebody_until_it_is_released(client: httpx.AsyncClient) -> None:
    held = await client.put(f"{API}/holds/rack-1/2")
    assert (held.json()["outlet"], held.json()["by"]) == (2, "admin")
    assert (await client.get(f"{API}/holds")).json()["items"] == [held.json()]
    assert (await client.delete(f"{API}/holds/rack-1/2")).status_code == 204
    assert (await client.get(f"{API}/holds")).json()["items"] == []


async def test_imported_prices_decide_which_hours_are_the_cheapest(client: httpx.AsyncClient) -> None:
    hours = [f"2027-01-16T{hour:02}:00,{0.30 if hour != 4 else 0.05}" for hour in range(8)]
    kept = (await client.post(f"{API}/prices", json={"csv": "start,price\n" + "\n".join(hours)})).json()
    assert kept["count"] == 8
    shown = (await client.get(f"{API}/prices?since_ms={kept['since_ms']}&until_ms={kept['until_ms']}")).json()
    assert (len(shown["items"]), shown["currency"], shown["items"][16]["price_per_kwh"]) == (32, None, 0.05)
    cheap = {"before": "07:00", "hours": 1, "within_h": 7}
    made = await added(client, begin=None, end=None, cheapest=cheap)
    zone = ms("2027-01-16T04:00") if kept["since_ms"] == ms("2027-01-16T00:00") else ms("2027-01-16T03:00")
    assert made["next"] == {"start_ms": zone, "end_ms": zone + 3_600_000}
    assert made["cheapest"] == {**cheap, "contiguous": False}


async def test_a_list_of_prices_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    twice = "2027-01-16T00:00,1\n2027-01-15T23:00,1"
    for csv in ("x", "2027-01-16T00:00,", "2027-01-16T00:07,1", "2027-01-16T00:00,1e9", "start,price", twice):
        assert_problem(await client.post(f"{API}/prices", json={"csv": csv}), 422, "bad_prices")


async def test_runs_are_listed_by_outlet_only_with_its_pdu(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/runs")).json() == {"items": [], "next": None}
    assert_problem(await client.get(f"{API}/runs?outlet=1"), 422, "bad_schedule")


async def test_runs_that_were_due_together_stay_on_one_page(
    center: Center, client: httpx.AsyncClient
) -> None:
    rows = [run(T + hour, place=OutletId("rack-1", n)) for hour in range(3) for n in (1, 2)]
    await center.store.schedules.decide(rows, [], {})
    seen, until = [], ""
    while True:
        page = (await client.get(f"{API}/runs?limit=3{until}")).json()
        seen += [(one["due_ms"] - T, one["outlet"]) for one in page["items"]]
        if page["next"] is None:
            break
        until = f"&until_ms={page['next']}"
    assert seen == [(2, 1), (2, 2), (1, 1), (1, 2), (0, 1), (0, 2)]


async def test_times_and_days_at_the_ends_of_the_calendar_are_no_defect(client: httpx.AsyncClient) -> None:
    made = await added(client)
    last_ms = 253_402_300_799_999
    for since, until in ((0, 1), (last_ms - 1, last_ms), (0, last_ms), (5, 5)):
        for path in ("occurrences", "prices"):
            answer = await client.get(f"{API}/{path}?since_ms={since}&until_ms={until}")
            assert_problem(answer, 422, "bad_schedule")
        assert (await client.get(f"{API}/runs?since_ms={since}&until_ms={until}")).status_code == 200
    assert_problem(await client.put(f"{API}/{made['id']}/skips/{last_ms}"), 422, "bad_schedule")
    for csv in ("0001-01-01T00:00,1", "9999-12-31T23:00-05:00,1"):
        assert_problem(await client.post(f"{API}/prices", json={"csv": csv}), 422, "bad_prices")
    far = await added(client, name="Far", days={"first": "9999-12-31", "exceptions": ["0001-01-01"]})
    assert far["next"] is None
    day = {"items": [{"day": "9999-12-31"}, {"day": "0001-01-01"}]}
    assert (await client.put(f"{API}/holidays", json=day)).status_code == 200
