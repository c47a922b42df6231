"""`loadcenter device update` over a control center that is made up: what it says at each end."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loadcenter.apps.cli import updating
from loadcenter.apps.cli.client import RefusedError
from loadcenter.apps.cli.main import app
from loadcenter.apps.gateway_build import GatewayBuild, GatewayBuildError


class FakeClient:
    """Answers with one progress after the other, the last one for ever."""

    def __init__(self, *stages: str, code: str = "") -> None:
        self.stages = list(stages)
        self.code = code
        self.posted: list[dict[str, Any]] = []

    def post(self, path: str, body: dict[str, Any]) -> None:
        if not self.stages:
            raise RefusedError("no PDU 'rack-1' is registered")
        assert path == "/devices/rack-1/update"
        self.posted.append(body)

    def get(self, path: str) -> dict[str, Any]:
        stage = self.stages.pop(0) if len(self.stages) > 1 else self.stages[0]
        return {"version": "1.2.3-abc", "size": 5, "taken": 5, "stage": stage, "code": self.code}


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return a function that calls the command with a client, and returns exit code and words."""
    image = tmp_path / "image-0"
    image.write_bytes(b"image")
    monkeypatch.setattr(updating, "built_gateway", lambda: GatewayBuild("1.2.3-abc", image, tmp_path))
    monkeypatch.setattr(updating, "_POLL_S", 0)

    def run(client: FakeClient, *arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(updating, "connect", lambda *_: client)
        given = ["device", "update", "rack-1", "--data", str(tmp_path), *map(str, arguments)]
        ended = CliRunner().invoke(app, given)
        return ended.exit_code, " ".join(ended.output.split())

    return run


@pytest.mark.parametrize(
    ("client", "code", "told"),
    [
        (FakeClient("offered", "taking", "restarting", "confirmed"), 0, "rack-1 runs 1.2.3-abc"),
        (FakeClient("taking", "rolled_back"), 1, "did not come up on rack-1"),
        (FakeClient("refused", code="too_large"), 1, "(too_large): it has no room for the image"),
        (FakeClient(), 1, "no PDU 'rack-1' is registered"),
    ],
    ids=["confirmed", "rolled back", "refused", "not registered"],
)
def test_each_end_is_told(call, client: FakeClient, code: int, told: str) -> None:
    ended, output = call(client)
    assert ended == code
    assert told in output


@pytest.mark.parametrize(
    ("stage", "told"), [("offered", "takes it when it is connected"), ("taking", "it goes on by itself")]
)
def test_an_update_that_takes_longer_goes_on_without_the_command(call, stage: str, told: str) -> None:
    code, output = call(FakeClient(stage), "--wait", "0")
    assert code == 0
    assert told in output


def test_the_image_of_the_checkout_is_offered_under_its_version(call, tmp_path: Path) -> None:
    client = FakeClient("confirmed")
    call(client)
    (posted,) = client.posted
    assert posted["version"] == "1.2.3-abc"
    assert (tmp_path / "images" / posted["image"]).read_bytes() == b"image"


def test_an_image_that_is_given_is_named_by_its_content(call, tmp_path: Path) -> None:
    client = FakeClient("confirmed")
    (tmp_path / "other").write_bytes(b"other image")
    call(client, "--image", tmp_path / "other")
    assert client.posted[0]["version"].startswith("file-")


@pytest.mark.parametrize(("content", "told"), [(b"", "0 bytes"), (bytes((1 << 20) + 1), "1,048,577 bytes")])
def test_what_is_no_image_is_refused(call, tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "other").write_bytes(content)
    code, output = call(FakeClient("confirmed"), "--image", tmp_path / "other")
    assert (code, told in output) == (2, True)
    assert call(FakeClient("confirmed"), "--image", tmp_path / "absent")[0] == 2


def test_without_sources_it_says_where_they_are(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> GatewayBuild:
        raise GatewayBuildError("the sources of the gateway are not here")

    monkeypatch.setattr(updating, "built_gateway", missing)
    code, output = call(FakeClient("confirmed"))
    assert code == 1
    assert "the sources of the gateway are not here" in output
