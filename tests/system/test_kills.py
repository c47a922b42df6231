"""Nothing acknowledged is lost and nothing is stored twice, whatever is killed (contract: end to end).

Real Mosquitto, real MariaDB, the control center as a process of its own. The reference is the ledger that the device
keeps of everything it has given out. A kill counts only if records were unacknowledged at that instant. Each safeguard
switched off must show its damage, or the harness would prove nothing.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.brokers import MosquittoServer
from tests.databases import MariaDbServer
from tests.system.centers import ServedCenter, wait_for
from tests.system.ledger_device import OUTLETS, START_MS, LedgerDevice

KILLS = 5
SEED = 20_261_124
RATE = 400
PDU = "ledger"
SECRET = "secret-of-the-ledger"
ABLATED = str(Path(__file__).with_name("ablated.py"))


@dataclass
class Rig:
    center: ServedCenter
    broker: MosquittoServer
    database: MariaDbServer
    name: str
    device: LedgerDevice
    chance: random.Random
    kills: int = 0

    def sql(self, text: str) -> list[list[str]]:
        return [line.split("\t") for line in self.database.run_sql(text, self.name).splitlines()]

    def settle(self) -> None:
        """Stop giving out and wait until everything is acknowledged."""
        self.device.produce(0)
        wait_for(lambda: self.device.unacknowledged == 0, self.center, 60)

    def wait_for_a_good_instant(self) -> None:
        """Return while records are on the way, at a random instant: not in step with the acks."""
        goal = self.device.stored + self.chance.randrange(50, 200)
        wait_for(lambda: self.device.stored >= goal, self.center, 60)
        time.sleep(self.chance.uniform(0, 0.4))
        wait_for(lambda: self.device.unacknowledged > 0, self.center, 60)


@dataclass
class Stored:
    """What the database holds, beside what the ledger says it should."""

    raw: dict[int, int]
    samples: dict[int, int]
    power_mw: dict[int, int]
    events: int


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDbServer]:
    with MariaDbServer() as server:
        yield server


def build(tmp_path: Path, database: MariaDbServer, ablation: str = "") -> Iterator[Rig]:
    with MosquittoServer(tmp_path / "mosquitto", {PDU: SECRET}) as broker:
        url = database.new_database()
        address = broker.address()
        config = {
            "database": url,
            "broker": f"mqtt://{address.username}:{address.password}@127.0.0.1:{broker.port}",
        }
        program = [sys.executable, ABLATED, ablation] if ablation else None
        with ServedCenter(tmp_path / "center", config, program) as center:
            center.add_device(PDU)
            with LedgerDevice(PDU, broker.address(PDU, SECRET), SEED) as device:
                yield Rig(center, broker, database, url.rsplit("/", 1)[1], device, random.Random(SEED))


@pytest.fixture
def rig(tmp_path: Path, database: MariaDbServer) -> Iterator[Rig]:
    yield from build(tmp_path, database)


def stored(rig: Rig) -> Stored:
    raw = {
        int(n): int(count) for n, count in rig.sql("SELECT outlet, COUNT(*) FROM raw_outlet GROUP BY outlet")
    }
    rollups = rig.sql(
        "SELECT outlet, SUM(power_count), SUM(power_sum_mw) FROM outlet_rollup_1m GROUP BY outlet"
    )
    return Stored(
        raw,
        {int(n): int(samples) for n, samples, _ in rollups},
        {int(n): int(total) for n, _, total in rollups},
        int(rig.sql("SELECT COUNT(*) FROM event WHERE boot > 0")[0][0]),
    )


def expected(device: LedgerDevice) -> Stored:
    telemetry = device.streams["telemetry"].records
    count = len(telemetry)
    power = {n: sum(one["out"][n - 1]["p_mw"] for one in telemetry.values()) for n in OUTLETS}
    return Stored(
        dict.fromkeys(OUTLETS, count),
        dict.fromkeys(OUTLETS, count),
        power,
        len(device.streams["event"].records),
    )


def assert_each_minute_is_what_was_given_out(rig: Rig) -> None:
    minutes: dict[tuple[int, int], int] = {}
    for number, one in rig.device.streams["telemetry"].records.items():
        ts_ms = START_MS + number * 1000
        for out in one["out"]:
            key = (out["n"], ts_ms - ts_ms % 60_000)
            minutes[key] = minutes.get(key, 0) + out["p_mw"]
    rows = rig.sql("SELECT outlet, start_ms, power_sum_mw FROM outlet_rollup_1m")
    assert {(int(n), int(start)): int(total) for n, start, total in rows} == minutes


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(rig: Rig) -> None:
    rig.device.produce(RATE)
    while rig.kills < KILLS:
        rig.wait_for_a_good_instant()
        on_the_way = rig.device.unacknowledged
        rig.center.kill()
        rig.kills += on_the_way > 0
        rig.center.start()
    rig.settle()
    print(f"server killed {rig.kills} times, seed {SEED}, {rig.device.stored} records")
    assert stored(rig) == expected(rig.device)
    assert_each_minute_is_what_was_given_out(rig)


def test_nothing_is_lost_or_doubled_when_the_broker_is_killed(rig: Rig) -> None:
    rig.device.produce(RATE)
    while rig.kills < KILLS:
        rig.wait_for_a_good_instant()
        on_the_way = rig.device.unacknowledged
        rig.broker.kill()
        rig.kills += on_the_way > 0
        rig.broker.start()
    rig.settle()
    print(f"broker killed {rig.kills} times, seed {SEED}, {rig.device.stored} records")
    assert stored(rig) == expected(rig.device)
    assert_each_minute_is_what_was_given_out(rig)


def test_nothing_is_lost_or_doubled_when_the_database_is_killed(rig: Rig) -> None:
    rig.device.produce(RATE)
    while rig.kills < KILLS:
        rig.wait_for_a_good_instant()
        on_the_way = rig.device.unacknowledged
        rig.database.kill()
        rig.kills += on_the_way > 0
        rig.database.start()
    rig.settle()
    print(f"database killed {rig.kills} times, seed {SEED}, {rig.device.stored} records")
    assert stored(rig) == expected(rig.device)
    assert_each_minute_is_what_was_given_out(rig)


def kill_until_it_shows(rig: Rig, damage: str) -> bool:
    """Kill the server until the database differs from the ledger in the way named, at most `KILLS` x 2 times."""
    for _ in range(KILLS * 2):
        rig.device.produce(RATE)
        rig.wait_for_a_good_instant()
        rig.center.kill()
        rig.center.start()
        rig.settle()
        is_now, should = stored(rig), expected(rig.device)
        if damage == "lost" and any(is_now.raw.get(n, 0) < should.raw[n] for n in OUTLETS):
            return True
        if damage == "doubled" and any(is_now.samples.get(n, 0) > should.samples[n] for n in OUTLETS):
            return True
    return False


def test_without_commit_before_the_ack_records_are_lost(tmp_path: Path, database: MariaDbServer) -> None:
    for rig in build(tmp_path, database, "ack-before-commit"):
        assert kill_until_it_shows(rig, "lost")


def test_a_puback_before_the_commit_alone_loses_nothing(tmp_path: Path, database: MariaDbServer) -> None:
    for rig in build(tmp_path, database, "puback-before-commit"):
        rig.device.produce(RATE)
        while rig.kills < KILLS:
            rig.wait_for_a_good_instant()
            rig.kills += rig.device.unacknowledged > 0
            rig.center.kill()
            rig.center.start()
        rig.settle()
        assert stored(rig) == expected(rig.device)


def test_with_positions_outside_the_transaction_rollups_are_doubled(
    tmp_path: Path, database: MariaDbServer
) -> None:
    for rig in build(tmp_path, database, "position-apart"):
        assert kill_until_it_shows(rig, "doubled")
