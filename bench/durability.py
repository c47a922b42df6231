"""Nothing acknowledged is lost and nothing is stored twice, whatever is killed and whenever (figure F8).

KILLS=200 outages that count, SEED= repeats a campaign, PEER=none leaves Node-RED out. An outage counts only if records
were unacknowledged at that instant; the reference is the ledger of the device that publishes.
"""

import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import figures
from bench.burst import Burst
from bench.figures import Figure, Figures
from bench.ingest import OUTLETS as LOADS
from bench.ingest import burst_spec
from bench.nodered import TABLE, Flow, NodeRed
from bench.rigs import BenchBroker
from tests.databases import MariaDbServer
from tests.system.centers import wait_for
from tests.system.ledger_device import OUTLETS
from tests.system.processes import runs
from tests.system.rigs import (
    PDU,
    Damage,
    Rig,
    assert_each_minute_is_what_was_given_out,
    expected,
    external_rig,
    kill_until_it_shows,
    stored,
)

RATE = 200
COMPARED_EVERY = 50
ABLATION_KILLS = 10
DISK_MB = 320
DISKS_FULL = 3
PEER_BURST = 20_000
ROLLUP_BOUND_S = 60.0
OUTAGES: dict[str, int] = {
    "server killed": 30,
    "broker killed": 25,
    "database killed": 20,
    "server and database killed": 8,
    "database stopped": 7,
    "database frozen": 5,
    "broker stopped": 5,
}
"""How often of a hundred."""


@dataclass(slots=True)
class Difference:
    """How the database differs from the ledger: rows, and minutes and coarser buckets that do not add up."""

    lost: int = 0
    doubled: int = 0
    rollups: int = 0

    def __str__(self) -> str:
        return f"{self.lost} lost, {self.doubled} doubled, {self.rollups} rollups wrong"


def measure(kills: int, seed: int, folder: Path, *, peer: bool, more: bool = True) -> Iterator[Figures]:
    """Yield the figures of the campaign; with `more` also the ablations' and those of full disks."""
    chance = random.Random(seed)
    with MariaDbServer() as database:
        with external_rig(folder / "campaign", database) as rig:
            began = time.monotonic()
            counts, total = _campaign(rig, kills, chance)
            records = rig.device.stored
        note = f"seed {seed}, {kills} outages that count in {time.monotonic() - began:.0f} s, {records:,} records"
        shown = _ablations(folder, database) if more else {}
        lost_by_old = _old_stack(folder / "old", database) if peer else None
    found = {
        "F8_outages": Figure(sum(counts.values()), "outages", ">= 200", peer=dict(counts), note=note),
        "F8_lost": Figure(total.lost, "rows", "0", peer=lost_by_old, ablation=shown.get(Damage.LOST)),
        "F8_doubled": Figure(total.doubled, "rows", "0", ablation=shown.get(Damage.DOUBLED)),
        "F8_rollups": Figure(
            total.rollups, "buckets", "0", note="minutes, quarters, hours and days against the ledger"
        ),
    }
    if "puback" in shown:
        found["F8_puback_alone_lost"] = Figure(
            float(shown["puback"]), "rows", "0", note="PUBACK before COMMIT"
        )
    yield found
    if more:
        yield _disk_full(folder / "disk", seed)


# -- the campaign


def _campaign(rig: Rig, kills: int, chance: random.Random) -> tuple[Counter[str], Difference]:
    counts: Counter[str] = Counter()
    total = Difference()
    acts = _acts(rig, chance)
    while (done := sum(counts.values())) < kills:
        rig.device.produce(RATE)
        rig.wait_for_a_good_instant()
        name = chance.choices(list(OUTAGES), list(OUTAGES.values()))[0]
        on_the_way = rig.device.unacknowledged
        acts[name]()
        if on_the_way == 0:
            continue
        counts[name] += 1
        if (done + 1) % COMPARED_EVERY == 0 or done + 1 == kills:
            total = _compare(rig)
            print(f"  {done + 1} outages, {rig.device.stored:,} records: {total}", flush=True)
    return counts, total


def _acts(rig: Rig, chance: random.Random) -> dict[str, Callable[[], None]]:
    assert rig.broker is not None
    center, broker, database = rig.center, rig.broker, rig.database

    def away() -> None:
        time.sleep(chance.uniform(0, 1.5))

    def kill_both() -> None:
        database.kill()
        center.kill()
        database.start()
        center.start()

    def freeze() -> None:
        database.freeze()
        away()
        database.thaw()

    return {
        "server killed": lambda: _in_turn(center.kill, center.start),
        "broker killed": lambda: _in_turn(broker.kill, away, broker.start),
        "database killed": lambda: _in_turn(database.kill, away, database.start),
        "server and database killed": kill_both,
        "database stopped": lambda: _in_turn(database.stop, away, database.start),
        "database frozen": freeze,
        "broker stopped": lambda: _in_turn(broker.stop, away, broker.start),
    }


def _in_turn(*acts: Callable[[], None]) -> None:
    for act in acts:
        act()


# -- the comparison


def _compare(rig: Rig) -> Difference:
    """Let everything be acknowledged and compare all that is stored with the ledger."""
    rig.settle()
    is_now, should = stored(rig), expected(rig.device)
    pairs = [(is_now.raw.get(n, 0), should.raw[n]) for n in OUTLETS]
    pairs += [(is_now.samples.get(n, 0), should.samples[n]) for n in OUTLETS]
    pairs.append((is_now.events, should.events))
    found = Difference(
        lost=sum(max(0, wanted - got) for got, wanted in pairs),
        doubled=sum(max(0, got - wanted) for got, wanted in pairs),
    )
    try:
        assert_each_minute_is_what_was_given_out(rig)
    except AssertionError:
        found.rollups += 1
    found.rollups += _coarser_that_differ(rig, should.power_mw)
    return found


