"""F12_growth: what a record costs the control center when ever more PDUs share the same number of records."""

import time
from pathlib import Path

from bench.figures import Figure, Figures, Settings
from bench.fleet import FleetProcesses
from bench.fleet_device import FleetSpec
from bench.processes import cpu_s, rss_mb
from bench.rigs import SECRET, bench_rig, until, wrong_minutes

FLEETS = (10, 1_000, 10_000)
RECORDS_S = 1_000
OUTLETS = 4
MEASURED_S = 20.0
WARM_UP_S = 5.0
STILL_S = 60.0
SHORTEST_MS = 20
"""Shortest `dt_ms` of the contract; ten PDUs send twice as often as they say, which costs the same."""


def growth(settings: Settings, folder: Path) -> Figures:
    """Return the processor time of one record with 10, 1,000 and 10,000 PDUs; SCALE shrinks the larger ones."""
    rate = max(10.0, RECORDS_S * min(1.0, settings.scale * 10))
    sizes = sorted({max(FLEETS[0], int(count * settings.scale)) for count in FLEETS})
    costs: dict[int, dict[str, float]] = {}
    for pdus in sizes:
        costs[pdus] = _cost(folder / str(pdus), pdus, rate, MEASURED_S * min(1.0, settings.scale * 5))
        print(f"  {pdus} PDUs: {costs[pdus]}", flush=True)
    least = max(1.0, costs[sizes[0]]["center_us"])
    worst = max(one["center_us"] for one in costs.values())
    note = f"{rate:.0f} records/s of {OUTLETS} outlets in all; the fleet shares the processors"
    return {"F12_growth": Figure(worst / least, "x", "<= 1.2", peer=costs, note=note)}


def _cost(folder: Path, pdus: int, rate: float, span_s: float) -> dict[str, float]:
    period_ms = max(SHORTEST_MS, round(pdus / rate * 1000))
    with bench_rig(folder, pdus) as rig, rig.sql() as sql:
        spec = FleetSpec("127.0.0.1", rig.broker.port, SECRET, pdus, OUTLETS, period_ms=period_ms)
        with FleetProcesses(spec) as fleet:
            until(pdus, rig.online, STILL_S)  # the births of all are through
            fleet.rate(rate / pdus)
            time.sleep(min(WARM_UP_S, span_s))
            pids = {"center_us": rig.center.pid, "database_us": rig.database.pid, "broker_us": rig.broker.pid}
            before, stored = {name: cpu_s(pid) for name, pid in pids.items()}, rig.stored(sql)
            time.sleep(span_s)
            records = rig.stored(sql) - stored
            used = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
            memory = rss_mb(rig.center.pid)
            fleet.settle()
            ledger = fleet.report()
        given = sum(one.given for one in ledger.values())
        assert rig.stored(sql) == given, "not every record was stored"
        until(1, lambda: int(rig.rolled_up(sql)), STILL_S)
        assert wrong_minutes(sql, ledger) == 0, "the minutes do not hold what the fleet gave out"
    return {
        **{name: round(value / max(1, records) * 1e6) for name, value in used.items()},
        "records_s": round(records / span_s),
        "center_mb": round(memory),
        "resent": sum(one.resent for one in ledger.values()),
    }
