"""`loadcenter site|group|plan` and `dry-run` ask the API and show its answer."""

import json
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from loadcenter.apps.cli import control, terminal
from loadcenter.apps.cli.main import app

LIMIT = {"current_a": 10.0, "power_w": None}
CIRCUIT = {"title": "the site 'cellar'", "limit": LIMIT, "current_a": 10.4, "power_w": 2400.0, "over": True}
PLAN = {
    "id": "p-1",
    "by": "ada",
    "orders": [
        {
            "pdu_id": "rack-1",
            "outlet": 2,
            "do": "switch",
            "on": False,
            "due_ms": 0,
            "status": "waiting",
            "detail": "",
        }
    ],
}
OUTLET = {"n": 3, "name": "NAS", "sheds": 4, "trips": 1, "off_min": 7, "lost_kwh": 0.25, "possible_min": 9}
RESULT = {"outlets": [OUTLET]}
ANSWERS: dict[str, Any] = {
    "/sites": {
        "items": [{"id": "cellar", "circuits": [CIRCUIT], "shed": [{"pdu_id": "rack-1", "outlet": 2}]}]
    },
    "/groups": {"items": [{"id": "all", "name": "All", "members": ["rack-1/1", "rack-2/1"]}]},
    "/plans": {"items": [PLAN]},
    "/plans/p-1": PLAN,
    "/groups/all/commands": PLAN,
    "/pdus/rack-1/dry-run": {"current": RESULT, "proposed": RESULT},
}


class FakeClient:
    """Answers as the API would, and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str, **_query: Any) -> Any:
        return ANSWERS[path]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self.sent.append((path, body))
        return ANSWERS[path]

    def delete(self, path: str) -> Any:
        self.sent.append((path, {}))
        return ANSWERS[path]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    made = FakeClient()
    monkeypatch.setattr(control, "connect", lambda *_: made)
    return made


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("site list", ["cellar", "10.4", "rack-1/2", "!"]),
        ("group list", ["all", "rack-1/1 rack-2/1"]),
        ("plan list", ["p-1", "rack-1/2", "off", "waiting"]),
        ("dry-run rack-1", ["3 NAS", "0.25"]),
    ],
)
def test_what_there_is_is_shown(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch, command: str, words: list[str]
) -> None:
    monkeypatch.setattr(terminal, "out", Console(width=200, height=50, highlight=False, soft_wrap=True))
    shown = CliRunner().invoke(app, command.split())
    assert shown.exit_code == 0, shown.output
    assert all(word in shown.output for word in words)
    as_json = CliRunner().invoke(app, [*command.split(), "--json"])
    assert json.loads(as_json.output)
    del client


def test_a_group_is_switched_and_a_plan_cancelled(client: FakeClient) -> None:
    for command in ("group on all --in 60", "group off all --yes", "plan cancel p-1"):
        assert CliRunner().invoke(app, command.split()).exit_code == 0
    assert client.sent == [
        ("/groups/all/commands", {"do": "on", "delay_s": 60.0}),
        ("/groups/all/commands", {"do": "off", "delay_s": 0.0, "confirm": True}),
        ("/plans/p-1", {}),
    ]


def test_settings_of_a_dry_run_are_of_the_pdu_or_of_an_outlet(client: FakeClient) -> None:
    words = "dry-run rack-1 --days 2 --set budget_main_ma=8000 --set 3:priority=8 --set 3:protected=true"
    assert CliRunner().invoke(app, words.split()).exit_code == 0
    [(_, body)] = client.sent
    assert body["pdu"] == {"budget_main_ma": 8000}
    assert body["out"] == [{"n": 3, "priority": 8, "protected": True}]
    assert body["until_ms"] - body["since_ms"] == 2 * 86_400_000


@pytest.mark.parametrize("text", ["priority", "x:priority=3"])
def test_a_setting_of_another_form_is_refused(client: FakeClient, text: str) -> None:
    ended = CliRunner().invoke(app, ["dry-run", "rack-1", "--set", text])
    assert ended.exit_code == 2
    assert client.sent == []
