"""A control center on real parts with one device that keeps a ledger, and the comparison of both."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer, free_port
from tests.databases import MariaDbServer
from tests.system.centers import ServedCenter, wait_for
from tests.system.ledger_device import OUTLETS, START_MS, LedgerDevice

from loadcenter.adapters.mqtt.url import BrokerAddress

SEED = 20_261_124
PDU = "ledger"
SECRET = "secret-of-the-ledger"
ABLATED = str(Path(__file__).with_name("ablated.py"))


@dataclass
class Rig:
    center: ServedCenter
    database: MariaDbServer
    name: str
    device: LedgerDevice
    chance: random.Random
    broker: MosquittoServer | None = None
    kills: int = 0

    def sql(self, text: str) -> list[list[str]]:
        return [line.split("\t") for line in self.database.run_sql(text, self.name).splitlines()]

    def kill(self, part: str) -> None:
        self._part(part).kill()

    def restart(self, part: str) -> None:
        self._part(part).start()

    def _part(self, part: str) -> ServedCenter | MosquittoServer | MariaDbServer:
        parts = {"server": self.center, "broker": self.broker, "database": self.database}
        found = parts[part]
        assert found is not None, f"there is no {part} of its own here"
        return found

    def settle(self) -> None:
        """Stop giving out and wait until everything is acknowledged, and in the rollups."""
        self.device.produce(0)
        wait_for(lambda: self.device.unacknowledged == 0, self.center, 60)
        wait_for(lambda: self.sql("SELECT COUNT(*) FROM unfolded") == [["0"]], self.center, 60)

    def wait_for_a_good_instant(self) -> None:
        """Return while records are on the way, at a random instant: not in step with the acks."""
        goal = self.device.stored + self.chance.randrange(50, 200)
        wait_for(lambda: self.device.stored >= goal, self.center, 60)
        time.sleep(self.chance.uniform(0, 0.4))
        wait_for(lambda: self.device.unacknowledged > 0, self.center, 60)


class Damage(StrEnum):
    """How a database can differ from the ledger."""

    LOST = "lost"
    DOUBLED = "doubled"


@dataclass
class Stored:
    """What the database holds, beside what the ledger says it should."""

    raw: dict[int, int]
    samples: dict[int, int]
    power_mw: dict[int, int]
    events: int


@contextmanager
def external_rig(folder: Path, database: MariaDbServer, ablation: str = "") -> Iterator[Rig]:
    """On Mosquitto and MariaDB; with one safeguard switched off where `ablation` names it."""
    with MosquittoServer(folder / "mosquitto", {PDU: SECRET}) as broker:
        url = database.new_database()
        config = {"database": url, "broker": f"mqtt://{CENTER}:{CENTER_PASSWORD}@127.0.0.1:{broker.port}"}
        program = [sys.executable, ABLATED, ablation] if ablation else None
        with ServedCenter(folder / "center", config, program) as center:
            center.add_device(PDU)
            with LedgerDevice(PDU, broker.address(PDU, SECRET), SEED) as device:
                yield Rig(center, database, url.rsplit("/", 1)[1], device, random.Random(SEED), broker)


@contextmanager
def embedded_rig(folder: Path, database: MariaDbServer) -> Iterator[Rig]:
    """On the embedded broker and MariaDB."""
    url, port = database.new_database(), free_port()
    with ServedCenter(folder / "center", {"database": url, "mqtt_port": port}) as center:
        address = BrokerAddress("127.0.0.1", port, username=PDU, password=center.add_device(PDU))
        with LedgerDevice(PDU, address, SEED) as device:
            yield Rig(center, database, url.rsplit("/", 1)[1], device, random.Random(SEED))


def stored(rig: Rig) -> Stored:
    raw = {
        int(n): int(count) for n, count in rig.sql("SELECT outlet, COUNT(*) FROM readings GROUP BY outlet")
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


def kill_until_it_shows(rig: Rig, damage: Damage, most: int, rate: float) -> int:
    """Kill the server up to `most` times; return which kill made the database differ from the ledger so, else 0."""
    for kill in range(1, most + 1):
        rig.device.produce(rate)
        rig.wait_for_a_good_instant()
        rig.center.kill()
        rig.device.forget_stored()  # what was acknowledged is gone from a device
        rig.center.start()
        rig.settle()
        is_now, should = stored(rig), expected(rig.device)
        if damage is Damage.LOST and any(is_now.raw.get(n, 0) < should.raw[n] for n in OUTLETS):
            return kill
        if damage is Damage.DOUBLED and any(is_now.samples.get(n, 0) > should.samples[n] for n in OUTLETS):
            return kill
    return 0
