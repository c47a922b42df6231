"""`loadcenter report`: figures with their units, unknown as a dash, ranges where there are two bounds."""

import json
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from loadcenter.apps.cli import report as command
from loadcenter.apps.cli import terminal
from loadcenter.apps.cli.client import RefusedError
from loadcenter.apps.cli.main import app

LOAD = {"mean_w": 100.0, "demand_w": 200.0, "peak_w": 300.0, "load_factor": 0.5}
AMOUNT = {"total_kwh": 2.4, "in_gap_kwh": 0.4, "cost_low": 1.0, "cost_high": 1.25, "coverage": 0.9}
NOTHING = {"total_kwh": 0.0, "in_gap_kwh": 0.0, "cost_low": 0.0, "cost_high": 0.0, "coverage": 0.0}
UNKNOWN = dict.fromkeys(LOAD)
ANSWERS: dict[str, Any] = {
    "energy": {
        "timezone": "Europe/Vienna",
        "period": {"since": "2026-10-01", "until": "2026-11-01"},
        "currency": "EUR",
        "outlets": [
            {"name": "Server", "amount": AMOUNT, "load": LOAD, "standby": {"power_w": 80.0}},
            {"name": "Spare", "amount": NOTHING, "load": UNKNOWN, "standby": None},
        ],
        "total": AMOUNT,
        "load": LOAD,
    },
    "voltage": {
        "sources": [
            {
                "source": "main",
                "lowest_v": 221.04,
                "highest_v": None,
                "weeks": [{"verdict": "met"}, {"verdict": "met"}, {"verdict": "unknown"}],
                "disturbance_count": 7,
                "coverage": 0.9,
            }
        ]
    },
    "supply": {
        "now": {
            "count": 3,
            "total_ms": 4_500,
            "longest_ms": 2_000,
            "availability_low": 0.9,
            "availability_high": 0.99999,
            "on_backup_ms": 5_400_000,
            "transfers": [{"cause": "manual", "count": 2}],
        }
    },
}


class FakeClient:
    """Answers as the control center would, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuse = False

    def get(self, path: str, **query: Any) -> Any:
        self.asked.append((path, query))
        if self.refuse:
            raise RefusedError("no PDU 'rack-1' is registered")
        return ANSWERS[path.rpartition("/")[2]]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    monkeypatch.setattr(terminal, "out", Console(width=160, height=50, highlight=False, soft_wrap=True))
    made = FakeClient()
    monkeypatch.setattr(command, "connect", lambda _config, _data: made)
    return made


def test_it_asks_for_the_days_and_shows_every_part(client: FakeClient) -> None:
    result = CliRunner().invoke(app, ["report", "rack-1", "--since", "2026-10-01", "--until", "2026-11-01"])
    assert result.exit_code == 0
    assert client.asked[0] == (
        "/analytics/energy",
        {"pdu": "rack-1", "since": "2026-10-01", "until": "2026-11-01"},
    )
    lines = [line.split() for line in result.output.splitlines()]
    assert ["Server", "2.400", "0.400", "1.00", "to", "1.25", "100.0", "200.0", "300.0"] in [
        line[:9] for line in lines
    ]
    assert ["Spare", "-", "0.000", "-", "-", "-", "-", "-", "-", "0.0", "%"] in lines
    assert ["main", "221.0", "-", "2", "0", "1", "7", "90.0", "%"] in lines
    assert "90.000 % to 99.999 %" in result.output
    assert "cost EUR" in result.output
    assert "manual 2" in result.output


def test_as_json_it_is_the_three_answers(client: FakeClient) -> None:
    result = CliRunner().invoke(app, ["report", "rack-1", "--json"])
    assert json.loads(result.output) == ANSWERS
    assert client.asked[0][1] == {"pdu": "rack-1", "since": None, "until": None}


def test_a_day_that_is_none_is_not_understood(client: FakeClient) -> None:
    assert CliRunner().invoke(app, ["report", "rack-1", "--since", "yesterday"]).exit_code == 2
    assert client.asked == []


def test_a_refusal_is_told(client: FakeClient) -> None:
    client.refuse = True
    result = CliRunner().invoke(app, ["report", "rack-1"])
    assert result.exit_code == 1
    assert "no PDU 'rack-1' is registered" in result.output + (result.stderr or "")
