"""The whole chain under faults at random instants: nothing lost, nothing doubled, no relay moved by any of them.

Firmware in its emulator, gateway in MicroPython, Mosquitto with TLS, server, MariaDB (tests/system/chain.py). FAULTS=200 how
many, LONGEST=20 s the longest time that a part is away, AWAY=600 s the server once at the end, SEED= repeats a campaign.
The reference is what went over the serial line.
"""

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import figures
from bench.figures import Figure, Figures
from tests.databases import MariaDbServer
from tests.system.chain import PDU, Acted, Chain, chain

COMPARED_EVERY = 25
SLACK_MS = 1500
"""Between the server's clock and the device's uptime, as the last telemetry told it."""

SWITCHED = (1, 2)
"""Outlets that are switched during faults; the others must not move at all."""

IN_FLIGHT = 0.6
"""How often an order is on its way as a fault begins."""

FAULTS: dict[str, int] = {
    "gateway killed": 24,
    "network cut": 20,
    "network silent": 10,
    "broker killed": 14,
    "server killed": 10,
    "line cut": 8,
    "line noise": 8,
    "unit reset": 6,
}
"""How often of a hundred."""


@dataclass
class Found:
    """What the comparison found.

    Attributes:
        lost: events that the gateway has taken over from the unit, and the database has not.
        doubled: events that it has more than once.
        unannounced: telemetry records that are neither stored nor in a gap.
        event_gaps: events that a gap stands for.
        unordered: orders that reached the unit without a living command of a person: late, repeated, made up.
        moved: moves of relays that nobody had ordered.
    """

    lost: int = 0
    doubled: int = 0
    unannounced: int = 0
    event_gaps: int = 0
    unordered: int = 0
    moved: int = 0


