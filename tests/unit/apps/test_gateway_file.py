"""The data of a gateway, as a file and as a QR code."""

import base64
import json
from pathlib import Path

import pytest
import segno
from tests.firmware.nodemcu.modules import load

from loadcenter.apps.config import Config
from loadcenter.apps.gateway_file import PORTAL, GatewayFile, GatewayFileError, Places, broker_for_devices

DATA = GatewayFile("rack-1", "a-password", "ab" * 32, "loadcenter.lan", 8883, tls=True, root="loadcenter")


def test_the_set_up_page_takes_what_the_file_holds() -> None:
    config = load("config")
    config.checked({**json.loads(DATA.text()), "wifi": [["home", "a password"]]})


def test_the_code_opens_the_page_with_the_data_behind_a_fragment() -> None:
    page, _, fragment = DATA.portal_url().partition("#")
    assert page == PORTAL
    assert base64.urlsafe_b64decode(fragment).decode() == DATA.text()


def test_the_page_is_where_the_gateway_has_it() -> None:
    assert f"http://{load('portal').ADDRESS}/" == PORTAL


def test_secrets_are_not_shown_by_chance() -> None:
    assert "a-password" not in repr(DATA)
    assert "abab" not in repr(DATA)


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_both_are_written_for_their_owner_only(tmp_path: Path, suffix: str) -> None:
    places = Places(tmp_path / "gateway.json", tmp_path / f"gateway.{suffix}")
    places.check()
    told = places.write(DATA)
    assert len(told) == 2
    assert json.loads((tmp_path / "gateway.json").read_text())["pdu"] == "rack-1"
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    segno.make(DATA.portal_url(), micro=False).save(str(tmp_path / f"again.{suffix}"), scale=6)
    assert (tmp_path / f"again.{suffix}").read_bytes() == (tmp_path / f"gateway.{suffix}").read_bytes()


def test_nothing_is_written_over_and_no_password_is_made_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    for places, told in (
        (Places(tmp_path / "there"), "exists"),
        (Places(tmp_path / "no" / "folder"), "make it first"),
        (Places(None, tmp_path / "code.gif"), r"\.svg or \.png"),
    ):
        with pytest.raises(GatewayFileError, match=told):
            places.check()


def test_nothing_asked_for_is_nothing_written(tmp_path: Path) -> None:
    Places().check()
    assert Places().write(DATA) == []


@pytest.mark.parametrize(
    ("config", "given", "found"),
    [
        (Config(), "mqtts://loadcenter.lan", ("loadcenter.lan", 8883, True)),
        (Config(), "mqtt://10.0.0.2:1884", ("10.0.0.2", 1884, False)),
        (Config(mqtt_host="10.0.0.2", plain=True), None, ("10.0.0.2", 1883, False)),
        (
            Config(mqtt_host="10.0.0.2", mqtt_port=8883, mqtt_certificate="c", mqtt_key="k"),
            None,
            ("10.0.0.2", 8883, True),
        ),
        (Config(broker="mqtts://control_center:secret@broker.lan"), None, ("broker.lan", 8883, True)),
        (Config(), "mqtt://127.0.0.1:1883", ("127.0.0.1", 1883, False)),
    ],
)
def test_the_broker_is_told_as_devices_reach_it(
    config: Config, given: str | None, found: tuple[str, int, bool]
) -> None:
    assert broker_for_devices(config, given) == found


@pytest.mark.parametrize(
    ("config", "given", "told"),
    [
        (Config(), None, "no gateway can reach"),
        (Config(mqtt_host="0.0.0.0"), None, "no gateway can reach"),
        (Config(broker="mqtt://localhost"), None, "no gateway can reach"),
        (Config(mqtt_host="10.0.0.2", mqtt_port=0), None, "mqtt_port"),
        (Config(), "http://loadcenter.lan", "not the address of a broker"),
        (Config(), "mqtts://rack-1:secret@loadcenter.lan", "names no user"),
    ],
)
def test_a_broker_that_no_gateway_reaches_is_refused(config: Config, given: str | None, told: str) -> None:
    with pytest.raises(GatewayFileError, match=told):
        broker_for_devices(config, given)
