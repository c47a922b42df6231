"""The main job end to end: a rack on a real broker, a control center as a process, a real database behind it.

The same on Mosquitto with MariaDB and on the embedded default. An independent subscriber validates every message on the
broker meanwhile.
"""

import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.system.centers import wait_for
from tests.system.reference_energy import reference_wh
from tests.system.sim_device import SimDevice, VirtualTime, real_time
from tests.system.stacks import DEVICE, REPLAYS, STACKS, Stack

from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.simulator.gateway import Limits
from loadcenter.simulator.pdu import PduSpec, VirtualPdu
from loadcenter.simulator.rack import Rack, default_layouts
from loadcenter.simulator.traces import ending_at, parse_tracebase

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "traces"
RECORDED = (
    "tracebase_Router_B8148C_2012.01.17.csv.gz",
    "tracebase_PC-Desktop_59ADA7_2012.01.17.csv.gz",
    "tracebase_Refrigerator_599393_2012.01.17.csv.gz",
    "tracebase_Monitor-TFT_599185_2012.01.17.csv.gz",
)
UP_LEAVES = frozenset({"up/birth", "up/status", "up/state", "up/telemetry", "up/event"})
SEED = 7
RUN_UP_MS = 60_000
BACKLOG = 20_000
FLASH: dict[str, bytes] = {}
"""What the device keeps from test to test, so that each start is a new boot."""


@pytest.fixture(params=sorted(STACKS), scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    FLASH.clear()
    with STACKS[request.param](tmp_path_factory.mktemp("stack")) as made:
        yield made


def read(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


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


def replay(stack: Stack, name: str, recordings: list[list[str]]) -> None:
    """Play recordings as outlets in virtual time, shifted to end now, and compare the energy that was stored."""
    traces = [parse_tracebase(lines) for lines in recordings]
    end_ms = int(datetime.now(UTC).timestamp()) * 1000
    longest_ms = max(trace.seconds[-1] - trace.seconds[0] for trace in traces) * 1000
    start_ms = end_ms - longest_ms - RUN_UP_MS
    spec = PduSpec(
        name,
        [ending_at(trace, end_ms) for trace in traces],
        PduConfig(
            tuple(OutletConfig(limit_ma=10_000, curve_ma=10_000) for _ in traces),
            budget_main_ma=65_000,
            budget_main_mw=20_000_000,
            outlet_rating_ma=10_000,
        ),
        step_ms=1000,
        limits=Limits(outbox=200_000, ack_interval_ms=10**9, window=BACKLOG),
    )
    clock = VirtualTime(start_ms, end_ms, 120_000)
    pdu = VirtualPdu(spec, SEED, start_ms)
    with SimDevice(pdu, stack.devices[name], clock, own_clock=True):
        wait_for(lambda: pdu.is_connected, stack.center)
        going = True
        while going:
            going = clock.step()
            wait_for(lambda: pdu.now_ms >= clock(), stack.center)
        goal_ms = end_ms - 1500
        wait_for(lambda: newest_ms(stack, name, len(traces), end_ms) >= goal_ms, stack.center, 240)
    range_ = {"pdu": name, "since_ms": start_ms - 3_600_000, "until_ms": end_ms + 60_000, "points": 2000}
    outlets = ",".join(str(n) for n in range(1, len(traces) + 1))
    should_wh = [reference_wh(lines) for lines in recordings]

    def stored_wh() -> list[float]:
        series = stack.center.get("/history", outlets=outlets, **range_)["series"]
        return [one["total_kwh"] * 1000 for one in series]

    # Rollups follow what is stored within seconds.
    wait_for(lambda: stored_wh() == pytest.approx(should_wh, rel=0.001), stack.center, 60)
    for number, (is_wh, wanted_wh) in enumerate(zip(stored_wh(), should_wh, strict=True), 1):
        print(f"outlet {number}: {is_wh:.3f} Wh stored, {wanted_wh:.3f} Wh in the recording")


def newest_ms(stack: Stack, name: str, outlets: int, end_ms: int) -> int:
    """Return the time of the newest reading stored of the last outlet."""
    found = stack.center.get(
        "/history",
        pdu=name,
        outlets=str(outlets),
        since_ms=end_ms - 600_000,
        until_ms=end_ms + 1000,
        points=700,
    )
    times = found["series"][0]["t_ms"]
    return int(times[-1]) if times else 0


def generated(seed: int) -> list[str]:
    """Return an hour of a recording with the defects that real ones have: gaps, doubled seconds, steps backward."""
    chance = random.Random(seed)
    at = datetime(2012, 1, 17, 8, 0, 0, tzinfo=UTC)
    lines = []
    for _ in range(3000):
        step = chance.choices((1, 2, 7, 30, 119, 0, -1), (900, 60, 20, 8, 2, 8, 2))[0]
        at += timedelta(seconds=step)
        watts = chance.choice((0, chance.randrange(10, 250), chance.randrange(900, 1500)))
        lines.append(f"{at:%d/%m/%Y %H:%M:%S};{watts};{watts}")
    return lines


def test_energy_of_a_generated_recording_is_stored_within_a_thousandth(stack: Stack) -> None:
    replay(stack, REPLAYS[0], [generated(seed) for seed in range(4)])
    stack.witness.assert_clean(UP_LEAVES)


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


def test_energy_of_four_recorded_outlets_is_stored_within_a_thousandth(stack: Stack) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"the recordings are not here: {RECORDINGS.name} beside the checkout under shared/data")
    replay(stack, REPLAYS[1], [read(RECORDINGS / name) for name in RECORDED])
    stack.witness.assert_clean(UP_LEAVES)