@dataclass
class Campaign:
    """Faults one after the other, with people and sources busy meanwhile."""

    chain: Chain
    chance: random.Random
    longest_s: float
    counts: Counter[str] = field(default_factory=Counter)
    commands: list[dict[str, Any]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    main_on: bool = True
    reset_moves: Counter[str] = field(default_factory=Counter)

    def run(self, name: str) -> None:
        """Let one fault happen at a random instant, and end."""
        self._pause(0, 1.5)
        if name != "unit reset" and self.chance.random() < IN_FLIGHT:
            self.chain.until(self.chain.ready, 120)
            self._switch()
        acts: dict[str, Callable[[], None]] = {
            "gateway killed": self._kill_gateway,
            "network cut": self._cut_network,
            "network silent": self._silence_network,
            "broker killed": self._kill_broker,
            "server killed": self._kill_server,
            "line cut": self._cut_line,
            "line noise": self._noise,
            "unit reset": self._reset_unit,
        }
        acts[name]()
        self.counts[name] += 1

    def leave_server_away(self, seconds: float) -> None:
        """Let the server be away, with events meanwhile."""
        self.chain.center.kill()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._disturb()
            time.sleep(min(60.0, max(0.0, end - time.monotonic())))
        self.chain.center.start()
        self.counts["server away"] += 1

    def compare(self) -> Found:
        """Let everything settle, and return how the database differs from what went over the line."""
        whole = self.chain
        whole.until(whole.ready, 120)
        whole.until(whole.settled, 180)
        whole.until(self._positions_agree, 60)
        unordered = self._unordered()
        return Found(
            lost=len(whole.missing()),
            doubled=len(whole.doubled()),
            unannounced=self._unannounced(),
            event_gaps=self._number(
                "SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM gap WHERE stream = 'event'"
            ),
            unordered=unordered,
            moved=self._moved(),
        )

    # -- faults

    def _kill_gateway(self) -> None:
        self.chain.gateway.kill()
        self._meanwhile()
        self.chain.gateway.start()

    def _cut_network(self) -> None:
        self.chain.network.cut()
        self._meanwhile()
        self.chain.network.mend()

    def _silence_network(self) -> None:
        self.chain.network.silence()
        self._meanwhile()
        self.chain.network.mend()

    def _kill_broker(self) -> None:
        self.chain.broker.kill()
        self._meanwhile()
        self.chain.broker.start()

    def _kill_server(self) -> None:
        self.chain.center.kill()
        self._disturb()
        self._pause(0, 2)
        self.chain.center.start()

    def _cut_line(self) -> None:
        self.chain.wire.cut()
        self._meanwhile()
        self.chain.wire.mend()

    def _noise(self) -> None:
        for _ in range(self.chance.randrange(1, 6)):
            self.chain.wire.add_noise(self.chance.randbytes(self.chance.randrange(1, 200)))
            self._pause(0, 0.3)

    def _reset_unit(self) -> None:
        """Reset the unit while no command is under way, and keep its own moves apart."""
        whole = self.chain
        whole.until(lambda: not self._open_commands(), 60)
        before, session = Counter(whole.unit.outlet_pins()), whole.ledger.sessions[-1]
        wanted = self._on()
        whole.unit.type("reset")
        whole.until(lambda: whole.ledger.sessions[-1] != session)
        whole.until(lambda: self._on() >= wanted)
        self.reset_moves += Counter(whole.unit.outlet_pins()) - before

    def _on(self) -> set[str]:
        """Return the outlets that the unit says are on, none before the first readings of its newest session."""
        told = self.chain.ledger.telemetry
        if told is None or told.session != self.chain.ledger.sessions[-1]:
            return set()
        return {name for name, value in told.fields.items() if name.startswith("on.") and value == "1"}

    # -- what happens meanwhile

    def _meanwhile(self) -> None:
        length_s = self.longest_s ** self.chance.random()  # log-uniform from 1 s
        end = time.monotonic() + length_s
        self._pause(0, 0.5)
        what = self.chance.choice((self._disturb, self._switch, self._switch, lambda: None))
        what()
        time.sleep(max(0.0, end - time.monotonic()))

    def _disturb(self) -> None:
        self.main_on = not self.main_on
        self.chain.unit.type(f"main {'on' if self.main_on else 'off'}")

    def _switch(self) -> None:
        outlet = self.chance.choice(SWITCHED)
        do = self.chance.choice(("on", "off"))
        answer = self.chain.center.http.post(f"/api/v1/pdus/{PDU}/outlets/{outlet}/commands", json={"do": do})
        if answer.status_code == 202:
            self.commands.append(answer.json())
        else:
            self.refused[answer.json()["code"]] += 1

    def _pause(self, least_s: float, most_s: float) -> None:
        time.sleep(self.chance.uniform(least_s, most_s))

    # -- the comparison

    def given(self) -> list[dict[str, Any]]:
        """Return the commands that people have given, as they stand now."""
        return [self._as_it_stands(one) for one in self.commands]

    def _as_it_stands(self, command: dict[str, Any]) -> dict[str, Any]:
        """Return a command; one that a killed server had not written down yet may have been sent or not."""
        answer = self.chain.center.http.get(f"/api/v1/commands/{command['id']}")
        if answer.status_code == 404:
            return {**command, "status": "unknown"}
        return dict(answer.json())

    def _open_commands(self) -> list[dict[str, Any]]:
        return [one for one in self.given() if one["status"] in ("pending", "accepted")]

    def _unordered(self) -> int:
        """Return how many orders at the unit belong to no command that was alive when they came."""
        free = [one for one in self.given() if one["status"] not in ("rejected", "expired")]
        wrong = 0
        for acted in self.chain.ledger.acting.values():
            match = next((one for one in free if _is_of(acted, one)), None)
            if match is None:
                wrong += 1
                print(f"  nobody's order reached the unit: {acted}", flush=True)
            else:
                free.remove(match)
        return wrong

    def _moved(self) -> int:
        """Return how many moves of outlets' pins there are beyond one for each order, and those of resets."""
        ordered: Counter[str] = Counter()
        for acted in self.chain.ledger.acting.values():
            _, outlet, on = acted.frame.numbers[:3]
            ordered[f"outlet_{outlet} {'on' if on else 'off'}"] += 1
        pins = Counter(self.chain.unit.outlet_pins()) - self.started - self.reset_moves
        return sum((pins - ordered).values())

    started: Counter[str] = field(default_factory=Counter)

    def _positions_agree(self) -> bool:
        return self._unannounced() == 0

    def _unannounced(self) -> int:
        """Return how many telemetry records of a boot that is over, or given out, are neither stored nor in a gap."""
        return self._number(
            "SELECT (SELECT COALESCE(SUM(seq), 0) FROM stream_position WHERE stream = 'telemetry')"
            " - (SELECT COALESCE(SUM(samples), 0) FROM raw_record WHERE bank = 0)"
            " - (SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM gap WHERE stream = 'telemetry')"
        )

    def _number(self, query: str) -> int:
        return int(float(self.chain.sql(query)[0][0]))


def _is_of(acted: Acted, command: dict[str, Any]) -> bool:
    _, outlet, on = acted.frame.numbers[:3]
    alive = command["created_ms"] - SLACK_MS <= acted.ts_ms <= command["expires_at_ms"] + SLACK_MS
    return bool(alive and command["outlet"] == outlet and command["on"] == bool(on))


def measure(faults: int, seed: int, longest_s: float, away_s: float, folder: Path) -> Figures:
    """Return the figures of a campaign."""
    chance = random.Random(seed)
    began = time.monotonic()
    with MariaDbServer() as database, chain(folder, database) as whole:
        whole.until(lambda: all(one["on"] for one in whole.pdu()["outlets"]))
        campaign = Campaign(whole, chance, longest_s, started=Counter(whole.unit.outlet_pins()))
        found = Found()
        for done in range(1, faults + 1):
            campaign.run(chance.choices(list(FAULTS), list(FAULTS.values()))[0])
            if done % COMPARED_EVERY == 0 or done == faults:
                found = campaign.compare()
                print(f"  {done} faults: {found}", flush=True)
        if away_s:
            campaign.leave_server_away(away_s)
            found = campaign.compare()
            print(f"  server away for {away_s:.0f} s: {found}", flush=True)
        ended = Counter(one["status"] for one in campaign.given())
        events = len(whole.ledger.taken)
    note = (
        f"seed {seed}, {faults} faults in {time.monotonic() - began:.0f} s, {events} events, "
        f"commands: {dict(ended)}, refused at once: {dict(campaign.refused)}"
    )
    return {
        "CHAIN_faults": Figure(
            sum(campaign.counts.values()), "faults", ">= 200", peer=dict(campaign.counts), note=note
        ),
        "CHAIN_events_lost": Figure(found.lost + found.event_gaps, "events", "0"),
        "CHAIN_events_doubled": Figure(found.doubled, "events", "0"),
        "CHAIN_telemetry_unannounced": Figure(found.unannounced, "records", "0"),
        "CHAIN_orders_late_or_repeated": Figure(found.unordered, "orders", "0"),
        "CHAIN_moves_without_order": Figure(found.moved, "moves", "0"),
    }


def main() -> Iterator[Figures]:
    """Measure as the environment says."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-chain-") as folder:
        yield measure(
            int(figures.number("FAULTS", 200)),
            seed,
            figures.number("LONGEST", 20),
            float(os.environ.get("AWAY") or 600),
            Path(folder),
        )


if __name__ == "__main__":
    figures.run("chain", main)
