"""What the benches measure on: Mosquitto as shipped, MariaDB with its defaults, a control center with many PDUs."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import payloads
from bench.fleet_device import Ledger
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer
from tests.databases import LOG_SIZE, MariaDbServer, superuser
from tests.system.centers import ServedCenter

from loadcenter.adapters.mqtt.credentials import mosquitto_hash
from loadcenter.adapters.storage.store import open_store
from loadcenter.apps.demo import DEMO_TARIFF

SECRET = "secret-of-the-fleet"
POLL_S = 0.05
_DEVICES_AT_ONCE = 1000


class BenchMariaDb(MariaDbServer):
    """MariaDB as it comes: default durability, buffer pool (128 MB) and log; the tests run a smaller one."""

    def _command(self) -> list[str]:
        small = ("--innodb-buffer-pool-size", LOG_SIZE)
        return [*(one for one in super()._command() if not one.startswith(small)), "--local-infile=1"]


class BenchBroker(MosquittoServer):
    """Mosquitto as shipped, with so many PDUs of one password: a hash for each would take minutes."""

    def __init__(self, folder: Path, pdus: int) -> None:
        self._pdus = pdus
        super().__init__(folder)

    def _write(self, users: Mapping[str, str]) -> None:
        super()._write(users)
        line = mosquitto_hash(SECRET)
        with (self.folder / "passwd").open("a", encoding="ascii") as passwords:
            passwords.writelines(f"{payloads.pdu_id(n)}:{line}\n" for n in range(self._pdus))


class Sql:
    """A session with the database that stays open: statements in, rows out."""

    def __init__(self, server: MariaDbServer, database: str = "") -> None:
        command = [
            "mariadb",
            "--no-defaults",
            "-N",
            "--unbuffered",
            "-u",
            superuser(),
            "-S",
            str(server.socket),
        ]
        self._client = subprocess.Popen(
            [*command, *([database] if database else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.close()
        self._client.wait(30)
        self._client.stdout.close()

    def run(self, statement: str) -> None:
        """Run a statement that returns no rows, and return when it is done."""
        self.rows(statement)

    def rows(self, query: str) -> list[list[str]]:
        """Return the rows of a query."""
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(f"{query};\nSELECT 'end of rows';\n")
        self._client.stdin.flush()
        found = []
        for line in self._client.stdout:
            if line == "end of rows\n":
                return found
            found.append(line.rstrip("\n").split("\t"))
        raise RuntimeError(f"the database ended the session at: {query[:200]}")

    def number(self, query: str) -> int:
        """Return the one number of a query; 0 for NULL."""
        text = self.rows(query)[0][0]
        return 0 if text == "NULL" else int(text)


@dataclass
class BenchRig:
    """Everything that runs."""

    broker: BenchBroker
    database: MariaDbServer
    name: str
    center: ServedCenter

    def sql(self) -> Sql:
        return Sql(self.database, self.name)

    def online(self) -> int:
        """Return how many PDUs the control center has heard to be connected."""
        text = self.center.http.get("/metrics").text
        return int(text.partition("\nloadcenter_pdus_online ")[2].split()[0])

    def stored(self, sql: Sql, boot: int = payloads.BOOT) -> int:
        """Return how many telemetry records of a boot are committed: a few rows, cheap to ask for."""
        return sql.number(
            f"SELECT SUM(seq) FROM stream_position WHERE stream = 'telemetry' AND boot = {boot}"
        )

    def rolled_up(self, sql: Sql) -> bool:
        """Return whether the rollups hold everything that is committed."""
        return not sql.number("SELECT COUNT(*) FROM unfolded")


@contextmanager
def bench_rig(folder: Path, pdus: int) -> Iterator[BenchRig]:
    """Yield a running control center on Mosquitto and MariaDB that knows so many PDUs."""
    with ExitStack() as stack:
        broker = stack.enter_context(BenchBroker(folder / "mosquitto", pdus))
        database = stack.enter_context(BenchMariaDb())
        url = database.new_database()
        config = {
            "database": url,
            "broker": f"mqtt://{CENTER}:{CENTER_PASSWORD}@127.0.0.1:{broker.port}",
            "tariff": str(DEMO_TARIFF),
        }
        asyncio.run(_make_tables(url))
        with Sql(database, database.last_database) as sql:
            register(sql, pdus)
        with ServedCenter(folder / "center", {**config, "log_level": "warning"}) as center:
            yield BenchRig(broker, database, database.last_database, center)


async def _make_tables(url: str) -> None:
    async with open_store(url):
        pass


def table_bytes(rig: BenchRig, table: str) -> int:
    """Return the size of a table's files, all its partitions together."""
    folder = rig.database.data / rig.name
    return sum(path.stat().st_size for path in folder.glob(f"{table}[.#]*ibd"))


def wrong_minutes(sql: Sql, fleet: Mapping[str, Ledger]) -> int:
    """Return in how many minutes of an outlet the stored sum of power is not what the fleet gave out."""
    rows = sql.rows(
        "SELECT p.pdu_id, r.outlet, r.start_ms, r.power_sum_mw FROM outlet_rollup_1m r JOIN pdu p ON p.pdu_no = r.pdu_no"
    )
    stored = {(name, int(outlet), int(start)): int(total) for name, outlet, start, total in rows}
    given = {(name, *key): total for name, ledger in fleet.items() for key, total in ledger.power_mw.items()}
    return len(stored.items() ^ given.items())


def register(sql: Sql, pdus: int) -> None:
    """Register PDUs in the table itself: by the API each would hash a password."""
    for first in range(0, pdus, _DEVICES_AT_ONCE):
        rows = ", ".join(
            f"('{payloads.pdu_id(n)}', '', 0, '', '', '')"
            for n in range(first, min(pdus, first + _DEVICES_AT_ONCE))
        )
        sql.run(
            f"INSERT INTO device (pdu_id, name, created_ms, bcrypt_hash, mosquitto_hash, labels) VALUES {rows}"
        )


def until(reached: int, value: Callable[[], int], bound_s: float) -> float:
    """Return when (monotonic seconds) `value()` reached a number; fail when it stands still for `bound_s`."""
    best, moved = -1, time.monotonic()
    while (now := value()) < reached:
        if now > best:
            best, moved = now, time.monotonic()
        if time.monotonic() - moved > bound_s:
            raise TimeoutError(f"stands at {now} of {reached} for {bound_s} s")
        time.sleep(POLL_S)
    return time.monotonic()
