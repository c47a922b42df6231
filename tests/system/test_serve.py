"""`loadcenter serve` and `loadcenter demo` as processes: how they start, why they do not, and how they end."""

import json
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer, free_port
from tests.databases import MariaDbServer
from tests.system.centers import PASSWORD, DemoCenter, ServedCenter, wait_for
from tests.system.command_line import SECRET, run
from tests.system.processes import children, listening_addresses, runs

CONFIG, UNREACHABLE = 3, 5
Center = TypeVar("Center", bound=ServedCenter)


class DefaultCenter(ServedCenter):
    """`loadcenter serve` without any configuration, but for ports that are free on this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {})
        self.data = folder / ".local/share/loadcenter"
        ports = {"LOADCENTER_PORT": str(self.port), "LOADCENTER_MQTT_PORT": str(free_port())}
        self.env |= {"HOME": str(folder), **ports}

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "loadcenter", "serve"]


def said(center: ServedCenter) -> str:
    """Return the log as running text, without the box around the greeting."""
    return " ".join(re.sub("[\N{BOX DRAWINGS LIGHT VERTICAL}]", " ", center.log).split())


@contextmanager
def running(center: Center, *, ready: bool = True) -> Iterator[Center]:
    """A control center that is started, without a session, and ended."""
    center.start(ready=ready)
    try:
        yield center
    finally:
        center.stop()
        center.http.close()


def write(folder: Path, **config: str | int) -> Path:
    path = folder / "loadcenter.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in config.items()))
    return path


# -- the default


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DefaultCenter]:
    with DefaultCenter(tmp_path_factory.mktemp("home")) as made:
        yield made


def test_without_a_configuration_it_runs_on_sqlite_and_its_own_broker(default: DefaultCenter) -> None:
    assert default.http.get("/readyz").json() == {"ready": True, "checks": {"broker": "ok", "database": "ok"}}
    assert (default.data / "loadcenter.db").exists()
    assert len(children(default.pid)) == 1, "the broker and nothing else"


def test_without_a_configuration_only_this_machine_reaches_it_and_it_says_so(default: DefaultCenter) -> None:
    for pid in (default.pid, *children(default.pid)):
        assert listening_addresses(pid) == {"127.0.0.1"}
    assert "Only this machine can open the page." in said(default)
    advice = (
        'cannot reach the embedded broker: to open it, set mqtt_host = "0.0.0.0" with mqtt_certificate and'
    )
    assert advice in said(default)


def test_the_check_of_addresses_sees_a_server_that_is_open(tmp_path: Path) -> None:
    with ServedCenter(
        tmp_path, {"host": "0.0.0.0", "mqtt_host": "0.0.0.0", "mqtt_port": 0, "plain": True}
    ) as center:
        assert listening_addresses(center.pid) == {"0.0.0.0"}
        (broker,) = children(center.pid)
        assert listening_addresses(broker) & {"0.0.0.0", "::"}
        assert "Every machine that reaches 0.0.0.0 can open the page." in said(center)


def test_under_serve_nothing_is_simulated(default: DefaultCenter) -> None:
    assert default.get("/session")["demo"] is False
    assert default.get("/pdus")["items"] == []
    assert default.http.get("/api/v1/demo/disturbances").status_code == 404
    assert (
        default.http.post("/api/v1/demo/pdus/rack-1/disturbances/weld", json={"outlet": 1}).status_code == 404
    )


def test_nobody_else_may_read_what_is_kept(default: DefaultCenter) -> None:
    assert default.data.stat().st_mode & 0o077 == 0
    for name in ("running.json", "client-id", "broker/nats-server.conf"):
        assert (default.data / name).stat().st_mode & 0o077 == 0, name


def test_a_password_is_made_at_the_first_start_and_shown_once(tmp_path: Path) -> None:
    center = DefaultCenter(tmp_path)
    del center.env["LOADCENTER_ADMIN_PASSWORD"]
    with running(center):
        made = re.search(r"one-time password: (\S+)", said(center))
        assert made is not None, center.log
        login = center.http.post("/api/v1/session", json={"username": "admin", "password": made[1]})
        assert login.status_code == 200
        center.stop()
        center.start()
        assert center.log.count(made[1]) == 1
        assert "with the password that you have" in said(center)
        assert center.get("/session")["user"] == "admin", "the session has outlived the restart"


# -- who is let in


def test_nothing_is_told_without_a_session(default: DefaultCenter) -> None:
    with httpx.Client(base_url=default.http.base_url) as stranger:
        for path in ("/pdus", "/devices", "/events", "/alarms", "/commands", "/session"):
            answer = stranger.get(f"/api/v1{path}")
            assert answer.status_code == 401, path
            assert "Log in first: POST /api/v1/session" in answer.json()["detail"]
        assert stranger.post("/api/v1/devices", json={"id": "x"}).status_code == 401
        for forged in ({"Cookie": "loadcenter_session=forged"}, {"Authorization": "Bearer forged"}):
            assert stranger.get("/api/v1/pdus", headers=forged).status_code == 401


def test_a_page_of_another_site_may_change_nothing(default: DefaultCenter) -> None:
    foreign = {"Origin": "http://elsewhere.example"}
    answer = default.http.post("/api/v1/devices", json={"id": "lab-9"}, headers=foreign)
    assert answer.status_code == 403
    assert "lab-9" not in {one["id"] for one in default.get("/devices")["items"]}


def test_guessing_passwords_is_slowed_down_and_tells_nothing(default: DefaultCenter) -> None:
    with httpx.Client(base_url=default.http.base_url) as stranger:

        def log_in(username: str, password: str) -> httpx.Response:
            return stranger.post("/api/v1/session", json={"username": username, "password": password})

        names = ["admin", "nobody", "admin", "root", "admin"]
        answers = [log_in(name, f"a wrong guess {number}") for number, name in enumerate(names)]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.text for answer in answers}) == 1, "it is told whether a user exists"
        slowed = log_in("admin", PASSWORD)
        assert slowed.status_code == 429
        assert 1 <= int(slowed.headers["Retry-After"]) <= 60
        assert "try again in" in slowed.json()["detail"]
    assert default.get("/session")["user"] == "admin", "who is in stays in"
    assert "a wrong guess" not in default.log


# -- the end


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(sign: signal.Signals, tmp_path: Path) -> None:
    with running(DefaultCenter(tmp_path)) as center:
        (broker,) = children(center.pid)
        assert (center.data / "running.json").exists()
        assert center.stop(sign) == 0
    assert not runs(broker)
    assert not (center.data / "running.json").exists()
    assert "Traceback" not in center.log
    assert "ERROR" not in center.log


def test_after_a_kill_it_starts_again_with_one_broker_and_all_it_knew(tmp_path: Path) -> None:
    with DefaultCenter(tmp_path) as center:
        center.add_device("lab-1")
        (broker,) = children(center.pid)
        center.kill()
        center.start()
        wait_for(lambda: not runs(broker), center)
        assert len(children(center.pid)) == 1
        assert [one["id"] for one in center.get("/devices")["items"]] == ["lab-1"]


# -- starts that fail, and what they say


def test_a_port_in_use_is_said(default: DefaultCenter, tmp_path: Path) -> None:
    ended = run("serve", "--port", str(default.port), "--data", tmp_path)
    assert ended.code == UNREACHABLE
    assert (
        f"port {default.port} on 127.0.0.1 is in use: end the other program, or choose another port"
        in ended.err
    )
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


def test_a_port_in_use_is_said_of_the_broker(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("serve", "--config", write(tmp_path, port=0, mqtt_port=port, data=str(tmp_path / "data")))
    assert ended.code == UNREACHABLE
    assert (
        f"port {port} on 127.0.0.1 is taken by another program: stop that, or set another port" in ended.err
    )


def test_an_address_of_another_machine_is_said(tmp_path: Path) -> None:
    ended = run("serve", "--host", "192.0.2.1", "--data", tmp_path)
    assert ended.code == UNREACHABLE
    assert "is it an address of this machine?" in ended.err


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_data_folder_has_one_control_center(command: str, default: DefaultCenter) -> None:
    ended = run(command, "--port", "0", "--data", default.data)
    assert ended.code == UNREACHABLE
    assert (
        f"another control center runs on '{default.data}': stop it, or give this one its own folder"
        in ended.err
    )
    assert json.loads((default.data / "running.json").read_text())["pid"] == default.pid


def test_a_data_folder_has_one_control_center_also_with_an_external_broker(
    default: DefaultCenter, tmp_path: Path
) -> None:
    broker = f"mqtt://{CENTER}:{SECRET}@127.0.0.1:{free_port()}"
    ended = run("serve", "--config", write(tmp_path, port=0, data=str(default.data), broker=broker))
    assert ended.code == UNREACHABLE
    assert "another control center runs on" in ended.err


@pytest.mark.parametrize("place", ["/sys/loadcenter", "/dev/null/loadcenter"])
def test_a_data_folder_that_cannot_be_written_is_said(place: str) -> None:
    ended = run("serve", "--port", "0", "--data", place)
    assert ended.code == UNREACHABLE
    assert f"the data folder '{place}' cannot be written" in ended.err
    assert "mend its rights, or name another with --data" in ended.err


def test_a_database_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    database = "sqlite:////sys/loadcenter.db"
    ended = run("serve", "--config", write(tmp_path, port=0, data=str(tmp_path / "data"), database=database))
    assert ended.code == UNREACHABLE
    assert "check that it and its folder exist and may be written" in ended.err


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear reader, this is a letter and not a database. " * 40)
    database = f"sqlite:///{tmp_path}/letter.db"
    ended = run("serve", "--config", write(tmp_path, port=0, data=str(tmp_path / "data"), database=database))
    assert ended.code == UNREACHABLE
    assert "the file is not a database: name another" in ended.err


def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    database = f"mysql://loadcenter:{SECRET}@127.0.0.1:{free_port()}/loadcenter"
    ended = run("serve", "--config", write(tmp_path, port=0, data=str(tmp_path / "data"), database=database))
    assert ended.code == UNREACHABLE
    assert "it cannot be reached: check that it runs and listens at this address" in ended.err


def test_a_wrong_password_of_the_database_is_said(tmp_path: Path) -> None:
    with MariaDbServer() as server:
        wrong = f"mysql://loadcenter:{SECRET}@127.0.0.1:{server.port}/loadcenter"
        path = write(tmp_path, port=0, mqtt_port=0, data=str(tmp_path / "data"), database=wrong)
        ended = run("serve", "--config", path)
        assert ended.code == UNREACHABLE
        assert "it refuses user or password: check the URL" in ended.err
        found = {one["check"]: one for one in run("doctor", "--config", path, "--json").json()}
        assert "it refuses user or password: check the URL" in found["database"]["detail"]
        path = write(
            tmp_path, port=0, mqtt_port=0, data=str(tmp_path / "data"), database=server.url_of("elsewhere")
        )
        ended = run("serve", "--config", path)
        assert ended.code == UNREACHABLE
        assert "create it" in ended.err or "grant it ALL on the database" in ended.err


def test_a_short_password_for_the_page_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, port=0, mqtt_port=0, data=str(tmp_path / "data"))
    ended = run("serve", "--config", path, env={"LOADCENTER_ADMIN_PASSWORD": "2short"})
    assert ended.code == CONFIG
    assert "LOADCENTER_ADMIN_PASSWORD: the admin password has 6 characters: give at least 10" in ended.err
    assert "2short" not in ended.err


# -- a broker that is not there yet


def test_it_starts_without_its_broker_says_so_and_comes_alive_when_the_broker_does(tmp_path: Path) -> None:
    broker = MosquittoServer(tmp_path / "mosquitto", {"lab-1": SECRET})
    url = f"mqtt://{CENTER}:{CENTER_PASSWORD}@127.0.0.1:{broker.port}"
    with running(
        ServedCenter(tmp_path / "center", {"broker": url, "log_level": "debug"}), ready=False
    ) as center:
        not_ready = center.http.get("/readyz")
        assert not_ready.status_code == 503
        checks = not_ready.json()["checks"]
        assert (
            checks["broker"]
            == f"no broker listens at mqtt://127.0.0.1:{broker.port}: start it, or correct the address"
        )
        assert checks["database"] == "ok"
        assert center.http.get("/healthz").status_code == 200
        center.log_in()
        assert center.get("/pdus")["items"] == []
        with broker:
            wait_for(lambda: center.http.get("/readyz").status_code == 200, center)
            broker.stop()
            wait_for(lambda: center.http.get("/readyz").status_code == 503, center)
        secrets = {PASSWORD, CENTER_PASSWORD, center.http.cookies["loadcenter_session"]}
        secrets |= {json.loads((tmp_path / "center/data/running.json").read_text())["token"]}
        secrets |= {center.add_device("lab-2")}
        assert center.stop() == 0
        assert not [secret for secret in secrets if secret in center.log]
        assert "Traceback" not in center.log


def test_a_wrong_password_of_the_broker_is_said(tmp_path: Path) -> None:
    with MosquittoServer(tmp_path / "mosquitto") as broker:
        url = f"mqtt://{CENTER}:{SECRET}@127.0.0.1:{broker.port}"
        with running(ServedCenter(tmp_path / "center", {"broker": url}), ready=False) as center:

            def told() -> str:
                return str(center.http.get("/readyz").json()["checks"]["broker"])

            wait_for(lambda: f"'{CENTER}'" in told() and "password" in told(), center)
            found = run("doctor", "--config", center.config_path, "--json").json()
            assert "password" in next(one["detail"] for one in found if one["check"] == "broker")
            assert SECRET not in center.log + told()


# -- the demo


def test_a_demo_keeps_its_history_over_a_restart_and_its_devices_begin_a_new_boot(tmp_path: Path) -> None:
    with DemoCenter(tmp_path, pdus=1) as demo:
        assert demo.get("/session")["demo"] is True
        offered = {one["id"] for one in demo.get("/demo/disturbances")["items"]}
        assert {"main_outage", "overload", "weld", "network"} <= offered
        assert demo.data.stat().st_mode & 0o077 == 0
        before = demo.get("/pdus/rack-1")
        events = demo.get("/events")["items"]
        wait_for(lambda: demo.get("/pdus/rack-1")["outlets"][3]["energy_kwh"] > 0, demo)
        energy = demo.get("/pdus/rack-1")["outlets"][3]["energy_kwh"]
        assert demo.stop() == 0
        demo.start()
        after = demo.get("/pdus/rack-1")
        assert after["boot"] == before["boot"] + 1
        assert after["outlets"][3]["energy_kwh"] >= energy
        assert {one["id"] for one in events} <= {one["id"] for one in demo.get("/events", limit=500)["items"]}
        wait_for(
            lambda: "boot" in {e["code"] for e in demo.get("/events")["items"] if e["boot"] == after["boot"]}
        )
        span = {"since_ms": before["as_of_ms"] - 5_000, "until_ms": after["as_of_ms"] + 1_000}
        chart = demo.get("/history", pdu="rack-1", outlets="4", **span)
        assert chart["series"][0]["t_ms"][0] <= before["as_of_ms"], (
            "what was measured before the restart is there"
        )
        assert children(demo.pid)
