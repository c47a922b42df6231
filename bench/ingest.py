"""How fast records get into the database, at what cost, and how late people see them (figures F7, F8_burst, F11, F12).

SCALE= shrinks everything, REPEAT= sets the runs of F7, PARTS=F7,burst,F11,F12 chooses, PEER=none leaves Node-RED out.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import figures, payloads
from bench.burst import Burst, BurstSpec
from bench.figures import Figure, Figures, Settings, of_runs
from bench.growth import growth
from bench.latency import latency
from bench.nodered import TABLE, Flow, NodeRed
from bench.processes import RssCurve, cpu_s, rss_mb
from bench.rigs import POLL_S, BenchBroker, BenchRig, Sql, bench_rig, table_bytes, until
from tests.brokers import CENTER, CENTER_PASSWORD

MESSAGES = 20_000
BURST = 200_000
PDUS = 50
OUTLETS = 8
STILL_S = 60.0
"""A contender that stores nothing for so long has failed."""
WARM_UP = 0.1
"""Share of the messages in the run that is not counted."""


@dataclass(frozen=True, slots=True)
class Run:
    """One burst into one contender.

    Attributes:
        messages_s: committed a second, from the first publish to the last commit.
        consumer_us: processor time of the consumer for one message, in microseconds; `database_us` of MariaDB.
    """

    messages_s: float
    consumer_us: float
    database_us: float

    @property
    def both_us(self) -> float:
        return self.consumer_us + self.database_us


@dataclass(frozen=True, slots=True)
class Contender:
    """Who stores what a burst brings.

    Attributes:
        stored: how many messages of this run are committed.
        ready: called before each run.
        rolled_up: whether the rollups hold all that is committed: their cost counts.
    """

    port: int
    pids: tuple[int, int]
    stored: Callable[[], int]
    ready: Callable[[], None]
    rolled_up: Callable[[], bool] = lambda: True


def measure(settings: Settings, folder: Path, *, peer: bool = True) -> Iterator[Figures]:
    """Yield the figures of each part that `settings` asks for."""
    if settings.wants("F7"):
        yield throughput(settings, folder / "f7", peer=peer)
    if settings.wants("burst"):
        yield burst_memory(settings, folder / "burst")
    if settings.wants("F12"):
        yield growth(settings, folder / "f12")
    if settings.wants("F11"):
        yield latency(settings, folder / "f11")


def throughput(settings: Settings, folder: Path, *, peer: bool) -> Figures:
    """F7: the same messages into Loadcenter, into the old stack in two forms, and past a plain subscriber, in turn."""
    messages = max(PDUS, int(MESSAGES * settings.scale))
    runs: dict[str, list[Run]] = {}
    ceiling: list[float] = []
    with bench_rig(folder / "ours", PDUS) as rig, ExitStack() as stack:
        contenders = {"loadcenter": stack.enter_context(_loadcenter(rig))}
        if peer:
            for number, flow in enumerate(Flow):
                contenders[flow] = stack.enter_context(_old(folder / f"old-{number}", rig, number, flow))
        plain = stack.enter_context(BenchBroker(folder / "plain", 0))
        for turn in range(settings.repeat + 1):
            for name, one in contenders.items():
                count = messages if turn else max(PDUS, int(messages * WARM_UP))
                run = _run(one, count, turn + 1)
                if turn:
                    runs.setdefault(name, []).append(run)
                    print(
                        f"  {name}: {run.messages_s:.0f} msg/s, {run.consumer_us:.0f} + {run.database_us:.0f} us",
                        flush=True,
                    )
            if turn:
                ceiling.append(_subscriber(plain.port, messages, turn))
        exact = _is_exact(rig, settings.repeat + 1, messages)
        size = _ingested(rig)
    return _throughput_figures(runs, ceiling, messages, exact=exact) | size


@contextmanager
def _loadcenter(rig: BenchRig) -> Iterator[Contender]:
    boot = 0

    def next_boot() -> None:
        nonlocal boot
        boot += 1

    with rig.sql() as sql:
        pids = rig.center.pid, rig.database.pid
        yield Contender(
            rig.broker.port, pids, lambda: rig.stored(sql, boot), next_boot, lambda: rig.rolled_up(sql)
        )


@contextmanager
def _old(folder: Path, rig: BenchRig, number: int, flow: Flow) -> Iterator[Contender]:
    name = f"loadcenter_old_{number}"
    rig.database.run_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    rig.database.run_sql(TABLE, name)
    with (
        BenchBroker(folder / "mosquitto", 0) as broker,
        NodeRed(folder / "node-red", broker, rig.database, name, flow) as red,
        Sql(rig.database, name) as sql,
    ):
        before = 0

        def stored() -> int:
            return sql.number("SELECT MAX(id) FROM old_readings") // OUTLETS - before

        def note() -> None:
            nonlocal before
            before += stored()

        yield Contender(broker.port, (red.pid, rig.database.pid), stored, note)


def _run(contender: Contender, messages: int, boot: int) -> Run:
    contender.ready()
    spec = burst_spec(contender.port, messages, boot)
    whole = messages - messages % PDUS
    with Burst(spec) as burst:
        before = [cpu_s(pid) for pid in contender.pids]
        began = burst.send()
        ended = until(whole, contender.stored, STILL_S)
        burst.acknowledged()
        while not contender.rolled_up():
            time.sleep(POLL_S)
        used = [cpu_s(pid) - earlier for pid, earlier in zip(contender.pids, before, strict=True)]
    return Run(whole / (ended - began), used[0] / whole * 1e6, used[1] / whole * 1e6)


def burst_spec(port: int, messages: int, boot: int) -> BurstSpec:
    """Return a burst whose times lie apart from those of every other boot."""
    whole = messages - messages % PDUS
    seconds = MESSAGES // PDUS
    start_ms = (int(time.time()) - 7200 + boot * seconds) * 1000
    return BurstSpec(port, CENTER, CENTER_PASSWORD, whole, PDUS, OUTLETS, boot, start_ms)


def _subscriber(port: int, messages: int, turn: int) -> float:
    """Return messages a second from Mosquitto to a subscriber in C that does nothing with them."""
    program = shutil.which("mosquitto_sub")
    if program is None:
        return 0.0
    whole = messages - messages % PDUS
    command = [
        program,
        "-p",
        str(port),
        "-u",
        CENTER,
        "-P",
        CENTER_PASSWORD,
        "-q",
        "1",
        "-c",
        "-i",
        f"sub-{turn}",
    ]
    command += ["-t", f"{payloads.ROOT}/+/up/telemetry", "-C", str(whole)]
    with (
        Burst(burst_spec(port, messages, turn)) as burst,
        subprocess.Popen(command, stdout=subprocess.DEVNULL) as subscriber,
    ):
        time.sleep(0.5)  # its subscription stands
        began = burst.send()
        subscriber.wait(300)
        ended = time.monotonic()
        burst.acknowledged()
    return whole / (ended - began)


def _is_exact(rig: BenchRig, turns: int, messages: int) -> bool:
    """Return whether every record of the counted runs has its rows, once, and the minutes hold them all."""
    with rig.sql() as sql:
        given = sum(rig.stored(sql, boot) for boot in range(1, turns + 1))
        raw = sql.number("SELECT SUM(BIT_COUNT(reported & 255)) FROM raw_record")
        minutes = sql.number("SELECT SUM(power_count) FROM outlet_rollup_1m")
    return raw == minutes == given * OUTLETS and given >= (turns - 1) * (messages - messages % PDUS)


def _ingested(rig: BenchRig) -> Figures:
    """F10 of rows that came in batch by batch: the pages that hold them; the file is larger by what InnoDB grows it ahead."""
    with rig.sql() as sql:
        rows = sql.number("SELECT SUM(BIT_COUNT(reported & 255)) FROM raw_record")
        sql.run("ANALYZE TABLE raw_record")
        pages = sql.number(
            "SELECT SUM(stat_value * @@innodb_page_size) FROM mysql.innodb_index_stats WHERE stat_name = 'size' "
            f"AND database_name = '{rig.name}' AND table_name LIKE 'raw\\_record%'"
        )
    size = table_bytes(rig, "raw_record")
    note = f"raw, of {rows:,} rows that came by MQTT: {pages / 1e6:.1f} MB of pages in files of {size / 1e6:.1f} MB"
    return {"F10_ingested_b": Figure(pages / rows, "B", "<= 49", note=note)}


def _throughput_figures(
    runs: dict[str, list[Run]], ceiling: list[float], messages: int, *, exact: bool
) -> Figures:
    ours = runs["loadcenter"]
    note = f"bursts of {messages} messages of {OUTLETS} outlets and 2 sources from {PDUS} PDUs"
    if not exact:
        raise AssertionError("rows, rollups and positions of the runs do not agree: nothing was measured")
    found = {
        "F7_messages_s": of_runs([run.messages_s for run in ours], "msg/s", peer=_peers(runs), note=note),
        "F7_cpu_us": of_runs([run.both_us for run in ours], "us/msg", note="consumer and MariaDB"),
        "F7_consumer_us": of_runs([run.consumer_us for run in ours], "us/msg"),
        "F7_database_us": of_runs([run.database_us for run in ours], "us/msg"),
    }
    for flow, key in ((Flow.EACH, "F7"), (Flow.JOINED, "F7_joined")):
        if flow not in runs:
            continue
        pairs = list(zip(ours, runs[flow], strict=True))
        ratios = [one.messages_s / other.messages_s for one, other in pairs]
        goal = (">= 2", "<= 0.5") if flow is Flow.EACH else ("", "")
        against = f"against {flow}, run by run"
        found[key] = of_runs(ratios, "x", goal[0], note=against)
        found[f"{key}_cpu"] = of_runs([a.both_us / b.both_us for a, b in pairs], "x", goal[1], note=against)
    if any(ceiling):
        shares = [run.messages_s / top for run, top in zip(ours, ceiling, strict=True)]
        peer = {"mosquitto_sub_messages_s": round(figures.percentile(ceiling, 50))}
        found["F7_ceiling"] = of_runs(shares, "x", peer=peer, note="of mosquitto_sub, which stores nothing")
    return found


def _peers(runs: dict[str, list[Run]]) -> dict[str, dict[str, int]]:
    return {
        str(name): {
            "messages_s": round(figures.percentile([run.messages_s for run in all_runs], 50)),
            "consumer_us": round(figures.percentile([run.consumer_us for run in all_runs], 50)),
            "database_us": round(figures.percentile([run.database_us for run in all_runs], 50)),
        }
        for name, all_runs in runs.items()
        if name != "loadcenter"
    }


def burst_memory(settings: Settings, folder: Path) -> Figures:
    """F8_burst_mb: how much the control center grows while a burst is queued in front of it."""
    messages = max(PDUS, int(BURST * settings.scale))
    messages -= messages % PDUS
    with bench_rig(folder, PDUS) as rig, rig.sql() as sql, Burst(_wide(rig.broker.port, messages)) as burst:
        before_mb = rss_mb(rig.center.pid)
        with RssCurve(rig.center.pid) as curve:
            began = burst.send()
            ended = until(messages, lambda: rig.stored(sql), STILL_S)
        raw = sql.number("SELECT SUM(BIT_COUNT(reported & 255)) FROM raw_record")
    assert raw == messages * OUTLETS, f"{raw} rows of {messages * OUTLETS}"
    highest = max(curve.values_mb)
    note = f"{messages} messages in {ended - began:.0f} s, {before_mb:.0f} MB before, curve in MB: {curve.thinned()}"
    return {
        "F8_burst_mb": Figure(highest - before_mb, "MB", "<= 100", note=note),
        "F8_burst_lost": Figure(float(messages * OUTLETS - raw), "rows", "0"),
    }


def _wide(port: int, messages: int) -> BurstSpec:
    start_ms = (int(time.time()) - messages // PDUS - 60) * 1000
    return BurstSpec(port, CENTER, CENTER_PASSWORD, messages, PDUS, OUTLETS, 1, start_ms)


def main() -> Iterator[Figures]:
    """Measure as the environment says."""
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as folder:
        peer = os.environ.get("PEER", "node-red") != "none"
        yield from measure(figures.settings(1.0), Path(folder), peer=peer)


if __name__ == "__main__":
    figures.run("ingest", main)
