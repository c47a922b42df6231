"""F11: from a publish to an open page, and from a click to the device, with a fleet that talks meanwhile."""

import asyncio
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import websockets
from bench import payloads
from bench.figures import Figure, Figures, Settings, percentile
from bench.fleet import FleetProcesses
from bench.fleet_device import FleetSpec, Ledger
from bench.processes import cpu_s
from bench.rigs import SECRET, BenchRig, bench_rig
from tests.system.centers import PASSWORD

PDUS = 1_000
CLIENTS = 50
OUTLETS = 4
MEASURED_S = 20.0
COMMAND_EVERY_S = 0.2
SETTLE_MS = 2000.0
"""Records of the last seconds may still be on their way."""
MESSAGE_MOST = 64 * 1024 * 1024
"""A snapshot of a thousand PDUs has some megabytes."""


@dataclass(slots=True)
class Seen:
    """What the pages saw.

    Attributes:
        at_ms: when the page that is looked at got each record first, by PDU and `seq`.
        frames: frames of all pages, and their `bytes`.
        dropped: messages that pages were too slow for; each time a snapshot made up for them.
    """

    at_ms: dict[tuple[str, int], float] = field(default_factory=dict)
    frames: int = 0
    bytes: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen in a while.

    Attributes:
        given: when each command was given, by id (monotonic seconds).
        busy: share of one core that the control center used.
        since_ms: UTC from when, `until_ms` until when.
    """

    seen: Seen
    given: dict[str, float]
    busy: float
    since_ms: float
    until_ms: float


def latency(settings: Settings, folder: Path) -> Figures:
    """Return p99 of both ways, with p50 beside it."""
    pdus, clients = max(4, int(PDUS * settings.scale)), max(2, int(CLIENTS * settings.scale))
    span_s = MEASURED_S * min(1.0, settings.scale * 10)
    with bench_rig(folder, pdus) as rig:
        spec = FleetSpec("127.0.0.1", rig.broker.port, SECRET, pdus, OUTLETS)
        with FleetProcesses(spec) as fleet:
            fleet.rate(1.0)
            time.sleep(min(5.0, span_s))
            watched = asyncio.run(_watch(rig, pdus, clients, span_s))
            fleet.rate(0)
            ledgers = fleet.report()
    share = (
        f"{pdus} PDUs at 1 Hz and {clients} pages, all on this machine; "
        f"the control center used {watched.busy:.0%} of one core"
    )
    late_ms, records = _late(watched, ledgers)
    told = f"{len(late_ms)} of {records} records came; {_told(watched.seen)}"
    heard = {key: at for one in ledgers.values() for key, at in one.commands.items()}
    clicks = [(heard[key] - at) * 1000 for key, at in watched.given.items() if key in heard]
    came = f"{len(clicks)} of {len(watched.given)} came"
    return {
        **_both("F11_live", late_ms, "<= 100", f"publish to page; {share}; {told}"),
        **_both("F11_click", clicks, "<= 150", f"click to device; {share}; {came}"),
    }


def _late(watched: Watched, ledgers: Mapping[str, Ledger]) -> tuple[list[float], int]:
    """Return how late the records of the watched time came to the page, and how many there were."""
    since_ms, until_ms = watched.since_ms, watched.until_ms - SETTLE_MS
    sampled = {
        (name, seq): at_ms
        for name, one in ledgers.items()
        for seq, at_ms in enumerate(one.sampled_ms, 1)
        if since_ms <= at_ms < until_ms
    }
    at_ms = watched.seen.at_ms
    return [at_ms[key] - began_ms for key, began_ms in sampled.items() if key in at_ms], len(sampled)


def _both(name: str, values: list[float], goal: str, note: str) -> Figures:
    found = {percent: Figure(percentile(values, percent), "ms") for percent in (50, 99)}
    return {
        f"{name}_p50_ms": found[50],
        f"{name}_p99_ms": replace(found[99], goal=goal, high=max(values, default=math.nan), note=note),
    }


def _told(seen: Seen) -> str:
    return f"{seen.frames} frames of {seen.bytes / max(1, seen.frames) / 1e3:.0f} kB, {seen.dropped} messages dropped"


async def _watch(rig: BenchRig, pdus: int, clients: int, span_s: float) -> Watched:
    """Open the pages, and click for a while."""
    base = f"http://127.0.0.1:{rig.center.port}"
    async with httpx.AsyncClient(base_url=base, timeout=30) as http:
        answer = await http.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
        cookie = "; ".join(f"{key}={value}" for key, value in answer.cookies.items())
        seen = Seen()
        url = f"ws://127.0.0.1:{rig.center.port}/api/v1/live"
        async with asyncio.TaskGroup() as tasks:
            pages = [tasks.create_task(_page(url, cookie, seen, looked_at=n == 0)) for n in range(clients)]
            await asyncio.sleep(min(3.0, span_s))  # the snapshots are through
            since_ms = time.time_ns() / 1e6
            before_s, began = cpu_s(rig.center.pid), time.monotonic()
            given = await _click(http, pdus, span_s)
            until_ms = time.time_ns() / 1e6
            busy = (cpu_s(rig.center.pid) - before_s) / (time.monotonic() - began)
            for page in pages:
                page.cancel()
    return Watched(seen, given, busy, since_ms, until_ms)


async def _page(url: str, cookie: str, seen: Seen, *, looked_at: bool) -> None:
    async with websockets.connect(url, additional_headers={"Cookie": cookie}, max_size=MESSAGE_MOST) as link:
        async for text in link:
            now_ms = time.time_ns() / 1e6
            assert isinstance(text, str)
            seen.frames += 1
            seen.bytes += len(text)
            if looked_at or text.startswith('[{"type":"dropped"'):
                _take(json.loads(text), now_ms, seen, looked_at=looked_at)


def _take(messages: list[dict[str, Any]], now_ms: float, seen: Seen, *, looked_at: bool) -> None:
    for message in messages:
        match message["type"]:
            case "dropped":
                seen.dropped += message["count"]
            case "pdu" | "readings" as kind if looked_at:
                outlets = message[kind]["outlets"]
                if outlets and (energy_kwh := outlets[0]["energy_kwh"]) is not None:
                    seen.at_ms.setdefault((message[kind]["id"], payloads.seq_of(energy_kwh)), now_ms)


async def _click(http: httpx.AsyncClient, pdus: int, span_s: float) -> dict[str, float]:
    """Switch outlets one after the other for a while; return when each command was given."""
    given: dict[str, float] = {}
    off: set[tuple[str, int]] = set()
    number, end = 0, time.monotonic() + span_s
    while time.monotonic() < end:
        outlet = f"fleet-{number * 7919 % pdus:05d}", number % OUTLETS + 1
        body = {"do": "on" if outlet in off else "off"}  # what it is already would be refused
        off ^= {outlet}
        clicked = time.monotonic()
        answer = await http.post(f"/api/v1/pdus/{outlet[0]}/outlets/{outlet[1]}/commands", json=body)
        if answer.status_code == 202:
            given[answer.json()["id"]] = clicked
        number += 1
        await asyncio.sleep(max(0.0, clicked + COMMAND_EVERY_S - time.monotonic()))
    return given
