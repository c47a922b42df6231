"""Who may pass: every route asks for a session, every change comes from our own page, every answer is guarded."""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from tests.fakes.builders import Center, running
from tests.fakes.clock import settle
from tests.fakes.store import FakeStore
from tests.unit.adapters.web.conftest import OWN, PASSWORD, FakePlant, Site

from loadcenter.adapters.web.gate import BODY_MAX, COOKIE, SECURITY_HEADERS

OPEN = {
    ("POST", "/api/v1/session"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/openapi.json"),
    ("HEAD", "/api/v1/openapi.json"),
    ("GET", "/{path:path}"),
}
"""What anybody may ask for. Everything else needs a session."""

VALUES = {"pdu_id": "rack-1", "n": "1", "command_id": "c-1", "alarm_id": "1", "name": "drop_main"}
BODIES = {
    "/api/v1/pdus/{pdu_id}/outlets/{n}/commands": {"do": "off"},
    "/api/v1/pdus/{pdu_id}/commands": {"do": "clear_lockout"},
    "/api/v1/devices": {"id": "rack-2"},
    "/api/v1/pdus/{pdu_id}/settings": {"base_version": 0},
    "/api/v1/session": {"username": "admin", "password": PASSWORD},
}


def routes(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (method, path template) of every HTTP route of the application."""
    for route in iter_route_contexts(site.app.routes):
        for method in sorted(route.methods or ()):
            yield method, route.path


def concrete(path: str) -> str:
    return re.sub(r"{(\w+)(:path)?}", lambda found: VALUES.get(found[1], "x"), path)


@pytest.fixture
def demo_site(center: Center) -> Site:
    return Site(center, FakePlant())


def changed(center: Center) -> tuple[object, ...]:
    """Return what a request could have changed."""
    twin = center.fleet.twin("rack-1")
    return (
        len(center.fleet.twins()),
        twin.desired_version,
        len(center.sent("command")),
        center.fleet.labels("rack-1"),
    )


# ---- sessions ----------------------------------------------------------------------------------------------------------------


async def test_every_route_but_the_open_ones_answers_401_without_a_session(demo_site: Site) -> None:
    guarded = [one for one in routes(demo_site) if one not in OPEN]
    assert len(guarded) >= 20
    async with demo_site.client() as client:
        for method, path in guarded:
            answer = await client.request(method, concrete(path), json=BODIES.get(path, {}))
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.json()["code"] == "no_session"


async def test_the_open_routes_are_open_and_all_there_are(site: Site) -> None:
    assert set(routes(site)) >= OPEN
    async with site.client() as client:
        for method, path in OPEN - {("POST", "/api/v1/session")}:
            assert (await client.request(method, concrete(path))).status_code != 401


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "bearer"},
        {"authorization": "Basic YWRtaW46YWRtaW4="},
        {"cookie": f"{COOKIE}=wrong"},
        {"cookie": f"{COOKIE}="},
        {"authorization": "Bearer wrong", "cookie": "REPLACED"},
    ],
)
async def test_a_wrong_token_opens_nothing(
    site: Site, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    if headers.get("cookie") == "REPLACED":
        headers = {**headers, "cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    async with site.client(headers=headers) as other:
        assert (await other.get("/api/v1/pdus")).status_code == 401


async def test_the_token_of_the_command_line_opens_everything(site: Site) -> None:
    async with site.client(headers={"authorization": "Bearer local-token"}) as program:
        answer = await program.get("/api/v1/session")
        assert (answer.status_code, answer.json()["user"]) == (200, "admin")
        assert (await program.get("/api/v1/pdus")).status_code == 200


async def test_logging_in_gives_a_cookie_that_no_script_reads_and_no_other_site_sends(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert "Domain" not in cookie
    assert answer.json() == {
        "user": "admin",
        "expires_ms": site.center.clock.now_ms() + 12 * 3_600_000,
        "demo": False,
        "version": "1.2.3",
    }


async def test_over_tls_the_cookie_is_for_tls_only(site: Site) -> None:
    async with site.client() as client:
        url = "https://rack.example/api/v1/session"
        answer = await client.post(url, json={"username": "admin", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


async def test_logging_out_ends_the_session_for_whoever_holds_its_token(
    site: Site, client: httpx.AsyncClient
) -> None:
    token = client.cookies[COOKIE]
    answer = await client.delete("/api/v1/session")
    assert answer.status_code == 204
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    async with site.client(cookies={COOKIE: token}) as other:
        assert (await other.get("/api/v1/session")).status_code == 401


async def test_a_wrong_name_and_a_wrong_password_have_the_same_answer(anonymous: httpx.AsyncClient) -> None:
    answers = [
        await anonymous.post("/api/v1/session", json={"username": name, "password": "wrong"})
        for name in ("admin", "nobody")
    ]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].content == answers[1].content


async def test_guessing_is_braked_with_the_time_to_wait(anonymous: httpx.AsyncClient) -> None:
    for _ in range(5):
        await anonymous.post("/api/v1/session", json={"username": "admin", "password": "wrong"})
    answer = await anonymous.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "61"
    assert answer.json()["code"] == "too_many_attempts"


# ---- foreign pages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"{OWN}:8080", "http://rack.example.evil", "", "http://["]
)
async def test_no_foreign_page_changes_anything(demo_site: Site, origin: str) -> None:
    before = changed(demo_site.center)
    headers = {"authorization": "Bearer local-token", "origin": origin}
    async with demo_site.client(headers=headers) as client:
        changing = [one for one in routes(demo_site) if one[0] not in ("GET", "HEAD")]
        assert len(changing) >= 9
        for method, path in changing:
            answer = await client.request(method, concrete(path), json=BODIES.get(path, {}))
            assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin"), f"{method} {path}"
    assert changed(demo_site.center) == before
    assert demo_site.plant is not None
    assert demo_site.plant.broken == {}


async def test_our_own_page_may_change_things(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/v1/pdus/rack-1/names", json={"name": "x"}, headers={"origin": OWN})
    assert answer.status_code == 200


# ---- headers -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/index.html"), ("GET", "/no/such/file"), ("GET", "/healthz"), ("GET", "/readyz"),
        ("GET", "/metrics"), ("GET", "/api/v1/openapi.json"), ("GET", "/api/v1/pdus"), ("GET", "/api/v1/nothing"),
        ("POST", "/api/v1/session"), ("PATCH", "/api/v1/session"), ("POST", "/"), ("GET", "/api/v1/demo/disturbances"),
    ],
)  # fmt: skip
async def test_every_answer_carries_the_security_headers(
    anonymous: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await anonymous.request(method, path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_the_policy_allows_no_inline_script_and_no_foreign_source() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy


async def test_answers_of_the_api_are_never_kept(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/pdus")).headers["cache-control"] == "no-store"


class Broken(FakeStore):
    """Has a defect that nobody has thought of."""

    async def devices(self) -> list[object]:  # type: ignore[override]
        raise ZeroDivisionError("a defect")


async def test_a_defect_is_answered_as_a_problem_with_all_headers_and_without_its_inside(
    center: Center,
) -> None:
    site = Site(center)
    center.registry._store = Broken()
    async with site.client(headers={"authorization": "Bearer local-token"}) as client:
        answer = await client.post("/api/v1/devices", json={"id": "rack-2"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]
    assert answer.json()["code"] == "defect"
    assert "ZeroDivision" not in answer.text


# ---- sizes -----------------------------------------------------------------------------------------------------------------------


async def test_a_body_that_no_request_needs_is_not_even_read(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post("/api/v1/session", content=b"x" * (BODY_MAX + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["x-frame-options"] == "DENY"


async def test_a_body_without_a_length_is_not_read_past_the_limit(anonymous: httpx.AsyncClient) -> None:
    async def endless() -> object:
        for _ in range(1_000):
            yield b"x" * 1_000

    answer = await anonymous.post("/api/v1/session", content=endless())
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


# ---- while the database is away -----------------------------------------------------------------------------------------------------


async def test_whoever_is_logged_in_still_sees_and_switches(site: Site, client: httpx.AsyncClient) -> None:
    async with running(site.center.ingest.run):
        await site.center.greet()
        site.center.store.away = "gone"
        await settle()
        assert (await client.get("/api/v1/pdus")).status_code == 200
        answer = await client.post("/api/v1/pdus/rack-1/outlets/1/commands", json={"do": "off"})
        assert answer.status_code == 202


async def test_logging_in_says_that_the_database_is_away(site: Site, anonymous: httpx.AsyncClient) -> None:
    site.center.store.away = "gone"
    answer = await anonymous.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert answer.headers["retry-after"] == "5"
