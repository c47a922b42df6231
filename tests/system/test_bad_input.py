"""What a device or a stranger can send: nothing of it stops the control center or the records that follow.

On Mosquitto with the shipped access list, and on the embedded broker.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer, free_port
from tests.system.centers import ServedCenter, wait_for
from tests.system.sim_device import SimDevice, real_time
from tests.system.wire_device import WireDevice

from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.simulator.loads import CATALOG
from loadcenter.simulator.pdu import PduSpec, VirtualPdu

DEVICE, OTHER, STRANGER, SIMULATED = "lab-1", "lab-2", "lab-3", "lab-4"


@dataclass
class Bench:
    """A running control center with two registered devices on its broker."""

    center: ServedCenter
    port: int
    passwords: dict[str, str]
    device: WireDevice
    other: WireDevice
    boots: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    flash: bytes | None = None

    def address(self, user: str) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self.port, username=user, password=self.passwords[user])

    def refused(self, reason: str) -> int:
        """Return how many payloads were refused for a reason, as /metrics counts them."""
        text = self.center.http.get("/metrics").text
        found = re.search(rf'^loadcenter_refused_total{{reason="{reason}"}} (\d+)$', text, re.MULTILINE)
        return int(found[1]) if found else 0


@contextmanager
def on_mosquitto(folder: Path) -> Iterator[tuple[ServedCenter, int, dict[str, str]]]:
    passwords = {name: f"secret-of-{name}" for name in (DEVICE, OTHER, STRANGER, SIMULATED)}
    with MosquittoServer(folder / "mosquitto", passwords) as broker:
        url = f"mqtt://{CENTER}:{CENTER_PASSWORD}@127.0.0.1:{broker.port}"
        with ServedCenter(folder / "center", {"broker": url}) as center:
            for name in (DEVICE, OTHER, SIMULATED):
                center.add_device(name)
            yield center, broker.port, {**passwords, CENTER: CENTER_PASSWORD}


@contextmanager
def on_embedded(folder: Path) -> Iterator[tuple[ServedCenter, int, dict[str, str]]]:
    port = free_port()
    with ServedCenter(folder / "center", {"mqtt_port": port, "mqtt_password": CENTER_PASSWORD}) as center:
        passwords = {name: center.add_device(name) for name in (DEVICE, OTHER, SIMULATED)}
        yield center, port, {**passwords, CENTER: CENTER_PASSWORD}


BROKERS = {"mosquitto": on_mosquitto, "embedded": on_embedded}


@pytest.fixture(params=BROKERS, scope="module")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with ExitStack() as stack:
        center, port, passwords = stack.enter_context(
            BROKERS[request.param](tmp_path_factory.mktemp("bench"))
        )
        devices = []
        for name in (DEVICE, OTHER):
            address = BrokerAddress("127.0.0.1", port, username=name, password=passwords[name])
            devices.append(stack.enter_context(WireDevice(name, address)))
        yield Bench(center, port, passwords, *devices)
        assert "Traceback" not in center.log


# -- what is said


def telemetry(boot: int, seq: int, **changes: Any) -> dict[str, Any]:
    source = {"v_mv": 230_000, "f_mhz": 50_000}
    readings = {"active": "main", "live": True, "src": {"main": source, "backup": source}}
    out = [{"n": 1, "on": True, "i_ma": 435, "p_mw": 100_000, "e_mwh": 1000 + seq}]
    return {"v": 1, "boot": boot, "seq": seq, "up_ms": seq * 1000, **readings, "out": out, **changes}


def event(boot: int, seq: int, **changes: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "boot": boot,
        "seq": seq,
        "up_ms": seq * 1000,
        "code": "source_restored",
        "src": "main",
        **changes,
    }


def birth(boot: int, **changes: Any) -> dict[str, Any]:
    nominal, ratings = {"v_mv": 230_000, "f_mhz": 50_000}, {"outlet_ma": 4000, "total_ma": 4000}
    versions = {"v": 1, "boot": boot, "up_ms": 0, "min_v": 1, "max_v": 1}
    return {**versions, "model": "m", "fw": "1", "outlets": 1, "nominal": nominal, "ratings": ratings,
            "period_ms": 1000, **changes}  # fmt: skip


# -- records that cannot be understood

SOURCE = {"v_mv": 230_000, "f_mhz": 50_000}
UNREADABLE = {
    "cut off": b'{"v":1,"boot":1,"se',
    "not UTF-8": b'{"v":1,"boot":1,"seq":1,"up_ms":1,"active":"\xff"}',
    "binary": bytes(range(256)),
    "nested without end": b"[" * 4000,
    "another format": b"<telemetry/>",
}
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "of a newer contract": ({"v": 2}, "unknown_version", "update the control center"),
    "of an older contract": ({"v": 0}, "unknown_version", "update the device"),
    "with a text for a list": ({"out": "none"}, "wrong_type", "compare the payload with spec/schema"),
    "with half a number": ({"out": [{"n": 1, "on": True, "i_ma": 0.5}]}, "wrong_type", "spec/schema"),
    "without its sources": ({"src": None}, "wrong_type", "spec/schema"),
    "with a current out of range": (
        {"out": [{"n": 1, "on": True, "i_ma": 2**31, "p_mw": 0, "e_mwh": 0}]}, "out_of_range", "spec/schema"
    ),
    "with a voltage below zero": (
        {"src": {"main": {"v_mv": -1, "f_mhz": 50_000}, "backup": SOURCE}}, "out_of_range", "spec/schema"
    ),
    "with more samples than numbers": ({"samples": 2}, "out_of_range", "MQTT-11"),
    "above 4096 bytes": ({"note": "x" * 5000}, "too_large", "at most 4096 are taken"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_payload_that_nobody_can_read_is_counted_and_moves_nothing(case: str, bench: Bench) -> None:
    boot, before = next(bench.boots), bench.refused("unreadable")
    bench.device.say("up/telemetry", telemetry(boot, 1))
    bench.device.say("up/telemetry", UNREADABLE[case])
    bench.device.say("up/telemetry", telemetry(boot, 2))
    bench.device.say("up/event", event(boot, 1))
    bench.device.wait_ack(boot, 2, 1)
    assert bench.refused("unreadable") == before + 1
    assert bench.center.http.get("/readyz").status_code == 200


@pytest.mark.parametrize("case", REFUSED)
def test_a_record_that_is_refused_is_counted_named_and_makes_way_for_the_next(
    case: str, bench: Bench
) -> None:
    changes, reason, advice = REFUSED[case]
    boot, before, log = next(bench.boots), bench.refused(reason), len(bench.center.log)
    bench.device.say("up/telemetry", telemetry(boot, 1))
    bench.device.say("up/telemetry", telemetry(boot, 2, **changes))
    bench.device.say("up/telemetry", telemetry(boot, 3))
    bench.device.say("up/event", event(boot, 1))
    bench.device.wait_ack(boot, 3, 1)
    assert bench.refused(reason) == before + 1
    said = bench.center.log[log:]
    assert f"{DEVICE}/up/telemetry" in said
    assert advice in said


def test_an_event_that_is_refused_makes_way_for_the_next(bench: Bench) -> None:
    boot, before = next(bench.boots), bench.refused("wrong_type")
    bench.device.say("up/event", event(boot, 1, code="the_sky_has_fallen"))
    bench.device.say("up/event", event(boot, 2))
    bench.device.wait_ack(boot, 0, 2)
    assert bench.refused("wrong_type") == before + 1


def test_a_megabyte_is_dropped_and_the_next_record_is_stored(bench: Bench) -> None:
    boot, before_mb = next(bench.boots), bench.center.rss_mb()
    bench.device.say("up/telemetry", telemetry(boot, 1))
    for _ in range(5):
        # At QoS 1 the client would send it again at each reconnect, as a broker may hang up on it.
        bench.device.say("up/telemetry", telemetry(boot, 2, note="x" * 1_000_000), qos=0)
    bench.device.say("up/telemetry", telemetry(boot, 2))
    bench.device.say("up/event", event(boot, 1))
    bench.device.wait_ack(boot, 2, 1)
    assert bench.center.rss_mb() < before_mb + 10


# -- what is no record


def test_a_birth_of_another_contract_names_the_side_to_update(bench: Bench) -> None:
    boot, before = next(bench.boots), bench.refused("unknown_version")
    bench.other.say("up/birth", birth(boot, min_v=2, max_v=3), retain=True)
    wait_for(lambda: bench.refused("unknown_version") == before + 1, bench.center)
    assert "speaks contract 2 to 3, this server 1: update the control center" in bench.center.log
    bench.other.say("up/birth", birth(boot), retain=True)
    wait_for(lambda: bench.center.get(f"/pdus/{OTHER}")["boot"] == boot, bench.center)


@pytest.mark.parametrize("leaf", ["birth", "state", "status", "result"])
def test_what_is_not_understood_on_any_topic_is_counted_and_changes_nothing(leaf: str, bench: Bench) -> None:
    shown = ("boot", "model", "online", "active", "outlets", "settings_version")
    before, pdu = bench.refused("wrong_type"), bench.center.get(f"/pdus/{OTHER}")
    bench.other.say(f"up/{leaf}", {"v": 1, "boot": "one", "up_ms": "now", "status": 7})
    wait_for(lambda: bench.refused("wrong_type") == before + 1, bench.center)
    after = bench.center.get(f"/pdus/{OTHER}")
    assert {key: after[key] for key in shown} == {key: pdu[key] for key in shown}


def test_a_result_of_a_command_that_nobody_gave_changes_nothing(bench: Bench) -> None:
    boot = next(bench.boots)
    answer = {"v": 1, "boot": boot, "up_ms": 1, "id": "c-0000", "n": 1, "status": "confirmed", "code": "ok"}
    bench.device.say("up/result", answer)
    bench.device.say("up/event", event(boot, 1))
    bench.device.wait_ack(boot, 0, 1)
    assert bench.center.http.get("/api/v1/commands/c-0000").status_code == 404
    assert bench.center.http.get("/readyz").status_code == 200


# -- what is not one's own


def test_a_device_cannot_speak_for_another(bench: Bench) -> None:
    boot, forged = next(bench.boots), next(bench.boots)
    bench.device.say("up/event", event(forged, 1, code="trip", out=1), pdu_id=OTHER)
    bench.device.say("up/event", event(boot, 1, code="trip", out=1))
    bench.device.wait_ack(boot, 0, 1)

    def boots(pdu_id: str) -> set[int]:
        return {one["boot"] for one in bench.center.get("/events", pdu=pdu_id, limit=500)["items"]}

    assert boot in boots(DEVICE), "what it says for itself is taken"
    assert forged not in boots(OTHER)
    bench.other.say("up/event", event(forged, 1))
    bench.other.wait_ack(forged, 0, 1)
    assert forged in boots(OTHER), "the other one's own first event was no duplicate"


def test_a_device_cannot_command_another(bench: Bench) -> None:
    order = {
        "v": 1,
        "id": "forged",
        "boot": 1,
        "n": 1,
        "exp_up_ms": 10**9,
        "do": "switch",
        "out": 1,
        "on": False,
    }
    bench.device.say("down/command", order, pdu_id=OTHER)
    boot = next(bench.boots)
    bench.other.say("up/event", event(boot, 1))
    bench.other.wait_ack(boot, 0, 1)
    assert bench.other.commands == []


def test_a_device_that_is_not_registered_is_named_with_the_way_in(bench: Bench) -> None:
    if STRANGER not in bench.passwords:
        return  # the embedded broker lets only registered devices in
    with WireDevice(STRANGER, bench.address(STRANGER)) as stranger:
        stranger.say("up/telemetry", telemetry(1, 1))
        wait_for(lambda: f"loadcenter device add {STRANGER}" in bench.center.log, bench.center)
        assert stranger.acks == {}


# -- what a device is told that it must not do


@contextmanager
def simulated(bench: Bench, before: Callable[[VirtualPdu], None] = lambda pdu: None) -> Iterator[VirtualPdu]:
    """A simulated PDU with one outlet that is on; `before` is called when it has started and is not connected yet."""
    now_ms = real_time()
    spec = PduSpec(SIMULATED, [CATALOG["lamp"](1)], PduConfig((OutletConfig(),)))
    pdu = VirtualPdu(spec, 1, now_ms(), bench.flash)
    before(pdu)
    with SimDevice(pdu, bench.address(SIMULATED), now_ms) as device:
        wait_for(lambda: bench.center.get(f"/pdus/{SIMULATED}")["boot"] == pdu.boot, bench.center)
        wait_for(lambda: outlet(bench)["on"], bench.center)
        yield pdu
        with device.lock:
            bench.flash = pdu.saved()


def outlet(bench: Bench) -> dict[str, Any]:
    outlets = bench.center.get(f"/pdus/{SIMULATED}")["outlets"]
    return outlets[0] if outlets else {"on": None}


def refusals(bench: Bench) -> list[dict[str, Any]]:
    items = bench.center.get("/events", pdu=SIMULATED, code="command_refused", limit=500)["items"]
    return [one["data"] for one in items]


def test_a_retained_command_moves_no_relay_and_is_seen(bench: Bench) -> None:
    with WireDevice(SIMULATED, bench.address(CENTER)) as center:
        off = {"v": 1, "id": "kept", "n": 1, "exp_up_ms": 10**9, "do": "switch", "out": 1, "on": False}

        def keep(pdu: VirtualPdu) -> None:
            center.say("down/command", {**off, "boot": pdu.boot}, retain=True)

        with simulated(bench, keep) as pdu:
            wait_for(lambda: refusals(bench), bench.center)
            assert refusals(bench)[0]["code"] == "retained"
            assert outlet(bench)["on"] is True
            center.say("down/command", b"", retain=True)
            # But for the flag it would have been carried out.
            center.say("down/command", {**off, "boot": pdu.boot})
            wait_for(lambda: outlet(bench)["on"] is False, bench.center)
            assert len(refusals(bench)) == 1
            center.say("down/command", {**off, "boot": pdu.boot, "n": 2, "on": True})
            wait_for(lambda: outlet(bench)["on"], bench.center)


@pytest.mark.parametrize("payload", [b"{", b"{}", json.dumps({"v": 2, "do": "switch"}).encode()])
def test_a_command_that_a_device_cannot_read_is_seen(payload: bytes, bench: Bench) -> None:
    with simulated(bench), WireDevice(SIMULATED, bench.address(CENTER)) as center:
        before = len(refusals(bench))
        center.say("down/command", payload)
        wait_for(lambda: len(refusals(bench)) > before, bench.center)
        assert refusals(bench)[0]["code"] == "malformed"
        assert outlet(bench)["on"] is True
