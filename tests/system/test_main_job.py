"""The main job end to end: a rack on a real broker, a control center as a process, a real database behind it.

The same on Mosquitto with MariaDB and on the embedded default. An independent subscriber validates every message on the
broker meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.system.centers import wait_for
from tests.system.sim_device import SimDevice, real_time
from tests.system.stacks import DEVICE, STACKS, Stack

from loadcenter.simulator.rack import Rack, default_layouts

UP_LEAVES = frozenset({"up/birth", "up/status", "up/state", "up/telemetry", "up/event"})
SEED = 7
FLASH: dict[str, bytes] = {}
"""What the device keeps from test to test, so that each start is a new boot."""


@pytest.fixture(params=sorted(STACKS), scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    FLASH.clear()
    with STACKS[request.param](tmp_path_factory.mktemp("stack")) as made:
        yield made


@contextmanager
def live_rack(stack: Stack) -> Iterator[Rack]:
    """Run a PDU with modelled loads in real time until its outlets are on, good and heard of."""
    now_ms = real_time()
    rack = Rack(default_layouts(1, SEED), SEED, now_ms(), saved=FLASH)
    with SimDevice(rack.pdus[DEVICE], stack.devices[DEVICE], now_ms) as device:
        boot = rack.pdus[DEVICE].boot
        wait_for(lambda: pdu_of(stack)["boot"] == boot and settled(stack), stack.center)
        yield rack
        with device.lock:
            FLASH[DEVICE] = rack.pdus[DEVICE].saved()


def settled(stack: Stack) -> bool:
    pdu = pdu_of(stack)
    on = all(one["on"] for one in pdu["outlets"])
    return bool(pdu["quality"] == "good" and on and all(one["grade"] == "good" for one in pdu["sources"]))


def pdu_of(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.center.get(f"/pdus/{DEVICE}")
    return found


def outlet_of(stack: Stack, n: int) -> dict[str, Any]:
    return next(one for one in pdu_of(stack)["outlets"] if one["n"] == n)


def events_of(stack: Stack, code: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stack.center.get("/events", pdu=DEVICE, code=code)["items"]
    return items


def test_a_switch_is_confirmed_by_the_device_and_shown_as_it_reports(stack: Stack) -> None:
    with live_rack(stack):
        done = stack.center.command(f"/pdus/{DEVICE}/outlets/3/commands", {"do": "off"})
        assert (done["status"], done["code"]) == ("confirmed", "ok")
        wait_for(lambda: outlet_of(stack, 3)["on"] is False, stack.center)
        assert outlet_of(stack, 3)["why"] == "Off: switched off by admin."
        wait_for(lambda: outlet_of(stack, 3)["power_w"] == 0, stack.center)
        done = stack.center.command(f"/pdus/{DEVICE}/outlets/3/commands", {"do": "on"})
        assert done["status"] == "confirmed"
        wait_for(lambda: outlet_of(stack, 3)["power_w"] > 0, stack.center)
        stack.witness.assert_clean(UP_LEAVES | {"up/result", "down/command", "down/ack", "down/time"})


def test_an_outage_leads_to_a_transfer_and_both_are_events(stack: Stack) -> None:
    with live_rack(stack) as rack:
        before = len(events_of(stack, "transfer"))
        rack.start(DEVICE, "main_outage", None)
        wait_for(lambda: pdu_of(stack)["active"] == "backup" and pdu_of(stack)["live"], stack.center)
        transfers = wait_for(lambda: events_of(stack, "transfer")[: -before or None], stack.center)
        assert transfers[0]["cause"] == "source_lost"
        assert transfers[0]["data"]["to"] == "backup"
        lost = events_of(stack, "source_lost")[0]
        assert (lost["source"], lost["pdu_id"]) == ("main", DEVICE)
        assert transfers[0]["boot"] == lost["boot"]
        open_alarms = wait_for(lambda: stack.center.get("/alarms")["items"], stack.center)
        assert [(one["kind"], one["source"]) for one in open_alarms] == [("source_bad", "main")]
        rack.stop(DEVICE, "main_outage")
        wait_for(lambda: not stack.center.get("/alarms")["items"], stack.center)


def test_an_overcurrent_trips_and_stays_latched_until_a_person_resets_it(stack: Stack) -> None:
    with live_rack(stack) as rack:
        rack.start(DEVICE, "overload", 2)
        wait_for(lambda: outlet_of(stack, 2)["trip"] == "overcurrent", stack.center)
        rack.stop(DEVICE, "overload")
        assert outlet_of(stack, 2)["on"] is False
        refused = stack.center.http.post(f"/api/v1/pdus/{DEVICE}/outlets/2/commands", json={"do": "on"})
        assert (refused.status_code, refused.json()["code"]) == (409, "latched")
        trip = wait_for(lambda: events_of(stack, "trip"), stack.center)[0]
        assert trip["data"]["i_ma"] > trip["data"]["limit_ma"] == 4000
        done = stack.center.command(f"/pdus/{DEVICE}/outlets/2/commands", {"do": "reset_trip"})
        assert done["status"] == "confirmed"
        wait_for(lambda: outlet_of(stack, 2)["trip"] is None, stack.center)
        assert outlet_of(stack, 2)["on"] is False
        assert (
            stack.center.command(f"/pdus/{DEVICE}/outlets/2/commands", {"do": "on"})["status"] == "confirmed"
        )