def _coarser_that_differ(rig: Rig, power_mw: dict[int, int]) -> int:
    """Return in how many coarser tiers an outlet's sum is not the ledger's."""
    differing = 0
    for tier in ("15m", "1h", "1d"):
        rows = rig.sql(f"SELECT outlet, SUM(power_sum_mw) FROM outlet_rollup_{tier} GROUP BY outlet")
        differing += {int(n): int(total) for n, total in rows} != power_mw
    return differing


# -- with a safeguard switched off


def _ablations(folder: Path, database: MariaDbServer) -> dict[str, str]:
    """Return what each missing safeguard did; where it did nothing the harness proves nothing."""
    shown: dict[str, str] = {}
    for name, damage in (("ack-before-commit", Damage.LOST), ("position-apart", Damage.DOUBLED)):
        with external_rig(folder / name, database, name) as rig:
            kill = kill_until_it_shows(rig, damage, ABLATION_KILLS, RATE * 2)
            assert kill, f"{name}: {ABLATION_KILLS} kills without damage: the campaign proves nothing"
            is_now, should = stored(rig), expected(rig.device)
            pairs = [
                (is_now.raw.get(n, 0) if damage is Damage.LOST else is_now.samples.get(n, 0), should.raw[n])
                for n in OUTLETS
            ]
            wrong = sum(abs(wanted - got) for got, wanted in pairs)
            shown[damage] = f"{name}: {wrong} {damage} of {sum(should.raw.values())}, shown by kill {kill}"
            print(f"  {shown[damage]}", flush=True)
    with external_rig(folder / "puback", database, "puback-before-commit") as rig:
        for _ in range(ABLATION_KILLS):
            rig.device.produce(RATE * 2)
            rig.wait_for_a_good_instant()
            rig.center.kill()
            rig.center.start()
        rig.settle()
        should = expected(rig.device)
        shown["puback"] = str(sum(should.raw.values()) - sum(stored(rig).raw.values()))
    return shown


# -- a full disk


def _disk_full(folder: Path, seed: int) -> Figures:
    """F8_disk_full: the database's disk fills up and is emptied again; needs the right to mount a small disk."""
    with _small_disk(folder) as disk:
        if disk is None:
            print("  F8_disk_full needs the right to mount a tmpfs (root): left out")
            return {}
        with MariaDbServer(disk / "mariadb") as database, external_rig(folder / "rig", database) as rig:
            told = [_fill_up(rig, disk / "ballast") for _ in range(DISKS_FULL)]
            total = _compare(rig)
            records = rig.device.stored
    note = f"seed {seed}, the disk was full {DISKS_FULL} times, {records:,} records, {total}; it was told: {told}"
    return {"F8_disk_full": Figure(total.lost + total.doubled + total.rollups, "rows", "0", note=note)}


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    folder.mkdir(parents=True)
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill_up(rig: Rig, ballast: Path) -> str:
    """Fill the disk, wait until the control center says so and a little longer, and make room; return what it said."""
    rig.device.produce(RATE * 2)
    rig.wait_for_a_good_instant()
    with ballast.open("wb") as file, suppress(OSError):
        while True:  # until no byte more fits
            file.write(bytes(65_536))
            file.flush()
    wait_for(lambda: rig.center.http.get("/readyz").status_code == 503, rig.center, 120)
    told = str(rig.center.http.get("/readyz").json()["checks"]["database"])
    time.sleep(rig.chance.uniform(0, 6))
    ballast.unlink()
    ended = wait_for(lambda: _back_by(rig), rig.center, 120)
    return told.rpartition("/")[2] + ended


def _back_by(rig: Rig) -> str:
    """Return how the control center came to write again, empty while it does not; start a database that has ended."""
    if not runs(rig.database.pid):  # InnoDB ends where it finds no room for its own pages
        rig.database.kill()
        rig.database.start()
        wait_for(lambda: rig.center.http.get("/readyz").status_code == 200, rig.center, 60)
        return "; MariaDB had ended by itself and was started again"
    return "; it went on by itself" if rig.center.http.get("/readyz").status_code == 200 else ""


# -- the peer


def _old_stack(folder: Path, database: MariaDbServer) -> str:
    """Return what Node-RED had stored of a burst that it had acknowledged, when it was killed."""
    url = database.new_database()
    name = database.last_database
    assert url.endswith(name)
    database.run_sql(TABLE, name)
    with BenchBroker(folder / "mosquitto", 0) as broker:
        with NodeRed(folder / "node-red", broker, database, name, Flow.EACH) as red:
            with Burst(burst_spec(broker.port, PEER_BURST, 1)) as burst:
                burst.send()
                burst.acknowledged()
                time.sleep(0.2)  # what is on its way to Node-RED is there
            red.kill()
        time.sleep(1)
        kept = int(database.run_sql("SELECT COUNT(*) FROM old_readings", name)) // LOADS
    return f"Node-RED killed after a burst of {PEER_BURST} was acknowledged: {PEER_BURST - kept} of {PEER_BURST} lost"


def main() -> Iterator[Figures]:
    """Measure as the environment says."""
    kills = int(figures.number("KILLS", 200))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
    print(f"seed {seed}, device {PDU}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-durability-") as folder:
        yield from measure(kills, seed, Path(folder), peer=os.environ.get("PEER", "node-red") != "none")


if __name__ == "__main__":
    figures.run("durability", main)
