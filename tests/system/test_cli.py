"""The command line, as a person or a script uses it: what it prints, and how it ends (apps/cli/terminal.py)."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.brokers import free_port
from tests.system.centers import DemoCenter
from tests.system.command_line import SECRET, Ended, run

from loadcenter import __version__

OK, FAILED, USAGE, CONFIG, NOT_RUNNING, UNREACHABLE = range(6)


# -- configurations that cannot be used


BROKEN = {
    "broken TOML": ("port = ", "not valid TOML"),
    "not UTF-8": (b"\xff\xfe", "cannot be read"),
    "unknown key": ("prot = 1", "unknown key 'prot'; known are broker,"),
    "wrong type": ('port = "http"', "'port' is 'http': write a whole number"),
    "bool for number": ("port = true", "'port' is True: write a whole number"),
    "out of range": ("port = 70000", "'port' is 70000: give 1 to 65535"),
    "log level": ('log_level = "loud"', "write one of debug, info, warning, error"),
    "password of a wrong type": (
        "mqtt_password = 4711471147",
        "'mqtt_password' is something else: write a text",
    ),
    "time zone": ('timezone = "Mars/Base"', "write an IANA name, for example Europe/Vienna"),
    "other database": (
        f'database = "postgres://u:{SECRET}@h/d"',
        "write sqlite:///path/to/file.db or mysql://",
    ),
    "database without name": (
        f'database = "mysql://u:{SECRET}@h"',
        "write mysql://user:password@host:3306/database",
    ),
    "folder of the database": ('database = "sqlite:////no/such/folder/a.db"', "create it, or name another"),
    "broker with another scheme": (
        f'broker = "http://u:{SECRET}@h"',
        "expected mqtts://user:password@host:port",
    ),
    "port of the broker": (
        f'broker = "mqtts://u:{SECRET}@h:99999"',
        "expected mqtts://user:password@host:port",
    ),
    "broker without encryption": (
        f'broker = "mqtt://u:{SECRET}@192.0.2.1"',
        "or allow it with `plain = true`",
    ),
    "open without encryption": ('mqtt_host = "0.0.0.0"', "mqtt_certificate and mqtt_key"),
    "half a certificate": ('mqtt_certificate = "a.pem"', "give both or none"),
    "no certificate": (
        'mqtt_certificate = "/no/a.pem"\nmqtt_key = "/no/b.pem"',
        "names /no/a.pem, which is no file",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_configuration_that_cannot_be_used_is_named_with_what_to_write(case: str, tmp_path: Path) -> None:
    text, expected = BROKEN[case]
    path = tmp_path / "loadcenter.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    checked = run("config", "check", "--config", path)
    assert (checked.code, checked.out) == (CONFIG, "")
    assert expected in checked.err
    if "4711" in str(text):
        assert "4711" not in checked.err
    served = run("serve", "--config", path)
    assert (served.code, served.err) == (CONFIG, checked.err)


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    for command in ("serve", "doctor", "events"):
        ended = run(command, "--config", tmp_path / "none.toml")
        assert ended.code == CONFIG
        assert "none.toml does not exist: write it, or leave --config away for the defaults" in ended.err


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    ended = run("config", "check", "--config", tmp_path)
    assert ended.code == CONFIG
    assert f"{tmp_path} cannot be read" in ended.err


@pytest.mark.parametrize(
    ("name", "value", "wanted"), [("PORT", "http", "a number"), ("PLAIN", "yes", "true or false")]
)
def test_a_variable_that_cannot_be_used_is_named(name: str, value: str, wanted: str) -> None:
    ended = run("config", "check", env={f"LOADCENTER_{name}": value})
    assert ended.code == CONFIG
    assert f"LOADCENTER_{name} is '{value}': write {wanted}" in ended.err


def test_the_configuration_is_shown_as_it_will_be_used_and_without_passwords(tmp_path: Path) -> None:
    path = tmp_path / "loadcenter.toml"
    path.write_text(
        f'port = 8100\nplain = true\ndatabase = "mysql://u:{SECRET}@db:3307/lc"\n'
        f'broker = "mqtt://c:{SECRET}@mq"\nmqtt_password = "{SECRET}"\n'
    )
    shown = run(
        "config", "show", "--config", path, "--json", env={"LOADCENTER_TIMEZONE": "Europe/Vienna"}
    ).json()
    assert (shown["port"], shown["plain"], shown["timezone"]) == (8100, True, "Europe/Vienna")
    assert shown["database"] == "mysql://u:***@db:3307/lc"
    assert shown["broker"] == "mqtt://c:***@mq"
    assert shown["mqtt_password"] == "***"
    for_people = run("config", "show", "--config", path)
    assert for_people.code == OK
    assert "PEM file" in for_people.out
    assert "\N{HORIZONTAL ELLIPSIS}" not in for_people.out, "something was cut off"
    assert run("config", "check", "--config", path, "--json").json() == {"ok": True}


# -- without a control center


@pytest.mark.parametrize(
    "command",
    [
        "outlet on a/1",
        "outlet off a/1",
        "outlet cycle a/1",
        "outlet reset-trip a/1",
        "outlet why a/1",
        "events",
    ],
)
def test_without_a_control_center_it_is_said_how_to_start_one(command: str, tmp_path: Path) -> None:
    ended = run(*command.split(), "--data", tmp_path, "--json")
    assert (ended.code, ended.out) == (NOT_RUNNING, "")
    assert (
        "start one with 'loadcenter serve' or 'loadcenter demo', or name its folder with --data" in ended.err
    )


def test_one_that_was_killed_does_not_run(tmp_path: Path) -> None:
    gone = 4_194_304  # one above the largest process number that Linux gives
    (tmp_path / "running.json").write_text(f'{{"url": "http://127.0.0.1:1", "token": "t", "pid": {gone}}}')
    assert run("events", "--data", tmp_path).code == NOT_RUNNING


@pytest.mark.parametrize(
    "command", ["nosuch", "outlet why rack-1", "outlet on rack-1/0", "outlet cycle a/1 --off-s 0"]
)
def test_a_command_line_that_is_not_understood_ends_with_2(command: str, tmp_path: Path) -> None:
    ended = run(*command.split(), *(["--data", tmp_path] if " " in command else []))
    assert ended.code == USAGE
    assert ended.err


def test_a_device_is_registered_without_a_control_center(tmp_path: Path) -> None:
    where = ("--data", tmp_path / "data", "--json")
    assert run("device", "list", *where).json() == []
    added = run("device", "add", "lab-1", "--name", "Lab", *where)
    assert added.code == OK
    assert added.json()["mosquitto"].startswith("lab-1:$7$")
    again = run("device", "add", "lab-1", *where)
    assert again.code == FAILED
    assert "--replace gives it a new password and ends the old one" in again.err
    replaced = run("device", "add", "lab-1", "--replace", *where)
    assert replaced.json()["password"] != added.json()["password"]
    assert [one["id"] for one in run("device", "list", *where).json()] == ["lab-1"]
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0, "others may look into the data folder"


def test_the_data_of_a_gateway_are_written_once_and_only_where_a_gateway_reaches_the_broker(
    tmp_path: Path,
) -> None:
    where = ("--data", tmp_path / "data", "--json")
    file = tmp_path / "gateway.json"
    nowhere = run("device", "add", "lab-1", "--file", file, *where)
    assert nowhere.code == USAGE
    assert "--broker mqtts://" in nowhere.err
    assert run("device", "list", *where).json() == []
    reached = ("--broker", "mqtts://loadcenter.lan")
    added = run("device", "add", "lab-1", "--file", file, "--qr", tmp_path / "gateway.svg", *reached, *where)
    assert added.code == OK, added.err
    data = json.loads(file.read_text())
    assert (data["password"], data["update_key"]) == (added.json()["password"], added.json()["update_key"])
    again = run("device", "add", "lab-1", "--replace", "--file", file, *reached, *where)
    assert (again.code, "is not written over" in again.err) == (USAGE, True)


def test_a_bad_name_of_a_device_is_refused(tmp_path: Path) -> None:
    ended = run("device", "add", "Lab 1", "--data", tmp_path)
    assert ended.code == USAGE
    assert "use 1 to 32 of a-z, 0-9 and '-'" in ended.err


@pytest.mark.parametrize("command", ["device list", "device add a"])
def test_a_database_that_cannot_be_reached_is_said(command: str, tmp_path: Path) -> None:
    path = tmp_path / "loadcenter.toml"
    path.write_text(f'database = "mysql://u:{SECRET}@127.0.0.1:{free_port()}/lc"\ndata = "{tmp_path}"\n')
    ended = run(*command.split(), "--config", path)
    assert ended.code == UNREACHABLE
    assert "check that it runs and listens at this address" in ended.err


def test_scenarios_are_listed_and_played_the_same_each_time() -> None:
    names = [one["name"] for one in run("sim", "list", "--json").json()]
    assert "outage-and-return" in names
    first = run("sim", "run", "outage-and-return", "--json")
    assert first.code == OK
    assert "transfer" in {event["code"] for event in first.json()["events"]}
    assert run("sim", "run", "outage-and-return", "--json") == first
    unknown = run("sim", "run", "nothing")
    assert unknown.code == USAGE
    assert "one of calm, outage-and-return" in unknown.err
    assert "transfer" in run("sim", "run", "outage-and-return").out


# -- doctor


def findings(ended: Ended) -> dict[str, dict[str, Any]]:
    return {one["check"]: one for one in ended.json()}


def test_doctor_finds_nothing_wrong_with_a_good_installation(tmp_path: Path) -> None:
    path = tmp_path / "loadcenter.toml"
    path.write_text(f'port = {free_port()}\nmqtt_port = {free_port()}\ndata = "{tmp_path / "data"}"\n')
    ended = run("doctor", "--config", path, "--json")
    found = findings(ended)
    assert {"data folder", "time zone", "view", "web server", "embedded broker", "database"} == set(found)
    bad = {check for check, one in found.items() if not one["ok"]}
    assert bad <= {"view"}, found  # which is built by 'make web'
    assert ended.code == (FAILED if bad else OK)


def test_doctor_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    path = tmp_path / "loadcenter.toml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path.write_text(
            f'port = {port}\ndata = "{data}"\ntimezone = "Mars/Base"\n'
            f'database = "mysql://u:{SECRET}@127.0.0.1:{free_port()}/lc"\n'
            f'broker = "mqtt://u:{SECRET}@127.0.0.1:{free_port()}"\n'
        )
        ended = run("doctor", "--config", path, "--json")
    assert ended.code == FAILED
    found = findings(ended)
    assert f"chmod 700 {data}" in found["data folder"]["detail"]
    assert "IANA name" in found["time zone"]["detail"]
    assert f"port {port} on 127.0.0.1 is in use" in found["web server"]["detail"]
    assert "check that it runs and listens" in found["database"]["detail"]
    assert "start it, or correct the address" in found["broker"]["detail"]
    for_people = run("doctor", "--data", data)
    assert for_people.code == FAILED
    assert "others can read" in for_people.out


# -- with a running demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCenter]:
    with DemoCenter(tmp_path_factory.mktemp("demo")) as made:
        yield made


def test_an_outlet_is_switched_and_says_why(demo: DemoCenter) -> None:
    where = ("--data", demo.data, "--json")
    off = run("outlet", "off", "rack-1/3", *where)
    assert off.code == OK
    assert off.json()["status"] == "confirmed"
    why = run("outlet", "why", "rack-1/3", *where).json()
    assert why["on"] is False
    assert why["why"].startswith("Off: switched off by admin")
    again = run("outlet", "off", "rack-1/3", *where)
    assert again.code == FAILED
    assert "is off already" in again.err
    assert run("outlet", "on", "rack-1/3", *where).json()["status"] == "confirmed"
    for_people = run("outlet", "why", "rack-1/3", "--data", demo.data)
    assert "rack-1/3 (NAS)" in for_people.out
    assert "On: " in for_people.out


def test_a_cycle_ends_when_the_outlet_is_back(demo: DemoCenter) -> None:
    ended = run("outlet", "cycle", "rack-2/4", "--off-s", "1", "--data", demo.data, "--json")
    assert (ended.code, ended.json()["status"]) == (OK, "confirmed")
    assert run("outlet", "why", "rack-2/4", "--data", demo.data, "--json").json()["on"] is True


def test_what_does_not_exist_is_said(demo: DemoCenter) -> None:
    no_outlet = run("outlet", "on", "rack-1/9", "--data", demo.data)
    assert no_outlet.code == FAILED
    assert "this PDU has outlets 1 to 4" in no_outlet.err
    no_pdu = run("outlet", "why", "rack-9/1", "--data", demo.data)
    assert no_pdu.code == FAILED
    assert "no PDU 'rack-9' is registered; 'loadcenter device list' shows those that are" in no_pdu.err


def test_events_are_shown_newest_first(demo: DemoCenter) -> None:
    items = run("events", "--pdu", "rack-1", "--limit", "5", "--data", demo.data, "--json").json()
    assert len(items) == 5
    assert [one["id"] for one in items] == sorted((one["id"] for one in items), reverse=True)
    assert {one["pdu_id"] for one in items} == {"rack-1"}
    assert "rack-1" in run("events", "--data", demo.data).out


def test_a_device_is_registered_with_a_running_control_center(demo: DemoCenter) -> None:
    where = ("--data", demo.data, "--json")
    added = run("device", "add", "extra", *where)
    assert added.code == OK
    assert len(added.json()["password"]) >= 20
    assert "--replace" in run("device", "add", "extra", *where).err
    assert {"extra", "rack-1", "rack-2", "rack-3"} == {
        one["id"] for one in run("device", "list", *where).json()
    }


def test_doctor_leaves_a_running_control_center_alone(demo: DemoCenter) -> None:
    found = findings(run("doctor", "--data", demo.data, "--json"))
    assert found["web server"]["detail"] == f"runs at http://127.0.0.1:{demo.port} (process {demo.pid})"
    assert all(found[check]["ok"] for check in ("data folder", "database", "web server")), found


def test_the_installed_program_answers() -> None:
    program = shutil.which("loadcenter", path=str(Path(sys.executable).parent))
    assert program is not None, "the package is not installed"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"loadcenter {__version__}\n"
