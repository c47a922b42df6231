"""Recordings of appliances, played as outlets through device, broker and control center, against a reference of their own.

The same on Mosquitto with MariaDB and on the embedded default. An independent subscriber validates every message on the
broker meanwhile.
"""

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.system.centers import wait_for
from tests.system.reference_energy import reference_wh
from tests.system.sim_device import SimDevice, VirtualTime
from tests.system.stacks import REPLAYS, STACKS, Stack

from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.simulator.gateway import Limits
from loadcenter.simulator.pdu import PduSpec, VirtualPdu
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


@pytest.fixture(params=sorted(STACKS), scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with STACKS[request.param](tmp_path_factory.mktemp("stack")) as made:
        yield made


def read(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


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


def test_energy_of_four_recorded_outlets_is_stored_within_a_thousandth(stack: Stack) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"the recordings are not here: {RECORDINGS.name} beside the checkout under shared/data")
    replay(stack, REPLAYS[1], [read(RECORDINGS / name) for name in RECORDED])
    stack.witness.assert_clean(UP_LEAVES)
