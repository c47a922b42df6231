"""A newcomer's first steps through the REST API, with the standard library only."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import quote

POLL_S = 0.25


class FreshError(AssertionError):
    """The demo did not do what a newcomer is promised."""


def wait_for(what: str, limit_s: float, condition: Callable[[], Any]) -> Any:
    """Return the first true value of `condition`, asked for again and again for at most `limit_s`."""
    end = time.monotonic() + limit_s
    while True:
        if value := condition():
            return value
        if time.monotonic() >= end:
            raise FreshError(f"{what}: not within {limit_s:g} s")
        time.sleep(POLL_S)


class Client:
    """A browser's worth of HTTP: one origin, its cookies, JSON in and out."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Return status and decoded body; (0, None) while nobody listens."""
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET":
            named |= {"Origin": self._base, "Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data, named, method=method)
        try:
            with self._opener.open(request, timeout=10) as reply:
                return reply.status, decode(reply.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, decode(refusal.read())
        except OSError:
            return 0, None

    def expect(self, status: int, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Return the decoded body of a reply that has `status`."""
        got, answer = self.request(method, path, body, **headers)
        if got != status:
            raise FreshError(f"{method} {path}: {got} instead of {status}: {answer}")
        return answer


def decode(body: bytes) -> Any:
    """Return the JSON in a body, or its text where it is none."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")[:500]


def is_ready(client: Client) -> bool:
    return client.request("GET", "/readyz")[0] == 200


def log_in(client: Client, password: str) -> None:
    status, _ = client.request("GET", "/api/v1/pdus")
    if status not in (401, 403):
        raise FreshError(f"GET /api/v1/pdus without a session: {status} instead of a refusal")
    got, answer = client.request("POST", "/api/v1/session", {"username": "admin", "password": password})
    if got not in (200, 201, 204):
        raise FreshError(f"log-in: {got}: {answer}")


def readings(client: Client) -> dict[tuple[str, int], tuple[float, float]]:
    """Return (power_w, voltage_v) by PDU and outlet, of outlets that report both."""
    return {
        (pdu["id"], outlet["n"]): (outlet["power_w"], outlet["voltage_v"])
        for pdu in client.expect(200, "GET", "/api/v1/pdus")["items"]
        for outlet in pdu["outlets"]
        if outlet.get("power_w") is not None and outlet.get("voltage_v") is not None
    }


def see_a_reading_change(client: Client) -> None:
    first = wait_for("a first reading", 30, lambda: readings(client))
    wait_for(
        "a reading that changes",
        30,
        lambda: any(first.get(outlet, value) != value for outlet, value in readings(client).items()),
    )


def outlet_is_on(client: Client, pdu: str, number: int) -> bool | None:
    for item in client.expect(200, "GET", "/api/v1/pdus")["items"]:
        for outlet in item["outlets"]:
            if (item["id"], outlet["n"]) == (pdu, number):
                return outlet["on"]
    raise FreshError(f"outlet {number} of {pdu} is gone")


def first_outlet_on(client: Client) -> tuple[str, int] | None:
    for item in client.expect(200, "GET", "/api/v1/pdus")["items"]:
        for outlet in item["outlets"]:
            if outlet["on"] and not outlet.get("locked") and not outlet.get("critical"):
                return item["id"], outlet["n"]
    return None


def switch_an_outlet_off(client: Client) -> str:
    """Return which outlet the device confirmed to be off, and then reported so."""
    pdu, number = wait_for("an outlet that is on", 30, lambda: first_outlet_on(client))
    path = f"/api/v1/pdus/{quote(pdu, safe='')}/outlets/{number}/commands"
    command = client.expect(202, "POST", path, {"do": "off"}, Idempotency_Key=str(uuid.uuid4()))

    def settled() -> str | None:
        status = client.expect(200, "GET", f"/api/v1/commands/{quote(str(command['id']), safe='')}")["status"]
        return None if status in ("pending", "accepted") else status

    status = wait_for("the device's answer to the command", 20, settled)
    if status != "confirmed":
        raise FreshError(f"outlet {number} of {pdu} off: {status} instead of confirmed")
    wait_for("the outlet reported off", 20, lambda: outlet_is_on(client, pdu, number) is False)
    return f"outlet {number} of {pdu}"
