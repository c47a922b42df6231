"""`loadcenter schedule …` asks the API in its own shapes and shows its answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from loadcenter.adapters.web.models_schedules import ScheduleIn
from loadcenter.adapters.web.shapes_schedules import draft
from loadcenter.apps.cli import schedules, terminal
from loadcenter.apps.cli.main import app

START_MS = 1_800_000_000_000
SPAN = {"start_ms": START_MS, "end_ms": START_MS + 3_600_000}
KEPT: dict[str, Any] = {
    "id": "s-1",
    "name": "Evening",
    "enabled": True,
    "targets": [{"pdu_id": "rack-1", "outlet": 1}],
    "do": "on",
    "begin": {"at": None, "sun": "sunset", "offset_min": -15},
    "end": {"at": "22:00", "sun": None, "offset_min": 0},
    "duration_s": None,
    "cheapest": None,
    "timezone": "Europe/Vienna",
    "next": SPAN,
}
CHEAP = {
    **KEPT,
    "id": "s-2",
    "name": "Car",
    "cheapest": {"before": "07:00", "hours": 3.0},
    "begin": None,
    "end": None,
}
PULSE = {**KEPT, "id": "s-3", "name": "Pulse", "end": None, "duration_s": 5400, "next": None}
OFF = {**PULSE, "id": "s-4", "name": "Off", "enabled": False}
CONFLICT = {"since_ms": START_MS, "text": "'Evening' wants rack-1/1 on, 'Night' wants it off"}
RUN = {
    "due_ms": START_MS,
    "name": "Evening",
    "pdu_id": "rack-1",
    "outlet": 1,
    "do": "on",
    "result": "refused",
    "code": "locked",
}


class FakeClient:
    """Answers as the API would, and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    def get(self, path: str, **_query: Any) -> Any:
        if path == "/schedules":
            return {"items": [KEPT, CHEAP, PULSE, OFF], "timezone": "Europe/Vienna", "server_ms": START_MS}
        if path == "/schedules/runs":
            return {"items": [RUN]}
        assert path == "/schedules/s-1/preview"
        return {"timezone": "Europe/Vienna", "items": [SPAN], "conflicts": [CONFLICT]}

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self.sent.append(("POST", path, body))
        return {"count": 2, "since_ms": START_MS, "until_ms": START_MS} if path.endswith("prices") else KEPT

    def put(self, path: str, body: dict[str, Any]) -> Any:
        self.sent.append(("PUT", path, body))
        return {}

    def delete(self, path: str) -> Any:
        self.sent.append(("DELETE", path, {}))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    made = FakeClient()
    monkeypatch.setattr(schedules, "connect", lambda _config, _data: made)
    monkeypatch.setattr(terminal, "out", Console(width=200, height=50, highlight=False, soft_wrap=True))
    return made


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["schedule", *arguments])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def added(client: FakeClient, *arguments: str) -> dict[str, Any]:
    """Return what `add` has sent, which the API takes."""
    run("add", "Evening", "--outlet", "rack-1/1", *arguments)
    _, path, body = client.sent.pop()
    assert path == "/schedules"
    draft(ScheduleIn.model_validate(body), "UTC")
    return body


def test_the_list_says_what_happens_and_when_next(client: FakeClient) -> None:
    shown = run("list")
    assert "on at sunset-15 until 22:00" in shown
    assert "on 3 h before 07:00 at the lowest price" in shown
    assert "for 90 min" in shown
    assert "Fri 2027-01-15 09:00" in shown
    assert "never" in shown
    assert "disabled" in shown
    assert [
        one["id"] for one in json.loads(CliRunner().invoke(app, ["schedule", "list", "--json"]).output)
    ] == ["s-1", "s-2", "s-3", "s-4"]


def test_what_is_added_is_what_the_api_takes(client: FakeClient) -> None:
    body = added(
        client, "--at", "sunset-15", "--until", "22:00", "--days", "mon,fri", "--except", "2027-02-01"
    )
    assert body["begin"] == {"sun": "sunset", "offset_min": -15}
    assert body["days"] == {
        "first": "2027-01-15",
        "rrule": "FREQ=WEEKLY;BYDAY=MO,FR",
        "exceptions": ["2027-02-01"],
        "holidays": "ignore",
    }
    assert added(client, "--do", "cycle", "--at", "03:00", "--days", "once")["off_s"] == 5
    assert added(client, "--at", "03:00", "--minutes", "90")["duration_s"] == 5400
    cheap = added(client, "--cheapest", "3", "--before", "07:00", "--within", "8", "--contiguous")["cheapest"]
    assert cheap == {"before": "07:00", "hours": 3.0, "within_h": 8.0, "contiguous": True}
    assert added(client, "--at", "01:00", "--days", "FREQ=YEARLY")["days"]["rrule"] == "FREQ=YEARLY"


def test_after_adding_the_next_occurrences_and_conflicts_are_shown(client: FakeClient) -> None:
    shown = run("add", "Evening", "--outlet", "rack-1/1", "--at", "18:00")
    assert "Evening is kept as s-1." in shown
    assert "Fri 2027-01-15 09:00 until Fri 2027-01-15 10:00" in shown
    assert "conflict on Fri 2027-01-15 09:00: 'Evening' wants" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["--outlet", "rack-1", "--at", "18:00"],
        ["--outlet", "rack-1/1", "--cheapest", "3"],
        ["--outlet", "rack-1/1", "--at", "18:00", "--before", "07:00"],
        ["--outlet", "rack-1/1", "--at", "18:00", "--zone", "Mars/Base"],
    ],
)
def test_what_does_not_go_together_is_a_usage_error(client: FakeClient, arguments: list[str]) -> None:
    run("add", "Evening", *arguments, code=2)
    assert client.sent == []


def test_a_schedule_is_found_by_name_or_id(client: FakeClient) -> None:
    run("remove", "Evening")
    run("remove", "s-1")
    assert client.sent == [("DELETE", "/schedules/s-1", {})] * 2
    assert "conflict" in run("preview", "Evening", "--count", "3")
    run("remove", "Morning", code=1)


def test_the_next_occurrence_is_skipped(client: FakeClient) -> None:
    assert "does not happen on Fri 2027-01-15 09:00" in run("skip", "Evening")
    assert client.sent == [("PUT", f"/schedules/s-1/skips/{START_MS}", {})]
    run("skip", "Pulse", code=1)


def test_runs_holds_and_prices(client: FakeClient, tmp_path: Path) -> None:
    assert "refused locked" in run("runs")
    run("hold", "rack-1/2")
    run("release", "rack-1/2")
    file = tmp_path / "prices.csv"
    file.write_text("start,price\n2027-01-15T00:00,0.2\n")
    assert "2 prices are kept" in run("prices", str(file))
    assert [one[:2] for one in client.sent] == [
        ("PUT", "/schedules/holds/rack-1/2"),
        ("DELETE", "/schedules/holds/rack-1/2"),
        ("POST", "/schedules/prices"),
    ]
    run("prices", str(tmp_path / "none.csv"), code=1)
