"""F11: from a publish to an open page, and from a click to the device, with a fleet that talks meanwhile."""

import asyncio
import json
import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import websockets
from bench.figures import Figure, Figures, Settings, percentile
from bench.fleet import FleetProcesses
from bench.fleet_device import FleetSpec
from bench.processes import cpu_s
from bench.rigs import SECRET, BenchRig, bench_rig
from tests.system.centers import PASSWORD

PDUS = 1_000
CLIENTS = 50
OUTLETS = 4
MEASURED_S = 20.0
COMMAND_EVERY_S = 0.2
MESSAGE_MOST = 64 * 1024 * 1024
"""A snapshot of a thousand PDUs has some megabytes."""


@dataclass(slots=True)
class Seen:
    """What the pages saw.

    Attributes:
        late_ms: from the time in a record to its arrival, at the page that is looked at.
        messages: messages of all pages; `dropped` are those that pages were too slow for.
    """

    late_ms: list[float] = field(default_factory=list)
    messages: int = 0
    dropped: int = 0
    snapshots: int = 0


def latency(settings: Settings, folder: Path) -> Figures:
    """Return p99 of both ways, with p50 beside it."""
    pdus, clients = max(4, int(PDUS * settings.scale)), max(2, int(CLIENTS * settings.scale))
    span_s = MEASURED_S * min(1.0, settings.scale * 10)
    with bench_rig(folder, pdus) as rig:
        spec = FleetSpec("127.0.0.1", rig.broker.port, SECRET, pdus, OUTLETS)
        with FleetProcesses(spec) as fleet:
            fleet.rate(1.0)
            time.sleep(min(5.0, span_s))
            seen, given, busy = asyncio.run(_watch(rig, pdus, clients, span_s))
            fleet.rate(0)
            heard = {key: at for one in fleet.report().values() for key, at in one.commands.items()}
    clicks = [(heard[key] - at) * 1000 for key, at in given.items() if key in heard]
    share = f"{pdus} PDUs at 1 Hz and {clients} pages, all on this machine; the control center used {busy:.0%} of one core"
    return {
        **_both("F11_live", seen.late_ms, "<= 100", f"publish to page; {share}; {_told(seen)}"),
        **_both(
            "F11_click", clicks, "<= 150", f"click to device; {share}; {len(clicks)} of {len(given)} came"
        ),
    }


def _both(name: str, values: list[float], goal: str, note: str) -> Figures:
    found = {percent: Figure(percentile(values, percent), "ms") for percent in (50, 99)}
    return {
        f"{name}_p50_ms": found[50],
        f"{name}_p99_ms": replace(found[99], goal=goal, high=max(values, default=math.nan), note=note),
    }


def _told(seen: Seen) -> str:
    return f"{seen.messages} messages, {seen.dropped} dropped, {seen.snapshots} snapshots"


async def _watch(
    rig: BenchRig, pdus: int, clients: int, span_s: float
) -> tuple[Seen, dict[str, float], float]:
    """Open the pages, click for a while, and return what was seen, when each command was given, and the load."""
    base = f"http://127.0.0.1:{rig.center.port}"
    async with httpx.AsyncClient(base_url=base, timeout=30) as http:
        answer = await http.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
        cookie = "; ".join(f"{key}={value}" for key, value in answer.cookies.items())
        seen = Seen()
        url = f"ws://127.0.0.1:{rig.center.port}/api/v1/live"
        async with asyncio.TaskGroup() as tasks:
            pages = [tasks.create_task(_page(url, cookie, seen, looked_at=n == 0)) for n in range(clients)]
            await asyncio.sleep(min(3.0, span_s))  # the snapshots are through
            before_s, began = cpu_s(rig.center.pid), time.monotonic()
            given = await _click(http, pdus, span_s)
            busy = (cpu_s(rig.center.pid) - before_s) / (time.monotonic() - began)
            for page in pages:
                page.cancel()
    return seen, given, busy


async def _page(url: str, cookie: str, seen: Seen, *, looked_at: bool) -> None:
    async with websockets.connect(
        url, additional_headers={"Cookie": cookie}, max_size=MESSAGE_MOST, compression=None
    ) as link:
        async for text in link:
            now_ms = time.time_ns() / 1e6
            seen.messages += 1
            assert isinstance(text, str)
            if text.startswith('{"type":"dropped"'):
                seen.dropped += json.loads(text)["count"]
            elif text.startswith('{"type":"snapshot"'):
                seen.snapshots += 1
            elif looked_at and text.startswith('{"type":"pdu"'):
                as_of_ms = json.loads(text)["pdu"]["as_of_ms"]
                if as_of_ms is not None:
                    seen.late_ms.append(now_ms - as_of_ms)


async def _click(http: httpx.AsyncClient, pdus: int, span_s: float) -> dict[str, float]:
    """Switch outlets one after the other for a while; return when each command was given."""
    given: dict[str, float] = {}
    number, end = 0, time.monotonic() + span_s
    while time.monotonic() < end:
        pdu_id = f"fleet-{number * 7919 % pdus:05d}"
        body = {"do": "off" if number % 2 else "on"}
        clicked = time.monotonic()
        answer = await http.post(f"/api/v1/pdus/{pdu_id}/outlets/{number % OUTLETS + 1}/commands", json=body)
        if answer.status_code == 202:
            given[answer.json()["id"]] = clicked
        number += 1
        await asyncio.sleep(max(0.0, clicked + COMMAND_EVERY_S - time.monotonic()))
    return given
